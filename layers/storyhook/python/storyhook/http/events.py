"""What an HTTP API event says: who calls, and a body that is checked."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from storyhook.domain.access import ALL_SCOPES, ApiKey, Scope
from storyhook.domain.errors import FieldError, InvalidRequest, MissingScope
from storyhook.http.idempotency import IDEMPOTENCY_KEY
from storyhook.http.problems import NotJson, UnsupportedMediaType
from storyhook.http.raw import headers_of, query_of, raw_body
from storyhook.http.reading import refuse, refuse_unknown

# Where pydantic speaks of Python, to somebody who wrote JSON.
_MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field here; mend its name or leave it out.",
    "tuple_type": "Give a list.",
    "dict_type": "Give an object.",
    "model_type": "Give an object.",
    "too_short": "Give at least {min_length}.",
    "too_long": "Give at most {max_length}.",
    "value_error": "{error}",
}

MAX_BODY_BYTES = 256 * 1024
_TYPES = frozenset(
    {
        *("", "application/json", "text/json", "text/plain"),
        *("application/x-www-form-urlencoded", "application/octet-stream"),
    }
)


def wants_dry_run(event: Mapping[str, Any]) -> bool:
    """Whether only the plan is asked for; any other value than true or false is refused."""
    value = query_of(event).get("dry_run", "false")
    if value not in ("true", "false"):
        raise InvalidRequest("dry_run is true or false.", (FieldError("dry_run", "true or false"),))
    return bool(value == "true")


def parse[Body: BaseModel](
    kind: type[Body],
    event: Mapping[str, Any],
    query: Collection[str] = (),
    *,
    optional: bool = False,
    once: bool = False,
) -> Body:
    """The checked body of an HTTP API event; raises with the path of every wrong field.

    `query` names the parameters that the route reads beside it, `once` says that it heeds an
    Idempotency-Key; no body at all counts as {} where it is `optional`. What would be ignored is
    refused: somebody who misspells a dry run must not pay for a real one.
    """
    refuse_unknown(event, query)
    if not once and IDEMPOTENCY_KEY in headers_of(event):
        refuse([IDEMPOTENCY_KEY])
    data = raw_body(event, MAX_BODY_BYTES)
    if data:
        _check_type(event)
    if optional and not data:
        data = b"{}"
    try:
        document = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotJson("The body is not JSON; send one JSON object, with double quotes.") from error
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise InvalidRequest(
            "Some fields are not valid; mend the ones listed in errors.",
            _field_errors(error),
        ) from error


def _check_type(event: Mapping[str, Any]) -> None:
    """JSON, or what senders say who did not say anything: `curl -d` calls its body a form."""
    header = headers_of(event).get("content-type", "")
    kind = header.partition(";")[0].strip().lower()
    if kind not in _TYPES and not kind.endswith("+json"):
        raise UnsupportedMediaType(
            f"The body is sent as {kind[:80]!r}; send JSON, as content-type: application/json."
        )


def caller(event: Mapping[str, Any]) -> ApiKey:
    """Whom the authorizer let in."""
    context = event["requestContext"]["authorizer"]["lambda"]
    # An answer that API Gateway keeps from before there were scopes has none.
    names = context.get("scopes", " ".join(ALL_SCOPES)).split()
    scopes = tuple(map(Scope, names))
    return ApiKey(context["key_id"], context["tenant"], scopes, context.get("storyboard_id"))


_FOR_ADMINS = ("/keys", "/callback-secret/rotate")
# What a shared link may read of its board, and nothing else.
_FOR_LINKS = (
    ("GET", "/storyboards/<storyboard_id>"),
    ("GET", "/storyboards/<storyboard_id>/events"),
    ("GET", "/predictions/<prediction_id>"),
)


def scope_of(method: str, path: str) -> Scope:
    """What a route needs; `path` is the route's."""
    if path.startswith(_FOR_ADMINS):
        return Scope.ADMIN
    return Scope.READ if method == "GET" else Scope.WRITE


def is_for_links(method: str, path: str) -> bool:
    """Whether a shared link may ask for it, too; `path` is the route's."""
    return (method, path) in _FOR_LINKS


def require(scope: Scope, event: Mapping[str, Any], *, or_by_link: bool = False) -> ApiKey:
    """The caller, if their key has the scope; comes before anything else. Raises MissingScope.

    `or_by_link`: a shared link will do; the route sees to it that it shows its own board only.
    """
    key = caller(event)
    by_link = or_by_link and Scope.VIEW in key.scopes
    if scope not in key.scopes and not by_link:
        raise MissingScope(
            f"This needs an API key with the scope {scope.value!r}; yours has "
            f"{', '.join(key.scopes)}. A key with the scope 'admin' makes others: POST /keys."
        )
    return key


def _field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """The innermost wrong fields: a list without a good item is wrong only through them."""
    found = {entry["loc"]: _message(entry) for entry in error.errors(include_url=False)}
    outer = {place[:depth] for place in found for depth in range(len(place))}
    return tuple(FieldError(_path(p), message) for p, message in found.items() if p not in outer)


def _message(entry: Mapping[str, Any]) -> str:
    told = _MESSAGES.get(entry["type"])
    return told.format(**entry.get("ctx", {})) if told else str(entry["msg"])


def _refuse(constant: str) -> None:
    """Python reads NaN and Infinity; JSON has no such numbers."""
    raise ValueError(constant)


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
