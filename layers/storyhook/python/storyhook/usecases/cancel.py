"""Cancel a prediction or a board: with us at once, at the provider by asking.

That it is wanted is written on the row first; whoever touches the row next keeps to it, so this
may be cut short anywhere. A picture that was made all the same is paid for, and kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storyhook.domain.access import owned
from storyhook.domain.errors import DownloadFailed, NotFound, ProviderKeyMissing, SettingsError
from storyhook.domain.outcome import Failed
from storyhook.domain.prediction import Status
from storyhook.domain.storyboard import BoardStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.domain.outcome import Outcome, ProviderHandle
    from storyhook.domain.prediction import Prediction
    from storyhook.domain.storyboard import SceneState, Storyboard
    from storyhook.ports import Clock, Predictions, ProviderClient, Storyboards
    from storyhook.usecases.assemble import AssembleStoryboard
    from storyhook.usecases.settle import Settle


def look(provider: ProviderClient, row: Prediction, handle: ProviderHandle) -> Outcome | None:
    """What the provider says of a job now; None if it cannot be asked."""
    try:
        return provider.fetch(row.endpoint, handle)
    except DownloadFailed:
        return None


def stop(provider: ProviderClient, row: Prediction, handle: ProviderHandle) -> Outcome | None:
    """Tell the provider to stop a job. It may finish and cost all the same: what it says now."""
    provider.cancel(row.endpoint, handle)
    return look(provider, row, handle)


@dataclass(frozen=True)
class Cancel:
    predictions: Predictions
    storyboards: Storyboards
    provider: Callable[[str], ProviderClient]
    settle: Settle
    assemble: AssembleStoryboard
    clock: Clock

    def prediction(self, tenant: str, prediction_id: str) -> Prediction:
        """The row as it is then; `canceled_in_time` says whether it was. Raises NotFound.

        For one that was over already nothing is written; the answer alone says that it was asked.
        """
        what = f"prediction {prediction_id!r}"
        found = owned(self.predictions.get(prediction_id), tenant, what)
        if found.hold and found.storyboard_id and not self.storyboards.get(found.storyboard_id):
            # Its board is not accepted, perhaps never: nothing is reserved that could come back.
            raise NotFound(f"There is no {what}.")
        row = self.row(found)
        return row if row.cancel_requested_at else replace(row, cancel_requested_at=self.clock())

    def row(self, row: Prediction) -> Prediction:
        """Cancel one prediction, whatever it is doing; the row as it is then."""
        while not (row.status.terminal or row.status is Status.STORING):
            moved = self._cancel(row)
            if moved:
                return moved
            # Somebody was faster: go on from what it is now.
            found = self.predictions.get(row.id)
            if found is None:
                break
            row = found
        return row

    def _cancel(self, row: Prediction) -> Prediction | None:
        """One step, if the open row is still as it was."""
        if row.status is Status.QUEUED:
            return self.settle.cancel_unsent(row)
        now = self.clock()
        if row.status is Status.SUBMITTING:
            # Its POST is under way, or nobody knows what became of it: whoever hears of the job
            # cancels it.
            return self.predictions.request_cancel(row, now, {})
        moved = self.predictions.request_cancel(row, now, {"due_at": now})
        if moved is None:
            return None
        self._stop(moved)
        return self.predictions.get(row.id)

    def _stop(self, row: Prediction) -> None:
        """Ask the provider to stop. What it does not say now it is asked again: the row is due."""
        if row.handle is None:
            return
        try:
            provider = self.provider(row.provider)
        except (ProviderKeyMissing, SettingsError):
            return  # The reconciler fails on it every minute, where it is seen.
        outcome = stop(provider, row, row.handle)
        if isinstance(outcome, Failed):
            self.settle.fail(row, outcome.failure)

    def storyboard(
        self, tenant: str, storyboard_id: str, time_left: Callable[[], bool]
    ) -> tuple[Storyboard, list[SceneState]]:
        """The board with its scenes as they are then; raises NotFound.

        What there is no time for is left to the reconciler: a board that runs is due.
        """
        board = self.assemble.read.board(tenant, storyboard_id)
        board = self.storyboards.request_cancel(board.id, self.clock()) or board
        if board.cancel_requested_at is None:
            # It ended, or was asked the same, a moment ago.
            board = self.storyboards.get(board.id) or board
        return self.scenes(board, time_left)

    def scenes(
        self, board: Storyboard, time_left: Callable[[], bool]
    ) -> tuple[Storyboard, list[SceneState]]:
        """Cancel what is open of a board that is to be canceled; end it when all is over."""
        states = self.assemble.read.states(board.id)
        if board.status is not BoardStatus.RUNNING:
            return board, states
        still_open = [p for state in states for p in state.predictions if not p.status.terminal]
        # First those that nobody has paid for. Those that were asked before are due by themselves.
        queued = [row for row in still_open if row.status is Status.QUEUED]
        sent = [row for row in still_open if row.status is not Status.QUEUED]
        for row in [*queued, *(row for row in sent if row.cancel_requested_at is None)]:
            if not time_left():
                break
            self.row(row)
        states = self.assemble.read.states(board.id)
        if self.assemble.left_alone(states):
            states = self.assemble.decided(board, states)
            board = self.assemble.finish(board, states)
        return board, states
