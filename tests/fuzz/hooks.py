"""What schemathesis loads beside the document; in its own environment, without our packages."""

import re
import uuid
from itertools import count
from typing import Any

import schemathesis  # type: ignore[import-not-found]

_NAME = "Idempotency-Key"
_VALID = re.compile("[ -~]{1,255}")
_number = count()


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A key of its own for most requests: otherwise all but the first are a key used again."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    key = (case.headers or {}).get(_NAME)
    number = next(_number)
    if isinstance(key, str) and _VALID.fullmatch(key.strip()) and number % 4:
        case.headers[_NAME] = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))
