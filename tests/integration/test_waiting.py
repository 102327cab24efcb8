"""`?wait=`: an answer as soon as it is over, or as soon as it is not what the reader has."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from storyhook import wiring
from storyhook.aws.waits import PlaceTable
from storyhook.domain.outcome import Failure, FailureKind
from storyhook.domain.prediction import Status
from storyhook.domain.storyboard import BoardStatus
from tests.fixtures import events, functions
from tests.fixtures.clock import NOW, Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import Stage
from tests.fixtures.world import in_threads

PREDICTION = f"/predictions/{events.PREDICTIONS['fal']}"
BOARD = f"/storyboards/{events.BOARD}"


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.seed_all()
        # What others do while it waits is no call of its own.
        stage.enforce_roles = False
        yield stage


def get(stage: Stage, path: str, etag: str | None = None, **query: str) -> Any:
    event = events.default("GET", path, query=query)
    if etag:
        event["headers"]["if-none-match"] = etag
    answer = stage.run("api", event)
    assert answer["statusCode"] in (200, 304), answer
    return answer


def waited(stage: Stage) -> float:
    return (stage.clock() - NOW).total_seconds()


def after(stage: Stage, seconds: float, happens: Callable[[], object]) -> None:
    """Let something happen while the function sleeps."""
    done: list[object] = []

    def sleep(pause: float) -> None:
        stage.clock.advance(seconds=pause)
        if waited(stage) >= seconds and not done:
            done.append(happens())

    stage.monkeypatch.setattr(wiring.parts, "sleep", sleep)
    functions.forget()


def fails(stage: Stage, provider: str = "fal") -> None:
    failure = Failure(FailureKind.UNAVAILABLE, "fal: status 503")
    changes = {"failure": failure, "completed_at": stage.clock()}
    assert stage.predictions.advance(events.PREDICTIONS[provider], Status.FAILED, changes)


def ends(stage: Stage) -> None:
    board = stage.storyboards.get(events.BOARD)
    assert board
    over = replace(board, status=BoardStatus.FAILED, completed_at=stage.clock())
    assert stage.storyboards.finish(over)


@pytest.mark.parametrize("path", [PREDICTION, BOARD])
def test_without_wait_nobody_waits(stage: Stage, path: str) -> None:
    get(stage, path)
    get(stage, path, wait="0")
    assert waited(stage) == 0


@pytest.mark.parametrize("path", [PREDICTION, BOARD])
def test_the_time_is_up(stage: Stage, path: str) -> None:
    assert json.loads(get(stage, path, wait="7")["body"])["status"] == "running"
    assert waited(stage) == 7


def test_a_prediction_is_answered_when_it_is_over(stage: Stage) -> None:
    after(stage, 3, lambda: fails(stage))
    answer = get(stage, PREDICTION, wait="20")
    assert json.loads(answer["body"])["status"] == "failed"
    assert 3 <= waited(stage) <= 5
    # What is over is not waited for.
    get(stage, PREDICTION, wait="20")
    get(stage, PREDICTION, answer["headers"]["ETag"], wait="20")
    assert waited(stage) <= 5


def test_a_board_is_answered_when_it_is_over(stage: Stage) -> None:
    """Until then its own row is read, and no scene."""
    begun = len(stage.cloud.calls)
    after(stage, 6, lambda: ends(stage))
    assert json.loads(get(stage, BOARD, wait="20")["body"])["status"] == "failed"
    assert 6 <= waited(stage) <= 8
    operations = [operation for _, operation, _ in stage.cloud.calls[begun:]]
    assert operations.count("Query") == 2, "of the places, and of the scenes at the end"
    assert operations.count("GetItem") <= 8


@pytest.mark.parametrize(("path", "provider"), [(PREDICTION, "fal"), (BOARD, "replicate")])
def test_whoever_names_what_they_have_hears_of_any_change(
    stage: Stage, path: str, provider: str
) -> None:
    etag = get(stage, path)["headers"]["ETag"]

    def changed() -> object:
        return stage.predictions.request_cancel(stage.prediction(provider), stage.clock(), {})

    after(stage, 4, changed)
    answer = get(stage, path, etag, wait="20")
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["status"] == "running"
    assert answer["headers"]["ETag"] != etag
    assert 4 <= waited(stage) <= 6


@pytest.mark.parametrize("path", [PREDICTION, BOARD])
def test_nothing_new_is_not_sent(stage: Stage, path: str) -> None:
    etag = get(stage, path)["headers"]["ETag"]
    answer = get(stage, path, etag, wait="5")
    assert answer["statusCode"] == 304
    assert waited(stage) == 5


def test_a_wait_for_what_is_not_there_ends_at_once(stage: Stage) -> None:
    for path in ("/predictions/pred_1", "/storyboards/sb_1", "/storyboards/sb_1/events"):
        event = events.default("GET", path, query={"wait": "20"})
        assert stage.run("api", event)["statusCode"] == 404
    assert waited(stage) == 0


def test_a_long_wait_makes_few_reads(stage: Stage) -> None:
    begun = len(stage.cloud.calls)
    get(stage, PREDICTION, wait="20")
    assert len(stage.cloud.calls) - begun <= 17


def test_so_many_wait_at_once_and_the_next_is_answered(stage: Stage) -> None:
    """Each that waits holds a function of the account's, which webhooks need too."""
    stage.waiting_reads = 1
    seen: list[tuple[str, float]] = []

    def another_comes() -> None:
        began = waited(stage)
        answer = get(stage, BOARD, wait="20")
        seen.append((json.loads(answer["body"])["status"], waited(stage) - began))

    after(stage, 2, another_comes)
    get(stage, PREDICTION, wait="7")
    assert seen == [("running", 0)]
    assert waited(stage) == 7
    # Their place is free again once they are answered.
    get(stage, BOARD, wait="3")
    assert waited(stage) == 10


def test_with_no_places_nobody_waits(stage: Stage) -> None:
    stage.waiting_reads = 0
    get(stage, PREDICTION, wait="20")
    assert waited(stage) == 0


def test_whoever_dies_keeps_their_place_for_as_long_as_they_would_have_waited(
    stage: Stage,
) -> None:
    stage.waiting_reads = 1
    held = PlaceTable(stage.cloud.table, 1, random.random).held(NOW, NOW + timedelta(seconds=20))
    assert held.__enter__()  # and never leaves
    get(stage, PREDICTION, wait="20")
    assert waited(stage) == 0
    stage.clock.advance(seconds=20)
    get(stage, PREDICTION, wait="5")
    assert waited(stage) == 25


def test_of_many_who_come_together_no_two_have_a_place(cloud: Cloud) -> None:
    places = PlaceTable(cloud.table, 3, random.random)
    with ExitStack() as stack:
        came = in_threads(
            12, lambda _: stack.enter_context(places.held(NOW, NOW + timedelta(seconds=20)))
        )
        rest = [stack.enter_context(places.held(NOW, NOW + timedelta(seconds=9))) for _ in "1234"]
        assert 1 <= came.count(True) <= 3
        assert [*came, *rest].count(True) == 3
