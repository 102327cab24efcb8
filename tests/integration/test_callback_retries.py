"""When a callback is tried again: Standard Webhooks' schedule, and what the customer asks for."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from storyhook.domain.callback import KEPT, CallbackStatus
from tests.fixtures.callbacks import owed, stored, worn_out
from tests.fixtures.world import World

SCHEDULE = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


def tried_when_due(world: World, callback_id: str) -> list[float]:
    """Deliver exactly when it is due, never a second early; seconds between the tries."""
    while (row := stored(world, callback_id)).status is CallbackStatus.PENDING:
        assert row.next_at is not None
        if row.next_at > world.clock():
            world.clock.now = row.next_at - timedelta(seconds=1)
            world.reconcile(lambda: True)
            world.deliver_all()
            assert stored(world, callback_id).turn == row.turn, "a second early"
            world.clock.now = row.next_at
        world.reconcile(lambda: True)
        world.deliver_all()
        if stored(world, callback_id).turn == row.turn:
            world.deliver(callback_id, row.turn)  # SQS's clock is the machine's, not this one.
    times = [attempt.at for attempt in stored(world, callback_id).attempts]
    return [(b - a).total_seconds() for a, b in itertools.pairwise(times)]


def test_the_schedule_is_exact_to_the_second(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [500, None, 302, 404, 500, 500, 500, 500, 500, 500]
    assert tried_when_due(world, callback.id) == SCHEDULE
    row = stored(world, callback.id)
    assert (row.status, len(row.attempts), row.due_at) == (CallbackStatus.FAILED, 10, None)
    assert "every try of the schedule failed" in (row.error or "")
    assert world.sweep(days=9)["callbacks"] == 0
    assert len(world.customer.got) == 10


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 400])
def test_retry_after_is_never_early_and_the_schedule_goes_on(world: World, status: int) -> None:
    callback = owed(world)
    world.customer.answers = [(status, "120"), (status, "10"), (status, "7200"), 500, 200]
    assert tried_when_due(world, callback.id) == [120, 300, 7200, 7200]
    assert stored(world, callback.id).status is CallbackStatus.DELIVERED


def test_retry_after_may_be_a_date(world: World) -> None:
    callback = owed(world)
    assert world.clock() == datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC)
    world.customer.answers = [(503, "Thu, 01 Jan 2026 00:01:40 GMT"), 200]
    assert tried_when_due(world, callback.id) == [90]


@pytest.mark.parametrize("zone", ["+0500", "-0730"])
def test_the_date_of_a_retry_after_may_be_of_any_zone(world: World, zone: str) -> None:
    """Rows that are due are found by text, which sorts as time does in one zone only."""
    callback = owed(world)
    asked = (world.clock() + timedelta(hours=2)).astimezone(datetime.strptime(zone, "%z").tzinfo)
    world.customer.answers = [(503, asked.strftime("%a, %d %b %Y %H:%M:%S %z")), 200]
    world.deliver_all()
    for hours, tries in ((1, 1), (2, 2)):
        world.clock.now = asked.astimezone(UTC) + timedelta(hours=hours - 2)
        world.reconcile(lambda: True)
        world.deliver_all()
        assert len(world.customer.got) == tries
    assert stored(world, callback.id).status is CallbackStatus.DELIVERED


@pytest.mark.parametrize("asked", ["86401", "9" * 30, "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_retry_after_is_capped_at_a_day(world: World, asked: str) -> None:
    callback = owed(world)
    world.customer.answers = [(429, asked), 200]
    assert tried_when_due(world, callback.id) == [86400]


@pytest.mark.parametrize(
    "asked",
    ["", "soon", "-5", "1.5", "٣", "0", "Thu, 01 Jan 2015 00:00:00 GMT", "Thu, 99 Foo 2026"],
)
def test_a_retry_after_that_says_nothing_changes_nothing(world: World, asked: str) -> None:
    callback = owed(world)
    world.customer.answers = [(429, asked), 200]
    assert tried_when_due(world, callback.id) == [5]


def test_a_day_asked_for_again_and_again_ends_after_five(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [(429, "86400")] * 9
    assert tried_when_due(world, callback.id) == [86400] * 5
    row = stored(world, callback.id)
    assert row.status is CallbackStatus.FAILED
    assert "tries of the last 5 days failed" in (row.error or ""), "its URL is disabled by then"
    assert row.expires_at == (world.clock() + KEPT).replace(microsecond=0)


def test_longer_waits_are_left_to_the_reconciler(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [500, 500, 500]
    for turn in range(3):
        world.deliver(callback.id, turn)
    row = stored(world, callback.id)
    assert row.due_at == row.next_at == world.clock() + timedelta(minutes=30)
    world.cloud.messages(world.cloud.callbacks_url)
    assert world.sweep(minutes=29)["callbacks"] == 0
    assert world.sweep(minutes=1)["callbacks"] == 1
    world.deliver_all()
    assert stored(world, callback.id).status is CallbackStatus.DELIVERED


def test_a_soon_retry_whose_message_is_lost_comes_by_the_reconciler(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [500]
    world.deliver_all()
    world.cloud.messages(world.cloud.callbacks_url)
    assert worn_out(world, callback.id).status is CallbackStatus.DELIVERED
    assert len(world.customer.got) == 2
