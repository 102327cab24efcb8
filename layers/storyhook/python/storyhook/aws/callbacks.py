"""Callback rows: the events owed to customers, with every attempt."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storyhook.aws.codec import EPOCH, INTEGER, PACKED_TEXT, TIME, Item, Mapper, enum_of, json_of
from storyhook.aws.storyboards import BOARD, board_key
from storyhook.aws.table import Table, due_shard, key, listed, pause_seconds
from storyhook.domain.access import Page
from storyhook.domain.callback import Attempt, Callback, CallbackStatus

_KIND = "CB"
_MAX_ROUNDS = 60


def _attempt(data: dict[str, Any]) -> Attempt:
    times = {name: data[name] and datetime.fromisoformat(data[name]) for name in _ATTEMPT_TIMES}
    return Attempt(**{**data, **times})


_ATTEMPT_TIMES = ("at", "not_before")

MAPPER = Mapper(
    Callback,
    {
        "status": enum_of(CallbackStatus),
        # Each step of a delivery is billed by the size of the row.
        "body": PACKED_TEXT,
        "created_at": TIME,
        "due_at": TIME,
        "next_at": TIME,
        "sending_until": TIME,
        "expires_at": EPOCH,
        "attempts": json_of(lambda data: tuple(_attempt(attempt) for attempt in data)),
        "turn": INTEGER,
        "first_turn": INTEGER,
        "tries": INTEGER,
        "sequence": INTEGER,
    },
)


def _key(callback_id: str) -> Item:
    return key(f"{_KIND}#{callback_id}", _KIND)


def _item(callback: Callback) -> Item:
    return {
        **_key(callback.id),
        **due_shard(callback.id),
        **listed(callback.tenant, _KIND, callback.id),
        **MAPPER.to_item(callback),
    }


@dataclass(frozen=True)
class CallbackTable:
    table: Table

    def add(self, callback: Callback) -> bool:
        return self.table.put(_item(callback), new=True)

    def add_to_board(
        self, storyboard_id: str, make: Callable[[int], Callback], seen: int | None = None
    ) -> bool:
        board = board_key(storyboard_id)
        for round_number in range(_MAX_ROUNDS):
            if seen is None:
                found = self.table.get(board)
                if found is None:
                    return False
                seen = BOARD.from_item(found).sequence
            callback = make(seen + 1)
            written = self.table.put_counted(_item(callback), board, "sequence", seen)
            if written is not None:
                return written
            # Another event of the board came first.
            seen = None
            time.sleep(pause_seconds(callback.id, round_number))
        raise TimeoutError(f"too many events of {storyboard_id} at once")

    def get(self, callback_id: str) -> Callback | None:
        item = self.table.get(_key(callback_id))
        return MAPPER.from_item(item) if item else None

    def known(self, callback_ids: Sequence[str]) -> set[str]:
        items = self.table.get_many([_key(callback_id) for callback_id in callback_ids])
        return {item["id"]["S"] for item in items}

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[Callback]:
        last = {**_key(cursor), **listed(tenant, _KIND, cursor)} if cursor else None
        page = self.table.page(tenant, _KIND, limit, last)
        return Page(tuple(MAPPER.from_item(item) for item in page.items), page.cursor)

    def begin_turn(
        self, callback_id: str, turn: int, until: datetime, expires_at: datetime
    ) -> Callback | None:
        where = {"status": CallbackStatus.PENDING, "turn": turn}
        changes = {"due_at": until, "sending_until": until, "expires_at": expires_at}
        return self._update(callback_id, changes, where, increment="turn")

    def claim_due(self, callback: Callback, until: datetime) -> Callback | None:
        where = {"status": CallbackStatus.PENDING, "due_at": callback.due_at}
        return self._update(callback.id, {"due_at": until}, where)

    def record(self, callback: Callback) -> None:
        changes = {
            "attempts": callback.attempts,
            "tries": callback.tries,
            "status": callback.status,
            "error": callback.error,
            "due_at": callback.due_at,
            "next_at": callback.next_at,
            "sending_until": None,
        }
        self._update(callback.id, changes, {"turn": callback.turn})

    def replay(self, seen: Callback, replayed: Callback) -> Callback | None:
        changes = {
            "status": replayed.status,
            "first_turn": replayed.first_turn,
            "tries": replayed.tries,
            "error": replayed.error,
            "due_at": replayed.due_at,
            "next_at": replayed.next_at,
            "expires_at": replayed.expires_at,
            "sending_until": None,
        }
        where = {"status": seen.status, "turn": seen.turn}
        return self._update(seen.id, changes, where, increment="turn")

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
