"""A board as it stands, and its end: put together when its scenes are over.

Apart from `boards`, which plans: neither the end of a board nor the reconciler needs the planner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from storyhook.domain.access import owned
from storyhook.domain.callback import STORYBOARD_COMPLETED
from storyhook.domain.errors import NotFound
from storyhook.domain.ids import ENTROPY_BYTES, new_id
from storyhook.domain.storyboard import (
    BoardStatus,
    Choice,
    ChosenBy,
    SceneState,
    Storyboard,
    final_status,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storyhook.ports import Clock, Ended, Entropy, Predictions, Storyboards
    from storyhook.usecases.tell import Tell

# How long the workflow has to choose among a scene's pictures before somebody else does.
CHOICE_PATIENCE = timedelta(minutes=5)
_NOBODY_LOOKED = "The candidates could not be looked at; it is the first that was made."
# When the reconciler looks after a board: its workflow should have finished it by itself.
BOARD_PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True)
class ReadStoryboard:
    storyboards: Storyboards
    predictions: Predictions

    def __call__(self, tenant: str, storyboard_id: str) -> tuple[Storyboard, list[SceneState]]:
        """The board with its scenes in order; raises NotFound, also for another's board."""
        return self.board(tenant, storyboard_id), self.states(storyboard_id)

    def board(self, tenant: str, storyboard_id: str) -> Storyboard:
        """Raises NotFound, also for another's board."""
        found = self.storyboards.get(storyboard_id)
        return owned(found, tenant, f"storyboard {storyboard_id!r}")

    def states(self, storyboard_id: str) -> list[SceneState]:
        scenes = self.storyboards.scenes(storyboard_id)
        rows = self.predictions.get_many([p for scene in scenes for p in scene.predictions])
        return [SceneState.of(scene, rows) for scene in scenes]


@dataclass(frozen=True)
class AssembleStoryboard:
    storyboards: Storyboards
    read: ReadStoryboard
    tell: Tell
    clock: Clock
    entropy: Entropy
    ended: Ended

    def __call__(self, storyboard_id: str) -> Storyboard:
        """End a board whose scenes are over: its status, and its callbacks. Repeatable."""
        board = self.storyboards.get(storyboard_id)
        if board is None:
            raise NotFound(f"There is no storyboard {storyboard_id!r}.")
        states = self.read.states(storyboard_id)
        if board.status is BoardStatus.RUNNING and not all(state.drawn for state in states):
            # The workflow gave up a scene that is alive, perhaps paid: its row decides. The board
            # stays due, and the reconciler finishes it.
            return board
        return self.finish(board, self.decided(board, states))

    def left_alone(self, states: Sequence[SceneState]) -> bool:
        """Whether all is drawn, and nobody is choosing any more."""
        latest = self.clock() - CHOICE_PATIENCE
        return all(
            state.over
            or (state.undecided and state.drawn_at is not None and state.drawn_at < latest)
            for state in states
        )

    def decided(self, board: Storyboard, states: Sequence[SceneState]) -> list[SceneState]:
        """The scenes with a picture each; the first one where nobody could look at them."""
        return [self._decided(board, state) if state.undecided else state for state in states]

    def _decided(self, board: Storyboard, state: SceneState) -> SceneState:
        first = state.succeeded[0]
        choice = Choice(first.id, ChosenBy.ORDER, (_NOBODY_LOOKED,), self.clock())
        place = (board.id, state.scene.position)
        scene = self.storyboards.decide(*place, choice) or self.storyboards.scene(*place)
        return replace(state, scene=scene or state.scene)

    def finish(self, board: Storyboard, states: Sequence[SceneState]) -> Storyboard:
        """Write the end of a board whose scenes are over, and queue its callbacks."""
        while board.status is BoardStatus.RUNNING:
            now, told = self.clock(), board.tells(STORYBOARD_COMPLETED)
            ended = replace(
                board,
                status=final_status(states, cancel_requested=board.cancel_requested_at is not None),
                completed_at=now,
                due_at=now + BOARD_PATIENCE if board.callback_url else None,
                callback_id=new_id("cb", now, self.entropy(ENTROPY_BYTES)) if told else None,
            )
            # Somebody else ended it, or asked to cancel it meanwhile: then it ends as that says.
            written = self.storyboards.finish(ended)
            if written:
                self.ended(ended)
            board = ended if written else self.storyboards.get(board.id) or ended
        self.tell.storyboard(board, states)
        if board.due_at is not None:
            self.storyboards.announced(board.id)
        return board
