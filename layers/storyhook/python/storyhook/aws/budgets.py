"""Budgets: how much money is left. Each changes together with a step of what it pays for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from storyhook.aws import rates
from storyhook.aws.codec import Codec, Item, Mapper
from storyhook.aws.table import Table, key
from storyhook.domain.budget import Booking, Budget, OverBudget, OverRate, Reservation

# Numbers, which DynamoDB adds up exactly.
_USD = Codec(lambda v: {"N": f"{v:f}"}, lambda a: Decimal(a["N"]))
_MAPPER = Mapper(Budget, dict.fromkeys(("limit", "left", "spent"), _USD))
_NAMES = {"#left": "left", "#limit": "limit", "#spent": "spent"}


def _key(budget: str) -> Item:
    return key(f"BUDGET#{budget}", "BUDGET")


def reserving(reservation: Reservation) -> list[dict[str, Any]]:
    """The writes, for a transaction, that take it out of each budget, and out of its minute."""
    writes = [
        {
            "Update": {
                "Key": _key(budget),
                "UpdateExpression": "SET #left = if_not_exists(#left, :limit) - :amount, "
                "#limit = if_not_exists(#limit, :limit), #spent = if_not_exists(#spent, :none)",
                # Of one that is not there yet the caller has seen that its limit is enough.
                "ConditionExpression": "attribute_not_exists(#left) OR #left >= :amount",
                "ExpressionAttributeNames": _NAMES,
                "ExpressionAttributeValues": {
                    ":limit": _USD.encode(limit),
                    ":amount": _USD.encode(reservation.amount),
                    ":none": _USD.encode(Decimal(0)),
                },
            }
        }
        for budget, limit in reservation.limits.items()
    ]
    return [*writes, rates.taking(reservation.rate)] if reservation.rate else writes


def refuse_unreserved(reservation: Reservation, held: Sequence[bool]) -> None:
    """Raises OverBudget or OverRate, as the conditions of its writes held."""
    refuse_short(reservation.limits, held[: len(reservation.limits)])
    if reservation.rate and not held[-1]:
        raise OverRate(reservation.rate)


def booked(booking: Booking) -> list[dict[str, Any]]:
    """The writes, for a transaction, of what a step of a prediction does to its budgets."""
    update = {
        "UpdateExpression": "SET #left = #left - :taken ADD #spent :spent",
        "ConditionExpression": "#left >= :taken" if booking.checked else "attribute_exists(#left)",
        "ExpressionAttributeNames": {name: _NAMES[name] for name in ("#left", "#spent")},
        "ExpressionAttributeValues": {
            ":taken": _USD.encode(booking.taken),
            ":spent": _USD.encode(booking.spent),
        },
    }
    return [{"Update": {"Key": _key(budget), **update}} for budget in booking.hold.budgets]


def refuse_short(budgets: Collection[str], held: Collection[bool]) -> None:
    """Raises OverBudget for the first budget whose condition did not hold."""
    for budget, enough in zip(budgets, held, strict=True):
        if not enough:
            raise OverBudget(budget)


@dataclass(frozen=True)
class BudgetTable:
    table: Table

    def get(self, budget: str) -> Budget | None:
        item = self.table.get(_key(budget))
        return _MAPPER.from_item(item) if item else None

    def get_many(self, budgets: Collection[str]) -> dict[str, Budget]:
        items = self.table.get_many([_key(budget) for budget in budgets])
        return {item["pk"]["S"].partition("#")[2]: _MAPPER.from_item(item) for item in items}
