"""Cancel a board: what nobody has paid for first, then the rest at the providers."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from storyhook.aws.predictions import PredictionTable
from storyhook.aws.queues import CallbacksQueue
from storyhook.aws.storyboards import StoryboardTable
from storyhook.aws.workflow import StepFunctions
from storyhook.domain.errors import NotFound
from storyhook.domain.outcome import Failed, Failure, FailureKind, NotCreated, Succeeded
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import BoardStatus, Storyboard
from tests.fixtures import makers
from tests.fixtures.interruptions import Death, die, once
from tests.fixtures.world import (
    CALLBACK_URL,
    IMAGE_URL,
    UNAVAILABLE,
    Provider,
    World,
    done,
    failed,
    in_threads,
)

FIRST, SECOND = "fal-flux2-pro", "rep-flux2-pro"
BROKEN = Failed(Failure(FailureKind.UNAVAILABLE, "it broke"))


def always() -> bool:
    return True


def begun(world: World, scenes: int = 6, sent: int = 4, made: int = 2, **asked: Any) -> Storyboard:
    """A board of so many scenes: some at the provider, as job-1 and so on, some of these made."""
    board = world.board(
        *(makers.scene(id=f"scene-{n}", position=n) for n in range(1, scenes + 1)), **asked
    )
    for n, row in enumerate(world.rows_of(board)[:sent], 1):
        world.submit.from_queue(row.id, f"token-{n}")
        if n <= made:
            world.webhook(row, done(row.provider, f"job-{n}"))
    return board


def cancel(world: World, board: Storyboard, time_left: Callable[[], bool] = always) -> Storyboard:
    told, _ = world.cancel.storyboard(board.tenant, board.id, time_left)
    return told


def stored(world: World, board: Storyboard) -> Storyboard:
    found = world.storyboards.get(board.id)
    assert found is not None
    return found


def statuses(world: World, board: Storyboard) -> list[str]:
    return [row.status.value for row in world.rows_of(board)]


def over(world: World, board: Storyboard, status: BoardStatus = BoardStatus.CANCELED) -> None:
    """What holds at the end: nothing is owed, and each job was made or told to stop."""
    ended = stored(world, board)
    assert ended.status is status
    assert ended.due_at is None
    assert all(row.due_at is None for row in world.rows_of(board))
    assert len(set(world.provider.created)) == len(world.provider.created)


def test_a_board_is_canceled_midway(world: World) -> None:
    board = begun(world, callback_url=CALLBACK_URL)
    told = cancel(world, board)
    assert told.status is BoardStatus.CANCELED
    assert told.cancel_requested_at == world.clock()
    assert statuses(world, board) == ["succeeded"] * 2 + ["canceled"] * 4
    assert world.provider.canceled == ["job-3", "job-4"]
    over(world, board)
    failures = world.cloud.operations("SendTaskFailure")
    assert {call["taskToken"] for call in failures} == {"token-3", "token-4"}
    world.deliver_all()
    [(_, body, _)] = world.customer.got
    data = json.loads(body)["data"]
    assert (data["status"], data["cancellation"]["canceled"]) == ("canceled", 4)
    assert data["progress"] == {
        "total": 6, "succeeded": 2, "failed": 4, "blocked": 0, "running": 0,
    }  # fmt: skip
    assert [bool(scene["image"]) for scene in data["scenes"]] == [True] * 2 + [False] * 4
    assert data["cost"]["actual"] == "0.0600"


def test_its_workflow_goes_on_to_its_end(world: World) -> None:
    """Tasks that come to wait later are resumed at once; the last state changes nothing."""
    board = begun(world)
    cancel(world, board)
    for n, row in enumerate(world.rows_of(board), 1):
        world.submit.from_queue(row.id, f"token-{n}")
    failures = {call["taskToken"] for call in world.cloud.operations("SendTaskFailure")}
    assert failures == {f"token-{n}" for n in range(3, 7)}
    before = stored(world, board)
    assert world.assemble(board.id) == before
    assert world.sweep(days=1) == {"predictions": 0, "storyboards": 0, "callbacks": 0, "exports": 0}
    assert len(world.provider.submitted) == 4


def test_what_nobody_has_paid_for_is_stopped_first(world: World) -> None:
    board = begun(world, scenes=5, sent=3, made=0)
    seen: list[str] = []
    world.provider.stops = False
    turns = iter(range(3))

    def three_rows() -> bool:
        seen.append("look")
        return next(turns, None) is not None

    told = cancel(world, board, three_rows)
    assert told.status is BoardStatus.RUNNING
    assert statuses(world, board) == ["submitted"] * 3 + ["canceled"] * 2
    assert world.provider.canceled == ["job-1"]
    assert len(seen) == 4


def test_what_there_was_no_time_for_is_the_reconcilers(world: World) -> None:
    board = begun(world, callback_url=CALLBACK_URL)
    told = cancel(world, board, lambda: False)
    assert (told.status, told.due_at) == (BoardStatus.RUNNING, world.clock())
    assert statuses(world, board) == ["succeeded"] * 2 + ["submitted"] * 2 + ["queued"] * 2
    world.sweep()
    assert statuses(world, board) == ["succeeded"] * 2 + ["canceled"] * 4
    over(world, board)
    world.deliver_all()
    assert len(world.customer.got) == 1
    assert len(world.cloud.operations("StartExecution")) == 1, "not started again"


def test_the_reconciler_stops_when_its_time_is_up(world: World) -> None:
    board = begun(world, scenes=4, sent=0, made=0)
    cancel(world, board, lambda: False)
    left = iter([True, True, True, False])
    world.reconcile(lambda: next(left, False))
    assert statuses(world, board).count("canceled") == 2
    world.sweep(minutes=3)
    over(world, board)


def test_the_pictures_of_jobs_that_do_not_stop_are_kept(world: World) -> None:
    board = begun(world)
    world.provider.stops = False
    assert cancel(world, board).status is BoardStatus.RUNNING
    _, _, third, fourth, *_ = world.rows_of(board)
    world.webhook(third, done(third.provider, "job-3"))
    world.provider.outcomes["job-4"] = Succeeded((IMAGE_URL,))
    world.sweep(minutes=3)
    assert world.row(fourth).status is Status.SUCCEEDED
    world.assemble(board.id)
    over(world, board)
    assert statuses(world, board) == ["succeeded"] * 4 + ["canceled"] * 2


def test_a_board_whose_cancel_came_too_late_for_every_scene_has_succeeded(world: World) -> None:
    board = begun(world, scenes=2, sent=2, made=0)
    world.provider.stops = False
    cancel(world, board)
    for n, row in enumerate(world.rows_of(board), 1):
        world.webhook(row, done(row.provider, f"job-{n}"))
    world.assemble(board.id)
    over(world, board, BoardStatus.SUCCEEDED)
    assert stored(world, board).cancel_requested_at is not None


def test_a_board_that_is_over_stays_as_it_is(world: World) -> None:
    board = begun(world, scenes=2, sent=2, made=2)
    world.assemble(board.id)
    before = world.cloud.state()
    told = cancel(world, board)
    assert (told.status, told.cancel_requested_at) == (BoardStatus.SUCCEEDED, None)
    assert world.cloud.state() == before


def test_again_is_the_same(world: World) -> None:
    board = begun(world)
    world.provider.stops = False
    first = cancel(world, board)
    world.clock.advance(seconds=30)
    second = cancel(world, board)
    assert second.cancel_requested_at == first.cancel_requested_at
    assert len(world.provider.canceled) == 2, "each row is due by itself"
    world.provider.stops = True
    world.sweep(minutes=2)
    third = cancel(world, board)
    assert third.status is BoardStatus.CANCELED
    before = world.cloud.state()
    assert cancel(world, board).status is BoardStatus.CANCELED
    assert world.cloud.state() == before


def test_an_unknown_board(world: World) -> None:
    with pytest.raises(NotFound):
        world.cancel.storyboard("acme", "sb_unknown", always)


def test_another_tenants_board_is_unknown(world: World) -> None:
    board = begun(world)
    before = world.cloud.state()
    with pytest.raises(NotFound):
        world.cancel.storyboard("other", board.id, always)
    assert world.cloud.state() == before


@pytest.mark.parametrize("_again", range(3))
def test_against_the_queue_in_threads(world: World, _again: int) -> None:
    """Cancels, claims and the reconciler at once: every scene is canceled, none sent twice."""
    board = begun(world, scenes=8, sent=0, made=0)
    rows = world.rows_of(board)

    def work(n: int) -> object:
        if n % 3 == 0:
            return cancel(world, board)
        if n % 3 == 1:
            return world.reconcile(lambda: True)
        return [world.submit.from_queue(row.id, f"token-{row.id}") for row in rows[:: n % 2 or -1]]

    assert not [each for each in in_threads(6, work) if isinstance(each, Exception)]
    for _ in range(3):
        world.sweep(minutes=3)
    assert statuses(world, board) == ["canceled"] * 8
    over(world, board)
    told = {call["taskToken"] for call in world.cloud.operations("SendTaskFailure")}
    assert told == {f"token-{row.id}" for row in rows}


# --- the end of a board, and a cancel, at the same time ---


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "step"), [(StoryboardTable, "get"), (StoryboardTable, "finish")])
def test_a_board_that_ends_as_it_is_canceled(
    world: World, monkeypatch: pytest.MonkeyPatch, where: type, step: str, after: bool
) -> None:
    """The last state of its workflow read the board before it was to be canceled."""
    board = begun(world, scenes=3, sent=2, made=2, callback_url=CALLBACK_URL)
    [*_, last] = world.rows_of(board)
    if step == "finish":
        world.cancel.row(last)  # The scene alone: the board is over, but nobody canceled it.
    with monkeypatch.context() as patch:
        happened = once(patch, where, step, lambda: cancel(world, board), after=after)
        world.assemble(board.id)
    assert happened
    ended_first = (step, after) == ("finish", True)
    over(world, board, BoardStatus.PARTIAL if ended_first else BoardStatus.CANCELED)
    world.deliver_all()
    assert len(world.customer.got) == 1
    told = json.loads(world.customer.got[0][1])["data"]["status"]
    assert told == stored(world, board).status.value


def test_a_board_that_ends_before_the_cancel_has_come_to_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancel has done all but end the board, which whoever ends it did not see."""
    board = begun(world, scenes=3, sent=2, made=2)
    [*_, last] = world.rows_of(board)

    def canceling() -> None:
        world.storyboards.request_cancel(board.id, world.clock())
        world.cancel.row(last)

    with monkeypatch.context() as patch:
        happened = once(patch, StoryboardTable, "get", canceling, after=True)
        told = world.assemble(board.id)
    assert happened
    assert told.status is BoardStatus.CANCELED
    over(world, board)


# --- fallbacks ---


def chained(world: World) -> tuple[Storyboard, Prediction]:
    board = world.board(makers.scene(), model=FIRST, fallback_models=(SECOND,))
    [row] = world.rows_of(board)
    world.submit.from_queue(row.id, "token")
    return board, world.row(row)


def brought_on(world: World, board: Storyboard) -> list[str]:
    for _ in range(4):
        world.submit_all()
        world.sweep(minutes=3)
    told = {call["taskToken"] for call in world.cloud.operations("SendTaskFailure")}
    assert told == {"token"}
    return statuses(world, board)


def test_a_canceled_scene_has_no_fallback(world: World) -> None:
    board, row = chained(world)
    world.provider.stops = False
    cancel(world, board)
    world.webhook(row, failed("fal", "job-1"))
    assert brought_on(world, board) == ["failed"]
    over(world, board, BoardStatus.FAILED)


def test_a_fallback_that_is_not_made_yet_is_born_to_be_canceled(world: World) -> None:
    board, row = chained(world)
    world.webhook(row, failed("fal", "job-1"))
    assert cancel(world, board).status is BoardStatus.RUNNING, "its scene is not over"
    assert brought_on(world, board) == ["failed", "canceled"]
    over(world, board)
    assert len(world.provider.submitted) == 1


def test_a_fallback_of_a_failure_that_did_not_see_the_wish(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, row = chained(world)
    world.provider.stops = False
    with monkeypatch.context() as patch:
        happened = once(patch, PredictionTable, "advance", lambda: world.cancel.row(row))
        world.webhook(row, failed("fal", "job-1"))
    assert happened
    assert world.row(row).replaced_by, "it had decided to move on"
    assert brought_on(world, board) == ["failed", "canceled"]
    assert len(world.provider.submitted) == 1
    # The scene alone was canceled, and it is all there is of the board.
    over(world, board)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("where", "step"),
    [
        (StoryboardTable, "get"),
        (StoryboardTable, "scene"),
        (PredictionTable, "add"),
        (StoryboardTable, "attach"),
        (PredictionTable, "advance"),
    ],
)
def test_a_fallback_that_is_being_made(
    world: World, monkeypatch: pytest.MonkeyPatch, where: type, step: str, after: bool
) -> None:
    """Whatever step its making is at when the board is canceled, in the end it is canceled too."""
    board, row = chained(world)
    world.webhook(row, failed("fal", "job-1"))
    with monkeypatch.context() as patch:
        happened = once(
            patch,
            where,
            step,
            lambda: cancel(world, board),
            after=after,
            wanted=lambda *args, **_: step != "advance" or args[0] != row.id,
        )
        world.submit_all()
    assert happened
    assert brought_on(world, board) == ["failed", "canceled"]
    over(world, board)
    assert len(world.provider.submitted) - 1 <= len(world.provider.canceled)


# --- death at every step, then the reconciler ---

DEATHS = [
    pytest.param(where, step, after, id=f"{'after' if after else 'before'} {step}")
    for where, step in (
        (StoryboardTable, "request_cancel"),
        (PredictionTable, "request_cancel"),
        (PredictionTable, "advance"),
        (PredictionTable, "announced"),
        (Provider, "cancel"),
        (Provider, "fetch"),
        (StepFunctions, "fail"),
        (StoryboardTable, "finish"),
        (CallbacksQueue, "enqueue"),
        (StoryboardTable, "announced"),
    )
    for after in (False, True)
]


@pytest.mark.parametrize(("where", "step", "after"), DEATHS)
def test_a_death_at_any_step_is_made_up_for(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    where: type,
    step: str,
    after: bool,
) -> None:
    """In the request, and at the same step again in the reconciler that makes up for it."""
    board = begun(world, callback_url=CALLBACK_URL)

    with monkeypatch.context() as patch:
        once(patch, where, step, die, after=after)
        with pytest.raises(Death):
            cancel(world, board)
    if stored(world, board).cancel_requested_at is None:
        assert (step, after) == ("request_cancel", False)
        cancel(world, board)
    with monkeypatch.context() as patch:
        once(patch, where, step, die, after=after)
        with suppress(Death):
            world.sweep(minutes=3)
    for _ in range(3):
        world.sweep(minutes=3)
    assert statuses(world, board) == ["succeeded"] * 2 + ["canceled"] * 4
    over(world, board)
    told = {call["taskToken"] for call in world.cloud.operations("SendTaskFailure")}
    assert told == {"token-3", "token-4"}
    world.deliver_all()
    assert len({headers["webhook-id"] for _, _, headers in world.customer.got}) == 1


def test_a_scene_that_the_provider_gives_back_is_canceled_with_its_board(world: World) -> None:
    board = begun(world, scenes=1, sent=0, made=0)
    [row] = world.rows_of(board)
    world.provider.answers = [NotCreated(UNAVAILABLE, 3.0)]
    world.provider.during_submit = lambda *_: cancel(world, board)
    assert world.submit.from_queue(row.id, "token") is None
    assert statuses(world, board) == ["canceled"]
    world.sweep()
    over(world, board)


def test_a_broken_scene_of_a_canceled_board_counts_as_failed(world: World) -> None:
    board = begun(world, scenes=2, sent=2, made=0)
    world.provider.stops = False
    world.provider.outcomes = {"job-1": BROKEN}
    cancel(world, board)
    world.provider.stops = True
    world.sweep(minutes=3)
    world.assemble(board.id)
    assert statuses(world, board) == ["failed", "canceled"]
    over(world, board)
