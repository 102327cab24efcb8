"""Months, what a prediction counts for, and what ending it does to its budgets."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from storyhook.domain.budget import Booking, Hold, Reservation, budget_of_key, month_end
from storyhook.domain.fallback import NextModel
from storyhook.domain.outcome import Failure, FailureKind
from storyhook.domain.prediction import Status
from tests.fixtures import makers

E = Decimal("0.0450")
HOLD = Hold(E, ("key_1#2026-01",))


@pytest.mark.parametrize(
    ("now", "budget", "end"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), "key_1#2026-01", "2026-02-01T00:00:00+00:00"),
        (datetime(2026, 12, 1, tzinfo=UTC), "key_1#2026-12", "2027-01-01T00:00:00+00:00"),
        (datetime(2026, 11, 30, 12, tzinfo=UTC), "key_1#2026-11", "2026-12-01T00:00:00+00:00"),
        # Midnight has passed in Tokyo, and not in UTC.
        (
            datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=9))),
            "key_1#2026-02",
            "2026-03-01T00:00:00+00:00",
        ),
    ],
)
def test_months_are_utc(now: datetime, budget: str, end: str) -> None:
    assert budget_of_key("key_1", now) == budget
    assert month_end(now).isoformat() == end


def test_without_limits_nothing_is_held() -> None:
    assert Reservation(E, {}).hold(E) is None
    assert Reservation(E, {"b": Decimal(1)}).hold(E) == Hold(E, ("b",))


@pytest.mark.parametrize(
    ("status", "values", "charge"),
    [
        (Status.SUCCEEDED, {"cost_actual": Decimal("0.06")}, "0.06"),
        (Status.SUCCEEDED, {"cost_actual": None}, "0.0450"),
        (Status.SUCCEEDED, {"cost_actual": Decimal("0.06"), "unknown_outcomes": 2}, "0.15"),
        (Status.FAILED, {"failure": Failure(FailureKind.UNAVAILABLE, "no")}, "0"),
        (Status.BLOCKED, {"failure": Failure(FailureKind.BLOCKED, "no")}, "0"),
        (Status.CANCELED, {"failure": Failure(FailureKind.CANCELED, "no")}, "0"),
        (Status.CANCELED, {"failure": Failure(FailureKind.CANCELED, "ran", began=True)}, "0.0450"),
        (Status.EXPIRED, {"failure": Failure(FailureKind.EXPIRED, "no")}, "0"),
        (Status.EXPIRED, {"failure": Failure(FailureKind.EXPIRED, "ran", began=True)}, "0.0450"),
        (Status.EXPIRED, {"failure": Failure(FailureKind.OUTCOME_UNKNOWN, "?")}, "0.0450"),
        (Status.EXPIRED, {"failure": Failure(FailureKind.EXPIRED_AT_PROVIDER, "?")}, "0.0450"),
        (Status.FAILED, {"failure": Failure(FailureKind.LOST_RESULT, "?")}, "0.0450"),
    ],
)
def test_what_is_over_counts_for(status: Status, values: dict[str, Any], charge: str) -> None:
    assert makers.prediction(status, **values).charge == Decimal(charge)


def test_an_end_gives_back_what_was_not_needed() -> None:
    row = makers.prediction(hold=HOLD)
    cost = Decimal("0.0300")
    booked = row.booked_at_end(Status.SUCCEEDED, {"cost_actual": cost})
    assert booked == Booking(HOLD, cost - E, cost, checked=False)
    assert makers.prediction().booked_at_end(Status.SUCCEEDED, {"cost_actual": cost}) is None


def test_the_end_of_one_that_is_replaced_reserves_for_the_next() -> None:
    dearer = NextModel(1, 0, on_block=False, cost=Decimal("0.0670"))
    row = makers.prediction(hold=HOLD, next_model=dearer)
    failure = Failure(FailureKind.UNAVAILABLE, "no")
    moved = row.booked_at_end(Status.FAILED, {"failure": failure, "replaced_by": "pred_2"})
    assert moved == Booking(HOLD, Decimal("0.0220"), Decimal(0), checked=True)
    ended = row.booked_at_end(Status.FAILED, {"failure": failure})
    assert ended == Booking(HOLD, -E, Decimal(0), checked=False)
