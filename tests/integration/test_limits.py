"""How many predictions a key may ask for in a minute, and what a refusal over HTTP looks like."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from storyhook.domain.errors import RateLimited
from tests.fixtures import events, functions, makers
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import Stage
from tests.fixtures.world import World, in_threads


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        yield stage


def limited(world: World, each_minute: int) -> None:
    world.keys.add(makers.issued(predictions_per_minute=each_minute))


def test_a_minute_has_so_many_predictions(world: World) -> None:
    limited(world, 3)
    world.ask()
    world.board(model=makers.FAL)  # Two scenes.
    with pytest.raises(RateLimited) as refused:
        world.ask()
    assert refused.value.retry_after_seconds == 60 - world.clock().second
    assert world.ask(key=makers.other_key()), "another key has a minute of its own"
    world.clock.advance(seconds=refused.value.retry_after_seconds)
    assert world.ask()


def test_a_refusal_counts_nothing(world: World) -> None:
    limited(world, 3)
    world.ask()
    world.ask()
    with pytest.raises(RateLimited):
        world.board(model=makers.FAL)
    assert world.ask()


def test_what_never_fits_into_a_minute_is_told_so(world: World) -> None:
    limited(world, 1)
    with pytest.raises(RateLimited) as refused:
        world.board(model=makers.FAL)
    assert refused.value.retry_after_seconds is None
    assert "ask for fewer at once" in refused.value.detail
    assert world.ask()


def test_of_fifty_at_once_ten_are_accepted(world: World) -> None:
    limited(world, 10)
    world.characters.replace(makers.character(), None)
    results = in_threads(50, lambda _: world.ask())
    refused = [r for r in results if isinstance(r, Exception)]
    assert {type(error) for error in refused} == {RateLimited}
    assert len(refused) == 40


PREDICTION = {"model": "fal-flux2-pro-edit", "prompt": "Elena reads", "characters": ["elena"]}
BOARD = {
    "model": "fal-flux2-pro-edit",
    "scenes": [{"description": "Elena reads", "characters": ["elena"]}],
}


@pytest.mark.parametrize("kind", ["prediction", "board"])
def test_refusals_over_http(stage: Stage, kind: str) -> None:
    stage.seed_all()
    world = World(stage.cloud, stage.clock)
    world.keys.add(makers.issued(predictions_per_minute=1, max_cost_per_month=Decimal("0.1000")))

    def ask(**more: Any) -> tuple[int, Any, Any]:
        if kind == "board":
            function, event = "api", events.default("POST", "/storyboards", {**BOARD, **more})
        else:
            function = "create_prediction"
            event = events.http("POST /predictions", {**PREDICTION, **more})
        answer = stage.run(function, event)
        return answer["statusCode"], answer["headers"], json.loads(answer["body"])

    status, _, refused = ask(max_cost="0.0100")
    assert (status, refused["type"]) == (402, "/problems/max-cost-exceeded")
    assert refused["errors"][0]["path"] == "max_cost"
    status, _, refused = ask(max_cost=1)
    assert (status, refused["errors"][0]["path"]) == (422, "max_cost")
    status, _, accepted = ask(max_cost="0.0900")
    assert (status, accepted["cost"]["max"]) == (202, "0.0900")
    status, headers, refused = ask()
    assert (status, refused["type"]) == (429, "/problems/rate-limited")
    assert {name.lower(): value for name, value in headers.items()}["retry-after"] == "50"
    stage.clock.advance(minutes=1)
    assert ask()[0] == 202
    stage.clock.advance(minutes=1)
    status, _, refused = ask()
    assert (status, refused["type"]) == (402, "/problems/budget-exceeded")
