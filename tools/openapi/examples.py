"""What happened in the story, as examples: as it was, but for signatures and the rest of lists."""

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from tools.openapi.operation import Operation
from tools.openapi.story import Exchange

Json = dict[str, Any]

_ITEMS = 2
# They change from day to day; those of forms, too.
_SIGNED = re.compile(r'"(policy|x-amz-[a-z-]+)": "[^"]*"', re.IGNORECASE)
_SIGNATURE = re.compile(r"\?[^\"\s]*X-Amz-Signature=[^\"\s]*|\?AWSAccessKeyId=[^\"\s]*")


def request_examples(exchanges: Sequence[Exchange]) -> Json:
    """Bodies that were accepted, each once."""
    bodies: Json = {}
    for each in exchanges:
        accepted = each.answer.status < HTTPStatus.BAD_REQUEST
        if accepted and isinstance(each.body, dict) and each.body not in bodies.values():
            bodies[each.name] = each.body
    return _named(bodies)


def response_examples(exchanges: Sequence[Exchange], status: int, content_type: str) -> Json:
    found: Json = {}
    if not content_type.endswith("json"):
        return found
    for each in exchanges:
        answer = each.answer
        if answer.status == status and answer.headers["content-type"] == content_type:
            found.setdefault(each.name, _shown(answer.body))
    return _named(found)


def path_examples(operation: Operation, exchanges: Sequence[Exchange]) -> dict[str, str]:
    """Of a request that found something."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path))
    for each in exchanges:
        match = pattern.fullmatch(each.path)
        if match and each.answer.status < HTTPStatus.BAD_REQUEST:
            return match.groupdict()
    return {}


def _named(values: Json) -> Json:
    return {"examples": {n: {"value": value} for n, value in values.items()}} if values else {}


def _shown(body: bytes) -> Any:
    text = _SIGNATURE.sub("?X-Amz-Signature=...", body.decode())
    value = json.loads(_SIGNED.sub(r'"\1": "..."', text))
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        value["items"] = value["items"][:_ITEMS]
    return value
