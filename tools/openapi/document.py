"""The document: the table of operations, the schemas of requests and answers, real examples."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from pydantic import TypeAdapter

from storyhook.domain.callback import EVENTS
from storyhook.domain.errors import StoryhookError
from storyhook.http import problems
from tools.openapi import answers
from tools.openapi.examples import path_examples, request_examples, response_examples
from tools.openapi.fields import TEXTS
from tools.openapi.operation import JSON, Answer, Operation
from tools.openapi.operations import OPERATIONS, PATH_PARAMETERS
from tools.openapi.story import Exchange

Json = dict[str, Any]
_Mode = Literal["validation", "serialization"]

_TEXT = """Send `Authorization: Bearer shk_…` with every request. Money is a decimal text in USD,
`null` where it is not known. Times are RFC 3339 in UTC. Answers may gain fields: ignore what you
do not know.

Refusals are `application/problem+json` with a stable `type` and one sentence that says what to do;
what API Gateway refuses before that is `{"message": …}`."""
_GATEWAY = {
    401: "There is no `authorization` header.",
    403: "The header is not `Bearer shk_…` with a key that this stack knows.",
    429: "Too many requests at once; API Gateway asks to slow down.",
}
_HEADERS = {
    "Location": {
        "description": "Where it is, below the API's URL.",
        "schema": {"type": "string"},
        "required": True,
    },
}
_EVENT_DATA = dict(
    zip(EVENTS, (answers.Prediction, answers.SceneOfBoard, answers.StoryboardOfItself), strict=True)
)


def document(exchanges: Sequence[Exchange] = ()) -> Json:
    """The whole document; `exchanges` become its examples."""
    schemas = _Schemas(OPERATIONS)
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


class _Schemas:
    """JSON Schema of all that is sent and answered, each by its name once."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        shapes = {a.shape for o in operations for a in o.answers.values() if a.shape}
        shapes |= {answers.Problem, answers.GatewayMessage, *_EVENT_DATA.values()}
        bodies = {o.body for o in operations if o.body}
        wanted: list[tuple[Any, _Mode, TypeAdapter[Any]]] = [
            *((shape, "serialization", TypeAdapter(shape)) for shape in sorted(shapes, key=repr)),
            *((body, "validation", TypeAdapter(body)) for body in sorted(bodies, key=repr)),
        ]
        self._places, found = TypeAdapter.json_schemas(
            wanted, ref_template="#/components/schemas/{model}"
        )
        self.all = {name: _without_titles(s) for name, s in sorted(found["$defs"].items())}
        for kind, texts in TEXTS.items():
            for name, text in texts.items():
                self.all[kind.__name__]["properties"][name]["description"] = text

    def of(self, shape: Any) -> Json:
        mode: _Mode = "serialization" if (shape, "serialization") in self._places else "validation"
        return dict(self._places[shape, mode])


def _without_titles(schema: Any) -> Any:
    """pydantic gives each field its own name as a title, which says nothing."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_titles(each)
        for name, each in schema.items()
        if not (name == "title" and isinstance(each, str))
    }


def _operation(operation: Operation, schemas: _Schemas, exchanges: Sequence[Exchange]) -> Json:
    shown: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.text:
        shown["description"] = operation.text
    if operation.public:
        shown["security"] = []
    parameters = [*_path(operation, exchanges), *_query(operation)]
    if parameters:
        shown["parameters"] = parameters
    if operation.body:
        content = {"schema": schemas.of(operation.body), **request_examples(exchanges)}
        shown["requestBody"] = {"required": operation.body_required, "content": {JSON: content}}
    shown["responses"] = _responses(operation, schemas, exchanges)
    return shown


def _path(operation: Operation, exchanges: Sequence[Exchange]) -> list[Json]:
    real = path_examples(operation, exchanges)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PATH_PARAMETERS[name].text,
            "schema": dict(PATH_PARAMETERS[name].schema),
            **({"example": real[name]} if name in real else {}),
        }
        for name in operation.path_parameters
    ]


def _query(operation: Operation) -> list[Json]:
    return [
        {"name": each.name, "in": "query", "description": each.text, "schema": dict(each.schema)}
        for each in operation.query
    ]


def _responses(operation: Operation, schemas: _Schemas, exchanges: Sequence[Exchange]) -> Json:
    found = {status: _answer(answer, schemas) for status, answer in operation.answers.items()}
    for status, kinds in _by_status(operation.all_refusals).items():
        found[status] = _refusal(kinds, schemas)
    for status, text in _GATEWAY.items():
        if status == HTTPStatus.TOO_MANY_REQUESTS or not operation.public:
            here = found.setdefault(status, {"description": text, "content": {}})
            here["content"][JSON] = {"schema": schemas.of(answers.GatewayMessage)}
    for status, response in found.items():
        if status not in operation.answers or operation.answers[status].exemplary:
            for content_type, content in response["content"].items():
                content |= response_examples(exchanges, status, content_type)
    return {str(status): found[status] for status in sorted(found)}


def _answer(answer: Answer, schemas: _Schemas) -> Json:
    shown: Json = {"description": answer.text}
    if answer.headers:
        shown["headers"] = {name: _HEADERS[name] for name in answer.headers}
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


def _refusal(kinds: Sequence[type[StoryhookError]], schemas: _Schemas) -> Json:
    types = sorted(f"/problems/{kind.slug}" for kind in kinds)
    schema = {**schemas.of(answers.Problem), "properties": {"type": {"enum": types}}}
    return {
        "description": " ".join(f"{kind.title}." for kind in kinds),
        "content": {problems.CONTENT_TYPE: {"schema": schema}},
    }


def _event(name: str, schemas: _Schemas) -> Json:
    fields = {
        "type": {"const": name},
        "timestamp": {"type": "string", "format": "date-time"},
        "sequence": {"type": "integer", "minimum": 1, "description": "Without gaps."},
        "data": schemas.of(_EVENT_DATA[name]),
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
