"""What schemathesis loads beside the document; in its own environment, without our packages."""

import os
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
    """Most requests have an idempotency key of their own: otherwise nearly all use one again."""
    path = case.path_parameters or {}
    if case.method == "DELETE" and path.get("key_id") == os.environ["FUZZ_KEY_ID"]:
        path["key_id"] = "key_of_the_fuzzer"
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    key = (case.headers or {}).get(_NAME)
    number = next(_number)
    if isinstance(key, str) and _VALID.fullmatch(key.strip()) and number % 4:
        case.headers[_NAME] = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))
