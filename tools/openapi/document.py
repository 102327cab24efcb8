"""The document: the table of operations, the schemas of requests and answers, real examples."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from storyhook.domain.callback import EVENTS
from storyhook.domain.errors import RateLimited, RequestInProgress, StoryhookError
from storyhook.http import problems
from tools.openapi.answers.base import GatewayMessage, Problem
from tools.openapi.examples import path_examples, request_examples, response_examples
from tools.openapi.operation import JSON, REPLAYED, Answer, Operation, Parameter
from tools.openapi.operations import OPERATIONS
from tools.openapi.parameters import IDEMPOTENCY_KEY, IF_NONE_MATCH, IN_PATHS
from tools.openapi.schemas import EVENT_DATA, Json, Schemas
from tools.openapi.story import Exchange

_TEXT = """Send `Authorization: Bearer shk_…` with every request. Money is a decimal text in USD,
`null` where it is not known. Times are RFC 3339 in UTC. Answers may gain fields: ignore what you
do not know.

Refusals are `application/problem+json` with a stable `type` and one sentence that says what to do.
With `Retry-After`, the same request may succeed after so many seconds; creates are safe to send
again with their `Idempotency-Key`. A method that a route does not take is refused with 405 and
`Allow`. What API Gateway refuses before all that is `{"message": …}`."""
_GATEWAY = {
    401: "There is no `authorization` header.",
    403: "The header is not `Bearer shk_…` with a key that this stack knows.",
    429: "Too many requests at once; API Gateway asks to slow down.",
    500: "Something is wrong with the stack; its log says what.",
    503: "API Gateway did not get an answer within 30 seconds.",
}
_KEYS_ONLY = (401, 403)
# They say each time when to ask again, not always the same.
_SAYS_WHEN = (RequestInProgress, RateLimited)
_HEADERS: Mapping[str, Json] = {
    "Location": {
        "description": "Where it is, below the API's URL.",
        "schema": {"type": "string"},
        "required": True,
    },
    "ETag": {
        "description": "Weak, of the content: for `If-None-Match`.",
        "schema": {"type": "string", "pattern": '^W/"[A-Za-z0-9_-]+"$'},
        "required": True,
    },
    REPLAYED: {
        "description": "`true`: an earlier request with the same Idempotency-Key made it.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {
        "description": "Seconds after which the same request may succeed.",
        "schema": {"type": "integer", "minimum": 0},
    },
}


def document(exchanges: Sequence[Exchange] = ()) -> Json:
    """The whole document; `exchanges` become its examples."""
    schemas = Schemas(OPERATIONS)
    paths: Json = defaultdict(dict)
    for operation in OPERATIONS:
        mine = [each for each in exchanges if each.operation == operation.id]
        paths[operation.path][operation.method.lower()] = _operation(operation, schemas, mine)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Storyhook",
            "version": "1",
            "summary": "A story goes in over HTTP, pictures in which the characters stay the same "
            "person come out, and a signed callback arrives.",
            "description": _TEXT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # Below the URL that this document was read at.
        "servers": [{"url": "."}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(o.tag for o in OPERATIONS)],
        "paths": dict(paths),
        "webhooks": {name: {"post": _event(name, schemas)} for name in EVENTS},
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key, shk_…"}
            },
            "schemas": schemas.all,
        },
    }


def as_text(whole: Json) -> str:
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _operation(operation: Operation, schemas: Schemas, exchanges: Sequence[Exchange]) -> Json:
    shown: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.text:
        shown["description"] = operation.text
    if operation.public:
        shown["security"] = []
    parameters = [*_path(operation, exchanges), *_optional(operation)]
    if parameters:
        shown["parameters"] = parameters
    if operation.body:
        content = {"schema": schemas.of(operation.body), **request_examples(exchanges)}
        shown["requestBody"] = {"required": operation.body_required, "content": {JSON: content}}
    shown["responses"] = _responses(operation, schemas, exchanges)
    return shown


def _parameter(parameter: Parameter, place: str, **more: Any) -> Json:
    return {
        "name": parameter.name,
        "in": place,
        "description": parameter.text,
        "schema": dict(parameter.schema),
        **more,
    }


def _path(operation: Operation, exchanges: Sequence[Exchange]) -> list[Json]:
    real = path_examples(operation, exchanges)
    return [
        _parameter(
            IN_PATHS[name],
            "path",
            required=True,
            **({"example": real[name]} if name in real else {}),
        )
        for name in operation.path_parameters
    ]


def _optional(operation: Operation) -> list[Json]:
    headers = [IDEMPOTENCY_KEY] * operation.once + [IF_NONE_MATCH] * operation.reads
    return [
        *(_parameter(each, "query") for each in operation.query),
        *(_parameter(each, "header") for each in headers),
    ]


def _responses(operation: Operation, schemas: Schemas, exchanges: Sequence[Exchange]) -> Json:
    found = {
        status: _answer(answer, schemas, ("ETag",) * operation.reads)
        for status, answer in operation.answers.items()
    }
    if operation.reads:
        found[304] = {"description": "You have it.", "headers": _headers("ETag"), "content": {}}
    for status, kinds in _by_status(operation.all_refusals).items():
        found[status] = _refusal(kinds, schemas)
    for status, text in _GATEWAY.items():
        if status not in _KEYS_ONLY or not operation.public:
            here = found.setdefault(status, {"description": text, "content": {}})
            here["content"][JSON] = {"schema": schemas.of(GatewayMessage)}
    for status, response in found.items():
        if status not in operation.answers or operation.answers[status].exemplary:
            for content_type, content in response["content"].items():
                content |= response_examples(exchanges, status, content_type)
        if not response["content"]:
            del response["content"]
    return {str(status): found[status] for status in sorted(found)}


def _headers(*names: str) -> Json:
    return {name: _HEADERS[name] for name in names}


def _answer(answer: Answer, schemas: Schemas, headers: tuple[str, ...]) -> Json:
    shown: Json = {"description": answer.text}
    if names := (*answer.headers, *headers):
        shown["headers"] = _headers(*names)
    schema = schemas.of(answer.shape) if answer.shape else {"type": "string"}
    shown["content"] = {kind: {"schema": schema} for kind in answer.content_types}
    if answer.links:
        shown["links"] = {
            operation: {"operationId": operation, "parameters": {name: "$response.body#/id"}}
            for operation, name in answer.links.items()
        }
    return shown


def _by_status(
    kinds: Iterable[type[StoryhookError]],
) -> Mapping[int, list[type[StoryhookError]]]:
    found: dict[int, list[type[StoryhookError]]] = defaultdict(list)
    for kind in kinds:
        found[problems.status_of(kind)].append(kind)
    return found


def _refusal(kinds: Sequence[type[StoryhookError]], schemas: Schemas) -> Json:
    types = sorted(f"/problems/{kind.slug}" for kind in kinds)
    schema = {**schemas.of(Problem), "properties": {"type": {"enum": types}}}
    shown: Json = {"description": " ".join(f"{kind.title}." for kind in kinds)}
    if any(kind.retry_after_seconds is not None or kind in _SAYS_WHEN for kind in kinds):
        shown["headers"] = _headers("Retry-After")
    return {**shown, "content": {problems.CONTENT_TYPE: {"schema": schema}}}


def _event(name: str, schemas: Schemas) -> Json:
    fields = {
        "type": {"const": name},
        "timestamp": {"type": "string", "format": "date-time"},
        "sequence": {"type": "integer", "minimum": 1, "description": "Without gaps."},
        "data": schemas.of(EVENT_DATA[name]),
    }
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    return {
        "operationId": name,
        "tags": ["Callbacks"],
        "summary": f"Sent to your callback_url: {name}",
        "description": "Signed by Standard Webhooks. Answer 2xx; otherwise it is tried again, for "
        "three days.",
        "security": [],
        "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
        "responses": {"2XX": {"description": "Received."}},
    }
