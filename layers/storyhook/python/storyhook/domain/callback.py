"""A callback: one event for the customer's URL, delivered at least once or visibly failed."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

PREDICTION_COMPLETED = "prediction.completed"
SCENE_COMPLETED = "scene.completed"
STORYBOARD_COMPLETED = "storyboard.completed"
EVENTS = (PREDICTION_COMPLETED, SCENE_COMPLETED, STORYBOARD_COMPLETED)
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
_LONGEST_RETRY_AFTER = timedelta(hours=24)
GONE = 410
LEASE = timedelta(seconds=60)
MAX_TURNS = 30
# A row of DynamoDB holds 400 KB, and the body may take most of it.
_ATTEMPTS_KEPT = 20
# Since the last try; longer than any schedule, whatever Retry-After asks for.
KEPT = timedelta(days=30)


class CallbackStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `status_code` is None when no answer came; then `error` says why.

    `response` is the beginning of an answer that was no success; `not_before` what it asked for
    by Retry-After.
    """

    at: datetime
    status_code: int | None
    error: str | None = None
    duration_seconds: float | None = None
    response: str | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """`id` is stable over retries (the customer's idempotency key), `body` is sent as it is.

    `turn` counts the tries that were begun. A queue message names the turn it is for, so that of
    two messages only one sends. A replay begins a new schedule: `first_turn` is the turn it began
    with, `tries` how many of its tries came to an end; the log keeps those before.

    `storyboard_id` is the board it is an event of, `sequence` its place among that board's events.
    `sending_until` is set while a try is under way. `error` says why it failed, beyond its tries.
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
    storyboard_id: str | None = None
    sequence: int = 1
    next_at: datetime | None = None
    sending_until: datetime | None = None
    tries: int = 0
    first_turn: int = 0
    error: str | None = None
    expires_at: datetime | None = None

    @property
    def just_replayed(self) -> bool:
        """Whether its next try is the first of a replay."""
        return self.first_turn > 0 and self.tries == 0

    def tried(self, attempt: Attempt) -> "Callback":
        kept = (*self.attempts, attempt)[-_ATTEMPTS_KEPT:]
        return replace(self, attempts=kept, tries=self.tries + 1)

    def ended(self, status: CallbackStatus, error: str | None = None) -> "Callback":
        return replace(self, status=status, error=error, due_at=None, next_at=None)


def tells(
    url: str | None, chosen: Collection[str] | None, event: str, *, unless_chosen: str
) -> bool:
    """Whether `event` is owed to `url`; of those who chose nothing, `unless_chosen` alone is."""
    return url is not None and event in (chosen or (unless_chosen,))


def next_attempt(tries: int, last: Attempt, randomness: float) -> datetime | None:
    """When to try again after so many tries, or None when it is over. `randomness` in [0, 1).

    Never before the last answer's Retry-After has passed; then the schedule goes on.
    """
    if last.status_code == GONE or tries > len(_GAPS):
        return None
    again = last.at + _GAPS[tries - 1] * (1 + _JITTER * (2 * randomness - 1))
    return max(again, last.not_before) if last.not_before else again


def retry_after(header: str | None, now: datetime) -> datetime | None:
    """What a Retry-After asks for, in seconds or as an HTTP date; at most 24 hours from `now`."""
    text = (header or "").strip()
    latest = now + _LONGEST_RETRY_AFTER
    if text.isascii() and text.isdigit():
        return latest if len(text) > 6 else min(now + timedelta(seconds=int(text)), latest)
    try:
        asked = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    # An HTTP date is in GMT, also where its sender forgot to say so.
    asked = asked.replace(tzinfo=asked.tzinfo or UTC)
    return min(asked, latest).astimezone(UTC) if asked > now else None


def accepted(attempt: Attempt) -> bool:
    return attempt.status_code is not None and 200 <= attempt.status_code < 300
