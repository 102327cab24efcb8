"""Tell everybody who waits how a prediction ended. Comes after the commit, can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.prediction import Prediction, Status

if TYPE_CHECKING:
    from storyhook.ports import Predictions, Submissions, Workflow
    from storyhook.usecases.tell import Tell


@dataclass(frozen=True)
class Announce:
    predictions: Predictions
    workflow: Workflow
    tell: Tell
    submissions: Submissions

    def __call__(self, row: Prediction) -> None:
        """Queue the callbacks of a terminal row and resume its workflow; then owe nothing.

        In this order, so that a board's own event comes after those of its parts. If its scene
        moves on the workflow waits: the submissions queue is told, where `Submit` makes the row
        that replaces this one. Until that stands, this one owes it.
        """
        self.tell.prediction(row)
        if row.replaced_by:
            self.submissions.enqueue(row.id)
            return
        self.tell.scene_of(row)
        self.resume_workflow(row)
        if row.due_at is not None:
            self.predictions.announced(row.id)

    def resume_workflow(self, row: Prediction) -> None:
        if row.task_token is None:
            return
        if row.status is Status.SUCCEEDED or row.failure is None:
            self.workflow.resume(
                row.task_token, {"prediction_id": row.id, "status": row.status.value}
            )
        else:
            name = f"Storyhook.{row.status.value.capitalize()}"
            self.workflow.fail(row.task_token, name, row.failure.detail)
