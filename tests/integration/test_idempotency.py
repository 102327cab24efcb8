"""Idempotency-Key: what is asked twice is made once, wherever the first request died."""

import bisect
import itertools
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from storyhook.aws.idempotency import ClaimTable
from storyhook.aws.predictions import PredictionTable
from storyhook.aws.storyboards import StoryboardTable
from storyhook.aws.table import Table
from storyhook.domain.errors import RequestInProgress
from storyhook.domain.idempotency import Asked, Claim
from storyhook.domain.prediction import Prediction
from storyhook.domain.requests import PredictionRequest, StoryboardRequest
from storyhook.domain.story import Look
from storyhook.domain.storyboard import Storyboard
from storyhook.usecases.once import Made
from tests.fixtures import events, functions, makers
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import Stage
from tests.fixtures.interruptions import Death, die, dies_before, once
from tests.fixtures.world import World, in_threads

Answer = dict[str, Any]
PICTURE = {"model": "flux-2-pro", "prompt": "Elena reads a map", "characters": ["elena"]}
BOARD = {
    "model": "rep-flux2-pro",
    "scenes": [{"description": "Elena walks", "characters": ["elena"]}] * 3,
}
MARCUS = {
    "id": "marcus",
    "name": "Marcus",
    "description": "a smith",
    "references": [{"url": events.REFERENCE}],
}
# What each route takes, and the function behind it.
ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "/predictions": ("create_prediction", PICTURE),
    "/storyboards": ("api", BOARD),
    "/characters": ("api", MARCUS),
}


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.characters.replace(makers.character(references=1), None)
        yield stage


def ask(
    stage: Stage,
    path: str,
    body: Any = None,
    key: str | None = "k-1",
    query: dict[str, str] | None = None,
    caller: dict[str, str] | None = None,
) -> Answer:
    function, usual = ROUTES[path]
    headers = {} if key is None else {"idempotency-key": key}
    event = events.http(f"POST {path}", body or usual, query=query, headers=headers)
    event["requestContext"]["authorizer"]["lambda"].update(caller or {})
    answer: Answer = stage.run(function, event)
    return answer


def shown(answer: Answer, status: int, *, replayed: bool) -> Any:
    assert answer["statusCode"] == status, answer
    assert answer["headers"].get("Idempotency-Replayed") == ("true" if replayed else None)
    return json.loads(answer["body"])


def problem(answer: Answer) -> tuple[int, str]:
    body = json.loads(answer["body"])
    assert body["status"] == answer["statusCode"]
    return answer["statusCode"], body["type"].rpartition("/")[2]


def posts(stage: Stage) -> int:
    """How often a provider was asked for a picture."""
    return sum(request.method == "POST" for request in stage.providers.requests)


def kinds(stage: Stage) -> list[str]:
    """What is in the table, but for the character that was there and the claims."""
    found = (
        row["pk"]["S"].partition("#")[0] + row["sk"]["S"].partition("#sb_")[0]
        for row in stage.cloud.rows()
    )
    return sorted(kind for kind in found if kind not in ("CHARCHAR", "ONCEONCE"))


@pytest.mark.parametrize("path", ROUTES)
def test_the_second_answer_is_the_first(stage: Stage, path: str) -> None:
    first = ask(stage, path)
    status = 201 if path == "/characters" else 202
    made = shown(first, status, replayed=False)
    rows, paid = len(stage.cloud.rows()), posts(stage)
    stage.clock.advance(hours=23)
    again = ask(stage, path)
    same = shown(again, status, replayed=True)
    assert same["id"] == made["id"]
    assert again["headers"]["Location"] == first["headers"]["Location"]
    assert (len(stage.cloud.rows()), posts(stage)) == (rows, paid)
    assert path != "/characters" or same["version"] == 1


@pytest.mark.parametrize("path", ["/characters", "/characters/marcus/references"])
def test_what_changed_nothing_is_answered_at_once_when_repeated(stage: Stage, path: str) -> None:
    """There is nothing of it to be found, and nobody to wait for."""
    shown(ask(stage, "/characters", key="the first"), 201, replayed=False)
    stage.clock.advance(seconds=1)
    body: dict[str, Any] = MARCUS if path == "/characters" else {"url": events.REFERENCE}

    def send(**changes: str) -> Answer:
        event = events.http(f"POST {path}", {**body, **changes}, headers={"idempotency-key": "k"})
        answer: Answer = stage.run("api", event)
        return answer

    for _ in range(2):
        assert shown(send(), 200, replayed=False)["version"] == 1
    changed = {"name": "Marc"} if path == "/characters" else {"role": "style"}
    assert problem(send(**changed)) == (409, "idempotency-key-reused")


def test_a_replay_shows_the_thing_as_it_is_now(stage: Stage) -> None:
    made = shown(ask(stage, "/predictions"), 202, replayed=False)
    stage.run("cancel", events.cancel("prediction", made["id"]))
    assert shown(ask(stage, "/predictions"), 202, replayed=True)["cancellation"] is not None


def test_a_sheet_is_answered_again_when_its_character_is_gone(stage: Stage) -> None:
    body = {"angles": ["profile"]}
    event = events.http("POST /characters", body, headers={"idempotency-key": "k"})
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/characters/elena/sheet"
    made = shown(stage.run("api", event), 202, replayed=False)
    stage.clock.advance(minutes=1)
    gone = stage.run("api", events.default("DELETE", "/characters/elena"))
    assert gone["statusCode"] == 204
    again = shown(stage.run("api", event), 202, replayed=True)
    assert [item["id"] for item in again["items"]] == [item["id"] for item in made["items"]]


def test_bodies_are_compared_by_what_they_mean(stage: Stage) -> None:
    made = shown(ask(stage, "/predictions"), 202, replayed=False)
    other_way = json.dumps(dict(reversed(PICTURE.items())), indent=2)
    assert shown(ask(stage, "/predictions", other_way), 202, replayed=True)["id"] == made["id"]


@pytest.mark.parametrize("path", ROUTES)
def test_another_request_with_the_key_is_refused(stage: Stage, path: str) -> None:
    ask(stage, path)
    before = stage.cloud.state()
    other = {**ROUTES[path][1], "style" if path != "/characters" else "outfit": "green"}
    assert problem(ask(stage, path, other)) == (409, "idempotency-key-reused")
    # A dry run claims nothing, and minds no key.
    if path != "/characters":
        assert ask(stage, path, other, query={"dry_run": "true"})["statusCode"] == 200
    assert stage.cloud.state() == before


def test_a_key_is_one_api_keys_own(stage: Stage) -> None:
    one = shown(ask(stage, "/predictions"), 202, replayed=False)
    other = shown(ask(stage, "/predictions", caller={"key_id": "key_2"}), 202, replayed=False)
    assert other["id"] != one["id"]
    stage.characters.replace(makers.character(tenant="emca", references=1), None)
    shown(ask(stage, "/predictions", caller={"tenant": "emca"}), 202, replayed=False)


def test_a_key_stands_for_a_day(stage: Stage) -> None:
    """DynamoDB removes its row up to two days later."""
    one = shown(ask(stage, "/predictions"), 202, replayed=False)
    stage.clock.advance(hours=24)
    other = shown(ask(stage, "/predictions"), 202, replayed=False)
    assert other["id"] != one["id"]
    assert shown(ask(stage, "/predictions"), 202, replayed=True)["id"] == other["id"]


@pytest.mark.parametrize("path", ROUTES)
def test_a_refusal_frees_the_key(stage: Stage, path: str) -> None:
    wrongs: dict[str, dict[str, Any]] = {
        "/predictions": {**PICTURE, "characters": ["nobody"]},
        "/storyboards": {**BOARD, "model": "no-such"},
        "/characters": {**MARCUS, "references": [{"url": events.REFERENCE + ".html"}]},
    }
    assert ask(stage, path, wrongs[path])["statusCode"] == 422
    assert stage.cloud.operations("UpdateItem"), "the claim is given up"
    shown(ask(stage, path), 201 if path == "/characters" else 202, replayed=False)


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9", "a\tb"])
def test_a_key_is_printable_ascii(stage: Stage, key: str) -> None:
    answer = ask(stage, "/predictions", key=key)
    assert problem(answer) == (422, "invalid-request")
    assert json.loads(answer["body"])["errors"][0]["path"] == "idempotency-key"
    assert kinds(stage) == []


def test_a_body_as_deep_as_can_be_read_is_refused(stage: Stage) -> None:
    """What is compared of it is deeper by the request around it."""

    def nested(depth: int) -> str:
        body = {**PICTURE, "options": {"x": "here"}}
        return json.dumps(body).replace('"here"', "[" * depth + "]" * depth)

    def is_readable(depth: int) -> bool:
        try:
            json.loads(nested(depth))
        except RecursionError:
            return False
        return True

    deepest = bisect.bisect(range(100_000), False, key=lambda depth: not is_readable(depth))
    for depth in range(deepest - 50, deepest + 50):
        event = events.http("POST /predictions", headers={"idempotency-key": "k-1"})
        event["body"] = nested(depth)
        assert stage.run("create_prediction", event)["statusCode"] in (400, 422)


def test_a_key_may_be_long(stage: Stage) -> None:
    shown(ask(stage, "/predictions", key="~ " * 127 + "x"), 202, replayed=False)


def test_routes_that_do_not_create_refuse_it(stage: Stage) -> None:
    event = events.default("POST", "/callback-secret/rotate", {})
    event["headers"]["idempotency-key"] = "k-1"
    assert problem(stage.run("api", event)) == (422, "invalid-request")


def test_fifty_at_once_make_one(stage: Stage) -> None:
    answers = in_threads(50, lambda _: ask(stage, "/predictions"))
    assert [a for a in answers if isinstance(a, BaseException)] == []
    good = [json.loads(a["body"])["id"] for a in answers if a["statusCode"] == 202]
    assert len(set(good)) == 1
    refused = {problem(a) for a in answers if a["statusCode"] != 202}
    assert refused <= {(409, "request-in-progress")}
    assert posts(stage) == 1
    assert kinds(stage) == ["PREDPRED"]


def test_fifty_at_once_make_one_board(stage: Stage) -> None:
    answers = in_threads(50, lambda _: ask(stage, "/storyboards"))
    assert [a for a in answers if isinstance(a, BaseException)] == []
    assert {a["statusCode"] for a in answers} <= {202, 409}
    assert kinds(stage) == WRITTEN["/storyboards"]


# --- who goes on where somebody died ---

ASKED = Asked("k-1", "a hash")
WANTED = PredictionRequest(makers.FAL, makers.scene(position=0), Look(), 7, None)


def accept(world: World) -> Made[Prediction]:
    return world.once(
        makers.KEY,
        ASKED,
        world.request.made,
        lambda origin: world.request.accept(makers.KEY, WANTED, origin),
    )


def abandoned(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is claimed, by somebody who died before anything was accepted."""
    world.characters.replace(makers.character(), None)
    with monkeypatch.context() as patch:
        once(patch, PredictionTable, "add", die)
        with pytest.raises(Death):
            accept(world)


def test_of_many_who_come_later_one_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    abandoned(world, monkeypatch)
    with pytest.raises(RequestInProgress) as caught:
        accept(world)
    assert caught.value.retry_after_seconds == 45
    world.clock.advance(seconds=45)
    answers = in_threads(8, lambda _: accept(world))
    made = [a for a in answers if isinstance(a, Made)]
    assert sum(not a.replayed for a in made) == 1
    assert len({a.thing.id for a in made}) == 1
    assert all(isinstance(a, Made | RequestInProgress) for a in answers)


def test_a_takeover_that_aws_was_sent_twice_is_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first was carried out and its answer lost: the second finds another holder, ourselves."""
    abandoned(world, monkeypatch)
    world.clock.advance(seconds=45)
    real = ClaimTable.hand_over

    def twice(self: ClaimTable, seen: Claim, claim: Claim) -> bool:
        real(self, seen, claim)
        return real(self, seen, claim)

    monkeypatch.setattr(ClaimTable, "hand_over", twice)
    assert not accept(world).replayed


def test_a_claim_that_aws_was_sent_twice_is_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.characters.replace(makers.character(), None)
    real = ClaimTable.claim

    def twice(self: ClaimTable, claim: Claim) -> bool:
        real(self, claim)
        return real(self, claim)

    monkeypatch.setattr(ClaimTable, "claim", twice)
    assert not accept(world).replayed
    assert accept(world).replayed


def test_what_the_dead_wrote_last_is_found_after_the_takeover(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its write arrives after somebody has looked for it."""
    abandoned(world, monkeypatch)
    world.clock.advance(seconds=45)
    claim = ClaimTable(world.cloud.table).held(makers.KEY, ASKED.key)
    assert claim

    def arrives() -> None:
        world.request.accept(makers.KEY, WANTED, claim.origin)

    once(monkeypatch, ClaimTable, "hand_over", arrives)
    assert accept(world).replayed


def test_a_board_made_again_keeps_its_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reconciler has just seen the rows of a board that is not there; then it is."""
    world.characters.replace(makers.character(), None)
    wanted_ = StoryboardRequest(
        "The map", makers.REPLICATE, (makers.scene(), makers.scene(id="b", position=2)), (), Look(),
        7, None,
    )  # fmt: skip

    def board() -> Made[Storyboard]:
        return world.once(
            makers.KEY,
            ASKED,
            world.create_board.made,
            lambda origin: world.create_board(makers.KEY, wanted_, origin)[0],
        )

    with monkeypatch.context() as patch:
        once(patch, Table, "put", die, wanted=lambda item, **_: item["sk"]["S"] == "SB")
        with pytest.raises(Death):
            board()
    world.clock.advance(minutes=6)
    made: list[Storyboard] = []
    happened = once(
        monkeypatch, StoryboardTable, "get", lambda: made.append(board().thing), after=True
    )
    world.reconcile(lambda: True)
    assert happened
    assert len(world.rows_of(made[0])) == 2


# --- deaths ---

WRITTEN = {
    "/predictions": ["PREDPRED"],
    "/storyboards": [
        *["CHARSB", *["PREDPRED"] * 3],
        *["SBSB", "SBSCENE#0001", "SBSCENE#0002", "SBSCENE#0003"],
    ],
    "/characters": [],
}


@pytest.mark.parametrize("path", ROUTES)
def test_it_may_die_before_any_call_and_be_asked_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """What was accepted is answered at once; else it is in progress, and done once after that."""
    statuses = []
    for number in itertools.count():
        with monkeypatch.context() as patch, functions.staged(cloud, Clock(), patch) as stage:
            _clear(cloud)
            stage.characters.replace(makers.character(references=1), None)
            if not dies_before(cloud, number, partial(ask, stage, path)):
                break
            answer = ask(stage, path)
            statuses.append(answer["statusCode"])
            if answer["statusCode"] == 409:
                assert problem(answer) == (409, "request-in-progress")
                stage.clock.advance(seconds=int(answer["headers"]["Retry-After"]))
                answer = ask(stage, path)
            status = 201 if path == "/characters" else 202
            assert answer["statusCode"] == status, answer
            made = json.loads(answer["body"])
            same = shown(ask(stage, path), status, replayed=True)
            assert same["id"] == made["id"]
            assert kinds(stage) == WRITTEN[path]
            assert posts(stage) <= 1
            assert path != "/characters" or same["version"] == 1
    # Before the claim, between claim and accepting write, after that.
    assert statuses[0] in (201, 202)
    assert 409 in statuses
    assert path == "/characters" or statuses[-1] == 202


def _clear(cloud: Cloud) -> None:
    for row in cloud.rows():
        cloud.table.delete({"pk": row["pk"], "sk": row["sk"]})
    cloud.calls.clear()
    cloud.messages(cloud.submissions_url)
