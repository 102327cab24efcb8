"""Shared links: made, shown once, listed, revoked; what one may read, route by route."""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from storyhook import wiring
from storyhook.domain.access import ApiKey, Scope
from storyhook.domain.prediction import Status
from storyhook.http.idempotency import IDEMPOTENCY_KEY
from tests.fixtures import events, functions, gateway, makers
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.functions import Stage
from tests.fixtures.gateway import Answer, Gateway

BOARD, OTHER = events.BOARD, events.BOARD_WITH_FALLBACK
HERE = f"/storyboards/{BOARD}"
# The predictions of the board, of another board, and of none.
OURS, OTHERS, ALONE = events.PREDICTIONS["replicate"], events.REPLACED, events.PREDICTIONS["fal"]
DAY = 86_400


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.seed_all()
        stage.seed_library()
        stage.seed_key()
        yield stage


def share(stage: Stage, body: Any = None, board: str = BOARD) -> Any:
    answer = Gateway(stage).request("POST", f"/storyboards/{board}/share", body)
    assert answer.status == 201, answer
    return answer.json


def read(stage: Stage, path: str, link: str, **query: str) -> Answer:
    """As API Gateway asks at first, or a minute later: the authorizer is asked again."""
    return Gateway(stage).request("GET", path, key=link, query=query)


def test_a_link_is_shown_once_and_opens_the_board(stage: Stage) -> None:
    made = share(stage)
    api = stage.environment("api")["API_URL"]
    assert made["url"] == f"{api}{HERE}/view#share={made['secret']}"
    assert re.fullmatch(r"shr_[A-Za-z0-9_-]{43}", made["secret"])
    until = (stage.clock() + timedelta(days=7)).replace(microsecond=0)
    assert made["expires_at"] == until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    [listed] = Gateway(stage).request("GET", f"{HERE}/shares").json["items"]
    assert listed == {name: v for name, v in made.items() if name not in ("url", "secret")}
    assert made["secret"] not in str(stage.cloud.rows())
    board = read(stage, HERE, made["secret"])
    assert (board.status, board.json["id"]) == (200, BOARD)


def test_what_is_read_by_a_link_is_what_its_owner_reads(stage: Stage) -> None:
    link = share(stage)["secret"]
    owner = Gateway(stage)
    for path in (HERE, f"{HERE}/events", f"/predictions/{OURS}"):
        by_link, by_key = read(stage, path, link), owner.request("GET", path)
        assert (by_link.status, by_link.headers["etag"]) == (200, by_key.headers["etag"]), path


def test_a_link_reads_three_routes_and_no_other(stage: Stage) -> None:
    """Of all that there are, as the API itself and the template have them."""
    stage.seed_share()
    link = share(stage)["secret"]
    may = {
        "GET /storyboards/{storyboard_id}",
        "GET /storyboards/{storyboard_id}/events",
        "GET /predictions/{prediction_id}",
    }
    routes = {route.key for route in gateway.routes() if not route.public} - {"$default"}
    for method, path in wiring.api().routes():
        routes.add(f"{method} {path.replace('<', '{').replace('>', '}')}")
    ids = {
        "character_id": "elena",
        "reference_id": makers.character().references[0].id,
        "prediction_id": OURS,
        "storyboard_id": BOARD,
        "callback_id": events.CALLBACK,
        "key_id": events.KEY,
        "share_id": events.SHARE,
        "scene_id": "scene-1",
        "export_id": events.EXPORT,
    }
    assert may < routes
    assert len(routes) > 30
    before = stage.cloud.state()
    for route in sorted(routes):
        method, _, pattern = route.partition(" ")
        path = re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], pattern)
        answer = Gateway(stage).request(method, path, key=link)
        if route in may:
            assert answer.status == 200, route
        else:
            assert answer.status == 403, route
            assert answer.json["type"] == "/problems/missing-scope", route
    assert stage.cloud.state() == before, "nothing was changed"


def test_a_link_sees_nothing_of_another_board(stage: Stage) -> None:
    """The same words as for what nobody has."""
    link = share(stage)["secret"]
    for there, nobodys in (
        (f"/storyboards/{OTHER}", "/storyboards/sb_nobodys"),
        (f"/storyboards/{OTHER}/events", "/storyboards/sb_nobodys/events"),
        (f"/predictions/{OTHERS}", "/predictions/pred_nobodys"),
        (f"/predictions/{ALONE}", "/predictions/pred_nobodys"),
    ):
        assert Gateway(stage).request("GET", there).status == 200, "its owner sees it"
        hidden, unknown = read(stage, there, link), read(stage, nobodys, link)
        assert (hidden.status, unknown.status) == (404, 404), there
        assert _words(hidden) == _words(unknown)


def test_a_link_without_a_board_sees_nothing() -> None:
    """Whatever may be missing in an answer that is kept: it never opens more."""
    nothing = ApiKey("share_1", "acme", (Scope.VIEW,))
    assert not nothing.sees(None)
    assert not nothing.sees(BOARD)


def test_a_link_ends_when_it_expires(stage: Stage) -> None:
    link = share(stage, {"expires_in_seconds": 60})["secret"]
    stage.clock.advance(seconds=59)
    assert read(stage, HERE, link).status == 200
    stage.clock.advance(seconds=1)
    assert read(stage, HERE, link).status == 403


def test_a_link_ends_when_it_is_revoked(stage: Stage) -> None:
    made, other = share(stage), share(stage)
    owner = Gateway(stage)
    path = f"{HERE}/shares/{made['id']}"
    assert owner.request("DELETE", path).status == 204
    assert read(stage, HERE, made["secret"]).status == 403
    assert read(stage, HERE, other["secret"]).status == 200
    revoked_at = _listed(stage)[made["id"]]["revoked_at"]
    assert revoked_at is not None
    stage.clock.advance(minutes=1)
    assert owner.request("DELETE", path).status == 204
    assert _listed(stage)[made["id"]]["revoked_at"] == revoked_at


def test_rows_of_a_link_go_by_themselves(stage: Stage) -> None:
    made = share(stage, {"expires_in_seconds": DAY})
    digest = hashlib.sha256(made["secret"].encode()).hexdigest()
    ends = str(int(stage.clock().timestamp()) + DAY)
    rows = [
        row
        for row in stage.cloud.rows()
        if row["pk"]["S"] == f"KEY#{digest}" or row["sk"]["S"] == f"SHARE#{made['id']}"
    ]
    assert [row["expires_at"]["N"] for row in rows] == [ends, ends]


def test_a_link_that_is_asked_for_twice_is_made_once(stage: Stage) -> None:
    owner, once = Gateway(stage), {IDEMPOTENCY_KEY: "s-1"}
    first = owner.request("POST", f"{HERE}/share", {}, headers=once)
    again = owner.request("POST", f"{HERE}/share", {}, headers=once)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json == {**first.json, "url": None, "secret": None}
    assert list(_listed(stage)) == [first.json["id"]]


def test_pages_of_links(stage: Stage) -> None:
    made = []
    for _ in range(3):
        stage.clock.advance(seconds=1)
        made.append(share(stage)["id"])
    owner, seen, query = Gateway(stage), [], {"limit": "2"}
    while True:
        page = owner.request("GET", f"{HERE}/shares", query=query).json
        seen.append([item["id"] for item in page["items"]])
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == [[made[2], made[1]], [made[0]]]
    share(stage, board=OTHER)
    assert len(_listed(stage)) == 3, "of one board only"


@pytest.mark.parametrize("seconds", [0, 59, 90 * DAY + 1, "3600", 3600.5])
def test_how_long_a_link_may_last(stage: Stage, seconds: Any) -> None:
    answer = Gateway(stage).request("POST", f"{HERE}/share", {"expires_in_seconds": seconds})
    assert answer.status == 422
    assert [error["path"] for error in answer.json["errors"]] == ["expires_in_seconds"]
    assert _listed(stage) == {}
    assert share(stage, {"expires_in_seconds": 90 * DAY})["expires_at"] is not None


def test_a_key_that_reads_makes_no_link(stage: Stage) -> None:
    secret = "shk_of_a_reader_0123456789abcdefghij"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    stage.seed_key(id="key_reader", sha256=digest, scopes=(Scope.READ,))
    reader = Gateway(stage)
    assert reader.request("POST", f"{HERE}/share", key=secret).status == 403
    assert reader.request("GET", f"{HERE}/shares", key=secret).status == 200


def test_no_key_gets_the_scope_of_links(stage: Stage) -> None:
    answer = Gateway(stage).request("POST", "/keys", {"name": "x", "scopes": ["view"]})
    assert (answer.status, answer.json["errors"][0]["path"]) == (422, "scopes[0]")


def test_a_link_follows_its_board(stage: Stage) -> None:
    """A fallback that is made after the link, and the news of it."""
    link = share(stage)["secret"]
    row = makers.prediction(
        Status.SUCCEEDED, storyboard_id=BOARD, scene_id="scene-1", completed_at=stage.clock()
    )
    stage.predictions.add(row)
    [scene] = stage.storyboards.scenes(BOARD)
    stage.storyboards.attach(BOARD, scene, row.id)
    assert read(stage, f"/predictions/{row.id}", link).status == 200
    told = read(stage, f"{HERE}/events", link).json["items"]
    assert row.id in [event["data"]["id"] for event in told]


def _listed(stage: Stage) -> dict[str, Any]:
    items = Gateway(stage).request("GET", f"{HERE}/shares").json["items"]
    return {item["id"]: item for item in items}


def _words(answer: Answer) -> str:
    return re.sub(r"(sb|pred)_\w+", "", answer.body.decode())
