"""Move a scene on: the prediction that replaces one which gave no picture.

Apart from `fallback`, which plans: whoever sends a prediction need not load the planner.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from storyhook.domain.errors import NotFound
from storyhook.domain.ids import SECRET_BYTES, new_secret
from storyhook.domain.prediction import Prediction, new_prediction

if TYPE_CHECKING:
    from storyhook.domain.fallback import Fallbacks, NextModel
    from storyhook.ports import Clock, Entropy, Predictions, Storyboards


@dataclass(frozen=True)
class MoveOn:
    """Makes the prediction that replaces one which gave no picture.

    That it is replaced, and by which id, stands on the row that ended, written by the same write.
    All else follows from that row, so this may be cut short anywhere and done again.
    """

    predictions: Predictions
    storyboards: Storyboards
    clock: Clock
    entropy: Entropy

    def __call__(self, row: Prediction) -> None:
        """Write the row that replaces `row`, list it with its scene; then `row` owes nothing."""
        board_id, at = row.storyboard_id, row.next_model
        board = self.storyboards.get(board_id) if board_id else None
        scene = self.storyboards.scene(board_id, at.position) if board_id and at else None
        if not (board_id and board and at and scene and scene.fallbacks and row.replaced_by):
            raise NotFound(f"There is nothing to replace {row.id} with.")
        successor = replace(
            self._successor(row, row.replaced_by, scene.fallbacks, at),
            # Written down, and never sent: it ends canceled, and so does its scene.
            cancel_requested_at=row.cancel_requested_at or board.cancel_requested_at,
        )
        with suppress(FileExistsError):  # Made by a try that was cut short.
            self.predictions.add(successor)
        self.storyboards.attach(board_id, scene, row.replaced_by)
        self.predictions.announced(row.id)

    def _successor(
        self, row: Prediction, id_: str, fallbacks: Fallbacks, at: NextModel
    ) -> Prediction:
        plan, then = fallbacks.step(at)
        plan = plan.of_candidate(row.candidate or 1)
        successor = new_prediction(
            plan,
            prediction_id=id_,
            token=new_secret(self.entropy(SECRET_BYTES)),
            tenant=row.tenant,
            key_id=row.key_id,
            now=self.clock(),
            queue_seconds=fallbacks.queue_seconds,
        )
        return replace(
            successor,
            storyboard_id=row.storyboard_id,
            scene_id=row.scene_id,
            candidate=row.candidate,
            # Whoever ends the last of the chain tells the workflow.
            task_token=row.task_token,
            callback_url=row.callback_url,
            callback_events=row.callback_events,
            scene_position=row.scene_position,
            replaces=row.id,
            next_model=then,
            # Reserved by the write that ended the one before.
            hold=row.hold and replace(row.hold, amount=plan.cost_estimated or Decimal(0)),
            # What is left of the caller's consent.
            max_paid_attempts=row.max_paid_attempts - row.unknown_outcomes,
        )
