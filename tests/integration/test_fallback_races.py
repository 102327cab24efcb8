"""Moving on, cut short at every step, and against everything that may happen at the same time."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from storyhook.aws.predictions import PredictionTable
from storyhook.aws.queues import SubmissionsQueue
from storyhook.aws.storyboards import StoryboardTable
from storyhook.domain.outcome import Failed, Failure, FailureKind, NotCreated, Succeeded
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import BoardStatus, Storyboard
from tests.fixtures import cloud as clouds
from tests.fixtures import makers
from tests.fixtures.clock import Clock
from tests.fixtures.interruptions import Death
from tests.fixtures.world import IMAGE_URL, UNAVAILABLE, World, done, failed, in_threads

FIRST, SECOND, THIRD = "fal-flux2-pro", "rep-flux2-pro", "rep-flux-schnell"
TOKEN = "task-token"


def begun(world: World, *fallbacks: str) -> tuple[Storyboard, Prediction]:
    """A board of one scene whose first prediction is at the provider, as job-1."""
    board = world.board(makers.scene(), model=FIRST, fallback_models=fallbacks or (SECOND,))
    [row] = world.rows_of(board)
    assert world.submit.from_queue(row.id, TOKEN) is None
    return board, world.row(row)


def chain(world: World, board: Storyboard) -> list[Prediction]:
    return world.rows_of(board)


def told(world: World) -> list[str]:
    names = ("SendTaskSuccess", "SendTaskFailure")
    return [call["taskToken"] for name in names for call in world.cloud.operations(name)]


def sound(world: World, board: Storyboard) -> None:
    """What holds at any time: one POST per row, and nobody moves on from a picture."""
    rows = chain(world, board)
    assert len(set(world.provider.created)) == len(world.provider.created)
    assert len({row.id for row in rows}) == len(rows)
    assert sum(row.status is Status.SUCCEEDED for row in rows) <= 1
    for row, following in itertools.pairwise([*rows, None]):
        assert row is not None
        if row.replaced_by:
            assert row.status.terminal
            assert row.storing_at is None, "the provider had reported a picture"
            assert row.images == ()
        if following:
            assert (row.replaced_by, following.replaces) == (following.id, row.id)
    assert rows[0].replaces is None


def brought_on(world: World, board: Storyboard, minutes: int = 12) -> list[Prediction]:
    """Time passes: the reconciler runs, messages are handled."""
    for _ in range(minutes // 2):
        world.sweep(minutes=2)
        world.submit_all()
    sound(world, board)
    return chain(world, board)


STEPS = [
    pytest.param(where, step, after, id=f"{'after' if after else 'before'} {step}")
    for where, step in (
        (SubmissionsQueue, "enqueue"),
        (PredictionTable, "add"),
        (StoryboardTable, "attach"),
        (PredictionTable, "announced"),
        (PredictionTable, "advance"),
    )
    for after in (False, True)
    # Between claim and POST nobody knows what was sent: that row waits, whatever it replaces.
    if (step, after) != ("advance", True)
]


@pytest.mark.parametrize(("where", "step", "after"), STEPS)
def test_a_death_at_any_step_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch, where: type, step: str, after: bool
) -> None:
    board, row = begun(world)
    real = getattr(where, step)
    died: list[str] = []

    def dying(self: Any, *args: Any, **values: Any) -> Any:
        if step == "advance" and args[1] is not Status.SUBMITTING:
            return real(self, *args, **values)
        if after:
            real(self, *args, **values)
        died.append(step)
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(where, step, dying)
        with suppress(Death):
            world.webhook(row, failed("fal", "job-1"))
        with suppress(Death):
            world.submit_all()
    assert died
    world.cloud.messages(world.cloud.submissions_url)  # Nobody handles these any more.
    sound(world, board)
    assert world.assemble(board.id).status is BoardStatus.RUNNING

    old, new = brought_on(world, board)
    assert new.status is Status.SUBMITTED
    assert told(world) == []
    world.webhook(new, done("replicate", "job-2"))
    assert told(world) == [TOKEN]
    assert world.assemble(board.id).status is BoardStatus.SUCCEEDED
    assert world.row(old).due_at is None
    sound(world, board)
    assert len(world.provider.submitted) == 2


def test_messages_for_a_replaced_row_go_to_whatever_stands_at_the_end(world: World) -> None:
    board, row = begun(world, SECOND, THIRD)
    world.webhook(row, failed("fal", "job-1"))
    world.submit_all()
    _, second = chain(world, board)
    world.webhook(second, failed("replicate", "job-2"))
    # The message of the first row comes again, and does the work of the second's.
    assert world.submit.from_queue(row.id, None) is None
    *_, third = chain(world, board)
    assert (third.replaces, third.status) == (second.id, Status.SUBMITTED)
    assert third.next_model is None
    before = world.cloud.state()
    for each in (row, second, third):
        world.submit.from_queue(each.id, None)
    assert world.cloud.state() == before, "a message more changes nothing"
    assert told(world) == []
    world.webhook(third, failed("replicate", "job-3"))
    assert told(world) == [TOKEN]
    sound(world, board)


@pytest.mark.parametrize("replaced", [False, True], ids=["not yet there", "there"])
def test_a_workflow_that_comes_late_finds_the_end_of_the_chain(
    world: World, replaced: bool
) -> None:
    """Its message was slow: the prediction was sent by another one, failed, and is replaced."""
    board = world.board(makers.scene(), model=FIRST, fallback_models=(SECOND,))
    [row] = world.rows_of(board)
    world.submit.from_queue(row.id, None)
    world.webhook(row, failed("fal", "job-1"))
    if replaced:
        world.submit_all()
    world.submit.from_queue(row.id, TOKEN)
    _, new = chain(world, board)
    assert new.task_token == TOKEN
    assert told(world) == []
    world.webhook(new, done("replicate", "job-2"))
    assert told(world) == [TOKEN]
    world.submit.from_queue(row.id, "another-token")
    assert told(world) == [TOKEN, "another-token"], "it is over: resumed at once"
    sound(world, board)


def test_a_throttled_fallback_waits_as_its_message_does(world: World) -> None:
    board, row = begun(world)
    world.webhook(row, failed("fal", "job-1"))
    world.provider.answers = [NotCreated(UNAVAILABLE, 7.0)] * 2
    assert world.submit.from_queue(row.id, None) == 7.0
    writes = len(world.cloud.operations("PutItem"))
    assert world.submit.from_queue(row.id, None) == 7.0
    assert world.submit.from_queue(row.id, None) is None
    assert len(world.cloud.operations("PutItem")) == writes, "it stands since the first time"
    assert chain(world, board)[1].status is Status.SUBMITTED


def test_many_messages_at_once_make_one_fallback(world: World) -> None:
    board, row = begun(world)
    world.webhook(row, failed("fal", "job-1"))
    results = in_threads(12, lambda _: world.submit.from_queue(row.id, None))
    assert results == [None] * 12
    assert len(chain(world, board)) == 2
    assert len(world.provider.submitted) == 2
    sound(world, board)


# --- the race: a failure against a success ---

FAILURE = Failure(FailureKind.UNAVAILABLE, "it broke")
Event = Callable[[World, Prediction], object]


def poll(world: World, row: Prediction, outcome: Any) -> None:
    """The reconciler's look at a row, whose answer was on its way."""
    world.provider.outcomes["job-1"] = outcome
    world.reconcile._ask(row, overdue=False)


GOOD: dict[str, Event] = {
    "success by webhook": lambda world, row: world.webhook(row, done("fal", "job-1")),
    "success by poll": lambda world, row: poll(world, row, Succeeded((IMAGE_URL,))),
}
BAD: dict[str, Event] = {
    "failure by webhook": lambda world, row: world.webhook(row, failed("fal", "job-1")),
    "failure by poll": lambda world, row: poll(world, row, Failed(FAILURE)),
}


def in_between(
    world: World, patch: pytest.MonkeyPatch, write: int, after: bool, event: Callable[[], object]
) -> None:
    """Let `event` happen whole, once, before or after the n-th step of the row's life."""
    real, steps = PredictionTable.advance, itertools.count(1)

    def advance(self: Any, *args: Any, **values: Any) -> Any:
        here = next(steps) == write
        if here and not after:
            event()
        moved = real(self, *args, **values)
        if here and after:
            event()
        return moved

    patch.setattr(PredictionTable, "advance", advance)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", [1, 2])
@pytest.mark.parametrize("success", GOOD)
@pytest.mark.parametrize("failure", BAD)
@pytest.mark.parametrize("first", ["success", "failure"])
def test_a_failure_and_a_success_at_the_same_time_have_one_end(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    failure: str,
    success: str,
    write: int,
    after: bool,
) -> None:
    board, row = begun(world)
    events = [GOOD[success], BAD[failure]]
    outer, inner = events if first == "success" else events[::-1]
    with monkeypatch.context() as patch:
        in_between(world, patch, write, after, lambda: inner(world, row))
        outer(world, row)
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    rows = brought_on(world, board)
    if rows[0].status is Status.SUCCEEDED:
        assert len(rows) == 1
        assert len(world.provider.submitted) == 1
        assert told(world) == [TOKEN]
    else:
        assert [each.status for each in rows] == [Status.FAILED, Status.SUBMITTED]
        assert world.cloud.objects() == {}
        assert told(world) == []


def test_a_job_that_turns_up_as_its_row_expires_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fal answered 503 and took the job all the same; its webhook says so at the last moment."""
    world.provider.answers = [NotCreated(UNAVAILABLE, 1.0)]
    board = world.board(
        makers.scene(), model=FIRST, fallback_models=(SECOND,), queue_timeout_seconds=60
    )
    [row] = world.rows_of(board)
    world.submit.from_queue(row.id, TOKEN)
    named = {"request_id": "job-9", "status": "OK", "payload": None, "payload_error": "large"}
    with monkeypatch.context() as patch:
        in_between(world, patch, 1, False, lambda: world.webhook(world.row(row), named))
        world.sweep(minutes=3)
    assert world.row(row).status is Status.SUBMITTED
    world.provider.outcomes["job-9"] = Succeeded((IMAGE_URL,))
    [row] = brought_on(world, board)
    assert row.status is Status.SUCCEEDED


@pytest.mark.parametrize("_again", range(5))
def test_many_failures_and_successes_in_threads_have_one_end(world: World, _again: int) -> None:
    board, row = begun(world)
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    events = [
        GOOD["success by webhook"],
        BAD["failure by webhook"],
        lambda world, row: world.reconcile._ask(row, overdue=False),
        lambda world, row: world.settle(row, Failed(FAILURE)),
    ]
    in_threads(8, lambda n: events[n % 4](world, row))
    assert len(brought_on(world, board)) == (1 if world.row(row).images else 2)


# --- any order of anything ---

OPS = ("success", "failure", "block", "poll", "message", "minute", "throttle", "lose copies")


# A shorter example is not worth minutes of replays.
@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 2)), max_size=12), st.booleans())
def test_no_order_of_events_breaks_a_chain(ops: list[tuple[str, int]], on_block: bool) -> None:
    with clouds.running() as cloud:
        world = World(cloud, Clock())
        _play(world, ops, on_block)


def _play(world: World, ops: list[tuple[str, int]], on_block: bool) -> None:
    board = world.board(
        makers.scene(fallback_on_block=on_block), model=FIRST, fallback_models=(SECOND, THIRD)
    )
    [row] = world.rows_of(board)
    world.submit.from_queue(row.id, TOKEN)
    for op, which in ops:
        _do(world, chain(world, board), op, which)
        sound(world, board)
    world.provider.answers.clear()
    for _ in range(60):
        world.sweep(minutes=5)
        world.submit_all()
        rows = chain(world, board)
        for each in rows:
            if each.handle and not each.status.terminal:
                world.provider.outcomes.setdefault(each.handle.provider_id, Failed(FAILURE))
        if all(each.due_at is None for each in rows):
            break
    else:
        pytest.fail("a row still owes something")
    world.sweep(minutes=5)  # The board, too.
    rows = chain(world, board)
    sound(world, board)
    [state] = world.read_board.states(board.id)
    assert state.over
    assert all(each.due_at is None for each in rows)
    assert set(told(world)) == {TOKEN}
    ended = world.storyboards.get(board.id)
    assert ended is not None
    good = any(each.status is Status.SUCCEEDED for each in rows)
    assert ended.status is (BoardStatus.SUCCEEDED if good else BoardStatus.FAILED)


def _do(world: World, rows: list[Prediction], op: str, which: int) -> None:
    row = rows[which % len(rows)]
    job = row.handle.provider_id if row.handle else "job-early"
    match op:
        case "success":
            world.webhook(row, done(row.provider, job))
        case "failure" | "block":
            world.webhook(row, failed(row.provider, job, blocked=op == "block"))
        case "poll":
            world.provider.outcomes.setdefault(job, Succeeded((IMAGE_URL,)))
            world.sweep(minutes=1)
        case "message":
            world.submit.from_queue(row.id, None)
        case "minute":
            world.sweep(minutes=1)
            world.submit_all()
        case "throttle":
            world.provider.answers.append(NotCreated(UNAVAILABLE, 5.0))
        case "lose copies":
            world.pictures.files.clear()
