"""Cursors: where a list goes on. Opaque to callers, and only good for the list they come from."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from storyhook.domain.errors import FieldError, InvalidRequest
from storyhook.http.raw import query_of

_CHECK_BYTES = 6


def cursor_of(event: Mapping[str, Any], value: bytes) -> str:
    """The cursor for `value`, of the list that `event` asks for."""
    return base64.urlsafe_b64encode(_check(event, value) + value).decode().rstrip("=")


def read_cursor(event: Mapping[str, Any], name: str) -> bytes | None:
    """The value of the cursor in the parameter `name`, if that is given.

    Raises InvalidRequest for one that is cut short, or of another list or tenant. The check finds
    mistakes; it keeps no secret, so the value is to be judged like any input.
    """
    text = query_of(event).get(name)
    if text is None:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise not_a_cursor(name) from error
    check, value = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
    if check != _check(event, value):
        raise not_a_cursor(name)
    return value


def not_a_cursor(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"{name} takes what an answer of this same list gave, unchanged; leave it out to begin at "
        "the beginning.",
        (FieldError(name, "not a cursor of this list"),),
    )


def _check(event: Mapping[str, Any], value: bytes) -> bytes:
    """Of the path, and of the tenant: the list's name, as it were."""
    tenant = event["requestContext"]["authorizer"]["lambda"]["tenant"]
    name = f"{tenant} {event['rawPath']} ".encode()
    return hashlib.sha256(name + value).digest()[:_CHECK_BYTES]
