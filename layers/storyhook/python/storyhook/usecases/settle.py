"""Write down what a provider said of a prediction, exactly once.

A webhook is a hint: it may come twice, late, out of order, or before the submit call returned.
Whoever loses a conditional write does nothing. The webhook and the reconciler share this code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storyhook.domain.budget import OverBudget
from storyhook.domain.callback import PREDICTION_COMPLETED
from storyhook.domain.errors import BadReference, DownloadFailed, UnsafeUrl
from storyhook.domain.ids import ENTROPY_BYTES, new_id
from storyhook.domain.images import StoredImage
from storyhook.domain.outcome import (
    Failed,
    Failure,
    FailureKind,
    Outcome,
    ProviderHandle,
    Succeeded,
)
from storyhook.domain.prediction import (
    LEASE,
    MAX_STORE_ATTEMPTS,
    Prediction,
    Status,
    next_check,
    status_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from storyhook.domain.catalogue import Catalogue
    from storyhook.ports import Clock, Ended, Entropy, Images, ImageSource, Predictions
    from storyhook.usecases.announce import Announce

_SENT = frozenset({Status.SUBMITTING, Status.SUBMITTED, Status.STORING})


@dataclass(frozen=True)
class Settle:
    predictions: Predictions
    images: Images
    source: ImageSource
    announce: Announce
    catalogue: Catalogue
    clock: Clock
    entropy: Entropy
    ended: Ended

    def __call__(self, row: Prediction, outcome: Outcome, provider_id: str | None = None) -> None:
        """Move `row` on by `outcome`. Terminal rows stay as they are.

        `provider_id` is adopted when the submit call has not brought one (yet), or another: of a
        row that was sent twice, the job counts that made a picture first.

        A success that comes after its row has failed changes nothing, also when the provider was
        paid for it: the scene may have moved on to another model. That is the cost of moving on.
        """
        match outcome:
            case _ if row.status.terminal:
                return
            case Succeeded() | Failed() if row.status is Status.STORING:
                return  # Somebody is copying; if they die, the reconciler claims the row.
            case Failed(failure):
                self.fail(row, failure)
            case Succeeded():
                now = self.clock()
                changes: dict[str, Any] = {"storing_at": now, "due_at": now + LEASE, "checks": 0}
                if provider_id and (row.handle is None or row.handle.provider_id != provider_id):
                    changes["handle"] = ProviderHandle(provider_id)
                claimed = self.predictions.advance(row.id, Status.STORING, changes)
                if claimed:
                    self.store(claimed, outcome)
            case _:
                return

    def store(self, row: Prediction, result: Succeeded) -> None:
        """Copy the pictures of a row that is `storing` and ours, and commit."""
        try:
            stored = tuple(
                self._copy(row, index, url) for index, url in enumerate(result.image_urls)
            )
        except (DownloadFailed, BadReference, UnsafeUrl) as error:
            self._not_stored(row, error)
            return
        sizes = [(image.width, image.height) for image in stored]
        sizes += sizes[:1] * result.blanked
        given = [(ref["width"], ref["height"]) for ref in row.input["references"]]
        # None when the model has left the catalogue meanwhile.
        model = self.catalogue.models.get(row.model)
        inputs, seconds = row.input["payload"], result.provider_seconds
        cost = model.price.price(sizes, given, inputs, seconds).total if model else None
        self._end(
            row,
            Status.SUCCEEDED,
            {
                "images": stored,
                "seed_returned": result.seed,
                "provider_seconds": result.provider_seconds,
                "cost_actual": cost,
            },
        )

    def fail(self, row: Prediction, failure: Failure) -> None:
        """End an open row without a picture, with the provider's reason."""
        late = self.clock() >= row.deadline_at
        if failure.kind is FailureKind.CANCELED and late and row.cancel_requested_at is None:
            # It was we who canceled it, because it was late.
            failure = replace(EXPIRED_STOPPED, began=failure.began)
        self._end_without(row, failure, status_of(failure))

    def expire(self, row: Prediction, failure: Failure, attempt: int | None = None) -> None:
        """End an open row that has waited too long; `failure` says for what.

        With `attempt`, for a row that was not sent: only if nobody has claimed it since, and no
        job has turned up.
        """
        self._end_without(row, failure, Status.EXPIRED, attempt)

    def cancel_unsent(self, row: Prediction) -> Prediction | None:
        """End a row that waits in the queue and is not wanted any more; None if it was claimed."""
        failure = CANCELED_SENT_BEFORE if row.unknown_outcomes else CANCELED_UNSENT
        asked_at = row.cancel_requested_at or self.clock()
        changes: dict[str, Any] = {"failure": failure, "cancel_requested_at": asked_at}
        return self._end(row, Status.CANCELED, changes, unless=_SENT)

    def _end_without(
        self, row: Prediction, failure: Failure, status: Status, attempt: int | None = None
    ) -> None:
        """End a row without a picture; never one whose picture somebody has begun to copy since."""
        copying = row.status is Status.STORING
        if copying and failure.kind is not FailureKind.LOST_RESULT:
            # The provider has said that there is a picture: it is paid for, whatever comes now.
            detail = f"The provider made the picture, but it was not copied: {failure.detail}"
            failure = Failure(FailureKind.LOST_RESULT, detail, failure.provider_code)
            status = Status.FAILED
        began = set() if copying else {Status.STORING}
        if attempt is not None:
            began.add(Status.SUBMITTED)
        if row.moves_on(failure):
            successor = new_id("pred", self.clock(), self.entropy(ENTROPY_BYTES))
            changes = {"failure": failure, "replaced_by": successor}
            try:
                self._end(row, status, changes, attempt, began)
            except OverBudget:
                failure = replace(failure, detail=f"{_NOT_AFFORDED} {failure.detail}")
            else:
                return
        self._end(row, status, {"failure": failure}, attempt, began)

    def _copy(self, row: Prediction, index: int, url: str) -> StoredImage:
        data, facts = self.source.fetch(url)
        # The key follows from the prediction, so that a second copy lands on the first.
        key = f"images/{row.tenant}/{row.id}/{index}.{facts.extension}"
        self.images.put(key, data, facts.content_type)
        return StoredImage(
            key, facts.content_type, facts.width, facts.height, facts.size_bytes, facts.sha256
        )

    def _not_stored(
        self, row: Prediction, error: DownloadFailed | BadReference | UnsafeUrl
    ) -> None:
        if row.checks + 1 >= MAX_STORE_ATTEMPTS:
            detail = f"The provider made the picture, but it could not be copied: {error.detail}"
            self.fail(row, Failure(FailureKind.LOST_RESULT, detail))
            return
        again = next_check(self.clock(), row.checks + 1, 0)
        self.predictions.postpone(row, again, {"checks": row.checks + 1})

    def _end(
        self,
        row: Prediction,
        status: Status,
        changes: dict[str, Any],
        attempt: int | None = None,
        unless: Collection[Status] = (),
    ) -> Prediction | None:
        now, told = self.clock(), row.tells(PREDICTION_COMPLETED)
        changes = {
            **changes,
            "completed_at": now,
            # Owed until announced; a row that nobody waits for owes nothing.
            "due_at": now + LEASE if row.owes_announcement else None,
            "callback_id": new_id("cb", now, self.entropy(ENTROPY_BYTES)) if told else None,
        }
        while True:
            ended = self.predictions.advance(
                row.id,
                status,
                changes,
                attempt=attempt,
                unless=unless,
                booking=row.booked_at_end(status, changes),
            )
            if ended or row.hold is None:
                break
            found = self.predictions.get(row.id)
            if found is None or found.hold == row.hold:
                break
            row = found  # To be sent once more, it has reserved more meanwhile.
        if ended:
            self.ended(ended)
            self.announce(ended)
        return ended


_NOT_AFFORDED = (
    "The next model was not tried: it costs more than is left of the board's max_cost, or of the "
    "API key's money for the month."
)
CANCELED_UNSENT = Failure(
    FailureKind.CANCELED, "It was canceled before the provider had it; nothing was paid."
)
CANCELED_SENT_BEFORE = Failure(
    FailureKind.CANCELED,
    "It was canceled before it was sent again. The provider's answer to an earlier submission was "
    "lost; that one may have been paid.",
)

EXPIRED_STOPPED = Failure(
    FailureKind.EXPIRED, "The provider did not finish before the deadline; it was told to stop."
)
EXPIRED_RUNNING = Failure(
    FailureKind.EXPIRED_AT_PROVIDER,
    "The provider did not finish before the deadline, and did not say that it stopped.",
)
EXPIRED_NOT_AFFORDED = Failure(
    FailureKind.OUTCOME_UNKNOWN,
    "The provider's answer to the submission was lost and no result came. It was not sent once "
    "more: that costs more than is left of the board's max_cost, or of the API key's money for the "
    "month.",
)
EXPIRED_UNKNOWN = Failure(
    FailureKind.OUTCOME_UNKNOWN,
    "The provider's answer to the submission was lost and no result came. It was not sent "
    "again, because it may have been paid.",
)
