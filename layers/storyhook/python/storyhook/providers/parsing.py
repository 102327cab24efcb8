"""Reading what providers send. Apart from `base`, which the webhook side must not import."""

import json
from typing import Any


def json_body(body: bytes) -> Any:
    """The body as JSON, or None. Absurdly deep nesting is no JSON either."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
