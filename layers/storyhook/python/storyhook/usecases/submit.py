"""Send a prediction to its provider: one claim, one POST.

The claim (queued -> submitting) decides who may pay. When the outcome of the POST is unknown the
row stays `submitting` and waits for the webhook; it is never sent again blindly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from storyhook.domain.errors import ProviderKeyMissing, SettingsError
from storyhook.domain.outcome import (
    Accepted,
    Failure,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Rejected,
    Submission,
)
from storyhook.domain.payload import with_urls
from storyhook.domain.prediction import (
    QUEUE_PATIENCE,
    RESEND_PATIENCE,
    UNKNOWN_PATIENCE,
    Pace,
    Prediction,
    Status,
    next_check,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.outcome import ProviderHandle
    from storyhook.ports import Clock, Predictions, ProviderClient, ReferenceUrls
    from storyhook.usecases.move_on import MoveOn
    from storyhook.usecases.settle import Settle

_DEFAULT_RETRY_SECONDS = 10.0
_MAX_RETRY_SECONDS = 300.0
# A job that is told to stop at its deadline may still begin a little later.
_REFERENCE_SLACK = timedelta(minutes=15)


@dataclass(frozen=True)
class Submit:
    """Without a `webhook_base_url` no provider is asked to tell: `pace` says how often we ask.

    `settle` is made when something ends here, which is rare: it costs a cold start 10 ms.
    """

    predictions: Predictions
    references: ReferenceUrls
    provider: Callable[[str], ProviderClient]
    settle: Callable[[], Settle]
    move_on: MoveOn
    catalogue: Catalogue
    clock: Clock
    webhook_base_url: str | None
    pace: Pace

    def from_queue(self, prediction_id: str, task_token: str | None) -> float | None:
        """Handle one queue message. Returns seconds to wait before it comes again, or None."""
        changes: dict[str, Any] = {"due_at": self.clock() + UNKNOWN_PATIENCE}
        if task_token:
            changes["task_token"] = task_token
        claimed = self.predictions.advance(prediction_id, Status.SUBMITTING, changes)
        if claimed:
            return self.send(claimed)
        # Somebody else has it, or it is over. Whoever ends it later must find the token.
        if task_token:
            row = self.predictions.attach_task_token(prediction_id, task_token)
        else:
            row = self.predictions.get(prediction_id)
        if row and row.status is Status.QUEUED and row.cancel_requested_at:
            self.settle().cancel_unsent(row)
        if row is None or not row.status.terminal:
            return None
        if row.replaced_by:
            if row.due_at is not None:
                self.move_on(row)
            # The message is for whatever replaces it; so is the token.
            return self.from_queue(row.replaced_by, row.task_token)
        if task_token:
            # It ended before its workflow came to wait for it: resume at once.
            self.settle().announce.resume_workflow(row)
        return None

    def send(self, row: Prediction) -> float | None:
        """POST a row whose claim is ours. Returns seconds to wait if it has to be sent later."""
        if self.clock() >= self.send_by(row):
            self.expire_unsent(row)
            return None
        try:
            provider = self.provider(row.provider)
            urls = self.references.urls(row, row.deadline_at + _REFERENCE_SLACK)
        except (ProviderKeyMissing, SettingsError) as error:
            self.settle().fail(row, Failure(FailureKind.ACCOUNT, error.detail))
            return None
        except Exception:  # Whatever it is, it is raised again below.
            # Nothing has left us: give the claim back, so that the message's next coming sends it.
            self._release(row, self.clock() + QUEUE_PATIENCE)
            raise
        answer: Submission
        if isinstance(urls, NotCreated | Rejected):
            answer = urls
        else:
            payload = with_urls(row.input["payload"], urls)
            answer = provider.submit(row.endpoint, payload, self.webhook_url(row))
        match answer:
            case Accepted(handle):
                self._accepted(row, handle, provider)
            case NotCreated(refusal, retry_after):
                return self._not_created(row, refusal, retry_after)
            case Rejected(failure):
                self.settle().fail(row, failure)
            case OutcomeUnknown():
                pass  # `due_at` of the claim stands; webhook or reconciler will tell.
        return None

    def _accepted(self, row: Prediction, handle: ProviderHandle, provider: ProviderClient) -> None:
        now = self.clock()
        model = self.catalogue.models.get(row.model)
        typical_seconds = model.typical_seconds if model else 0
        moved = self.predictions.advance(
            row.id,
            Status.SUBMITTED,
            {
                "handle": handle,
                "submitted_at": now,
                "due_at": next_check(now, 0, typical_seconds, self.pace),
            },
        )
        if moved is None:
            # A webhook was faster than this answer; of this job, unless there is another.
            if not row.unknown_outcomes:
                self.predictions.adopt(row.id, handle)
        elif moved.cancel_requested_at:
            # Asked for while the POST was under way. If no webhook tells what became of it, the
            # reconciler asks.
            self.predictions.postpone(moved, now, {})
            provider.cancel(row.endpoint, handle)

    def _not_created(
        self, row: Prediction, refusal: Failure, retry_after: float | None
    ) -> float | None:
        now = self.clock()
        left = (self.send_by(row) - now).total_seconds()
        wait = min(retry_after or _DEFAULT_RETRY_SECONDS, _MAX_RETRY_SECONDS, max(left, 1))
        due_at = now + timedelta(seconds=wait) + QUEUE_PATIENCE
        released = self._release(row, due_at, refusal)
        if released and released.cancel_requested_at:
            self.settle().cancel_unsent(released)
            return None
        return wait

    def send_by(self, row: Prediction) -> datetime:
        """When a row has waited long enough to be sent: the rest of its time is the model's."""
        model = self.catalogue.models.get(row.model)
        return row.deadline_at - timedelta(seconds=model.deadline_seconds if model else 0)

    def expire_unsent(self, row: Prediction) -> None:
        """End a row that nobody could send in time, with the provider's last refusal."""
        waited = round((self.clock() - row.created_at).total_seconds())
        detail = f"It could not be sent to the provider within {waited} s."
        failure = Failure(FailureKind.EXPIRED, detail)
        if row.refused:
            said = f"{detail} Its last answer: {row.refused.detail}"
            failure = Failure(row.refused.kind, said, row.refused.provider_code)
        if row.unknown_outcomes:
            said = f"{failure.detail} An earlier submission, without an answer, may have been paid."
            failure = Failure(FailureKind.OUTCOME_UNKNOWN, said, failure.provider_code)
        self.settle().expire(row, failure, attempt=row.attempt)

    def _release(
        self, row: Prediction, due_at: datetime, refused: Failure | None = None
    ) -> Prediction | None:
        """Give back a claim of ours, when certainly nothing was created."""
        changes: dict[str, Any] = {"due_at": min(due_at, self.send_by(row))}
        if refused:
            changes["refused"] = refused
        return self.predictions.advance(row.id, Status.QUEUED, changes, attempt=row.attempt)

    def send_again(self, row: Prediction) -> Prediction | None:
        """Queue a row whose submission stayed unknown; None if somebody heard of it meanwhile.

        Only for one that `may_be_sent_again`: it may be paid for once more. Raises OverBudget.
        """
        now = self.clock()
        changes: dict[str, Any] = {
            "unknown_outcomes": row.unknown_outcomes + 1,
            "deadline_at": now + RESEND_PATIENCE + (row.deadline_at - self.send_by(row)),
            "due_at": now + QUEUE_PATIENCE,
            "checks": 0,
            "unanswered": 0,
        }
        booking = row.booked_again
        if booking:
            held = booking.hold.amount + booking.taken
            changes["hold"] = replace(booking.hold, amount=held)
        return self.predictions.advance(
            row.id, Status.QUEUED, changes, attempt=row.attempt, booking=booking
        )

    def webhook_url(self, row: Prediction) -> str | None:
        if self.webhook_base_url is None:
            return None
        return f"{self.webhook_base_url}/webhooks/{row.provider}/{row.id}.{row.token}"
