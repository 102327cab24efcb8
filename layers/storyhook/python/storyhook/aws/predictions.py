"""Prediction rows. Each step is one conditional write; the condition is the domain's own table."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from storyhook.aws.budgets import booked, refuse_short, refuse_unreserved, reserving
from storyhook.aws.codec import (
    FLOAT,
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
from storyhook.aws.writes import new_item, updating
from storyhook.domain.access import Page
from storyhook.domain.budget import NOTHING, Booking, Hold, Reservation
from storyhook.domain.fallback import NextModel
from storyhook.domain.images import StoredImage
from storyhook.domain.outcome import Failure, FailureKind, ProviderHandle
from storyhook.domain.prediction import SOURCES, Prediction, Status

_KIND = "PRED"


def _failure(data: dict[str, Any]) -> Failure:
    return Failure(**{**data, "kind": FailureKind(data["kind"])})


def _next_model(data: dict[str, Any]) -> NextModel:
    cost = data.get("cost")
    return NextModel(**{**data, "cost": cost and Decimal(cost)})


def _hold(data: dict[str, Any]) -> Hold:
    return Hold(Decimal(data["amount"]), tuple(data["budgets"]))


MAPPER = Mapper(
    Prediction,
    {
        "status": enum_of(Status),
        "input": packed_json(),
        "seed": INTEGER,
        "seed_returned": INTEGER,
        "cost_estimated": MONEY,
        "cost_actual": MONEY,
        "created_at": TIME,
        "deadline_at": TIME,
        "due_at": TIME,
        "submitted_at": TIME,
        "storing_at": TIME,
        "completed_at": TIME,
        "attempt": INTEGER,
        "checks": INTEGER,
        "candidate": INTEGER,
        "callback_events": json_of(tuple),
        "scene_position": INTEGER,
        "provider_seconds": FLOAT,
        "handle": json_of(lambda data: ProviderHandle(**data)),
        "images": json_of(lambda data: tuple(StoredImage(**image) for image in data)),
        "failure": json_of(_failure),
        "refused": json_of(_failure),
        "next_model": json_of(_next_model),
        "cancel_requested_at": TIME,
        "max_paid_attempts": INTEGER,
        "unknown_outcomes": INTEGER,
        "unanswered": INTEGER,
        "hold": json_of(_hold),
        "max_cost": MONEY,
    },
)


def prediction_key(prediction_id: str) -> Item:
    return key(f"{_KIND}#{prediction_id}", _KIND)


def to_item(row: Prediction) -> Item:
    return {
        **prediction_key(row.id),
        **due_shard(row.id),
        **listed(row.tenant, _KIND, row.id),
        **MAPPER.to_item(row),
    }


@dataclass(frozen=True)
class PredictionTable:
    table: Table

    def add(self, prediction: Prediction, reservation: Reservation = NOTHING) -> None:
        if not reservation.takes_nothing:
            self.add_all([prediction], reservation)
        elif not self.table.put(to_item(prediction), new=True):
            raise FileExistsError(f"prediction {prediction.id} is there already")

    def add_all(
        self, predictions: Sequence[Prediction], reservation: Reservation = NOTHING
    ) -> None:
        puts = [new_item(to_item(row)) for row in predictions]
        held = self.table.transact([*puts, *reserving(reservation)])
        if not all(held[: len(puts)]):
            raise FileExistsError(f"prediction {predictions[0].id}, or one with it, is there")
        refuse_unreserved(reservation, held[len(puts) :])

    def get(self, prediction_id: str) -> Prediction | None:
        item = self.table.get(prediction_key(prediction_id))
        return MAPPER.from_item(item) if item else None

    def get_many(self, prediction_ids: Sequence[str]) -> dict[str, Prediction]:
        items = self.table.get_many([prediction_key(row_id) for row_id in prediction_ids])
        rows = [MAPPER.from_item(item) for item in items]
        return {row.id: row for row in rows}

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[Prediction]:
        last = {**prediction_key(cursor), **listed(tenant, _KIND, cursor)} if cursor else None
        page = self.table.page(tenant, _KIND, limit, last)
        return Page(tuple(MAPPER.from_item(item) for item in page.items), page.cursor)

    def advance(
        self,
        prediction_id: str,
        to: Status,
        changes: Mapping[str, Any],
        *,
        attempt: int | None = None,
        unless: Collection[Status] = (),
        booking: Booking | None = None,
    ) -> Prediction | None:
        where: dict[str, Any] = {"status": SOURCES[to].difference(unless)}
        if attempt is not None:
            where["attempt"] = attempt
        if to is Status.SUBMITTING:
            # Nobody pays for what is to be canceled.
            where["cancel_requested_at"] = None
        if booking:
            return self._booked(prediction_id, {"status": to, **changes}, where, booking)
        return self._update(
            prediction_id,
            {"status": to, **changes},
            where,
            # Each claim has its own number, so that only its holder can give it back.
            increment="attempt" if to is Status.SUBMITTING else None,
        )

    def attach_task_token(self, prediction_id: str, task_token: str) -> Prediction | None:
        return self._update(prediction_id, {"task_token": task_token}, {})

    def request_cancel(
        self, row: Prediction, now: datetime, changes: Mapping[str, Any]
    ) -> Prediction | None:
        known = row.cancel_requested_at
        where = {"status": row.status, "cancel_requested_at": known}
        return self._update(row.id, {"cancel_requested_at": known or now, **changes}, where)

    def adopt(self, prediction_id: str, handle: ProviderHandle) -> None:
        self._update(prediction_id, {"handle": handle}, {"submitted_at": None})

    def claim_due(self, row: Prediction, until: datetime) -> Prediction | None:
        where = {"due_at": row.due_at, "status": row.status}
        return self._update(row.id, {"due_at": until}, where)

    def postpone(self, row: Prediction, until: datetime, changes: Mapping[str, Any]) -> None:
        self._update(row.id, {"due_at": until, **changes}, {"status": row.status})

    def announced(self, prediction_id: str) -> None:
        self._update(prediction_id, {"due_at": None}, {})

    def remove(self, row: Prediction) -> None:
        if row.due_at:
            self.table.delete_same(prediction_key(row.id), "due_at", TIME.encode(row.due_at))

    def _booked(
        self,
        prediction_id: str,
        changes: Mapping[str, Any],
        where: Mapping[str, Any],
        booking: Booking,
    ) -> Prediction | None:
        where = {**where, "hold": booking.hold}
        update = updating(prediction_key(prediction_id), MAPPER, changes, where=where)
        as_seen, *enough = self.table.transact([{"Update": update}, *booked(booking)])
        if not as_seen:
            return None
        refuse_short(booking.hold.budgets, enough)
        return self.get(prediction_id)

    def _update(
        self,
        prediction_id: str,
        changes: Mapping[str, Any],
        where: Mapping[str, Any],
        increment: str | None = None,
    ) -> Prediction | None:
        item = self.table.update(
            prediction_key(prediction_id), MAPPER, changes, where=where, increment=increment
        )
        return MAPPER.from_item(item) if item else None
