"""A board's feed: everything that ends is told once to whoever follows, in whatever order it came.

Rows are written as late as they like: a function that dies, or is slow, writes an earlier time
after a later one was read.
"""

import itertools
import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from storyhook.domain.feed import Told
from storyhook.domain.outcome import Failure, FailureKind
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import BoardStatus
from storyhook.http import feed
from storyhook.http.cursors import cursor_of
from tests.fixtures import events, functions, makers
from tests.fixtures.clock import NOW, Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import Stage

BOARD = "sb_01KDVDNKRG000000000000FEED"
PATH = f"/storyboards/{BOARD}/events"
BROKEN = Failure(FailureKind.UNAVAILABLE, "fal: status 503")
Item = dict[str, Any]


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        yield stage


def begins(stage: Stage, scenes: int = 3) -> list[Prediction]:
    rows = [
        replace(
            makers.prediction(Status.SUBMITTED, id=f"pred_{n}"),
            storyboard_id=BOARD,
            scene_id=f"scene-{n}",
        )
        for n in range(1, scenes + 1)
    ]
    board, shown = makers.board(*((row,) for row in rows), id=BOARD)
    stage.storyboards.add(board, shown, rows)
    return rows


def ends(stage: Stage, row: Prediction, seconds: float = 0, replaced_by: str | None = None) -> None:
    """It failed so many seconds after NOW, whenever that is written."""
    at = NOW + timedelta(seconds=seconds)
    changes = {"failure": BROKEN, "completed_at": at, "replaced_by": replaced_by}
    assert stage.predictions.advance(row.id, Status.FAILED, changes)


def board_ends(stage: Stage) -> None:
    board = stage.storyboards.get(BOARD)
    assert board
    over = replace(board, status=BoardStatus.FAILED, completed_at=NOW + timedelta(hours=1))
    assert stage.storyboards.finish(over)


def follow(stage: Stage, after: str | None = None, **query: str) -> tuple[list[Item], str]:
    given = {**query, **({"after": after} if after else {})}
    answer = stage.run("api", events.default("GET", PATH, query=given))
    assert answer["statusCode"] == 200, answer
    page = json.loads(answer["body"])
    return page["items"], page["next"]


def names(items: list[Item]) -> list[tuple[str, str]]:
    return [(item["type"].partition(".")[0], item["data"]["id"]) for item in items]


def test_a_board_from_its_beginning_to_its_end(stage: Stage) -> None:
    one, two = begins(stage, 2)
    items, after = follow(stage)
    assert items == []
    ends(stage, one)
    items, after = follow(stage, after)
    assert names(items) == [("prediction", "pred_1"), ("scene", "scene-1")]
    ends(stage, two, seconds=1)
    board_ends(stage)
    rest, last = follow(stage, after)
    assert names(rest) == [("prediction", "pred_2"), ("scene", "scene-2"), ("storyboard", BOARD)]
    assert [item["sequence"] for item in [*items, *rest]] == [1, 2, 3, 4, 5]
    assert follow(stage, last)[0] == []
    everything, same = follow(stage)
    assert names(everything) == names([*items, *rest])
    assert same == last


def test_an_item_is_what_a_get_and_a_callback_show(stage: Stage) -> None:
    [row] = begins(stage, 1)
    ends(stage, row)
    board_ends(stage)
    prediction, scene, board = follow(stage)[0]
    got = stage.run("api", events.default("GET", "/predictions/pred_1"))
    assert prediction == {
        "sequence": 1,
        "type": "prediction.completed",
        "at": "2026-01-01T00:00:10.000Z",
        "data": json.loads(got["body"]),
    }
    assert (scene["data"]["storyboard_id"], scene["data"]["status"]) == (BOARD, "failed")
    assert (board["type"], board["data"]["status"]) == ("storyboard.completed", "failed")


def test_a_scene_that_moves_on_is_told_when_nothing_comes_any_more(stage: Stage) -> None:
    [row] = begins(stage, 1)
    ends(stage, row, replaced_by="pred_9")
    items, after = follow(stage)
    assert names(items) == [("prediction", "pred_1")]
    scene = stage.storyboards.scene(BOARD, 1)
    assert scene
    other = replace(row, id="pred_9")
    stage.predictions.add(other)
    stage.storyboards.attach(BOARD, scene, "pred_9")
    assert follow(stage, after)[0] == []
    ends(stage, other, seconds=5)
    items, after = follow(stage, after)
    assert names(items) == [("prediction", "pred_9"), ("scene", "scene-1")]


def test_what_is_written_late_is_told_late_and_not_missed(stage: Stage) -> None:
    one, two = begins(stage, 2)
    ends(stage, one, seconds=9)
    _, after = follow(stage)
    ends(stage, two, seconds=1)
    items, _ = follow(stage, after)
    assert names(items) == [("prediction", "pred_2"), ("scene", "scene-2")]
    # Who comes later hears of both in the order of their times.
    assert [name for _, name in names(follow(stage)[0])] == [
        *("pred_2", "scene-2", "pred_1", "scene-1")
    ]


@pytest.mark.parametrize("seed", range(8))
def test_a_follower_hears_everything_once(stage: Stage, seed: int) -> None:
    """Ends, moves, reads of any size: whichever comes when."""
    chance = random.Random(seed)
    still_open = begins(stage, 4)
    heard: list[Item] = []
    after: str | None = None
    ids = itertools.count(10)
    while still_open:
        row = still_open.pop(chance.randrange(len(still_open)))
        moves = chance.random() < 0.4
        successor = replace(row, id=f"pred_{next(ids)}") if moves else None
        ends(stage, row, chance.uniform(-60, 60), successor.id if successor else None)
        if chance.random() < 0.6:
            items, after = follow(stage, after, limit=str(chance.choice((1, 2, 100))))
            heard += items
        if successor:
            assert row.scene_id
            scene = stage.storyboards.scene(BOARD, int(row.scene_id.partition("-")[2]))
            assert scene
            stage.predictions.add(successor)
            if chance.random() < 0.5:
                items, after = follow(stage, after)
                heard += items
            stage.storyboards.attach(BOARD, scene, successor.id)
            still_open.append(successor)
    board_ends(stage)
    while True:
        items, after = follow(stage, after, limit=str(chance.choice((1, 3))))
        if not items:
            break
        heard += items
    assert sorted(names(heard)) == sorted(names(follow(stage, limit="100")[0]))
    assert len(set(names(heard))) == len(heard) == next(ids) - 10 + 4 + 4 + 1
    assert [item["sequence"] for item in heard] == list(range(1, len(heard) + 1))
    assert heard[-1]["type"] == "storyboard.completed"
    told = names(heard)
    for item in heard:
        if item["type"] == "scene.completed":
            parts = [("prediction", each) for each in item["data"]["candidates"]]
            assert max(map(told.index, parts)) < told.index(("scene", item["data"]["id"]))


def test_a_wait_ends_with_the_first_event(stage: Stage) -> None:
    one, _ = begins(stage, 2)
    stage.run("api", events.default("GET", PATH, query={"wait": "3"}))
    assert stage.clock() == NOW + timedelta(seconds=3)
    ends(stage, one)
    items, after = follow(stage, wait="20")
    assert stage.clock() == NOW + timedelta(seconds=3)
    ends(stage, replace(one, id="pred_2"))
    board_ends(stage)
    _, after = follow(stage, after)
    # Nothing comes any more: nobody waits for it.
    assert follow(stage, after, wait="20")[0] == []
    assert stage.clock() == NOW + timedelta(seconds=3)
    assert len(items) == 2


def test_what_was_told_is_not_read_again(stage: Stage) -> None:
    one, *_ = begins(stage, 3)
    ends(stage, one)
    _, after = follow(stage)
    follow(stage, after)
    [keys] = stage.cloud.operations("BatchGetItem")[-1]["RequestItems"].values()
    assert {key["pk"]["S"] for key in keys["Keys"]} == {"PRED#pred_2", "PRED#pred_3"}


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b"x", b"[0,0,false]", b"\x78\x9c\x03"),
        *map(zlib.compress, (b"[" * 60_000, b"[" + b"0," * 10**6 + b"0]", b"[1.5,1]")),
    ],
    ids=lambda value: value[:4].hex(),
)
def test_a_cursor_that_nobody_gave_is_refused(stage: Stage, value: bytes) -> None:
    begins(stage, 2)
    event = events.default("GET", PATH)
    event["queryStringParameters"] = {"after": cursor_of(event, value)}
    answer = stage.run("api", event)
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["errors"][0]["path"] == "after"


def test_a_cursor_of_another_board_is_refused(stage: Stage) -> None:
    begins(stage, 2)
    board, scenes = makers.board((makers.prediction(id="pred_x"),), id="sb_other")
    stage.storyboards.add(board, scenes, [makers.prediction(id="pred_x")])
    _, after = follow(stage)
    event = events.default("GET", "/storyboards/sb_other/events", query={"after": after})
    assert stage.run("api", event)["statusCode"] == 422


def test_the_longest_board_has_a_cursor_that_fits_into_a_url() -> None:
    """API Gateway takes 10 KB of request line and headers."""
    chance = random.Random(1)
    told = Told(tuple(chance.choice((0, 2, 3, 6, 7, 15)) for _ in range(1000)))
    board, _ = makers.board(id=BOARD, scene_count=1000)
    page = feed.page(events.default("GET", PATH), board, told, [], lambda _: ("", NOW))
    assert len(page["next"]) < 1000
    event = events.default("GET", PATH, query={"after": page["next"]})
    assert feed.told_by(event, board) == told
