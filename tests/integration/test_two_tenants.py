"""Two tenants in one stack: a route tried with the other's ids finds nothing, and changes nothing.

The routes are those of the API itself, so that a new one is tried without being named here.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from storyhook import wiring
from tests.fixtures import events, functions, gateway, makers
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import Stage
from tests.fixtures.gateway import Gateway

OTHERS = "shk_of_globex_0123456789abcdefghij"
# What acme has, by the name that it has in paths.
ACMES = {
    "character_id": "elena",
    "reference_id": makers.character().references[0].id,
    "prediction_id": events.PREDICTIONS["fal"],
    "storyboard_id": events.BOARD,
    "scene_id": "scene-1",
    "callback_id": events.CALLBACK,
    "export_id": events.EXPORT,
    "key_id": events.KEY,
    "share_id": events.SHARE,
}
# What a route wants of a body before it looks for what its path names.
BODIES: dict[str, Any] = {
    "PATCH /characters/{character_id}": {"name": "Helena"},
    "POST /characters/{character_id}/references": {"url": events.REFERENCE},
    "POST /storyboards/{storyboard_id}/exports": {"format": "csv"},
    "POST /storyboards/{storyboard_id}/scenes/{scene_id}/select": {
        "prediction": events.PREDICTIONS["replicate"]
    },
}
# Bodies that name what is acme's, with what is answered: as for what is not there at all.
NAMED: list[tuple[str, dict[str, Any], int]] = [
    ("POST /predictions", events.PREDICTION, 422),
    ("POST /storyboards", {**events.STORYBOARD, "characters": []}, 422),
    ("POST /characters", {**events.CHARACTER, "references": [{"upload": events.UPLOAD}]}, 404),
    ("POST /characters", {**events.CHARACTER, "references": [{"prediction": events.ANGLE}]}, 404),
]


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.seed_all()
        stage.seed_library()
        stage.seed_key()
        stage.seed_share()
        stage.seed_export(storyboard_id=events.BOARD)
        digest = hashlib.sha256(OTHERS.encode()).hexdigest()
        stage.seed_key(id="key_of_globex", tenant="globex", sha256=digest)
        # So that the api function is there, to be asked for its routes.
        Gateway(stage).request("GET", "/models")
        yield stage


def routes() -> list[str]:
    """All behind a key, as `GET /storyboards/{storyboard_id}`."""
    found = {route.key for route in gateway.routes() if not route.public} - {"$default"}
    for method, path in wiring.api().routes():
        found.add(f"{method} {path.replace('<', '{').replace('>', '}')}")
    return sorted(found)


def test_no_route_knows_what_is_anothers(stage: Stage) -> None:
    of_one = [route for route in routes() if "{" in route]
    assert len(of_one) > 15
    ours, theirs = Gateway(stage), Gateway(stage)
    before = stage.cloud.state()
    for route in of_one:
        method, _, path = route.partition(" ")
        here = re.sub(r"\{(\w+)\}", lambda found: ACMES[found[1]], path)
        answer = theirs.request(method, here, BODIES.get(route), key=OTHERS)
        assert answer.status == 404, (route, answer)
        assert answer.json["type"] == "/problems/not-found", route
        # The words are those for an id that nobody has.
        nobodys = re.sub(r"\{\w+\}", "nobodys", path)
        unknown = theirs.request(method, nobodys, BODIES.get(route), key=OTHERS)
        named = [ACMES[name] for name in re.findall(r"\{(\w+)\}", path)]
        assert _without(answer.body, *named) == _without(unknown.body, "nobodys"), route
    assert stage.cloud.state() == before, "nothing was changed"
    for route in of_one:
        if route.startswith("GET "):
            here = re.sub(r"\{(\w+)\}", lambda found: ACMES[found[1]], route.partition(" ")[2])
            assert ours.request("GET", here).status == 200, f"{route} shows its owner"


def test_no_body_reaches_what_is_anothers(stage: Stage) -> None:
    theirs, before = Gateway(stage), stage.cloud.state()
    for route, body, status in NAMED:
        method, _, path = route.partition(" ")
        assert theirs.request(method, path, body, key=OTHERS).status == status, (route, body)
    assert stage.cloud.state() == before


def test_no_list_shows_what_is_anothers(stage: Stage) -> None:
    ours, theirs = Gateway(stage), Gateway(stage)
    lists = [
        route.partition(" ")[2]
        for route in routes()
        if route.startswith("GET ") and "{" not in route
    ]
    seen = {}
    for path in lists:
        shown = theirs.request("GET", path, key=OTHERS).json
        seen[path] = [each["id"] for each in shown.get("items", [])]
        if path not in ("/models", "/callback-secret", "/keys"):
            assert ours.request("GET", path).json["items"], f"{path} shows its owner's"
    mine = {"/keys": ["key_of_globex"], "/models": seen["/models"]}
    assert seen == {path: mine.get(path, []) for path in lists}


def _without(body: bytes, *names: str) -> bytes:
    for name in names:
        body = body.replace(name.encode(), b"")
    return body
