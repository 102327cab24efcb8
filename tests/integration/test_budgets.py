"""Money is reserved with what it is for, settled once, and never spent twice over."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from storyhook.aws import clients
from storyhook.aws.predictions import MAPPER
from storyhook.domain.budget import Budget, budget_of_key
from storyhook.domain.errors import (
    BudgetExceeded,
    MaxCostExceeded,
    NotFound,
    PriceUnknown,
)
from storyhook.domain.outcome import OutcomeUnknown
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import Storyboard
from storyhook.providers.replicate import outcome as replicate
from tests.fixtures import makers
from tests.fixtures.interruptions import Death
from tests.fixtures.world import UNAVAILABLE, World, done, failed, in_threads

EACH = Decimal("0.0450")  # What a picture of Elena is estimated at, with makers.FAL.


def limited(world: World, **limits: Any) -> None:
    world.keys.add(makers.issued(**limits))


def for_pictures(world: World, count: int) -> None:
    """A key with money for so many."""
    limited(world, max_cost_per_month=EACH * count + Decimal("0.0100"))


def left(world: World) -> Budget:
    found = world.budgets.get(budget_of_key(makers.KEY.id, world.clock()))
    assert found is not None
    return found


def submit(world: World, board: Storyboard) -> list[Prediction]:
    for row in world.rows_of(board):
        world.submit.from_queue(row.id, f"token of {row.id}")
    return world.rows_of(board)


def job_of(world: World, row: Prediction) -> str:
    handle = world.row(row).handle
    assert handle is not None
    return handle.provider_id


def test_a_prediction_reserves_and_settles(world: World) -> None:
    for_pictures(world, 2)
    row = world.ask()
    assert left(world) == Budget(Decimal("0.1"), Decimal("0.0550"), Decimal(0))
    assert left(world).reserved == EACH
    for _ in range(3):
        world.webhook(row, done("fal", "job-1"))
        world.settle.announce(world.row(row))
    actual = world.row(row).cost_actual
    assert actual == EACH
    assert left(world) == Budget(Decimal("0.1"), Decimal("0.1") - actual, actual)


def test_what_gave_no_picture_costs_nothing(world: World) -> None:
    for_pictures(world, 2)
    row = world.ask()
    world.webhook(row, failed("fal", "job-1"))
    world.cancel.prediction("acme", world.ask().id)
    assert left(world) == Budget(Decimal("0.1"), Decimal("0.1"), Decimal(0))


@pytest.mark.parametrize(("started_at", "spent"), [(None, False), ("2026-01-01T00:00:11Z", True)])
def test_what_ran_until_it_was_canceled_counts(
    world: World, started_at: str | None, spent: bool
) -> None:
    """Replicate bills the time it ran; what had not begun is free."""
    for_pictures(world, 2)
    row = world.ask(makers.REPLICATE)
    canceled = {"id": "job-1", "status": "canceled", "started_at": started_at}
    world.provider.outcomes["job-1"] = replicate.outcome(canceled)
    assert world.cancel.prediction("acme", row.id).status is Status.CANCELED
    assert left(world).spent == (row.cost_estimated if spent else 0)
    assert left(world).reserved == 0


def test_what_is_stopped_because_it_is_late_counts_if_it_ran(world: World) -> None:
    for_pictures(world, 2)
    row = world.ask(makers.REPLICATE)
    canceled = {"id": "job-1", "status": "canceled", "started_at": "2026-01-01T00:00:11Z"}
    world.clock.advance(hours=2)
    world.provider.outcomes["job-1"] = replicate.outcome(canceled)
    world.sweep()
    assert world.row(row).status is Status.EXPIRED
    assert left(world).spent == row.cost_estimated


def test_a_refusal_says_how_much_is_left_and_until_when(world: World) -> None:
    for_pictures(world, 1)
    world.ask()
    before = world.cloud.rows()
    with pytest.raises(BudgetExceeded) as refused:
        world.ask()
    assert "$0.0100 is left of the $0.0550" in refused.value.detail
    assert "until 2026-02-01T00:00:00Z" in refused.value.detail
    with pytest.raises(BudgetExceeded):
        world.board(model=makers.FAL)
    assert world.cloud.rows() == before
    world.clock.advance(days=31)
    assert world.ask().hold is not None, "the next month has money of its own"


@pytest.mark.parametrize(("limits", "accepting"), [({}, 0), ({"predictions_per_minute": 5}, 1)])
def test_a_key_without_a_money_limit_writes_nothing_for_it(
    world: World, limits: dict[str, int], accepting: int
) -> None:
    limited(world, **limits)
    world.webhook(world.ask(), done("fal", "job-1"))
    _the_key, *others = world.cloud.operations("TransactWriteItems")
    assert len(others) == accepting
    assert [row for row in world.cloud.rows() if row["pk"]["S"].startswith("BUDGET#")] == []


def test_an_unknown_price_is_refused_where_money_is_limited(world: World) -> None:
    unpriced = "rep-nano-banana"
    for_pictures(world, 5)
    with pytest.raises(PriceUnknown) as refused:
        world.ask(unpriced)
    assert unpriced in refused.value.detail
    with pytest.raises(PriceUnknown) as refused:
        world.board(model=makers.FAL, fallback_models=(unpriced,))
    assert unpriced in refused.value.detail
    with pytest.raises(PriceUnknown):
        world.ask(unpriced, max_cost=Decimal(1), key=makers.other_key())
    assert world.provider.submitted == []


def test_max_cost_refuses_before_anything_is_written(world: World) -> None:
    world.characters.replace(makers.character(), None)
    before = world.cloud.rows()
    with pytest.raises(MaxCostExceeded):
        world.ask(max_cost=Decimal("0.0449"))
    with pytest.raises(MaxCostExceeded):
        world.board(max_cost=Decimal("0.01"))
    assert world.cloud.rows() == before
    assert world.ask(max_cost=EACH).max_cost == EACH


def test_max_cost_bounds_how_often_a_prediction_is_paid(world: World) -> None:
    assert world.ask(max_cost=EACH * 2, max_paid_attempts=3).max_paid_attempts == 2
    assert world.ask(max_cost=EACH, max_paid_attempts=3).max_paid_attempts == 1


@pytest.mark.parametrize("kind", ["prediction", "board"])
def test_of_a_hundred_at_once_the_money_for_ten_accepts_ten(world: World, kind: str) -> None:
    world.characters.replace(makers.character(), None)

    def ask(_: int) -> Any:
        if kind == "prediction":
            return world.ask()
        return world.board(makers.scene(), model=makers.FAL)

    limited(world, max_cost_per_month=EACH * 10 + Decimal("0.0100"))
    results = in_threads(100, ask)
    refused = [r for r in results if isinstance(r, Exception)]
    assert {type(error) for error in refused} == {BudgetExceeded}
    accepted = [r for r in results if not isinstance(r, Exception)]
    assert len(accepted) == 10
    rows = [row for row in world.cloud.rows() if row["sk"]["S"] == "PRED"]
    assert len(rows) == 10, "of what is refused nothing stays"
    held = sum(Decimal(world_hold(row)) for row in rows)
    assert left(world).reserved == held
    assert left(world).left >= 0


def world_hold(item: dict[str, Any]) -> Decimal:
    hold = MAPPER.from_item(item).hold
    assert hold is not None
    return hold.amount


# --- fallbacks ---


def falling_back(world: World, max_cost: str, **asked: Any) -> Storyboard:
    return world.board(
        makers.scene(),
        model="rep-flux2-pro",
        fallback_models=("rep-nano-banana-2", "fal-flux2-pro"),
        max_cost=Decimal(max_cost),
        **asked,
    )


def fail_first(world: World, board: Storyboard) -> Prediction:
    [row] = submit(world, board)
    world.webhook(row, failed("replicate", job_of(world, row)))
    return world.row(row)


def test_a_scene_moves_on_within_max_cost(world: World) -> None:
    board = falling_back(world, "1.00")
    row = fail_first(world, board)
    assert row.replaced_by
    purse = world.budgets.get(board.id)
    world.submit_all()
    [_, successor] = world.rows_of(board)
    assert successor.hold is not None
    assert purse is not None
    assert successor.hold.amount == successor.cost_estimated == purse.reserved
    world.webhook(successor, done("replicate", job_of(world, successor)))
    after = world.budgets.get(board.id)
    assert after is not None
    assert after.reserved == 0
    assert after.spent == world.row(successor).cost_actual


def test_a_move_that_would_exceed_max_cost_is_not_made(world: World) -> None:
    board = falling_back(world, "1.00")
    estimate = board.cost_estimated
    assert estimate is not None
    tight = falling_back(world, f"{estimate:.4f}")
    [row] = world.rows_of(tight)
    assert row.next_model is not None
    assert row.next_model.cost is not None
    assert row.next_model.cost > estimate
    row = fail_first(world, tight)
    assert (row.status, row.replaced_by) == (Status.FAILED, None)
    assert row.failure is not None
    assert row.failure.detail.startswith("The next model was not tried: it costs more")
    assert "the model broke" in row.failure.detail
    purse = world.budgets.get(tight.id)
    assert purse == Budget(estimate, estimate, Decimal(0))


def test_a_move_that_would_exceed_the_months_money_is_not_made(world: World) -> None:
    free = falling_back(world, "1.00")
    assert free.cost_estimated is not None
    limited(world, max_cost_per_month=free.cost_estimated)
    row = fail_first(world, falling_back(world, "1.00"))
    assert row.replaced_by is None
    assert left(world) == Budget(free.cost_estimated, free.cost_estimated, Decimal(0))


# --- a submission whose answer is lost ---


def unknown_twice(world: World, **asked: Any) -> Prediction:
    """Sent once without an answer; its caller agrees to pay again."""
    world.provider.answers = [OutcomeUnknown("reset")]
    board = world.board(makers.scene(), model=makers.FAL, max_paid_attempts=2, **asked)
    submit(world, board)
    world.clock.advance(hours=2)
    world.sweep()
    [row] = world.rows_of(board)
    return row


def test_paying_once_more_is_reserved_too(world: World) -> None:
    for_pictures(world, 3)
    row = unknown_twice(world)
    assert row.cost_estimated is not None
    assert (row.status, row.unknown_outcomes) == (Status.QUEUED, 1)
    assert row.hold is not None
    assert row.hold.amount == 2 * row.cost_estimated == left(world).reserved
    world.submit.from_queue(row.id, None)
    world.webhook(row, done("fal", "job-2"))
    ended = world.row(row)
    assert ended.cost_actual is not None
    # The first submission may have been paid, so it counts.
    assert left(world).spent == ended.cost_actual + row.cost_estimated
    assert left(world).reserved == 0


def test_paying_once_more_needs_money(world: World) -> None:
    probe = world.board(makers.scene(), model=makers.FAL)
    assert probe.cost_estimated is not None
    row = unknown_twice(world, max_cost=probe.cost_estimated)
    assert row.status is Status.EXPIRED
    assert row.failure is not None
    assert "It was not sent once more" in row.failure.detail
    assert len(world.provider.submitted) == 1


def test_a_webhook_that_knows_the_old_hold_settles_the_new_one(world: World) -> None:
    """It read the row, and only then was the row queued again: nothing stays reserved."""
    for_pictures(world, 3)
    world.provider.answers = [OutcomeUnknown("reset")]
    board = world.board(makers.scene(), model=makers.FAL, max_paid_attempts=2)
    [stale] = submit(world, board)
    world.clock.advance(hours=2)
    world.sweep()
    failure = makers.prediction().failure or UNAVAILABLE
    world.settle.fail(stale, failure)
    assert world.row(stale).status.terminal
    assert left(world).reserved == 0


# --- what is never accepted ---


def test_a_board_that_is_written_by_half_reserves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_pictures(world, 5)
    died_at(world, "TransactWriteItems", lambda: world.board(model=makers.FAL))
    [first, _] = world.predictions.list("acme", 10, None).items
    with pytest.raises(NotFound):
        world.cancel.prediction("acme", first.id)
    for _ in range(3):
        world.sweep(minutes=6)
    assert world.predictions.list("acme", 10, None).items == ()
    assert world.budgets.get(budget_of_key("key_1", world.clock())) is None


def died_at(world: World, operation: str, work: Callable[[], Any]) -> None:
    """The function dies when it is about to make the call."""
    client = clients.client("dynamodb")

    def die(params: Any, **_: Any) -> None:
        raise Death

    event = f"provide-client-params.dynamodb.{operation}"
    client.meta.events.register(event, die)
    try:
        with pytest.raises(Death):
            work()
    finally:
        client.meta.events.unregister(event, die)
