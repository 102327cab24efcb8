"""The table's adapters: conditions, claims, the due index, pages. Rows come back as they went."""

import dataclasses
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from storyhook.aws.keys import KeyTable
from storyhook.domain.access import ApiKey
from storyhook.domain.budget import Hold
from storyhook.domain.callback import Attempt, Callback, CallbackStatus
from storyhook.domain.fallback import Fallbacks, NextModel, StoredPlan
from storyhook.domain.images import StoredImage
from storyhook.domain.outcome import Failure, FailureKind, ProviderHandle
from storyhook.domain.prediction import SOURCES, Prediction, Status
from storyhook.domain.storyboard import BoardStatus
from tests.fixtures import makers
from tests.fixtures.clock import NOW
from tests.fixtures.cloud import Cloud
from tests.fixtures.world import World, in_threads


def full_prediction() -> Prediction:
    """Every field has a value."""
    row = makers.prediction(
        Status.SUCCEEDED,
        due_at=NOW + timedelta(microseconds=1),
        checks=3,
        handle=ProviderHandle("job", "s", "r", "c"),
        images=(StoredImage("images/é.png", "image/png", 1, 2, 3, "sha"),),
        seed_returned=196619188014358660,
        failure=Failure(FailureKind.UNKNOWN, "words ✓", "E1"),
        cost_actual=Decimal("0.0450"),
        provider_seconds=9.1,
        submitted_at=NOW,
        storing_at=NOW,
        completed_at=NOW,
        storyboard_id="sb_1",
        scene_id="scene-1",
        candidate=1,
        task_token="token",
        callback_url="https://x.example",
        callback_id="cb_1",
        refused=Failure(FailureKind.THROTTLED, "later", "429"),
        next_model=NextModel(3, 1, on_block=True, cost=Decimal("0.0670")),
        replaces="pred_0",
        replaced_by="pred_2",
        callback_events=("scene.completed",),
        scene_position=3,
        cancel_requested_at=NOW,
        max_paid_attempts=2,
        unknown_outcomes=1,
        unanswered=1,
        hold=Hold(Decimal("0.0900"), ("key_1#2026-01", "sb_1")),
        max_cost=Decimal("0.1000"),
    )
    assert all(getattr(row, field.name) is not None for field in dataclasses.fields(row))
    return row


def test_a_prediction_comes_back_as_it_went(world: World) -> None:
    for row in (full_prediction(), makers.prediction(Status.QUEUED, cost_estimated=None)):
        world.predictions.add(row)
        assert world.predictions.get(row.id) == row
    with pytest.raises(FileExistsError):
        world.predictions.add(row)


def test_boards_characters_and_callbacks_come_back_as_they_went(world: World) -> None:
    board, scenes = makers.board(
        (makers.prediction(),),
        callback_url="https://x",
        warnings=("a",),
        callback_events=("scene.completed",),
        sequence=3,
        max_cost=Decimal("1.0000"),
    )
    world.storyboards.add(board, scenes, [])
    assert world.storyboards.get(board.id) == board
    assert world.storyboards.scenes(board.id) == tuple(scenes)
    assert world.storyboards.scene(board.id, 1) == scenes[0]
    assert world.storyboards.scene(board.id, 2) is None
    elena = makers.character(references=3)
    world.characters.replace(elena, None)
    assert world.characters.get("acme", "elena") == elena
    attempts = (Attempt(NOW, 500, None, 1.5, "slow down", NOW), Attempt(NOW, None, "no answer"))
    callback = Callback(
        "cb_1", "acme", "key_1", "e", "pred_1", "https://x", "{}", CallbackStatus.PENDING,
        NOW, NOW, attempts, 2, "sb_1", 7, NOW, NOW, 2, 1, "why", NOW.replace(microsecond=0),
    )  # fmt: skip
    assert world.callbacks.add(callback) is True
    assert world.callbacks.add(dataclasses.replace(callback, body="other")) is False
    assert world.callbacks.get("cb_1") == callback


def fallbacks() -> Fallbacks:
    row = makers.prediction(model=makers.REPLICATE)
    given = (row.model, row.provider, row.endpoint, row.input, 7)
    plans = (StoredPlan(*given, Decimal("0.0300"), 900), StoredPlan(*given, None, 60))
    return Fallbacks(plans, 3600)


def test_a_scenes_fallbacks_come_back_as_they_went(world: World) -> None:
    board, [scene] = makers.board((makers.prediction(),))
    scene = dataclasses.replace(scene, fallbacks=fallbacks())
    world.storyboards.add(board, [scene], [])
    assert world.storyboards.scene(board.id, 1) == scene


def test_a_scene_lists_each_prediction_once_whoever_comes_at_the_same_time(world: World) -> None:
    board, [scene] = makers.board((makers.prediction(),))
    world.storyboards.add(board, [scene], [])
    in_threads(24, lambda n: world.storyboards.attach(board.id, scene, f"pred_{n % 4}"))
    listed = world.storyboards.scenes(board.id)[0].predictions
    assert listed[0] == scene.predictions[0]
    assert sorted(listed[1:]) == [f"pred_{n}" for n in range(4)]


@pytest.mark.parametrize("to", Status)
def test_a_step_is_taken_from_the_tables_sources_alone(world: World, to: Status) -> None:
    """The condition on AWS is the domain's own table."""
    for status in Status:
        row = makers.prediction(status)
        world.predictions.add(row)
        moved = world.predictions.advance(row.id, to, {})
        assert (moved is not None) == (status in SOURCES[to])
        assert world.row(row).status is (to if moved else status)
        assert world.row(row).attempt == row.attempt + (
            moved is not None and to is Status.SUBMITTING
        )


def test_a_step_that_is_not_taken_changes_nothing(world: World) -> None:
    row = makers.prediction(Status.SUCCEEDED)
    world.predictions.add(row)
    changes = {"failure": Failure(FailureKind.UNKNOWN, "x"), "due_at": NOW}
    assert world.predictions.advance(row.id, Status.FAILED, changes) is None
    world.predictions.postpone(dataclasses.replace(row, status=Status.STORING), NOW, {"checks": 9})
    assert world.row(row) == row


def test_no_step_makes_a_row_out_of_nothing(world: World) -> None:
    assert world.predictions.advance("pred_none", Status.SUBMITTING, {}) is None
    assert world.predictions.attach_task_token("pred_none", "token") is None
    world.predictions.announced("pred_none")
    world.storyboards.announced("sb_none")
    assert world.cloud.rows() == []


@pytest.mark.parametrize("to", [Status.SUBMITTING, Status.STORING, Status.EXPIRED])
def test_of_many_claims_one_wins(world: World, to: Status) -> None:
    row = makers.prediction(Status.QUEUED)
    world.predictions.add(row)
    won = in_threads(24, lambda _: world.predictions.advance(row.id, to, {}))
    assert sum(claim is not None for claim in won) == 1


def test_of_many_takeovers_one_wins(world: World) -> None:
    row = makers.prediction()
    world.predictions.add(row)
    until = NOW + timedelta(hours=1)
    won = in_threads(24, lambda _: world.predictions.claim_due(row, until))
    assert sum(claim is not None for claim in won) == 1
    assert world.row(row).due_at == until


def test_overdue_rows_come_in_order_of_their_time(world: World) -> None:
    rows = [
        makers.prediction(due_at=NOW + timedelta(seconds=second))
        for second in (5, 0, 3, 1, 4, 2, 6, 60)
    ]
    for row in rows:
        world.predictions.add(row)
    found = world.cloud.table.overdue(NOW + timedelta(seconds=6), 100)
    wanted = sorted(rows[:-1], key=lambda row: row.due_at or NOW)
    assert found == [("PRED", row.id, row.due_at) for row in wanted]


def test_a_row_that_owes_nothing_is_not_in_the_due_index(world: World) -> None:
    row = makers.prediction()
    world.predictions.add(row)
    world.predictions.announced(row.id)
    assert world.row(row).due_at is None
    assert world.cloud.table.overdue(NOW + timedelta(days=9), 100) == []


def test_more_overdue_rows_than_a_batch_holds_are_all_found(world: World) -> None:
    rows = [makers.prediction(due_at=NOW) for _ in range(250)]
    board, scenes = makers.board(*((row,) for row in rows), due_at=None)
    world.storyboards.add(board, scenes, rows)
    seen: set[str] = set()
    for _ in range(20):
        batch = world.cloud.table.overdue(NOW, 20)
        if not batch:
            break
        for _, row_id, _ in batch:
            seen.add(row_id)
            world.predictions.announced(row_id)
    assert seen == {row.id for row in rows}


def test_two_hundred_and_fifty_rows_are_written_and_read_in_batches(world: World) -> None:
    rows = [makers.prediction(due_at=None) for _ in range(250)]
    board, scenes = makers.board(*((row,) for row in rows))
    world.storyboards.add(board, scenes, rows)
    found = world.predictions.get_many([row.id for row in rows])
    assert found == {row.id: row for row in rows}
    assert [scene.position for scene in world.storyboards.scenes(board.id)] == list(range(1, 251))
    assert len(world.cloud.operations("BatchGetItem")) == 3
    # 250 predictions, 250 scenes, and the row by which a character finds the board.
    assert len(world.cloud.operations("BatchWriteItem")) == 21
    last = world.cloud.operations("PutItem")[-1]
    assert last["Item"]["pk"] == {"S": f"SB#{board.id}"}, "the board comes last"


def test_the_rest_of_a_batch_is_asked_for_again(world: World) -> None:
    """DynamoDB may leave a part of any batch undone."""
    real = world.cloud.table.client
    answers = {"write": 0, "get": 0}

    class Partial:
        exceptions = real.exceptions

        def batch_write_item(self, RequestItems: Any) -> Any:  # noqa: N803 - AWS's name
            answers["write"] += 1
            [(table, items)] = RequestItems.items()
            real.batch_write_item(RequestItems={table: items[:2]})
            return {"UnprocessedItems": {table: items[2:]} if items[2:] else {}}

        def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803
            answers["get"] += 1
            [(table, wanted)] = RequestItems.items()
            some = {**wanted, "Keys": wanted["Keys"][:2]}
            answer = real.batch_get_item(RequestItems={table: some})
            rest = wanted["Keys"][2:]
            answer["UnprocessedKeys"] = {table: {**wanted, "Keys": rest}} if rest else {}
            return answer

    table = dataclasses.replace(world.cloud.table, client=Partial())
    keys = [{"pk": {"S": f"X#{n}"}, "sk": {"S": "X"}} for n in range(5)]
    table.put_many([dict(key) for key in keys])
    assert len(world.cloud.rows()) == 5
    assert len(table.get_many(keys)) == 5
    assert answers == {"write": 3, "get": 3}


def test_lists_go_page_by_page_newest_first_and_never_to_others(world: World) -> None:
    rows = [makers.prediction() for _ in range(7)]
    for row in [*rows, makers.prediction(tenant="somebody-else")]:
        world.predictions.add(row)
    seen, cursor, sizes = [], None, []
    while True:
        page = world.predictions.list("acme", 3, cursor)
        seen += [row.id for row in page.items]
        sizes.append(len(page.items))
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == sorted((row.id for row in rows), reverse=True)
    assert sizes[:2] == [3, 3]
    assert page.items[-1] in rows


def test_each_kind_has_its_own_list(world: World) -> None:
    board, scenes = makers.board((makers.prediction(),))
    world.storyboards.add(board, scenes, [makers.prediction()])
    for name in ("marcus", "elena"):
        world.characters.replace(makers.character(name), None)
    assert [row.id for row in world.storyboards.list("acme", 9, None).items] == [board.id]
    assert [row.id for row in world.characters.list("acme", 9, None).items] == ["elena", "marcus"]
    first = world.characters.list("acme", 1, None)
    assert first.cursor == "elena"
    assert [r.id for r in world.characters.list("acme", 1, first.cursor).items] == ["marcus"]
    assert world.characters.list("somebody-else", 9, None).items == ()


def test_a_board_ends_once(world: World) -> None:
    board, scenes = makers.board((makers.prediction(),))
    world.storyboards.add(board, scenes, [])
    ends = [
        dataclasses.replace(board, status=status, due_at=None, completed_at=NOW)
        for status in (BoardStatus.FAILED, BoardStatus.SUCCEEDED)
    ]
    assert [world.storyboards.finish(end) for end in ends] == [True, False]
    assert world.storyboards.get(board.id) == ends[0]


def test_keys_are_known_by_their_digest_until_they_are_revoked(cloud: Cloud) -> None:
    item = {"pk": "KEY#digest", "sk": "KEY", "key_id": "key_1", "tenant": "acme"}
    cloud.table.put({name: {"S": value} for name, value in item.items()})
    keys = KeyTable(cloud.table)
    assert keys.find("digest", NOW) == ApiKey("key_1", "acme")
    assert keys.find("other", NOW) is None
    cloud.table.put({n: {"S": v} for n, v in {**item, "revoked_at": "2026"}.items()})
    assert keys.find("digest", NOW) is None
