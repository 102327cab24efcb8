"""Tell everybody who waits how a prediction ended. Comes after the commit, can be repeated."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storyhook.domain import callback as callbacks
from storyhook.domain import views
from storyhook.domain.callback import Callback, CallbackStatus
from storyhook.domain.prediction import Prediction, Status

if TYPE_CHECKING:
    from datetime import datetime

    from storyhook.ports import (
        CallbackQueue,
        Callbacks,
        Clock,
        Images,
        Predictions,
        Submissions,
        Workflow,
    )

_ENVELOPE_BYTES = 200


@dataclass(frozen=True)
class Announce:
    predictions: Predictions
    workflow: Workflow
    outbox: Outbox
    images: Images
    submissions: Submissions

    def __call__(self, row: Prediction) -> None:
        """Resume the workflow and queue the callback of a terminal row; then owe nothing.

        If its scene moves on nobody is told yet: the submissions queue is, where `Submit` makes
        the row that replaces this one. Until that stands, this one owes it.
        """
        if row.replaced_by:
            self.submissions.enqueue(row.id)
            return
        self.resume_workflow(row)
        if row.callback_url and row.callback_id:
            self.outbox.put(
                callback_id=row.callback_id,
                tenant=row.tenant,
                key_id=row.key_id,
                event=callbacks.PREDICTION_COMPLETED,
                subject_id=row.id,
                url=row.callback_url,
                data=views.prediction(row, self.images.sign),
            )
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


@dataclass(frozen=True)
class Outbox:
    """Writes a callback once (its id is fixed by the row that caused it) and queues it."""

    callbacks: Callbacks
    queue: CallbackQueue
    clock: Clock

    def put(
        self,
        *,
        callback_id: str,
        tenant: str,
        key_id: str | None,
        event: str,
        subject_id: str,
        url: str,
        data: dict[str, Any],
    ) -> None:
        now = self.clock()
        row = Callback(
            id=callback_id,
            tenant=tenant,
            key_id=key_id,
            event=event,
            subject_id=subject_id,
            url=url,
            body=_body(event, now, data),
            status=CallbackStatus.PENDING,
            created_at=now,
            due_at=now + callbacks.LEASE,
        )
        self.callbacks.add(row)
        # Also when it was there already: the message of a crashed first try may be missing, and
        # of two messages for the same turn only one sends.
        self.queue.enqueue(callback_id, turn=0)


def _body(event: str, now: datetime, data: dict[str, Any]) -> str:
    """The event as JSON under 256 KiB."""
    fitting = views.fitting(data, callbacks.MAX_BODY_BYTES - _ENVELOPE_BYTES)
    text = json.dumps({"type": event, "timestamp": views.timestamp(now), "data": fitting})
    if len(text) > callbacks.MAX_BODY_BYTES:
        # Nothing that is accepted gets here; a callback that cannot be stored would be lost.
        least = {name: data[name] for name in ("id", "status", "urls")}
        text = json.dumps({"type": event, "timestamp": views.timestamp(now), "data": least})
    return text
