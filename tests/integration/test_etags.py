"""ETags: the same while nothing has changed, and never for longer than the pictures' URLs live."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from storyhook import wiring
from storyhook.domain.images import StoredImage
from storyhook.domain.prediction import Status
from tests.fixtures import events, functions, makers
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import Stage

FAL = events.PREDICTIONS["fal"]
PICTURE = StoredImage(f"images/acme/{FAL}/0.png", "image/png", 64, 48, 100, "ab" * 32)
READS = [
    "/characters",
    "/characters/elena",
    "/characters/elena/versions",
    "/characters/elena/stale",
    "/predictions",
    f"/predictions/{FAL}",
    "/storyboards",
    f"/storyboards/{events.BOARD}",
    f"/storyboards/{events.BOARD}/events",
    f"/storyboards/{events.BOARD_THAT_ENDED}/exports",
    f"/storyboards/{events.BOARD_THAT_ENDED}/exports/{events.EXPORT}",
    f"/storyboards/{events.BOARD}/shares",
    "/callbacks",
    f"/callbacks/{events.CALLBACK}",
    "/callback-secret",
    "/keys",
    f"/keys/{events.KEY}",
    "/models",
]


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.seed_all()
        stage.seed_key()
        stage.seed_export()
        stage.characters.replace(makers.character(references=1), None)
        yield stage


def get(stage: Stage, path: str, etag: str | None = None) -> Any:
    event = events.default("GET", path)
    if etag is not None:
        event["headers"]["if-none-match"] = etag
    return stage.run("api", event)


def picture_comes(stage: Stage, provider: str = "fal") -> None:
    row_id = events.PREDICTIONS[provider]
    now = stage.clock()
    assert stage.predictions.advance(row_id, Status.STORING, {"storing_at": now})
    ended = {"images": (PICTURE,), "completed_at": now}
    assert stage.predictions.advance(row_id, Status.SUCCEEDED, ended)


@pytest.mark.parametrize("path", READS)
def test_what_the_reader_has_is_not_sent_again(stage: Stage, path: str) -> None:
    if path.startswith("/predictions"):
        picture_comes(stage)
    first = get(stage, path)
    assert first["statusCode"] == 200
    etag = first["headers"]["ETag"]
    stage.clock.advance(seconds=5)  # Another second, another signature.
    again = get(stage, path, etag)
    assert again["statusCode"] == 304
    assert again["headers"]["ETag"] == etag
    assert not again.get("body")
    assert "Content-Type" not in again["headers"]


def test_every_read_is_listed_here(stage: Stage) -> None:
    stage.run("api", events.default("GET", "/models"))
    patterns = [path for method, path in wiring.api().routes() if method == "GET"]
    assert len(patterns) == len(READS)


def test_a_change_is_another_tag(stage: Stage) -> None:
    prediction, board = f"/predictions/{FAL}", f"/storyboards/{events.BOARD}"
    before = {path: get(stage, path)["headers"]["ETag"] for path in (prediction, board)}
    elena = get(stage, "/characters/elena")["headers"]["ETag"]
    picture_comes(stage)
    picture_comes(stage, "replicate")
    elena_now = stage.characters.get("acme", "elena")
    assert elena_now
    assert stage.characters.replace(replace(elena_now, outfit="a green cloak"), elena_now)
    for path, etag in {**before, "/characters/elena": elena}.items():
        assert get(stage, path, etag)["statusCode"] == 200


def test_not_modified_never_leaves_a_reader_with_dead_urls(stage: Stage) -> None:
    """From one fresh answer to the next, their URLs work."""
    picture_comes(stage)
    shown = get(stage, f"/predictions/{FAL}")
    etag, url_until = shown["headers"]["ETag"], _expiry(shown)
    fresh = 0
    for _ in range(200):
        stage.clock.advance(minutes=1)
        answer = get(stage, f"/predictions/{FAL}", etag)
        if answer["statusCode"] == 200:
            etag, url_until, fresh = answer["headers"]["ETag"], _expiry(answer), fresh + 1
        left = url_until - stage.clock().timestamp()
        assert left >= 29 * 60
    assert fresh == 200 // 30


def _expiry(answer: Any) -> float:
    [image] = json.loads(answer["body"])["output"]["images"]
    return datetime.fromisoformat(image["expires_at"]).timestamp()


def test_what_has_no_pictures_stays_for_ever(stage: Stage) -> None:
    etag = get(stage, f"/predictions/{FAL}")["headers"]["ETag"]
    stage.clock.advance(days=3)
    assert get(stage, f"/predictions/{FAL}", etag)["statusCode"] == 304


@pytest.mark.parametrize("form", ["{}", '"x", {}', "*", "{strong}", 'W/"y",{}'])
def test_the_ways_to_name_a_tag(stage: Stage, form: str) -> None:
    etag = get(stage, "/models")["headers"]["ETag"]
    header = form.replace("{strong}", etag.removeprefix("W/")).replace("{}", etag)
    assert get(stage, "/models", header)["statusCode"] == 304


@pytest.mark.parametrize("header", ["", '"x"', "nonsense", ","])
def test_another_tag_is_answered_in_full(stage: Stage, header: str) -> None:
    assert get(stage, "/models", header)["statusCode"] == 200


def test_a_refusal_has_no_tag(stage: Stage) -> None:
    answer = get(stage, "/predictions/pred_1", "*")
    assert answer["statusCode"] == 404
    assert "ETag" not in answer["headers"]
