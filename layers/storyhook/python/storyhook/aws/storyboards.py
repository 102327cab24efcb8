"""Board rows and their scenes, in one partition per board."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from storyhook.aws import predictions
from storyhook.aws.budgets import refuse_unreserved, reserving
from storyhook.aws.codec import (
    BOOLEAN,
    INTEGER,
    MONEY,
    TIME,
    Item,
    Mapper,
    enum_of,
    json_of,
    packed_json,
)
from storyhook.aws.table import Table, due_shard, key, listed
from storyhook.aws.uses import use_item
from storyhook.aws.writes import new_item
from storyhook.domain.access import Page
from storyhook.domain.budget import NOTHING, OverBudget, OverRate, Reservation
from storyhook.domain.fallback import Fallbacks, StoredPlan
from storyhook.domain.prediction import Prediction
from storyhook.domain.storyboard import (
    BoardScene,
    BoardStatus,
    Choice,
    ChosenBy,
    Storyboard,
    Use,
)

_KIND = "SB"

BOARD = Mapper(
    Storyboard,
    {
        "status": enum_of(BoardStatus),
        "scene_count": INTEGER,
        "cost_estimated": MONEY,
        "warnings": json_of(tuple),
        "created_at": TIME,
        "completed_at": TIME,
        "due_at": TIME,
        "cancel_requested_at": TIME,
        "callback_events": json_of(tuple),
        "sequence": INTEGER,
        "character_versions": json_of(dict),
        "look": json_of(dict),
        "max_cost": MONEY,
    },
)


def _fallbacks(data: dict[str, Any]) -> Fallbacks:
    return Fallbacks(tuple(map(_fallback, data["plans"])), data["queue_seconds"])


def _fallback(data: dict[str, Any]) -> StoredPlan:
    cost = data["cost_estimated"]
    return StoredPlan(**{**data, "cost_estimated": cost and Decimal(cost)})


def _choice(data: dict[str, Any]) -> Choice:
    return Choice(
        data["prediction_id"],
        ChosenBy(data["by"]),
        tuple(data["reasons"]),
        datetime.fromisoformat(data["at"]),
    )


SCENE = Mapper(
    BoardScene,
    {
        "chooses": BOOLEAN,
        "choice": json_of(_choice),
        "decided_at": TIME,
        "checks": packed_json(),
        "locked_at": TIME,
        "position": INTEGER,
        "characters": json_of(tuple),
        "predictions": json_of(tuple),
        "fallbacks": packed_json(_fallbacks),
        "details": packed_json(),
    },
)


def board_key(storyboard_id: str) -> Item:
    return key(f"{_KIND}#{storyboard_id}", _KIND)


def _scene_key(storyboard_id: str, position: int) -> Item:
    return key(f"{_KIND}#{storyboard_id}", f"SCENE#{position:04}")


@dataclass(frozen=True)
class StoryboardTable:
    table: Table

    def add(
        self,
        board: Storyboard,
        scenes: Sequence[BoardScene],
        rows: Sequence[Prediction],
        reservation: Reservation = NOTHING,
    ) -> None:
        items = [predictions.to_item(row) for row in rows]
        items += [
            {**_scene_key(board.id, scene.position), **SCENE.to_item(scene)} for scene in scenes
        ]
        items += [
            use_item(Use(board.tenant, name, board.id, version))
            for name, version in (board.character_versions or {}).items()
        ]
        self.table.put_many(items)
        accepted = {
            **board_key(board.id),
            **due_shard(board.id),
            **listed(board.tenant, _KIND, board.id),
            **BOARD.to_item(board),
        }
        if reservation.takes_nothing:
            self.table.put(accepted, new=True)
            return
        new, *held = self.table.transact([new_item(accepted), *reserving(reservation)])
        if new:  # Else it is there, written by us: the AWS client repeats such a write.
            try:
                refuse_unreserved(reservation, held)
            except (OverBudget, OverRate):
                self.table.delete_many([key(i["pk"]["S"], i["sk"]["S"]) for i in items])
                raise

    def get(self, storyboard_id: str) -> Storyboard | None:
        item = self.table.get(board_key(storyboard_id))
        return BOARD.from_item(item) if item else None

    def get_many(self, storyboard_ids: Sequence[str]) -> dict[str, Storyboard]:
        items = self.table.get_many([board_key(row_id) for row_id in storyboard_ids])
        return {row.id: row for row in map(BOARD.from_item, items)}

    def scenes(self, storyboard_id: str) -> tuple[BoardScene, ...]:
        items = self.table.children(f"{_KIND}#{storyboard_id}", "SCENE#")
        return tuple(SCENE.from_item(item) for item in items)

    def scene(self, storyboard_id: str, position: int) -> BoardScene | None:
        item = self.table.get(_scene_key(storyboard_id, position))
        return SCENE.from_item(item) if item else None

    def attach(self, storyboard_id: str, scene: BoardScene, prediction_id: str) -> None:
        known: BoardScene | None = scene
        while known and prediction_id not in known.predictions:
            changes = {"predictions": (*known.predictions, prediction_id)}
            where = {"predictions": known.predictions}
            if self.table.update(
                _scene_key(storyboard_id, scene.position), SCENE, changes, where=where
            ):
                return
            # Another candidate of the scene moved on at the same time.
            known = self.scene(storyboard_id, scene.position)

    def decide(
        self,
        storyboard_id: str,
        position: int,
        choice: Choice,
        checks: Mapping[str, Any] | None = None,
    ) -> BoardScene | None:
        changes = {"choice": choice, "decided_at": choice.at}
        if checks is not None:
            changes["checks"] = checks
        return self._change(storyboard_id, position, changes, {"decided_at": None})

    def choose(
        self, storyboard_id: str, scene: BoardScene, changes: Mapping[str, Any]
    ) -> BoardScene | None:
        where = {"choice": scene.choice, "locked_at": scene.locked_at}
        return self._change(storyboard_id, scene.position, changes, where)

    def _change(
        self,
        storyboard_id: str,
        position: int,
        changes: Mapping[str, Any],
        where: Mapping[str, Any],
    ) -> BoardScene | None:
        item = self.table.update(_scene_key(storyboard_id, position), SCENE, changes, where=where)
        return SCENE.from_item(item) if item else None

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[Storyboard]:
        last = {**board_key(cursor), **listed(tenant, _KIND, cursor)} if cursor else None
        page = self.table.page(tenant, _KIND, limit, last)
        return Page(tuple(BOARD.from_item(item) for item in page.items), page.cursor)

    def finish(self, board: Storyboard) -> bool:
        changes: dict[str, Any] = {
            "status": board.status,
            "completed_at": board.completed_at,
            "due_at": board.due_at,
            "callback_id": board.callback_id,
        }
        where = {
            "status": BoardStatus.RUNNING,
            # It counts for how the board ends.
            "cancel_requested_at": board.cancel_requested_at,
        }
        return self.table.update(board_key(board.id), BOARD, changes, where=where) is not None

    def request_cancel(self, storyboard_id: str, now: datetime) -> Storyboard | None:
        where = {"status": BoardStatus.RUNNING, "cancel_requested_at": None}
        changes = {"cancel_requested_at": now, "due_at": now}
        item = self.table.update(board_key(storyboard_id), BOARD, changes, where=where)
        return BOARD.from_item(item) if item else None

    def claim_due(self, board: Storyboard, until: datetime) -> Storyboard | None:
        where = {"due_at": board.due_at, "status": board.status}
        item = self.table.update(board_key(board.id), BOARD, {"due_at": until}, where=where)
        return BOARD.from_item(item) if item else None

    def announced(self, storyboard_id: str) -> None:
        self.table.update(board_key(storyboard_id), BOARD, {"due_at": None}, where={})
