"""An Idempotency-Key and limits together: what is accepted takes once, what is refused nothing."""

import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from storyhook.aws.budgets import BudgetTable
from storyhook.aws.keys import KeyTable
from storyhook.aws.rates import RateTable
from storyhook.aws.table import Table
from storyhook.domain.budget import Budget, budget_of_key
from storyhook.domain.errors import BudgetExceeded, RateLimited, StoryhookError
from storyhook.domain.requests import SheetRequest, StoryboardRequest
from storyhook.domain.story import Look
from tests.fixtures import events, functions, makers
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import Stage
from tests.fixtures.interruptions import dies_before, once
from tests.fixtures.world import UNAVAILABLE, World

EACH = Decimal("0.0450")
MONEY = Decimal("1.0000")
# What each route takes, the function behind it, and how many pictures it is.
ROUTES: dict[str, tuple[str, dict[str, Any], int]] = {
    "/predictions": (
        "create_prediction",
        {"model": makers.FAL, "prompt": "Elena reads", "characters": ["elena"]},
        1,
    ),
    "/storyboards": (
        "api",
        {
            "model": makers.FAL,
            "max_cost": "0.5000",
            "scenes": [{"description": "Elena reads", "characters": ["elena"]}] * 3,
        },
        3,
    ),
    "/characters/elena/sheet": ("api", {"model": makers.FAL, "max_cost": "0.5000"}, 3),
}


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        limited(stage)
        yield stage


def limited(stage: Stage, each_minute: int = 6, money: Decimal = MONEY) -> None:
    stage.characters.replace(makers.character(), None)
    KeyTable(stage.cloud.table).add(
        makers.issued(predictions_per_minute=each_minute, max_cost_per_month=money)
    )


def ask(stage: Stage, path: str, key: str = "k-1") -> tuple[int, dict[str, str], Any]:
    function, body, _ = ROUTES[path]
    event = events.http(f"POST {path}", body, headers={"idempotency-key": key})
    answer = stage.run(function, event)
    return answer["statusCode"], answer["headers"], json.loads(answer["body"])


def taken(cloud: Cloud, clock: Clock) -> tuple[int, Decimal]:
    """How many predictions of this minute, and how much of the month's money."""
    budget = BudgetTable(cloud.table).get(budget_of_key(makers.KEY.id, clock()))
    return (
        RateTable(cloud.table).used(makers.KEY.id, clock()),
        budget.reserved if budget else Decimal(0),
    )


@pytest.mark.parametrize("path", ROUTES)
def test_a_replay_takes_nothing(stage: Stage, path: str) -> None:
    count = ROUTES[path][2]
    for _ in range(4):
        assert ask(stage, path)[0] == 202
        assert taken(stage.cloud, stage.clock) == (count, EACH * count)


@pytest.mark.parametrize("path", ROUTES)
def test_who_waits_as_they_are_told_is_accepted_with_the_same_key(stage: Stage, path: str) -> None:
    for n in range(6 // ROUTES[path][2]):
        assert ask(stage, path, f"k-{n}")[0] == 202
    before = taken(stage.cloud, stage.clock)
    status, headers, refused = ask(stage, path, "another")
    assert (status, refused["type"]) == (429, "/problems/rate-limited")
    assert taken(stage.cloud, stage.clock) == before
    wait = {name.lower(): value for name, value in headers.items()}["retry-after"]
    stage.clock.advance(seconds=int(wait))
    assert ask(stage, path, "another")[0] == 202


@pytest.mark.parametrize("path", ROUTES)
def test_what_is_too_dear_takes_nothing_and_frees_the_key(stage: Stage, path: str) -> None:
    count = ROUTES[path][2]
    stage.cloud.table.delete({"pk": {"S": f"APIKEY#{makers.KEY.id}"}, "sk": {"S": "APIKEY"}})
    KeyTable(stage.cloud.table).add(
        makers.issued(predictions_per_minute=100, max_cost_per_month=EACH * count, sha256="another")
    )
    assert ask(stage, path)[0] == 202
    rows = len(stage.cloud.rows())
    for _ in range(2):  # The second time it is refused anew, not answered as in progress.
        status, _, refused = ask(stage, path, "another")
        assert (status, refused["type"]) == (402, "/problems/budget-exceeded")
    assert taken(stage.cloud, stage.clock) == (count, EACH * count)
    assert len(stage.cloud.rows()) == rows + 1, "the key that was given back"


@pytest.mark.parametrize("path", ROUTES)
def test_it_may_die_before_any_call_and_takes_once(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    count, statuses = ROUTES[path][2], []
    for number in itertools.count():
        with monkeypatch.context() as patch, functions.staged(cloud, Clock(), patch) as stage:
            for row in cloud.rows():
                cloud.table.delete({"pk": row["pk"], "sk": row["sk"]})
            limited(stage)
            if not dies_before(cloud, number, partial(ask, stage, path)):
                break
            status, headers, _ = ask(stage, path)
            statuses.append(status)
            if status == 409:
                stage.clock.advance(seconds=int(headers["Retry-After"]))
                status, _, _ = ask(stage, path)
            assert status == 202
            assert taken(cloud, stage.clock) == (count, EACH * count)
    assert {202, 409} == set(statuses)


def sheet(world: World) -> Any:
    return world.sheet.accept(makers.KEY, "elena", SheetRequest(), world.origin())


def board(world: World) -> Any:
    scenes = (makers.scene(), makers.scene(id="scene-2", position=2))
    wanted = StoryboardRequest("The map", makers.FAL, scenes, (), Look(), 7, None)
    return world.create_board(makers.KEY, wanted, world.origin())


WAYS = {
    "prediction": lambda world: world.ask(),
    "board": board,
    "sheet": sheet,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"max_cost_per_month": EACH * 3, "predictions_per_minute": 100}, BudgetExceeded),
        ({"max_cost_per_month": MONEY, "predictions_per_minute": 3}, RateLimited),
    ],
)
def test_who_is_second_by_a_hair_takes_nothing(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    limits: dict[str, Any],
    error: type[StoryhookError],
) -> None:
    """There was enough when they looked; then others took all of it."""
    world.characters.replace(makers.character(), None)
    world.keys.add(makers.issued(**limits))
    happened = once(monkeypatch, Table, "transact", lambda: sheet(world))
    with pytest.raises(error):
        WAYS[way](world)
    assert happened
    assert taken(world.cloud, world.clock) == (3, EACH * 3)
    left = [row["pk"]["S"].partition("#")[0] for row in world.cloud.rows()]
    assert sorted(left) == sorted(["CHAR", "KEY", "APIKEY", "RATE", "BUDGET", *["PRED"] * 3])


def test_a_sheet_within_limits_settles_picture_by_picture(world: World) -> None:
    world.characters.replace(makers.character(), None)
    world.keys.add(makers.issued(max_cost_per_month=MONEY))
    rows = sheet(world).rows
    world.sheet.send(rows)
    world.submit_all()
    world.settle.expire(world.row(rows[0]), UNAVAILABLE)
    budget = world.budgets.get(budget_of_key(makers.KEY.id, world.clock()))
    assert budget == Budget(MONEY, MONEY - EACH * 2, Decimal(0))
