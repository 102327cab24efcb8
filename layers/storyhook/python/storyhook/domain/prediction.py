"""The life of a prediction. Rows go forward only; the one table of allowed steps is here.

queued -> submitting -> submitted -> storing -> succeeded | failed | blocked | canceled | expired

The single step back, submitting -> queued, is open only to the holder of the claim (`attempt`):
when the provider certainly created nothing, or when the caller agreed to pay once more for a
submission of which nothing was heard until its deadline (`max_paid_attempts`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from storyhook.domain.budget import Booking, Hold
from storyhook.domain.callback import PREDICTION_COMPLETED, tells
from storyhook.domain.fallback import NextModel, StoredPlan
from storyhook.domain.images import StoredImage
from storyhook.domain.outcome import Failure, FailureKind, ProviderHandle


class Status(StrEnum):
    QUEUED = "queued"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    STORING = "storing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def terminal(self) -> bool:
        return self in TERMINAL

    @property
    def public(self) -> str:
        """The status as the API tells it."""
        return "running" if self in _RUNNING else self.value


TERMINAL = frozenset(
    {Status.SUCCEEDED, Status.FAILED, Status.BLOCKED, Status.CANCELED, Status.EXPIRED}
)
_RUNNING = frozenset({Status.SUBMITTING, Status.SUBMITTED, Status.STORING})
_OPEN = frozenset({Status.QUEUED, *_RUNNING})

# For each status, those from which a row may come to it. The store's condition is made of this.
SOURCES: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.SUBMITTING}),
    Status.SUBMITTING: frozenset({Status.QUEUED}),
    # From queued too: the provider says it has the job after all, so it must not be sent again.
    Status.SUBMITTED: frozenset({Status.QUEUED, Status.SUBMITTING}),
    # A webhook may come before the submit call has returned, whatever that call made of it.
    Status.STORING: frozenset({Status.QUEUED, Status.SUBMITTING, Status.SUBMITTED}),
    Status.SUCCEEDED: frozenset({Status.STORING}),
    **dict.fromkeys((Status.FAILED, Status.BLOCKED, Status.CANCELED, Status.EXPIRED), _OPEN),
}

_STATUS_OF_FAILURE = {
    FailureKind.BLOCKED: Status.BLOCKED,
    FailureKind.CANCELED: Status.CANCELED,
    FailureKind.EXPIRED: Status.EXPIRED,
}


def status_of(failure: Failure) -> Status:
    return _STATUS_OF_FAILURE.get(failure.kind, Status.FAILED)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One paid call of a model. The row is the truth.

    `token` is the secret half of the webhook URL; `input` is the stored plan (prompt, references,
    payload without signed URLs); `due_at` is set while the row still owes something to somebody.

    Moving on to a fallback: `replaced_by` is the id of the row that comes after this one, written
    by the same write that ends this one; `next_model` says what that is. `refused` is the
    provider's last refusal, on a row that was queued again because of it.

    `cancel_requested_at` is written while the row is open; from then on nobody sends it.
    `unanswered` counts the looks past its deadline at which nobody could say what became of its
    submission.
    `unknown_outcomes` counts the submissions that were given up without a word: with the one at
    hand they never exceed `max_paid_attempts`.

    `callback_events`, on a row of a board whose caller wants to hear of more than the board's end:
    which; then `scene_position` says which scene it is of.

    `hold` is what it has reserved of budgets, where money is limited; `max_cost` its caller's limit
    for this prediction alone.
    """

    id: str
    tenant: str
    status: Status
    model: str
    provider: str
    endpoint: str
    token: str
    input: Mapping[str, Any]
    seed: int | None
    cost_estimated: Decimal | None
    created_at: datetime
    deadline_at: datetime
    due_at: datetime | None = None
    attempt: int = 0
    checks: int = 0
    handle: ProviderHandle | None = None
    images: tuple[StoredImage, ...] = ()
    seed_returned: int | None = None
    failure: Failure | None = None
    cost_actual: Decimal | None = None
    provider_seconds: float | None = None
    submitted_at: datetime | None = None
    storing_at: datetime | None = None
    completed_at: datetime | None = None
    storyboard_id: str | None = None
    scene_id: str | None = None
    candidate: int | None = None
    task_token: str | None = None
    callback_url: str | None = None
    callback_id: str | None = None
    key_id: str | None = None
    refused: Failure | None = None
    next_model: NextModel | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    cancel_requested_at: datetime | None = None
    max_paid_attempts: int = 1
    unknown_outcomes: int = 0
    unanswered: int = 0
    callback_events: tuple[str, ...] | None = None
    scene_position: int | None = None
    hold: Hold | None = None
    max_cost: Decimal | None = None

    def moves_on(self, failure: Failure) -> bool:
        """Whether another model is tried after this failure."""
        wanted = self.cancel_requested_at is None
        return wanted and self.next_model is not None and self.next_model.follows(failure)

    @property
    def may_be_sent_again(self) -> bool:
        """Whether the caller agreed to pay once more, should this submission stay unknown."""
        wanted = self.status is Status.SUBMITTING and self.cancel_requested_at is None
        return wanted and self.unknown_outcomes + 1 < self.max_paid_attempts

    @property
    def canceled_in_time(self) -> bool | None:
        """Of a row that was asked to be canceled: whether no picture was made; None, not known."""
        if self.status is Status.CANCELED:
            # What was sent before, without an answer, may have become a picture.
            return None if self.unknown_outcomes else True
        return False if self.status.terminal or self.status is Status.STORING else None

    def tells(self, event: str) -> bool:
        """Whether `event` is owed to its callback URL when this row, or its scene, is over."""
        return tells(
            self.callback_url, self.callback_events, event, unless_chosen=PREDICTION_COMPLETED
        )

    @property
    def charge(self) -> Decimal:
        """USD that the row, which is over, counts for in budgets: paid, or perhaps paid."""
        each = self.cost_estimated or Decimal(0)
        maybe = each * self.unknown_outcomes
        if self.status is Status.SUCCEEDED:
            return maybe + (each if self.cost_actual is None else self.cost_actual)
        return maybe + each if self.failure and self.failure.may_be_paid else maybe

    @property
    def booked_again(self) -> Booking | None:
        """What sending it once more reserves."""
        if self.hold is None:
            return None
        return Booking(self.hold, self.cost_estimated or Decimal(0), Decimal(0), checked=True)

    def booked_at_end(self, status: Status, changes: Mapping[str, Any]) -> Booking | None:
        """What ending it so does to its budgets; the row that replaces it reserves here and now."""
        if self.hold is None:
            return None
        spent = replace(self, status=status, **changes).charge
        successor = self.next_model.cost if self.next_model and "replaced_by" in changes else None
        taken = spent - self.hold.amount + (successor or 0)
        return Booking(self.hold, taken, spent, checked=successor is not None)

    @property
    def owes_announcement(self) -> bool:
        """Whether somebody waits to hear how this ends: a board's workflow, or a callback URL."""
        return self.storyboard_id is not None or self.callback_url is not None


# How long the holder of a row may work on it before the reconciler may take it over.
LEASE = timedelta(seconds=90)
# When a queued row's message is taken for lost; boards queue behind one another for minutes.
QUEUE_PATIENCE = timedelta(minutes=5)
# How often an unknown submit outcome is looked for while its webhook may still come.
UNKNOWN_PATIENCE = timedelta(minutes=2)
# How long a row may wait to be sent once more, after a submission whose outcome stayed unknown.
RESEND_PATIENCE = timedelta(hours=1)
# How often a row past its deadline is looked at without an answer; LEASE apart, that is an hour.
# Looks are what counts: a reconciler that comes late has not asked meanwhile, and one silence, or
# one error of ours, says nothing of a picture that may be made and paid.
MAX_UNANSWERED = 40
# After so many failed copies a paid picture is given up as lost.
MAX_STORE_ATTEMPTS = 8

_MOST_GROWTHS = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a provider is asked about a submitted prediction.

    First after `typicals` times the model's typical seconds and `slack`; then after `gap`, which
    grows by the factor `growth` up to `longest`.
    """

    typicals: float
    slack: timedelta
    gap: timedelta
    growth: float
    longest: timedelta


# A webhook tells, nearly always; asking is the net under it.
WITH_WEBHOOKS = Pace(2, timedelta(seconds=20), timedelta(seconds=15), 2, timedelta(minutes=5))
# Nothing tells; asking is the only way to hear.
WITHOUT_WEBHOOKS = Pace(0, timedelta(seconds=2), timedelta(seconds=2), 1.1, timedelta(seconds=5))


def next_check(
    now: datetime, checks: int, typical_seconds: float, pace: Pace = WITH_WEBHOOKS
) -> datetime:
    """When to ask the provider about a submitted prediction of which nothing was heard."""
    if checks == 0:
        return now + timedelta(seconds=pace.typicals * typical_seconds) + pace.slack
    gap: timedelta = pace.gap * pace.growth ** min(checks - 1, _MOST_GROWTHS)
    return now + min(pace.longest, gap)


def new_prediction(
    plan: StoredPlan,
    *,
    prediction_id: str,
    token: str,
    tenant: str,
    key_id: str | None,
    now: datetime,
    queue_seconds: int,
) -> Prediction:
    """The queued row of `plan`: `queue_seconds` to be sent in, and its model's time on top."""
    queue = timedelta(seconds=queue_seconds)
    return Prediction(
        id=prediction_id,
        tenant=tenant,
        key_id=key_id,
        status=Status.QUEUED,
        model=plan.model,
        provider=plan.provider,
        endpoint=plan.endpoint,
        token=token,
        input=plan.input,
        seed=plan.seed,
        cost_estimated=plan.cost_estimated,
        created_at=now,
        deadline_at=now + queue + timedelta(seconds=plan.deadline_seconds),
        due_at=now + min(queue, QUEUE_PATIENCE),
    )
