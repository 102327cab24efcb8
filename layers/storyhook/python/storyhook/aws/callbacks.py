"""Callback rows: the events owed to customers, with every attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storyhook.aws.codec import INTEGER, TIME, Item, Mapper, enum_of, json_of
from storyhook.aws.table import Table, due_shard, key
from storyhook.domain.callback import Attempt, Callback, CallbackStatus

_KIND = "CB"


def _attempt(data: dict[str, Any]) -> Attempt:
    return Attempt(datetime.fromisoformat(data["at"]), data["status_code"], data["error"])


MAPPER = Mapper(
    Callback,
    {
        "status": enum_of(CallbackStatus),
        "created_at": TIME,
        "due_at": TIME,
        "attempts": json_of(lambda data: tuple(_attempt(attempt) for attempt in data)),
        "turn": INTEGER,
    },
)


def _key(callback_id: str) -> Item:
    return key(f"{_KIND}#{callback_id}", _KIND)


@dataclass(frozen=True)
class CallbackTable:
    table: Table

    def add(self, callback: Callback) -> bool:
        item = {**_key(callback.id), **due_shard(callback.id), **MAPPER.to_item(callback)}
        return self.table.put(item, new=True)

    def get(self, callback_id: str) -> Callback | None:
        item = self.table.get(_key(callback_id))
        return MAPPER.from_item(item) if item else None

    def begin_turn(self, callback_id: str, turn: int, until: datetime) -> Callback | None:
        where = {"status": CallbackStatus.PENDING, "turn": turn}
        return self._update(callback_id, {"due_at": until}, where, increment="turn")

    def claim_due(self, callback: Callback, until: datetime) -> Callback | None:
        where = {"status": CallbackStatus.PENDING, "due_at": callback.due_at}
        return self._update(callback.id, {"due_at": until}, where)

    def record(self, callback: Callback) -> None:
        changes = {
            "attempts": callback.attempts,
            "status": callback.status,
            "due_at": callback.due_at,
        }
        self._update(callback.id, changes, {"turn": callback.turn})

    def _update(
        self,
        callback_id: str,
        changes: dict[str, Any],
        where: dict[str, Any],
        increment: str | None = None,
    ) -> Callback | None:
        item = self.table.update(
            _key(callback_id), MAPPER, changes, where=where, increment=increment
        )
        return MAPPER.from_item(item) if item else None
