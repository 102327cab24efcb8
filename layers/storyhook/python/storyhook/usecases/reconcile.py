"""The one net under everything: whatever is overdue is looked after, once a minute.

A row is taken over by moving its `due_at`, so that two reconcilers never work on the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from storyhook.domain import callback as callbacks
from storyhook.domain.budget import OverBudget
from storyhook.domain.errors import DownloadFailed
from storyhook.domain.export import QUEUE_PATIENCE as EXPORT_PATIENCE
from storyhook.domain.outcome import Failed, Succeeded
from storyhook.domain.prediction import (
    LEASE,
    MAX_UNANSWERED,
    QUEUE_PATIENCE,
    Prediction,
    Status,
    next_check,
)
from storyhook.domain.storyboard import BoardScene, BoardStatus, SceneState
from storyhook.usecases.assemble import BOARD_PATIENCE, AssembleStoryboard
from storyhook.usecases.cancel import Cancel, look, stop
from storyhook.usecases.settle import (
    EXPIRED_NOT_AFFORDED,
    EXPIRED_RUNNING,
    EXPIRED_UNKNOWN,
    Settle,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.ports import (
        Clock,
        DueRows,
        Predictions,
        ProviderClient,
        Storyboards,
        Submissions,
        Workflow,
    )
    from storyhook.ports.callbacks import CallbackQueue, Callbacks
    from storyhook.ports.exports import ExportQueue, Exports
    from storyhook.usecases.submit import Submit

_BATCH = 200
# It comes every minute: what has waited for longer is not kept up with.
_LATE = timedelta(minutes=5)
# How long a job that cannot be canceled any more may take to hand over its picture.
_FINISHING = timedelta(minutes=15)
_NAMES = {"PRED": "predictions", "SB": "storyboards", "CB": "callbacks", "EXP": "exports"}


@dataclass(frozen=True)
class Reconcile:
    due: DueRows
    predictions: Predictions
    storyboards: Storyboards
    callbacks: Callbacks
    submissions: Submissions
    callback_queue: CallbackQueue
    exports: Exports
    export_queue: ExportQueue
    workflow: Workflow
    provider: Callable[[str], ProviderClient]
    settle: Settle
    submit: Submit
    assemble: AssembleStoryboard
    cancel: Cancel
    clock: Clock
    late: Callable[[int], None]
    """Told how many rows have waited for too long."""

    def __call__(self, time_left: Callable[[], bool]) -> dict[str, int]:
        """Look after overdue rows while `time_left()`; how many of each kind were seen."""
        looked_after: dict[str, Callable[[str], None]] = {
            "PRED": self.prediction,
            "SB": partial(self.storyboard, time_left=time_left),
            "CB": self.callback,
            "EXP": self.export,
        }
        seen = dict.fromkeys(looked_after, 0)
        errors: list[Exception] = []
        now = self.clock()
        overdue = self.due.overdue(now, _BATCH)
        self.late(sum(now - since > _LATE for _, _, since in overdue))
        for kind, row_id, _ in overdue:
            if not time_left():
                break
            try:
                looked_after[kind](row_id)
            except Exception as error:  # noqa: BLE001 - raised below; one row must not stop others
                errors.append(error)
            seen[kind] += 1
        if errors:
            raise ExceptionGroup(f"{len(errors)} of {sum(seen.values())} rows failed", errors)
        return {_NAMES[kind]: count for kind, count in seen.items()}

    def prediction(self, prediction_id: str) -> None:
        found = self.predictions.get(prediction_id)
        if found is None or found.due_at is None or found.due_at > self.clock():
            return  # It is over, or another reconciler has it.
        row = self.predictions.claim_due(found, self.clock() + LEASE)
        if row is None:
            return
        if row.status.terminal:
            self.settle.announce(row)
            return
        overdue = self.clock() >= row.deadline_at
        try:
            self._look_after(row, overdue=overdue)
        except Exception:  # Whatever it is, it is raised again below.
            if overdue and not self._look_again(row):
                # Whatever is wrong, no row stays for ever.
                self.settle.expire(row, EXPIRED_RUNNING)
            raise

    def _look_after(self, row: Prediction, *, overdue: bool) -> None:
        match row.status:
            case Status.QUEUED:
                self._requeue(row)
            case Status.SUBMITTING:
                self._find(row, overdue=overdue)
            case Status.SUBMITTED | Status.STORING:
                self._ask(row, overdue=overdue)

    def _requeue(self, row: Prediction) -> None:
        """Its queue message is taken for lost. A second one is harmless: one claim wins."""
        if row.storyboard_id and self.storyboards.get(row.storyboard_id) is None:
            # The board was never accepted: writing it stopped half-way.
            self.predictions.remove(row)
            return
        if row.cancel_requested_at:
            self.settle.cancel_unsent(row)
            return
        if self.clock() >= self.submit.send_by(row):
            self.submit.expire_unsent(row)
            return
        self.submissions.enqueue(row.id)
        again = min(self.clock() + QUEUE_PATIENCE, self.submit.send_by(row))
        self.predictions.postpone(row, again, {})

    def _find(self, row: Prediction, *, overdue: bool) -> None:
        """The answer to the submission is unknown: look for the job.

        It is never sent again, unless the caller agreed to pay once more, and not before its
        deadline has passed without a word.
        """
        webhook_url = self.submit.webhook_url(row)
        try:
            handle = self.provider(row.provider).find(webhook_url)
        except DownloadFailed:
            if overdue and self._look_again(row):
                return
            handle = None
        now = self.clock()
        if handle and row.status is Status.STORING:
            self.predictions.postpone(row, now, {"handle": handle})
        elif handle:
            found = self.predictions.advance(
                row.id,
                Status.SUBMITTED,
                {"handle": handle, "submitted_at": now, "due_at": now},
            )
            if found and found.cancel_requested_at:
                self._ask(found, overdue=overdue)
        elif not overdue and webhook_url is not None:
            again = next_check(now, row.checks + 1, 0)
            self.predictions.postpone(row, again, {"checks": row.checks + 1})
        # Now, or because without webhooks nobody will ever tell:
        elif not row.may_be_sent_again:
            self.settle.expire(row, EXPIRED_UNKNOWN)
        else:
            self._send_again(row)

    def _send_again(self, row: Prediction) -> None:
        try:
            queued = self.submit.send_again(row)
        except OverBudget:
            self.settle.expire(row, EXPIRED_NOT_AFFORDED)
            return
        if queued:
            self.submissions.enqueue(row.id)

    def _ask(self, row: Prediction, *, overdue: bool) -> None:
        if row.handle is None:
            # Settled by a webhook that named no job: nothing to ask.
            self._find(row, overdue=overdue)
            return
        provider = self.provider(row.provider)
        outcome = look(provider, row, row.handle)
        unwanted = row.status is Status.SUBMITTED and row.cancel_requested_at is not None
        if (overdue or unwanted) and not isinstance(outcome, Succeeded | Failed):
            outcome = stop(provider, row, row.handle)
        match outcome:
            case Succeeded() if row.status is Status.STORING:
                self.settle.store(row, outcome)
            case Succeeded():
                self.settle(row, outcome)
            case Failed(failure):
                self.settle.fail(row, failure)
            case None if overdue:
                if not self._look_again(row):
                    self.settle.expire(row, EXPIRED_RUNNING)
            case _ if self.clock() >= row.deadline_at + _FINISHING:
                self.settle.expire(row, EXPIRED_RUNNING)
            case _ if overdue or unwanted or row.status is Status.STORING:
                # `checks` counts failed copies there.
                self.predictions.postpone(row, self.clock() + LEASE, {})
            case _:
                again = next_check(self.clock(), row.checks + 1, 0, self.submit.pace)
                self.predictions.postpone(row, again, {"checks": row.checks + 1})

    def _look_again(self, row: Prediction) -> bool:
        """Note a look past the deadline that had no answer; False when there were enough."""
        if row.unanswered >= MAX_UNANSWERED:
            return False
        changes = {"unanswered": row.unanswered + 1}
        self.predictions.postpone(row, self.clock() + LEASE, changes)
        return True

    def storyboard(self, storyboard_id: str, time_left: Callable[[], bool]) -> None:
        """Start a workflow that was not started; end a board whose workflow was lost.

        Of one that is to be canceled, cancel what is open.
        """
        found = self.storyboards.get(storyboard_id)
        if found is None or found.due_at is None or found.due_at > self.clock():
            return
        board = self.storyboards.claim_due(found, self.clock() + BOARD_PATIENCE)
        if board is None:
            return
        if board.status is BoardStatus.RUNNING and board.cancel_requested_at:
            self.cancel.scenes(board, time_left)
            return
        states = self.assemble.read.states(storyboard_id)
        if board.status is not BoardStatus.RUNNING or self.assemble.left_alone(states):
            self.assemble.finish(board, self.assemble.decided(board, states))
            return
        # What replaces a prediction is found by way of it.
        self.workflow.start(board.id, [_originals(state) for state in states])

    def callback(self, callback_id: str) -> None:
        row = self.callbacks.get(callback_id)
        if row is None or row.due_at is None or row.due_at > self.clock():
            return
        claimed = self.callbacks.claim_due(row, self.clock() + callbacks.LEASE)
        if claimed:
            self.callback_queue.enqueue(callback_id, turn=claimed.turn)

    def export(self, export_id: str) -> None:
        """Its message is lost, or whoever made its file died; a second message is harmless."""
        row = self.exports.get(export_id)
        if row is None or row.due_at is None or row.due_at > self.clock():
            return
        if self.exports.release(row, self.clock() + EXPORT_PATIENCE):
            self.export_queue.enqueue(export_id)


def _originals(state: SceneState) -> BoardScene:
    first = tuple(row.id for row in state.predictions if row.replaces is None)
    return replace(state.scene, predictions=first)
