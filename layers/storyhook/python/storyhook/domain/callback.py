"""A callback: one event for the customer's URL, delivered at least once or visibly failed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

PREDICTION_COMPLETED = "prediction.completed"
STORYBOARD_COMPLETED = "storyboard.completed"
MAX_BODY_BYTES = 256 * 1024

# Standard Webhooks: ten attempts over three days. Each gap counts from the attempt before.
_GAPS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
_JITTER = 0.1
_GONE = 410
LEASE = timedelta(seconds=60)
MAX_TURNS = 30


class CallbackStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `status_code` is None when no answer came; then `error` says why."""

    at: datetime
    status_code: int | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """`id` is stable over retries (the customer's idempotency key), `body` is sent as it is.

    `turn` counts the tries that were begun. A queue message names the turn it is for, so that of
    two messages only one sends.
    """

    id: str
    tenant: str
    key_id: str | None
    event: str
    subject_id: str
    url: str
    body: str
    status: CallbackStatus
    created_at: datetime
    due_at: datetime | None
    attempts: tuple[Attempt, ...] = ()
    turn: int = 0


def next_attempt(attempts: tuple[Attempt, ...], randomness: float) -> datetime | None:
    """When to try again after `attempts`, or None when it is over. `randomness` in [0, 1)."""
    last = attempts[-1]
    if last.status_code == _GONE or len(attempts) > len(_GAPS):
        return None
    gap = _GAPS[len(attempts) - 1]
    return last.at + gap * (1 + _JITTER * (2 * randomness - 1))


def accepted(attempt: Attempt) -> bool:
    return attempt.status_code is not None and 200 <= attempt.status_code < 300
