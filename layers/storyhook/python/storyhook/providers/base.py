"""What both clients share: what an answer to a submit means.

The protocols themselves (`ProviderClient`, `WebhookReader`) are in `ports`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from storyhook.domain.outcome import (
    Failure,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Rejected,
)
from storyhook.providers.parsing import json_body
from storyhook.providers.transport import NeverSent, NoAnswer, NotOk

# Answers after which the job may exist all the same.
_UNKNOWN = frozenset({408, 409})
_THROTTLED = 429
_UNAVAILABLE = 503
_SECONDS_IN_TEXT = re.compile(r"(\d+(?:\.\d+)?) ?s(?:econds?)?\b")


def failed_submission(
    error: NotOk | NeverSent | NoAnswer, failure: Callable[[int, Any], Failure]
) -> NotCreated | Rejected | OutcomeUnknown:
    """Whether a submit that did not succeed may have created a job, and may be sent again."""
    match error:
        case NeverSent(detail):
            found = Failure(FailureKind.UNAVAILABLE, "No connection to the provider.", detail)
            return NotCreated(found)
        case NoAnswer(detail):
            return OutcomeUnknown(f"the provider's answer was lost ({detail})")
    body = json_body(error.body)
    if error.status in (_THROTTLED, _UNAVAILABLE):
        return NotCreated(failure(error.status, body), retry_after(error, body))
    if error.status in _UNKNOWN or error.status >= 500:
        return OutcomeUnknown(f"the provider answered {error.status}")
    return Rejected(failure(error.status, body))


def failed_upload(
    error: NotOk | NeverSent | NoAnswer, failure: Callable[[int, Any], Failure]
) -> NotCreated | Rejected:
    """As for a submit, but no job came of it in any case, and one more file costs nothing."""
    answer = failed_submission(error, failure)
    if isinstance(answer, OutcomeUnknown):
        return NotCreated(Failure(FailureKind.UNAVAILABLE, f"Not uploaded: {answer.detail}."))
    return answer


def retry_after(error: NotOk, body: Any) -> float | None:
    """Seconds: the header, else a number in the body, else one in its text."""
    header = _lower(error.headers).get("retry-after", "")
    if header.isdigit():
        return float(header)
    if isinstance(body, dict):
        number = body.get("retry_after")
        if isinstance(number, int | float) and number >= 0:
            return float(number)
        found = _SECONDS_IN_TEXT.search(str(body.get("detail", "")))
        if found:
            return float(found.group(1))
    return None


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
