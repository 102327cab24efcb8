"""API keys."""

from storyhook.domain import errors
from storyhook.http.key_bodies import KeyBody
from tools.openapi.answers.keys import Key, NewKey
from tools.openapi.operation import Answer, Operation
from tools.openapi.operations.shared import CREATED, listed
from tools.openapi.parameters import PAGE

KEY = dict.fromkeys(("getKey", "revokeKey"), "key_id")

OPERATIONS = (
    Operation(
        "createKey",
        "POST /keys",
        "Keys",
        "Make an API key",
        {201: Answer("Its secrets are shown this once.", NewKey, headers=CREATED, links=KEY)},
        "Of your tenant, and allowed no more than the key that asks; the operator's keys may make "
        "keys for any tenant.",
        body=KeyBody,
        refusals=(errors.KeyTooWide, errors.SettingsError),
        once=True,
    ),
    Operation(
        "listKeys",
        "GET /keys",
        "Keys",
        "Your tenant's API keys, with what they have spent this month",
        listed(Key),
        query=PAGE,
    ),
    Operation(
        "getKey",
        "GET /keys/{key_id}",
        "Keys",
        "One API key",
        {200: Answer("As it stands.", Key)},
    ),
    Operation(
        "revokeKey",
        "DELETE /keys/{key_id}",
        "Keys",
        "Revoke an API key",
        {204: Answer("It works no more, within a minute.", content_types=())},
        "The one that asks, too: then it is the last thing that it does.",
    ),
)
