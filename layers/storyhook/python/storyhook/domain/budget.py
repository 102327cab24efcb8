"""Money that is allowed: reserved when a prediction is accepted, settled once when it is over.

A budget is a key's calendar month (`key_…#2026-11`, UTC) or a board's max_cost (`sb_…`). What is
`left` of it goes down by each reservation and up by what a settled prediction did not need.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Budget:
    """USD. `left` may be below 0 when pictures cost more than was estimated."""

    limit: Decimal
    left: Decimal
    spent: Decimal

    @classmethod
    def untouched(cls, limit: Decimal) -> "Budget":
        """One of which nothing was ever taken; it has no row."""
        return cls(limit, limit, Decimal(0))

    @property
    def reserved(self) -> Decimal:
        return self.limit - self.left - self.spent


@dataclass(frozen=True, slots=True)
class Hold:
    """What a prediction has reserved, and of which budgets. It stays on the row as its record."""

    amount: Decimal
    budgets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` predictions out of the `limit` that a key may ask for in the minute of `at`."""

    key_id: str
    count: int
    limit: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """`amount` is taken out of each budget and `rate` out of its minute, or nothing is.

    A budget of which nothing was ever taken begins at its limit. Without limits nothing is taken.
    """

    amount: Decimal
    limits: Mapping[str, Decimal]
    rate: Rate | None = None

    @property
    def takes_nothing(self) -> bool:
        return not self.limits and self.rate is None

    def hold(self, amount: Decimal | None) -> Hold | None:
        """A prediction's part of it; None if nothing is reserved."""
        return Hold(amount or Decimal(0), tuple(self.limits)) if self.limits else None


NOTHING = Reservation(Decimal(0), {})


@dataclass(frozen=True, slots=True)
class Booking:
    """What a step of a prediction does to its budgets, in the write that makes the step.

    `hold` is what the row must hold. `taken` goes out of what is left (below 0: comes back),
    `spent` is added to what was spent. `checked`: only if that much is left, as for whatever may
    still be refused.
    """

    hold: Hold
    taken: Decimal
    spent: Decimal
    checked: bool


class OverBudget(Exception):
    """A budget has not that much left; nothing was written."""

    def __init__(self, budget: str) -> None:
        super().__init__(budget)
        self.budget = budget


class OverRate(Exception):
    """The minute has not that many predictions left; nothing was written."""

    def __init__(self, rate: Rate) -> None:
        super().__init__(rate)
        self.rate = rate


def budget_of_key(key_id: str, now: datetime) -> str:
    """The budget of a key for the month of `now`."""
    return f"{key_id}#{now.astimezone(UTC):%Y-%m}"


def month_end(now: datetime) -> datetime:
    """When the next month begins (UTC)."""
    at = now.astimezone(UTC)
    year, month = divmod(at.year * 12 + at.month, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)
