"""What an HTTP API event holds, as it came. Apart from `events`, which needs pydantic."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from storyhook.domain.errors import InvalidRequest, PayloadTooLarge

MAX_WEBHOOK_BYTES = 1024 * 1024


def query_of(event: Mapping[str, Any]) -> Mapping[str, str]:
    """The parameters behind the path; API Gateway leaves the field out where there are none."""
    return event.get("queryStringParameters") or {}


def headers_of(event: Mapping[str, Any]) -> Mapping[str, str]:
    """By their names in lower case, as API Gateway hands them over."""
    return event.get("headers") or {}


def raw_body(event: Mapping[str, Any], max_bytes: int = MAX_WEBHOOK_BYTES) -> bytes:
    """The body as the caller sent it; raises PayloadTooLarge."""
    body = event.get("body") or ""
    if len(body) > 2 * max_bytes:
        raise PayloadTooLarge(f"The body is too large; {max_bytes} bytes are allowed.")
    if event.get("isBase64Encoded"):
        try:
            data = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidRequest("The body is not readable; send it again.") from error
    else:
        # Half a surrogate pair is no text: the bytes then fail as JSON and as a signed body.
        data = body.encode("utf-8", "surrogatepass")
    if len(data) > max_bytes:
        raise PayloadTooLarge(f"The body has {len(data)} bytes; {max_bytes} are allowed.")
    return data
