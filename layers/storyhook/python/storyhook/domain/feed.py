"""What happened in a board, as a feed: derived from its rows, so that nothing is written for it.

A place in the feed is not a number but the set of what was told: an event that is written late,
with an earlier time, is then told late, and never missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from storyhook.domain.callback import (
    EVENTS,
    PREDICTION_COMPLETED,
    SCENE_COMPLETED,
    STORYBOARD_COMPLETED,
)
from storyhook.domain.prediction import Prediction
from storyhook.domain.storyboard import BoardStatus, SceneState, Storyboard

_SCENE_BIT = 1


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader has been told of a board.

    For each scene a mask: bit 0 is its end, bit n that of its n-th prediction. A scene's
    predictions are only ever added to, at the end.
    """

    scenes: tuple[int, ...]
    board: bool = False

    @property
    def count(self) -> int:
        return sum(mask.bit_count() for mask in self.scenes) + self.board

    def scene_over(self, index: int) -> bool:
        """Whether all of a scene was told: its own end comes after those of its predictions."""
        return bool(self.scenes[index] & _SCENE_BIT)

    def and_(self, event: "Event") -> "Told":
        if event.index is None:
            return replace(self, board=True)
        masks = list(self.scenes)
        masks[event.index] |= event.bit
        return replace(self, scenes=tuple(masks))


@dataclass(frozen=True, slots=True)
class Event:
    """`subject` is what ended; `index` says in which scene, from 0, and `bit` what of it."""

    type: str
    at: datetime
    subject: Prediction | SceneState | Storyboard
    index: int | None = None
    bit: int = 0


def news(board: Storyboard, states: Sequence[SceneState | None], told: Told) -> list[Event]:
    """What was not told yet, in the order in which it happened; the board's end is the last.

    `board` was read before `states`; of a scene of which all was told, None will do.
    """
    found = [
        event
        for index, state in enumerate(states)
        if state is not None and not told.scene_over(index)
        for event in _of_scene(index, state, told.scenes[index])
    ]
    found.sort(key=lambda event: (event.at, EVENTS.index(event.type), event.index, event.bit))
    if board.status is not BoardStatus.RUNNING and board.completed_at and not told.board:
        found.append(Event(STORYBOARD_COMPLETED, board.completed_at, board))
    return found


def _of_scene(index: int, state: SceneState, mask: int) -> list[Event]:
    found = [
        Event(PREDICTION_COMPLETED, row.completed_at, row, index, 1 << number)
        for number, row in enumerate(state.predictions, 1)
        if row.status.terminal and row.completed_at and not mask >> number & 1
    ]
    if state.completed_at:
        found.append(Event(SCENE_COMPLETED, state.completed_at, state, index, _SCENE_BIT))
    return found
