"""What is sent to callers' own URLs."""

from storyhook.domain import errors
from storyhook.http.requests import NothingBody, RotationBody
from tools.openapi.answers.callbacks import Callback, CallbackSecret, CallbackWithPayload
from tools.openapi.operation import Answer, Operation
from tools.openapi.operations.shared import listed
from tools.openapi.parameters import PAGE, STATUS, SUBJECT

CALLBACK = dict.fromkeys(("getCallback", "replayCallback"), "callback_id")

OPERATIONS = (
    Operation(
        "listCallbacks",
        "GET /callbacks",
        "Callbacks",
        "What was sent to your URLs in the last 30 days",
        listed(Callback),
        "A page may be short or empty while `next_cursor` goes on: filters leave out others of the "
        "`limit` that were looked at.",
        query=(*PAGE, STATUS, SUBJECT),
    ),
    Operation(
        "getCallback",
        "GET /callbacks/{callback_id}",
        "Callbacks",
        "One callback: every try, and what is sent",
        {200: Answer("As it stands.", CallbackWithPayload)},
    ),
    Operation(
        "replayCallback",
        "POST /callbacks/{callback_id}/replay",
        "Callbacks",
        "Send a callback again, now",
        {202: Answer("Queued.", Callback, headers=("Location",), links=CALLBACK)},
        "The same id, the same bytes, and a fresh schedule if it fails.",
        body=NothingBody,
        body_required=False,
    ),
    Operation(
        "getCallbackSecret",
        "GET /callback-secret",
        "Callbacks",
        "The secret that signs your callbacks",
        {200: Answer("The newest.", CallbackSecret)},
        refusals=(errors.SettingsError,),
    ),
    Operation(
        "rotateCallbackSecret",
        "POST /callback-secret/rotate",
        "Callbacks",
        "Make the next secret",
        {200: Answer("The next; both sign for 24 hours.", CallbackSecret)},
        body=RotationBody,
        body_required=False,
        refusals=(errors.RotationTooSoon, errors.SettingsError),
    ),
)
