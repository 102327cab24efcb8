"""Send a prediction to its provider: one claim, one POST.

The claim (queued -> submitting) decides who may pay. When the outcome of the POST is unknown the
row stays `submitting` and waits for the webhook; it is never sent again blindly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from storyhook.domain.errors import SettingsError
from storyhook.domain.outcome import (
    Accepted,
    Failure,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Rejected,
)
from storyhook.domain.payload import REFERENCE_SCHEME, with_urls
from storyhook.domain.prediction import (
    QUEUE_PATIENCE,
    UNKNOWN_PATIENCE,
    Prediction,
    Status,
    next_check,
)
from storyhook.usecases.settle import EXPIRED_UNSENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.domain.catalogue import Catalogue
    from storyhook.ports import Clock, Images, Predictions, ProviderClient
    from storyhook.usecases.settle import Settle

_DEFAULT_RETRY_SECONDS = 10.0
_MAX_RETRY_SECONDS = 300.0


@dataclass(frozen=True)
class Submit:
    predictions: Predictions
    images: Images
    provider: Callable[[str], ProviderClient]
    settle: Settle
    catalogue: Catalogue
    clock: Clock
    webhook_base_url: str

    def from_queue(self, prediction_id: str, task_token: str | None) -> float | None:
        """Handle one queue message. Returns seconds to wait before it comes again, or None."""
        changes: dict[str, Any] = {"due_at": self.clock() + UNKNOWN_PATIENCE}
        if task_token:
            changes["task_token"] = task_token
        claimed = self.predictions.advance(prediction_id, Status.SUBMITTING, changes)
        if claimed:
            return self.send(claimed)
        # Somebody else has it, or it is over. Whoever ends it later must find the token.
        row = self.predictions.attach_task_token(prediction_id, task_token) if task_token else None
        if row and row.status.terminal:
            # It ended before its workflow came to wait for it: resume at once.
            self.settle.announce.resume_workflow(row)
        return None

    def send(self, row: Prediction) -> float | None:
        """POST a row whose claim is ours. Returns seconds to wait if it has to be sent later."""
        if self.clock() >= row.deadline_at:
            self.settle.fail(row, EXPIRED_UNSENT)
            return None
        try:
            provider = self.provider(row.provider)
            payload = self._payload(row)
            model = self.catalogue.models[row.model]
        except SettingsError as error:
            self.settle.fail(row, Failure(FailureKind.CONFIG, error.detail))
            return None
        except Exception:
            # Nothing has left us: give the claim back, so that the message's next coming sends it.
            self._release(row, self.clock() + QUEUE_PATIENCE)
            raise
        answer = provider.submit(row.endpoint, payload, self.webhook_url(row))
        now = self.clock()
        match answer:
            case Accepted(handle):
                deadline_at = now + timedelta(seconds=model.deadline_seconds)
                moved = self.predictions.advance(
                    row.id,
                    Status.SUBMITTED,
                    {
                        "handle": handle,
                        "submitted_at": now,
                        "due_at": next_check(now, 0, model.typical_seconds),
                        "deadline_at": max(row.deadline_at, deadline_at),
                    },
                )
                if moved is None:
                    # The webhook was faster than this answer.
                    self.predictions.adopt(row.id, handle)
            case NotCreated(_, retry_after):
                wait = min(retry_after or _DEFAULT_RETRY_SECONDS, _MAX_RETRY_SECONDS)
                self._release(row, now + timedelta(seconds=wait) + QUEUE_PATIENCE)
                return wait
            case Rejected(failure):
                self.settle.fail(row, failure)
            case OutcomeUnknown():
                pass  # `due_at` of the claim stands; webhook or reconciler will tell.
        return None

    def _payload(self, row: Prediction) -> Any:
        """What the provider gets: the stored payload with URLs that work."""
        references = row.input["references"]
        urls = {
            REFERENCE_SCHEME + ref["reference_id"]: self.images.sign(ref["key"])[0]
            for ref in references
        }
        return with_urls(row.input["payload"], urls)

    def _release(self, row: Prediction, due_at: datetime) -> None:
        """Give back a claim of ours, when certainly nothing was created."""
        self.predictions.advance(row.id, Status.QUEUED, {"due_at": due_at}, attempt=row.attempt)

    def webhook_url(self, row: Prediction) -> str:
        return f"{self.webhook_base_url}/webhooks/{row.provider}/{row.id}.{row.token}"
