"""Tell the customer what ended: a prediction, a scene, a board. Each event is written once.

Comes after the commit of what ended, and can be repeated: an event's id follows from the rows.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storyhook.domain import callback as callbacks
from storyhook.domain import views
from storyhook.domain.callback import (
    PREDICTION_COMPLETED,
    SCENE_COMPLETED,
    STORYBOARD_COMPLETED,
    Callback,
    CallbackStatus,
)
from storyhook.domain.ids import new_id
from storyhook.domain.storyboard import SceneState, Storyboard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storyhook.domain.prediction import Prediction
    from storyhook.ports import Clock, Images, Predictions, Storyboards
    from storyhook.ports.callbacks import CallbackQueue, Callbacks

_ENVELOPE_BYTES = 200


@dataclass(frozen=True)
class Tell:
    predictions: Predictions
    storyboards: Storyboards
    images: Images
    outbox: Outbox

    def prediction(self, row: Prediction) -> None:
        """That a terminal row is over, if anybody asked to hear it."""
        if row.callback_id is None or not row.tells(PREDICTION_COMPLETED):
            return
        self.outbox.put(
            row,
            callback_id=row.callback_id,
            event=PREDICTION_COMPLETED,
            subject_id=row.id,
            storyboard_id=row.storyboard_id,
            data=views.prediction(row, self.images.sign),
        )

    def scene_of(self, row: Prediction) -> None:
        """That the scene of a terminal row is over, if it is and anybody asked to hear it."""
        board_id, position = row.storyboard_id, row.scene_position
        if board_id is None or position is None or not row.tells(SCENE_COMPLETED):
            return
        scene = self.storyboards.scene(board_id, position)
        if scene is None:
            return
        state = SceneState.of(scene, self.predictions.get_many(scene.predictions))
        # Of several candidates that end at once, at least one sees all of them over.
        if state.over:
            self._scene(row, board_id, state)

    def storyboard(self, board: Storyboard, states: Sequence[SceneState]) -> None:
        """That a board is over; before it, whatever of its parts was not told yet."""
        if board.callback_url is None:
            return
        self._rest_of(board, states)
        if board.callback_id is None or not board.tells(STORYBOARD_COMPLETED):
            return
        data = views.storyboard(board, states, self.images.sign)
        self.outbox.put(
            board,
            callback_id=board.callback_id,
            event=STORYBOARD_COMPLETED,
            subject_id=board.id,
            storyboard_id=board.id,
            data={**data, "storyboard_id": board.id},
            sequence=board.sequence,
        )

    def _rest_of(self, board: Storyboard, states: Sequence[SceneState]) -> None:
        rows, scenes = {}, {}
        if board.tells(PREDICTION_COMPLETED):
            ended = (row for state in states for row in state.predictions)
            rows = {row.callback_id: row for row in ended if row.callback_id}
        if board.tells(SCENE_COMPLETED):
            scenes = {scene_callback_id(board.id, state): state for state in states}
        if not rows and not scenes:
            return
        told = self.outbox.callbacks.known([*rows, *scenes])
        for callback_id, row in rows.items():
            if callback_id not in told:
                self.prediction(row)
        for callback_id, state in scenes.items():
            if callback_id not in told:
                self._scene(board, board.id, state)

    def _scene(self, of: Prediction | Storyboard, board_id: str, state: SceneState) -> None:
        self.outbox.put(
            of,
            callback_id=scene_callback_id(board_id, state),
            event=SCENE_COMPLETED,
            subject_id=board_id,
            storyboard_id=board_id,
            data=views.scene_of(board_id, state, self.images.sign),
        )


def scene_callback_id(board_id: str, state: SceneState) -> str:
    """The id of the event of a scene that is over: the same whoever announces it, and sorted by
    the time when the last of its predictions ended."""
    if state.completed_at is None:
        raise ValueError(f"scene {state.scene.id} of {board_id} is not over")
    name = f"{board_id} {state.scene.position} {SCENE_COMPLETED}".encode()
    return new_id("cb", state.completed_at, hashlib.sha256(name).digest()[:10])


@dataclass(frozen=True)
class Outbox:
    """Writes a callback once (its id is fixed by the rows that caused it) and queues it."""

    callbacks: Callbacks
    queue: CallbackQueue
    clock: Clock

    def put(
        self,
        of: Prediction | Storyboard,
        *,
        callback_id: str,
        event: str,
        subject_id: str,
        storyboard_id: str | None,
        data: dict[str, Any],
        sequence: int | None = None,
    ) -> None:
        """`of` says whose it is and where it goes; `sequence`: the board's, if it was just read."""
        url, now = of.callback_url, self.clock()
        if url is None:
            return

        def numbered(number: int) -> Callback:
            return Callback(
                id=callback_id,
                tenant=of.tenant,
                key_id=of.key_id,
                event=event,
                subject_id=subject_id,
                url=url,
                body=_body(event, now, number, data),
                status=CallbackStatus.PENDING,
                created_at=now,
                due_at=now + callbacks.LEASE,
                next_at=now,
                storyboard_id=storyboard_id,
                sequence=number,
                expires_at=now + callbacks.KEPT,
            )

        if storyboard_id is None:
            self.callbacks.add(numbered(1))
        else:
            self.callbacks.add_to_board(storyboard_id, numbered, sequence)
        # Also when it was there already: the message of a crashed first try may be missing, and
        # of two messages for the same turn only one sends.
        self.queue.enqueue(callback_id, turn=0)


def _body(event: str, now: datetime, sequence: int, data: dict[str, Any]) -> str:
    """The event as JSON under 256 KiB."""
    envelope = {"type": event, "timestamp": views.timestamp(now), "sequence": sequence}
    fitting = views.fitting(data, callbacks.MAX_BODY_BYTES - _ENVELOPE_BYTES)
    text = json.dumps({**envelope, "data": fitting})
    if len(text) > callbacks.MAX_BODY_BYTES:
        # Nothing that is accepted gets here; a callback that cannot be stored would be lost.
        least = {name: data[name] for name in ("id", "storyboard_id", "status", "urls")}
        text = json.dumps({**envelope, "data": least})
    return text
