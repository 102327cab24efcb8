"""Read what happened in a board since a reader last looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.feed import Event, Told, news
from storyhook.domain.storyboard import SceneState

if TYPE_CHECKING:
    from storyhook.domain.storyboard import Storyboard
    from storyhook.ports import Predictions, Storyboards
    from storyhook.usecases.wait import Wait


@dataclass(frozen=True)
class ReadFeed:
    storyboards: Storyboards
    predictions: Predictions
    wait: Wait

    def __call__(self, board: Storyboard, told: Told, seconds: int) -> list[Event]:
        """All that was not told, in order; if there is nothing yet, what comes in `seconds`."""
        if told.board:
            return []
        still_open = sum(not told.scene_over(index) for index in range(board.scene_count))
        return self.wait(lambda: self._look(board.id, told), bool, seconds, scenes=still_open)

    def _look(self, storyboard_id: str, told: Told) -> list[Event]:
        # The board first: when it is over, so are the scenes that are read after it.
        board = self.storyboards.get(storyboard_id)
        if board is None:
            return []
        scenes = self.storyboards.scenes(storyboard_id)
        wanted = [p for n, s in enumerate(scenes) if not told.scene_over(n) for p in s.predictions]
        rows = self.predictions.get_many(wanted)
        states = [
            None if told.scene_over(index) else SceneState.of(scene, rows)
            for index, scene in enumerate(scenes)
        ]
        return news(board, states, told)
