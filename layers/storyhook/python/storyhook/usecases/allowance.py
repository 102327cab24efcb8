"""What a key may still ask for: at most so many predictions a minute, so much money a month.

Asked at every create, so that a limit holds at once. A key without limits costs one read here.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from storyhook.domain.budget import (
    NOTHING,
    Budget,
    OverBudget,
    OverRate,
    Rate,
    Reservation,
    budget_of_key,
    month_end,
)
from storyhook.domain.errors import (
    BudgetExceeded,
    FieldError,
    MaxCostExceeded,
    PriceUnknown,
    RateLimited,
)
from storyhook.domain.pricing import add, as_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from storyhook.domain.access import ApiKey
    from storyhook.domain.keys import IssuedKey
    from storyhook.domain.plan import Plan
    from storyhook.ports import Clock
    from storyhook.ports.access import Budgets, Keys, Rates


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be accepted: a prediction for each of `plans`, and after them perhaps `fallbacks`.

    `max_cost` is the caller's limit, USD; `limited_by` the board whose budget it is, if it has one.
    """

    plans: Sequence[Plan]
    max_cost: Decimal | None
    fallbacks: Sequence[Plan] = ()
    limited_by: str | None = None

    @property
    def cost(self) -> Decimal | None:
        """USD, or None as soon as one price is unknown."""
        return add(plan.price.total for plan in self.plans)

    @property
    def unpriced(self) -> list[str]:
        """Models without a known price."""
        plans = (*self.plans, *self.fallbacks)
        return sorted({plan.model for plan in plans if plan.price.total is None})


@dataclass(frozen=True)
class Allowance:
    keys: Keys
    budgets: Budgets
    rates: Rates
    clock: Clock

    @contextmanager
    def __call__(self, key: ApiKey, wanted: Wanted) -> Iterator[Reservation]:
        """What the write that accepts it, made within, has to take together with it.

        Raises PriceUnknown, MaxCostExceeded, BudgetExceeded, RateLimited: before anything is
        written, or when others, at the same time, have left too little. Nothing is taken then.
        """
        issued = self.keys.get(key.id)
        now = self.clock()
        reservation = self._money(issued, wanted, now)
        if issued and issued.predictions_per_minute is not None:
            rate = Rate(issued.id, len(wanted.plans), issued.predictions_per_minute, now)
            self._check_rate(rate)
            reservation = replace(reservation, rate=rate)
        try:
            yield reservation
        except OverBudget as short:
            raise self._overtaken(reservation, short) from short
        except OverRate as over:
            raise _next_minute(over.rate) from over

    def _money(self, issued: IssuedKey | None, wanted: Wanted, now: datetime) -> Reservation:
        monthly = issued.max_cost_per_month if issued else None
        if monthly is None and wanted.max_cost is None:
            return NOTHING
        cost = wanted.cost
        if cost is None or wanted.unpriced:
            raise _price_unknown(wanted)
        if wanted.max_cost is not None and cost > wanted.max_cost:
            detail = (
                f"It is estimated at ${as_text(cost)}, and max_cost is "
                f"${as_text(wanted.max_cost)}; raise max_cost, or ask for less or a cheaper model."
            )
            raise MaxCostExceeded(detail, (FieldError("max_cost", detail),))
        limits = {}
        if issued and monthly is not None:
            name = budget_of_key(issued.id, now)
            budget = self.budgets.get(name) or Budget.untouched(monthly)
            if cost > budget.left:
                raise _budget_exceeded(cost, budget, now)
            limits[name] = monthly
        if wanted.limited_by and wanted.max_cost is not None:
            limits[wanted.limited_by] = wanted.max_cost
        return Reservation(cost, limits)

    def _overtaken(self, reservation: Reservation, short: OverBudget) -> BudgetExceeded:
        limit = reservation.limits[short.budget]
        budget = self.budgets.get(short.budget) or Budget.untouched(limit)
        return _budget_exceeded(reservation.amount, budget, self.clock())

    def _check_rate(self, rate: Rate) -> None:
        if rate.count > rate.limit:
            raise RateLimited(
                f"It is {rate.count} predictions, and this API key may ask for {rate.limit} in a "
                "minute; ask for fewer at once.",
                None,
            )
        if self.rates.used(rate.key_id, rate.at) + rate.count > rate.limit:
            raise _next_minute(rate)


def _next_minute(rate: Rate) -> RateLimited:
    wait = 60 - rate.at.second
    return RateLimited(
        f"This API key may ask for {rate.limit} in a minute; ask again in {wait} s.",
        wait,
    )


def _price_unknown(wanted: Wanted) -> PriceUnknown:
    detail = (
        f"Nobody knows what {' and '.join(wanted.unpriced)} will cost, so no limit of money can be "
        "kept; take models with a price (GET /models), or for these a request without max_cost and "
        "an API key without max_cost_per_month."
    )
    limited_here = wanted.max_cost is not None
    return PriceUnknown(detail, (FieldError("max_cost", detail),) if limited_here else ())


def _budget_exceeded(cost: Decimal, budget: Budget, now: datetime) -> BudgetExceeded:
    left = max(budget.left, Decimal(0))
    ends = month_end(now).isoformat().replace("+00:00", "Z")
    return BudgetExceeded(
        f"It is estimated at ${as_text(cost)}, and ${as_text(left)} is left of the "
        f"${as_text(budget.limit)} that this API key may spend until {ends}; ask for less, or wait."
    )
