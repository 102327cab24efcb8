"""Which events a board tells of, once each, numbered without gaps in their order."""

import json
from datetime import timedelta
from typing import Any

import pytest

from storyhook.aws.callbacks import CallbackTable
from storyhook.domain.outcome import Failure, FailureKind, Rejected, Succeeded
from storyhook.domain.prediction import Prediction
from storyhook.domain.storyboard import Storyboard
from tests.fixtures import cloud as clouds
from tests.fixtures import makers
from tests.fixtures.callbacks import (
    ALL_EVENTS,
    all_stored,
    brought_on,
    dying_at,
    finished,
    sent_all,
)
from tests.fixtures.clock import Clock
from tests.fixtures.interruptions import Death, die
from tests.fixtures.world import CALLBACK_URL, IMAGE_URL, World, failed, in_threads

READS = {"GetItem", "BatchGetItem", "Query", "GetParameter", "ReceiveMessage"}
HOUR = timedelta(hours=1)
SCENES_AND_BOARD = ("scene.completed", "storyboard.completed")


def board_of(world: World, events: tuple[str, ...], scenes: int = 2, **asked: Any) -> Storyboard:
    wanted = [makers.scene(id=f"scene-{n}", position=n) for n in range(1, scenes + 1)]
    return world.board(*wanted, callback_url=CALLBACK_URL, callback_events=events, **asked)


def told(world: World) -> list[tuple[int, str, str, str]]:
    """(sequence, type, id, status) of each event that arrived, each once, in sequence."""
    by_id: dict[str, bytes] = {}
    for (_, body, headers), event in zip(world.customer.got, world.customer.events, strict=True):
        assert by_id.setdefault(headers["webhook-id"], body) == body, "the same bytes each time"
        assert event["data"].keys() >= {"id", "status", "urls"}
    events = [json.loads(body) for body in by_id.values()]
    return sorted((e["sequence"], e["type"], e["data"]["id"], e["data"]["status"]) for e in events)


def test_each_scene_is_told_when_nothing_comes_any_more_and_the_board_last(world: World) -> None:
    board = board_of(world, SCENES_AND_BOARD)
    first, second = sent_all(world, board)
    begun = len(world.cloud.calls)
    finished(world, second)
    operations = [operation for _, operation, _ in world.cloud.calls[begun:]]
    assert operations.index("TransactWriteItems") < operations.index("SendTaskSuccess")
    world.clock.advance(seconds=3)
    finished(world, first, failed("replicate", "job-1", blocked=True))
    world.assemble(board.id)
    world.deliver_all()
    assert told(world) == [
        (1, "scene.completed", "scene-2", "succeeded"),
        (2, "scene.completed", "scene-1", "blocked"),
        (3, "storyboard.completed", board.id, "partial"),
    ]
    scene, blocked, end = sorted(world.customer.events, key=lambda event: event["sequence"])
    assert scene["data"]["chosen"] == second.id
    assert scene["data"]["image"]["url"].startswith("https://")
    assert scene["data"]["urls"] == {"self": f"/storyboards/{board.id}"}
    assert blocked["data"]["error"]["type"] == "/problems/blocked-by-moderation"
    assert {event["data"]["storyboard_id"] for event in (scene, blocked, end)} == {board.id}
    found = world.storyboards.get(board.id)
    assert found is not None
    assert found.sequence == 3
    assert world.sweep(days=2) == {"predictions": 0, "storyboards": 0, "callbacks": 0, "exports": 0}
    assert all(row.key_id == "key_1" and row.tenant == "acme" for row in all_stored(world))


def test_predictions_of_a_board_tell_of_themselves_if_asked(world: World) -> None:
    board = board_of(world, ALL_EVENTS, scenes=1)
    [row] = sent_all(world, board)
    finished(world, row)
    world.assemble(board.id)
    world.deliver_all()
    assert [(kind, id_) for _, kind, id_, _ in told(world)] == [
        ("prediction.completed", row.id),
        ("scene.completed", "scene-1"),
        ("storyboard.completed", board.id),
    ]
    [event] = [e for e in world.customer.events if e["type"] == "prediction.completed"]
    assert event["data"]["storyboard_id"] == board.id


def test_a_board_that_chose_scenes_only_ends_without_its_own_event(world: World) -> None:
    board = board_of(world, ("scene.completed",), scenes=1)
    [row] = sent_all(world, board)
    finished(world, row)
    ended = world.assemble(board.id)
    assert ended.callback_id is None
    world.deliver_all()
    assert [kind for _, kind, _, _ in told(world)] == ["scene.completed"]
    assert world.sweep(days=2)["storyboards"] == 0


def test_a_scene_that_moves_on_is_told_once_after_its_last_model(world: World) -> None:
    board = board_of(world, ALL_EVENTS, scenes=1, fallback_models=(makers.FAL,))
    [row] = sent_all(world, board)
    finished(world, row, failed("replicate", "job-1"))
    world.deliver_all()
    assert [(kind, status) for _, kind, _, status in told(world)] == [
        ("prediction.completed", "failed")
    ]
    world.submit_all()
    _, other = world.rows_of(board)
    finished(world, other)
    world.deliver_all()
    assert told(world)[1:] == [
        (2, "prediction.completed", other.id, "succeeded"),
        (3, "scene.completed", "scene-1", "succeeded"),
    ]
    world.assemble(board.id)
    world.deliver_all()
    assert told(world)[3:] == [(4, "storyboard.completed", board.id, "succeeded")]


def test_a_board_of_the_usual_kind_costs_its_predictions_nothing(world: World) -> None:
    """No byte on their rows, no read or write more, and no event but the end of the board."""
    calls = []
    for url in (CALLBACK_URL, None, CALLBACK_URL):  # The first reads the secrets, too.
        board = world.board(makers.scene(), callback_url=url)
        [row] = world.rows_of(board)
        assert (row.callback_url, row.callback_events, row.scene_position) == (None, None, None)
        sent_all(world, board)
        begun = len(world.cloud.calls)
        finished(world, row)
        calls.append([operation for _, operation, _ in world.cloud.calls[begun:]])
    assert calls[1] == calls[2]
    assert "TransactWriteItems" not in calls[0]


def test_a_prediction_of_its_own_is_number_one(world: World) -> None:
    row = world.ask(callback_url=CALLBACK_URL)
    finished(world, row)
    world.deliver_all()
    assert told(world) == [(1, "prediction.completed", row.id, "succeeded")]
    assert "TransactWriteItems" not in {operation for _, operation, _ in world.cloud.calls}


def test_numbers_have_no_gap_whoever_comes_at_the_same_time(world: World) -> None:
    board = board_of(world, ALL_EVENTS, scenes=12)
    rows = sent_all(world, board)
    results = in_threads(12, lambda n: finished(world, rows[n]))
    assert results == [None] * 12
    in_threads(4, lambda _: world.assemble(board.id))
    stored = all_stored(world)
    assert sorted(row.sequence for row in stored) == list(range(1, 26))
    [end] = [row for row in stored if row.event == "storyboard.completed"]
    assert end.sequence == 25
    assert [json.loads(row.body)["sequence"] for row in stored] == [row.sequence for row in stored]


def test_a_board_that_ends_before_its_parts_are_told_of_tells_of_them_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The announcer dies, and the workflow's message comes again before the reconciler does."""
    board = board_of(world, ALL_EVENTS, scenes=1, fallback_models=(makers.FAL,))
    [row] = sent_all(world, board)

    def unheard(row: Prediction, body: dict[str, Any] | None = None) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(CallbackTable, "add_to_board", die)
            with pytest.raises(Death):
                finished(world, row, body)
        world.submit.from_queue(row.id, "task-token-1")

    unheard(row, failed("replicate", "job-1"))
    assert world.row(row).due_at is None, "it owes nothing: its replacement stands"
    _, other = world.rows_of(board)
    unheard(other)
    assert world.cloud.operations("SendTaskSuccess"), "the workflow goes on to its end"
    world.assemble(board.id)
    world.deliver_all()
    assert [(kind, id_) for _, kind, id_, _ in told(world)] == [
        ("prediction.completed", row.id),
        ("prediction.completed", other.id),
        ("scene.completed", "scene-1"),
        ("storyboard.completed", board.id),
    ]
    brought_on(world)
    assert len(told(world)) == 4


def test_two_who_both_see_a_scene_over_tell_of_it_once(world: World) -> None:
    """Two candidates that end at the same moment: neither is first."""
    row, other = makers.prediction(), makers.prediction()
    board, [scene] = makers.board((row, other), callback_url=CALLBACK_URL)
    told_of: dict[str, Any] = {
        "callback_url": CALLBACK_URL,
        "callback_events": ("scene.completed",),
    }
    rows = [
        makers.of_board(makers.prediction(id=each.id, **told_of, scene_position=1), board.id)
        for each in (row, other)
    ]
    world.storyboards.add(board, [scene], rows)
    for each in rows:
        world.predictions.advance(each.id, world.row(each).status.SUBMITTED, {})
    failure = Failure(FailureKind.UNKNOWN, "no")
    world.settle.fail(rows[0], failure)
    assert all_stored(world) == [], "one candidate is still to come"
    world.settle.fail(rows[1], failure)
    results = in_threads(8, lambda n: world.tell.scene_of(world.row(rows[n % 2])))
    assert results == [None] * 8
    [event] = all_stored(world)
    assert (event.event, event.sequence) == ("scene.completed", 1)


def story(world: World, board: Storyboard) -> None:
    """Scene 1 moves on to a fallback, scene 2 is refused at once; then the board ends."""
    first, second = world.rows_of(board)
    world.submit.from_queue(first.id, "task-token-1")
    finished(world, first, failed("replicate", "job-1"))
    # SQS brings the workflow's message again, as it may.
    world.submit.from_queue(first.id, "task-token-1")
    world.submit_all()
    [_, replacement] = [row for row in world.rows_of(board) if row.scene_id == "scene-1"]
    finished(world, replacement)
    world.provider.answers = [Rejected(Failure(FailureKind.BLOCKED, "no", "NSFW"))]
    world.submit.from_queue(second.id, "task-token-2")
    world.assemble(board.id)
    world.deliver_all()


def deaths_in_the_story() -> list[int]:
    """Each AWS call before which the state is another: a death after a read is one before it."""
    with clouds.running() as cloud:
        world = World(cloud, Clock())
        board = board_of(world, ALL_EVENTS, fallback_models=(makers.FAL,))
        begun = len(cloud.calls)
        story(world, board)
        assert len(told(world)) == 6
        operations = [operation for _, operation, _ in cloud.calls[begun:]]
    after_writes = [n for n, name in enumerate(operations, 1) if name not in READS]
    return [0, *after_writes]


def recovered(world: World, board: Storyboard) -> Storyboard:
    """Time passes: the reconciler runs, the queues' messages are handled."""
    for _ in range(30):
        world.sweep(minutes=10)
        world.submit_all()
        world.deliver_all()
        found = world.storyboards.get(board.id)
        assert found is not None
        if found.due_at is None and not world.cloud.table.overdue(world.clock() + HOUR, 1):
            return found
    raise AssertionError("something is owed for five hours")


def test_a_death_before_any_call_loses_no_event_and_no_number() -> None:
    deaths = deaths_in_the_story()
    assert len(deaths) > 30
    for number in deaths:
        with clouds.running() as cloud:
            world = World(cloud, Clock())
            board = board_of(world, ALL_EVENTS, fallback_models=(makers.FAL,))
            with dying_at(cloud, number):
                story(world, board)
            world.cloud.messages(cloud.submissions_url)
            world.cloud.messages(cloud.callbacks_url)
            for job in range(1, 5):
                world.provider.outcomes[f"job-{job}"] = Succeeded((IMAGE_URL,))
            ended = recovered(world, board)
            events, rows = told(world), world.rows_of(board)
            assert [n for n, *_ in events] == list(range(1, len(rows) + 4)), number
            kinds = [kind for _, kind, _, _ in events]
            assert kinds.count("prediction.completed") == len(rows), number
            assert kinds.count("scene.completed") == 2, number
            assert kinds[-1] == "storyboard.completed", number
            assert ended.due_at is None
