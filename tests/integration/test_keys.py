"""API keys: made, shown once, revoked; what a key may not do, and whose things it sees."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from storyhook.aws import clients
from storyhook.http.idempotency import IDEMPOTENCY_KEY
from tests.fixtures import events, functions
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import TABLE, Cloud
from tests.fixtures.functions import Stage
from tools import setup

BODY = {"name": "ci", "scopes": ["read", "write"]}
LIMITS = {"predictions_per_minute": 5, "max_cost_per_month": "1.50"}


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.seed_all()
        yield stage


Answer = tuple[int, Any]


def ask(stage: Stage, event: events.Event, key: Any = None, function: str = "api") -> Answer:
    """Through the authorizer's words, if a key is given: status and body."""
    if key is not None:
        who = {"headers": {"authorization": f"Bearer {key['secret']}"}}
        let_in = stage.run("authorizer", who)
        if not let_in["isAuthorized"]:
            return 403, None
        event["requestContext"]["authorizer"] = {"lambda": let_in["context"]}
    answer = stage.run(function, event)
    return answer["statusCode"], json.loads(answer["body"]) if answer.get("body") else None


def make(stage: Stage, body: Any, key: Any = None) -> Any:
    status, made = ask(stage, events.default("POST", "/keys", body), key)
    assert status == 201, made
    return made


def made_by_setup(tenant: str | None = None) -> Any:
    """As `tools.setup --new-key` makes it, with `--tenant` or without."""
    made = setup.create_api_key(
        clients.client("dynamodb"), clients.client("ssm"), TABLE, "test", tenant
    )
    return {"secret": made.secret, "tenant": made.issued.tenant}


def test_a_key_is_shown_once_and_lets_its_holder_in(stage: Stage) -> None:
    made = make(stage, {**BODY, "limits": LIMITS})
    assert made["secret"].startswith("shk_")
    assert made["callback_secret"].startswith("whsec_")
    assert (made["tenant"], made["operator"]) == ("acme", False)
    assert made["limits"] == {"predictions_per_minute": 5, "max_cost_per_month": "1.5000"}
    status, shown = ask(stage, events.default("GET", made["urls"]["self"]))
    assert status == 200
    assert shown == {n: v for n, v in made.items() if n not in ("secret", "callback_secret")}
    assert made["secret"] not in str(stage.cloud.rows())
    assert ask(stage, events.default("GET", "/characters"), made)[0] == 200
    status, secret = ask(stage, events.default("GET", "/callback-secret"), made)
    assert secret["secret"] == made["callback_secret"]


def test_a_key_that_is_asked_for_twice_is_made_once(stage: Stage) -> None:
    """Its secret is in the first answer alone: nothing that is written gives it away."""
    asked = events.http("POST /keys", {**BODY, "limits": LIMITS}, headers={IDEMPOTENCY_KEY: "k-1"})
    status, first = ask(stage, json.loads(json.dumps(asked)))
    assert (status, first["secret"][:4]) == (201, "shk_")
    body = {"model": "fal-flux2-pro-edit", "prompt": "Elena reads", "characters": ["elena"]}
    ask(stage, events.http("POST /predictions", body), first, "create_prediction")
    answer = stage.run("api", asked)
    assert answer["headers"]["Idempotency-Replayed"] == "true"
    again = json.loads(answer["body"])
    assert (again["id"], again["secret"], again["callback_secret"]) == (first["id"], None, None)
    assert again["this_month"]["reserved"] == "0.0450"
    assert len(ask(stage, events.default("GET", "/keys"))[1]["items"]) == 1
    assert ask(stage, events.default("GET", "/characters"), first)[0] == 200


def test_a_key_that_is_too_wide_frees_its_idempotency_key(stage: Stage) -> None:
    own = make(stage, {**BODY, "scopes": ["read", "admin"]})
    for scopes, wanted in ((["write"], 403), (["read"], 201)):
        asked = events.http(
            "POST /keys", {**BODY, "scopes": scopes}, headers={IDEMPOTENCY_KEY: "k-1"}
        )
        assert ask(stage, asked, own)[0] == wanted


def test_what_is_left_this_month_is_shown(stage: Stage) -> None:
    made = make(stage, {**BODY, "limits": LIMITS})
    body = {"model": "fal-flux2-pro-edit", "prompt": "Elena reads", "characters": ["elena"]}
    status, _ = ask(stage, events.http("POST /predictions", body), made, "create_prediction")
    assert status == 202
    status, listed = ask(stage, events.default("GET", "/keys"))
    assert [key["this_month"] for key in listed["items"]] == [
        {
            "spent": "0.0000",
            "reserved": "0.0450",
            "left": "1.4550",
            "ends_at": "2026-02-01T00:00:00.000Z",
        }
    ]


def test_pages_of_keys(stage: Stage) -> None:
    made = [make(stage, {**BODY, "name": f"key {n}"})["id"] for n in range(3)]
    seen, cursor = [], None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        _, page = ask(stage, events.default("GET", "/keys", query=query))
        seen += [key["id"] for key in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)


def test_a_revoked_key_is_out(stage: Stage) -> None:
    made = make(stage, BODY)
    for _ in range(2):
        assert ask(stage, events.default("DELETE", f"/keys/{made['id']}")) == (204, None)
    assert ask(stage, events.default("GET", "/characters"), made)[0] == 403
    _, shown = ask(stage, events.default("GET", f"/keys/{made['id']}"))
    first = shown["revoked_at"]
    stage.clock.advance(minutes=1)
    ask(stage, events.default("DELETE", f"/keys/{made['id']}"))
    assert ask(stage, events.default("GET", f"/keys/{made['id']}"))[1]["revoked_at"] == first


def test_a_key_may_revoke_itself(stage: Stage) -> None:
    made = make(stage, {**BODY, "scopes": ["admin"]})
    assert ask(stage, events.default("DELETE", f"/keys/{made['id']}"), made)[0] == 204
    assert ask(stage, events.default("GET", f"/keys/{made['id']}"), made)[0] == 403


def test_a_key_expires(stage: Stage) -> None:
    made = make(stage, {**BODY, "expires_at": "2026-01-01T01:00:00Z"})
    assert made["expires_at"] == "2026-01-01T01:00:00.000Z"
    assert ask(stage, events.default("GET", "/characters"), made)[0] == 200
    stage.clock.advance(hours=1)
    assert ask(stage, events.default("GET", "/characters"), made)[0] == 403
    past = events.default("POST", "/keys", {**BODY, "expires_at": "2026-01-01T00:00:00Z"})
    status, refused = ask(stage, past)
    assert (status, refused["errors"][0]["path"]) == (422, "expires_at")


def test_another_tenants_key_is_not_there(stage: Stage) -> None:
    ours = make(stage, BODY)
    body = {**BODY, "scopes": ["read", "admin"], "tenant": "globex"}
    theirs = make(stage, body, made_by_setup())
    for method in ("GET", "DELETE"):
        assert ask(stage, events.default(method, f"/keys/{ours['id']}"), theirs)[0] == 404
    _, listed = ask(stage, events.default("GET", "/keys"), theirs)
    assert [key["id"] for key in listed["items"]] == [theirs["id"]]
    assert ask(stage, events.default("GET", "/characters/elena"), theirs)[0] == 404


def test_a_key_makes_no_key_that_may_more(stage: Stage) -> None:
    scopes = ["read", "admin"]
    own = make(stage, {**BODY, "scopes": scopes, "expires_at": "2026-02-01T00:00:00Z"})
    status, refused = ask(stage, events.default("POST", "/keys", {**BODY, "tenant": "other"}), own)
    assert (status, refused["type"]) == (403, "/problems/key-too-wide")
    assert [error["path"] for error in refused["errors"]] == ["tenant", "scopes", "expires_at"]
    narrower = {
        "name": "narrow",
        "scopes": ["read"],
        "limits": LIMITS,
        "expires_at": "2026-01-02T00:00:00Z",
    }
    assert make(stage, narrower, own)["tenant"] == "acme"


@pytest.mark.parametrize("limit", LIMITS)
def test_a_key_with_limits_makes_no_others(stage: Stage, limit: str) -> None:
    """Two keys with $1.50 each spend $3.00."""
    scopes = ["read", "write", "admin"]
    limits = {limit: LIMITS[limit]}
    own = make(stage, {**BODY, "scopes": scopes, "limits": limits})
    before = stage.cloud.rows()
    for body in (BODY, {**BODY, "limits": limits}):
        status, refused = ask(stage, events.default("POST", "/keys", body), own)
        assert (status, refused["type"]) == (403, "/problems/key-too-wide")
        assert "one without limits" in refused["detail"]
    assert stage.cloud.rows() == before
    # It reads and revokes as any other.
    assert ask(stage, events.default("DELETE", f"/keys/{own['id']}"), own)[0] == 204


def test_only_the_operator_makes_keys_for_others(stage: Stage) -> None:
    """Not a customer whose key is of before there were scopes, nor one whom the operator gave one
    that makes keys for themselves.
    """
    for other in ("globex", "default"):
        wanted = {**BODY, "tenant": other}
        for key in (None, made_by_setup("acme")):
            status, refused = ask(stage, events.default("POST", "/keys", wanted), key)
            assert (status, refused["type"]) == (403, "/problems/key-too-wide")
            assert [error["path"] for error in refused["errors"]] == ["tenant"]
        assert make(stage, wanted, made_by_setup())["tenant"] == other
    assert make(stage, BODY, made_by_setup("acme"))["tenant"] == "acme"


def test_a_revoked_key_makes_no_other_while_it_is_still_let_in(stage: Stage) -> None:
    """API Gateway keeps the authorizer's answer for a minute."""
    leaked = make(stage, {**BODY, "scopes": ["admin"]})
    door = {"key_id": leaked["id"], "tenant": "acme", "scopes": "admin"}
    ask(stage, events.default("DELETE", f"/keys/{leaked['id']}"))
    event = events.default("POST", "/keys", {**BODY, "scopes": ["admin"]})
    event["requestContext"]["authorizer"] = {"lambda": door}
    before = stage.cloud.rows()
    status, refused = ask(stage, event)
    assert (status, refused["type"]) == (403, "/problems/key-too-wide")
    assert stage.cloud.rows() == before


# What each scope opens, by an event that would otherwise be answered with something else than 403.
ROUTES = {
    "read": [
        ("api", events.default("GET", "/models")),
        ("api", events.default("GET", "/storyboards")),
        ("api", events.default("GET", "/callback-secret")),
    ],
    "write": [
        ("api", events.default("POST", "/characters", {})),
        ("api", events.default("POST", "/storyboards", {})),
        ("api", events.default("POST", f"/callbacks/{events.CALLBACK}/replay")),
        ("create_prediction", events.http("POST /predictions", {})),
        ("cancel", events.cancel("prediction", events.PREDICTIONS["fal"])),
    ],
    "admin": [
        ("api", events.default("POST", "/keys", {})),
        ("api", events.default("GET", "/keys")),
        ("api", events.default("GET", "/keys/key_1")),
        ("api", events.default("DELETE", "/keys/key_1")),
        ("api", events.default("POST", "/callback-secret/rotate")),
    ],
}


@pytest.mark.parametrize("scope", ROUTES)
def test_each_route_needs_its_scope(stage: Stage, scope: str) -> None:
    with_it = make(stage, {**BODY, "scopes": [scope]})
    without = make(stage, {**BODY, "scopes": sorted(ROUTES.keys() - {scope})})
    for function, event in ROUTES[scope]:
        status, refused = ask(stage, json.loads(json.dumps(event)), without, function)
        assert (status, refused["type"]) == (403, "/problems/missing-scope"), event["rawPath"]
        assert repr(scope) in refused["detail"]
        status, _ = ask(stage, json.loads(json.dumps(event)), with_it, function)
        assert status != 403, event["rawPath"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "name"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "scopes": ["root"]}, "scopes[0]"),
        ({"name": "a", "limits": {"max_cost_per_month": 1.5}}, "limits.max_cost_per_month"),
        ({"name": "a", "limits": {"max_cost_per_month": "-1"}}, "limits.max_cost_per_month"),
        ({"name": "a", "limits": {"predictions_per_minute": 0}}, "limits.predictions_per_minute"),
        ({"name": "a", "expires_at": "2027-01-01T00:00:00"}, "expires_at"),
        ({"name": "a", "operator": True}, "operator"),
    ],
)
def test_a_wrong_body_names_its_field(stage: Stage, body: Any, path: str) -> None:
    before = stage.cloud.rows()
    status, refused = ask(stage, events.default("POST", "/keys", body))
    assert (status, refused["errors"][0]["path"]) == (422, path)
    assert stage.cloud.rows() == before
