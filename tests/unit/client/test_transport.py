"""The client against a real HTTP server: what it sends, and sends again, and makes of answers."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from storyhook.domain import errors as domain
from storyhook.http.problems import NotJson
from storyhook_client import Patience, Storyhook, answers, errors
from storyhook_client.transport import Surroundings
from tests.fixtures.server import RESET, Hang, Reply, Request, Server, serving

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PREDICTION = {"id": "pred_1", "status": "running", "cost": {"estimated": "0.0600"}}


@dataclass
class Machine:
    """A machine on which time passes only while somebody sleeps, or an answer says so."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)
    keys: int = 0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    @property
    def around(self) -> Surroundings:
        return Surroundings(
            sleep=self.sleep,
            monotonic=lambda: self.seconds,
            now=lambda: NOW,
            jitter=lambda: 1.0,
            new_key=self.new_key,
        )


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def client(server: Server, machine: Machine) -> Iterator[Storyhook]:
    with Storyhook(f"{server.url}/stack", "shk_1", around=machine.around) as client:
        yield client


def in_turn(*replies: Reply | str) -> Callable[[Request], Reply]:
    left = list(replies)

    def answer(_: Request) -> Any:
        return left.pop(0)

    return answer


def problem(slug: str, status: int, **more: Any) -> dict[str, Any]:
    document = {"type": f"/problems/{slug}", "title": "No", "status": status, "detail": "Mend it."}
    return {**document, **more}


def refusal(slug: str, status: int, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    kind = {"Content-Type": "application/problem+json"}
    return Reply(status, problem(slug, status, **more), {**kind, **(headers or {})})


def test_a_create_carries_the_key_and_one_idempotency_key(
    client: Storyhook, server: Server
) -> None:
    server.answer = Reply(202, PREDICTION)
    made = client.predictions.create({"model": "flux-2-pro", "prompt": "Elena laughs"})
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/stack/predictions")
    assert request.headers["authorization"] == "Bearer shk_1"
    assert request.headers["idempotency-key"] == "key-1"
    assert request.headers["user-agent"].startswith("storyhook-client/")
    assert request.json == {"model": "flux-2-pro", "prompt": "Elena laughs"}
    assert made.cost.estimated == Decimal("0.0600")


@pytest.mark.parametrize(
    "trouble",
    [
        RESET,
        Reply(503, {"message": "Service Unavailable"}),
        Reply(500, {"message": "Internal Server Error"}),
        Reply(429, {"message": "Too Many Requests"}),
        refusal("busy", 503, {"Retry-After": "2"}),
        refusal("request-in-progress", 409, {"Retry-After": "2"}),
        refusal("rate-limited", 429, {"Retry-After": "2"}),
    ],
    ids=["reset", "503", "500", "429", "busy", "in progress", "rate limited"],
)
def test_trouble_is_met_by_the_same_create_again(
    client: Storyhook, server: Server, trouble: Reply | str
) -> None:
    given = in_turn(trouble, trouble, Reply(202, PREDICTION))
    # A reset is an answer of the server itself, not of the function.
    server.answer = given if isinstance(trouble, Reply) else RESET
    if isinstance(trouble, str):
        with pytest.raises(errors.NoAnswer):
            client.predictions.create({"prompt": "x"})
        assert len(server.requests) == Patience().attempts
    else:
        assert client.predictions.create({"prompt": "x"}).id == "pred_1"
        assert len(server.requests) == 3
    assert {request.headers["idempotency-key"] for request in server.requests} == {"key-1"}
    assert len({request.body for request in server.requests}) == 1


def test_two_creates_have_two_keys(client: Storyhook, server: Server) -> None:
    server.answer = Reply(202, PREDICTION)
    client.predictions.create({"prompt": "x"})
    client.predictions.create({"prompt": "x"})
    assert [r.headers["idempotency-key"] for r in server.requests] == ["key-1", "key-2"]


@pytest.mark.parametrize(
    "send",
    [
        lambda client: client.predictions.cancel("pred_1"),
        lambda client: client.callbacks.replay("cb_1"),
        lambda client: client.callbacks.rotate_secret(),
        lambda client: client.keys.revoke("key_1"),
        lambda client: client.characters.update("elena", {"name": "Elena"}),
    ],
    ids=["cancel", "replay", "rotate", "revoke", "update"],
)
def test_what_may_not_be_repeated_is_sent_once(
    client: Storyhook, server: Server, send: Callable[[Storyhook], Any]
) -> None:
    server.answer = RESET
    with pytest.raises(errors.NoAnswer):
        send(client)
    assert len(server.requests) == 1
    assert "idempotency-key" not in server.requests[0].headers


@pytest.mark.parametrize(
    "host", ["example.com", "localhost.example.com", "10.0.0.1", "127.0.0.1@a"]
)
def test_the_key_is_not_sent_in_clear_to_another_machine(host: str) -> None:
    with pytest.raises(errors.BadConfiguration, match="use https"):
        Storyhook(f"http://{host}", "shk_1")
    Storyhook(f"https://{host}", "shk_1").close()


def test_a_stack_that_is_not_there_is_asked_again_and_then_named(machine: Machine) -> None:
    with serving() as gone:
        url = gone.url
    with (
        Storyhook(url, "shk_1", around=machine.around) as client,
        pytest.raises(errors.NoAnswer, match=url),
    ):
        client.predictions.cancel("pred_1")
    assert len(machine.slept) == Patience().attempts - 1  # nothing was ever sent


@pytest.mark.parametrize(
    ("header", "slept"),
    [("7", 7.0), ("Fri, 27 Nov 2026 12:00:09 GMT", 9.0), ("Fri, 27 Nov 2026 11:00:00 GMT", 0.0)],
)
def test_retry_after_is_waited_for(
    client: Storyhook, server: Server, machine: Machine, header: str, slept: float
) -> None:
    server.answer = in_turn(refusal("busy", 503, {"Retry-After": header}), Reply(200, PREDICTION))
    client.predictions.get("pred_1")
    assert machine.slept == [slept]


def test_a_retry_after_that_is_too_long_is_told_instead(
    client: Storyhook, server: Server, machine: Machine
) -> None:
    server.answer = refusal("rate-limited", 429, {"Retry-After": "3600"})
    with pytest.raises(errors.RateLimited) as raised:
        client.predictions.get("pred_1")
    assert raised.value.retry_after_seconds == 3600
    assert machine.slept == []


def test_pauses_grow_and_end(client: Storyhook, server: Server, machine: Machine) -> None:
    server.answer = Reply(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"})
    with pytest.raises(errors.ApiError) as raised:
        client.predictions.get("pred_1")
    assert machine.slept == [1.0, 2.0, 4.0]
    assert raised.value.status == 502
    assert "GET" in raised.value.detail


@pytest.mark.parametrize("status", [400, 402, 404, 409, 422, 503])
def test_a_refusal_is_the_last_word(
    client: Storyhook, server: Server, machine: Machine, status: int
) -> None:
    server.answer = refusal("provider-key-missing", status)
    with pytest.raises(errors.ProviderKeyMissing):
        client.predictions.create({"prompt": "x"})
    assert len(server.requests) == 1


def test_an_error_has_the_problem_and_its_fields(client: Storyhook, server: Server) -> None:
    wrong = [{"path": "scenes[2].camra", "message": "no such field"}]
    server.answer = refusal("invalid-request", 422, errors=wrong)
    with pytest.raises(
        errors.InvalidRequest, match=re.escape("scenes[2].camra: no such field")
    ) as e:
        client.storyboards.create({"scenes": []})
    assert e.value.errors == (errors.FieldError("scenes[2].camra", "no such field"),)
    assert (e.value.type, e.value.detail) == ("/problems/invalid-request", "Mend it.")


def test_a_problem_of_a_newer_stack_is_an_error_all_the_same(
    client: Storyhook, server: Server
) -> None:
    server.answer = refusal("too-many-cooks", 422)
    with pytest.raises(errors.ApiError) as raised:
        client.storyboards.get("sb_1")
    assert type(raised.value) is errors.ApiError


@pytest.mark.parametrize("status", [401, 403])
def test_the_gateways_own_refusal_of_a_key(client: Storyhook, server: Server, status: int) -> None:
    server.answer = Reply(status, {"message": "Forbidden"})
    with pytest.raises(errors.Unauthorized, match="STORYHOOK_API_KEY"):
        client.models.list()


def test_every_problem_of_the_api_has_a_class_of_its_own() -> None:
    def below(kind: type[domain.StoryhookError]) -> set[str]:
        return {kind.slug}.union(*(below(each) for each in kind.__subclasses__()))

    # Providers are told of these, not customers.
    of_webhooks = {"bad-signature", "stale-signature"}
    told = below(domain.StoryhookError) - {"error"} - of_webhooks
    assert NotJson.slug in told
    known = {kind.slug for kind in vars(errors).values() if isinstance(kind, type)
             and issubclass(kind, errors.ApiError)}  # fmt: skip
    assert told <= known


@pytest.mark.parametrize("body", [b"<html></html>", b"[]", b'{"id": 7, "status": "running"}'])
def test_something_else_at_that_address_is_said_to_be_so(
    client: Storyhook, server: Server, body: bytes
) -> None:
    server.answer = Reply(200, body)
    with pytest.raises(errors.UnexpectedAnswer):
        client.predictions.get("pred_1")


def test_silence_ends(server: Server, machine: Machine) -> None:
    server.answer = Hang(1.0)
    patience = Patience(timeout_seconds=0.2, attempts=2)
    with (
        Storyhook(server.url, "shk_1", patience=patience, around=machine.around) as client,
        pytest.raises(errors.NoAnswer),
    ):
        client.models.list()
    assert len(server.requests) == 2


def test_ids_stay_within_their_part_of_the_path(client: Storyhook, server: Server) -> None:
    server.answer = Reply(200, PREDICTION)
    client.predictions.get("../keys?x=1#y")
    assert server.requests[0].path == "/stack/predictions/..%2Fkeys%3Fx%3D1%23y"


def test_what_is_unknown_is_kept(client: Storyhook, server: Server) -> None:
    document = {**PREDICTION, "mood": "good", "cost": {"estimated": "0.0600", "tax": "0.01"},
                "created_at": "2026-11-22T10:00:00.000Z"}  # fmt: skip
    server.answer = Reply(200, document)
    read = client.predictions.get("pred_1")
    assert read.model_extra == {"mood": "good"}
    assert read.cost.model_extra == {"tax": "0.01"}
    assert read.created_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert read.to_json() == document
    assert read.cost.to_json() == document["cost"]


def test_a_time_without_a_zone_is_not_taken(client: Storyhook, server: Server) -> None:
    server.answer = Reply(200, {**PREDICTION, "created_at": "2026-11-22T10:00:00"})
    with pytest.raises(errors.UnexpectedAnswer):
        client.predictions.get("pred_1")


def test_lists_go_on_over_empty_pages(client: Storyhook, server: Server) -> None:
    def callback(number: int) -> dict[str, Any]:
        return {"id": f"cb_{number}", "status": "failed"}

    server.answer = in_turn(
        Reply(200, {"items": [callback(1), callback(2)], "next_cursor": "a b"}),
        Reply(200, {"items": [], "next_cursor": "c"}),
        Reply(200, {"items": [callback(3)], "next_cursor": None}),
    )
    found = client.callbacks.list(status="failed", limit=2)
    assert next(found).id == "cb_1"
    assert len(server.requests) == 1  # the next page only when it is wanted
    assert [each.id for each in found] == ["cb_2", "cb_3"]
    assert [r.path.partition("?")[2] for r in server.requests] == [
        "status=failed&limit=2",
        "cursor=a+b&status=failed&limit=2",
        "cursor=c&status=failed&limit=2",
    ]


# Waiting


def board(status: str) -> dict[str, Any]:
    return {"id": "sb_1", "status": status, "scenes": [{"id": "scene-1", "status": status}]}


def test_wait_asks_the_api_to_hold_its_answer(
    client: Storyhook, server: Server, machine: Machine
) -> None:
    given = in_turn(*[Reply(200, board("running"))] * 2, Reply(200, board("partial")))

    def held(request: Request) -> Reply:
        machine.seconds += 20
        return given(request)

    server.answer = held
    assert client.storyboards.wait("sb_1", timeout_seconds=50).status == "partial"
    assert [r.path.partition("?")[2] for r in server.requests] == ["wait=20", "wait=20", "wait=10"]
    assert machine.slept == [0.0, 0.0]


def test_wait_ends_and_gives_the_last_state(
    client: Storyhook, server: Server, machine: Machine
) -> None:
    server.answer = Reply(200, PREDICTION)
    with pytest.raises(errors.NotFinished, match="pred_1 is not over after 3 s") as raised:
        client.predictions.wait("pred_1", timeout_seconds=3)
    assert raised.value.last.id == "pred_1"
    assert isinstance(raised.value, TimeoutError)
    # An answer that was not held back is no reason to ask a hundred times.
    assert len(server.requests) == 7


def test_watch_shows_every_state(client: Storyhook, server: Server) -> None:
    server.answer = in_turn(Reply(200, board("running")), Reply(200, board("succeeded")))
    seen = client.storyboards.watch("sb_1", timeout_seconds=60)
    assert [each.status for each in seen] == ["running", "succeeded"]
    assert server.requests[0].path.endswith("?wait=2")


def test_an_answer_that_is_held_back_has_longer(server: Server, machine: Machine) -> None:
    patience = Patience(timeout_seconds=0.2, attempts=1)

    def late(_: Request) -> Reply:
        time.sleep(0.4)
        return Reply(200, board("succeeded"))

    server.answer = late
    with Storyhook(server.url, "shk_1", patience=patience, around=machine.around) as client:
        assert client.storyboards.get("sb_1", wait_seconds=1).is_over
        with pytest.raises(errors.NoAnswer):
            client.storyboards.get("sb_1")


def test_events_are_followed_by_their_cursor(client: Storyhook, server: Server) -> None:
    def event(number: int) -> dict[str, Any]:
        return {"sequence": number, "type": "scene.completed", "data": {"id": f"scene-{number}"}}

    end = {"sequence": 3, "type": "storyboard.completed", "data": {"status": "succeeded"}}
    server.answer = in_turn(
        Reply(200, {"items": [event(1)], "next": "a"}),
        Reply(200, {"items": [], "next": "a"}),
        Reply(200, {"items": [event(2), end], "next": "b"}),
    )
    assert [each.sequence for each in client.storyboards.events("sb_1")] == [1, 2, 3]
    assert [request.path.rpartition("/")[2] for request in server.requests] == [
        "events?wait=20",
        "events?after=a&wait=20",
        "events?after=a&wait=20",
    ]


# Dry runs and uploads


def test_an_estimate_is_a_dry_run_and_needs_no_key(client: Storyhook, server: Server) -> None:
    server.answer = Reply(200, {"dry_run": True, "cost": {"estimated": None, "known": "0.1200"}})
    planned = client.storyboards.estimate({"scenes": []})
    assert server.requests[0].path == "/stack/storyboards?dry_run=true"
    assert "idempotency-key" not in server.requests[0].headers
    assert (planned.cost.estimated, planned.cost.known) == (None, Decimal("0.1200"))


def test_a_file_is_sent_to_the_presigned_form_without_our_key(
    client: Storyhook, server: Server, tmp_path: Any
) -> None:
    form = {"id": "up_1", "url": f"{server.url}/bucket", "fields": {"key": "k", "policy": "p"},
            "expires_at": "2026-11-27T13:00:00Z", "max_bytes": 100}  # fmt: skip
    server.answer = in_turn(Reply(201, form), Reply(204))
    (tmp_path / "elena.png").write_bytes(b"\x89PNG picture")
    assert client.uploads.send(tmp_path / "elena.png").id == "up_1"
    asked, sent = server.requests
    assert asked.json == {"content_type": "image/png", "bytes": 12}
    assert sent.path == "/bucket"
    assert "authorization" not in sent.headers
    # The file comes last: S3 ignores what follows it.
    fields = re.findall(rb'name="(\w+)"', sent.body)
    assert fields == [b"key", b"policy", b"file"]
    assert b"\x89PNG picture" in sent.body


def test_a_file_that_is_no_reference_is_not_sent(
    client: Storyhook, server: Server, tmp_path: Any
) -> None:
    wrong = [{"path": "bytes", "message": "at most 3"}]
    server.answer = refusal("invalid-request", 422, errors=wrong)
    (tmp_path / "elena.png").write_bytes(b"four")
    with pytest.raises(errors.BadFile, match=r"elena.png: 4 bytes: at most 3"):
        client.uploads.send(tmp_path / "elena.png")
    with pytest.raises(errors.BadFile, match=r"elena.gif: a picture's name ends in one of .png"):
        client.uploads.send(tmp_path / "elena.gif")
    assert len(server.requests) == 1


def test_a_key_is_not_in_what_is_printed(client: Storyhook) -> None:
    assert "shk_1" not in repr(client.transport)


def test_answers_are_json_again(client: Storyhook, server: Server) -> None:
    server.answer = Reply(200, board("succeeded"))
    read = client.storyboards.get("sb_1")
    assert isinstance(read, answers.Storyboard)
    assert json.loads(json.dumps(read.to_json())) == board("succeeded")
