"""The Idempotency-Key of a request, and what it stands for."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from storyhook.domain.errors import FieldError, InvalidRequest
from storyhook.domain.idempotency import Asked
from storyhook.http.raw import headers_of, query_of, raw_body

IDEMPOTENCY_KEY = "idempotency-key"
_KEY = re.compile(r"[ -~]{1,255}", re.ASCII)


def asked_once(event: Mapping[str, Any]) -> Asked | None:
    """None without the header. For a request whose body is JSON: it is compared by its meaning."""
    key = headers_of(event).get(IDEMPOTENCY_KEY)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        wanted = "1 to 255 printable ASCII characters"
        raise InvalidRequest(
            f"An Idempotency-Key has {wanted}; a UUID will do.",
            (FieldError(IDEMPOTENCY_KEY, wanted),),
        )
    request = [
        event["requestContext"]["http"]["method"],
        event["rawPath"],
        query_of(event),
        json.loads(raw_body(event) or b"{}"),
    ]
    try:
        text = json.dumps(request, sort_keys=True, separators=(",", ":"))
    except RecursionError as error:  # Just readable; `request` is one deeper.
        raise InvalidRequest("The body is nested too deep; send less in one another.") from error
    return Asked(key, hashlib.sha256(text.encode()).hexdigest())
