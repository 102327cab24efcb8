"""The official clients over our transport: one call is one request, whatever comes back."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from storyhook.domain.errors import DownloadFailed
from storyhook.domain.outcome import (
    Accepted,
    Failed,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Pending,
    ProviderHandle,
    Rejected,
    Succeeded,
)
from storyhook.domain.upload import Uploaded
from storyhook.ports import ProviderClient
from storyhook.providers import transport
from storyhook.providers.fal.client import FalClient
from storyhook.providers.replicate.client import ReplicateClient
from storyhook.providers.transport import NeverSent, NoAnswer, NotOk, OneRequest
from tests.fixtures.pictures import picture
from tests.fixtures.server import RESET, Hang, Reply, Request, Server, serving
from tests.fixtures.signing import example

HOOK = "https://api.example.com/webhooks/fal/pred_1.secret?x=1&y=2"
EDIT = "fal-ai/flux-2-pro/edit"
PRO = "black-forest-labs/flux-2-pro"
ENDPOINTS = {"fal": EDIT, "replicate": PRO}
BOTH = pytest.mark.parametrize("name", ["fal", "replicate"])


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", httpx.Timeout(0.3, connect=0.3))


def client(name: str, url: str) -> ProviderClient:
    return FalClient("key", url) if name == "fal" else ReplicateClient("token", url)


def submit(name: str, url: str) -> Any:
    return client(name, url).submit(ENDPOINTS[name], {"prompt": "x", "seed": 7}, HOOK)


# --- submit ---


def test_fal_gets_the_input_as_body_and_the_webhook_in_the_query(server: Server) -> None:
    server.answer = Reply(200, example("fal_submit_response_observed_nested_endpoint"))
    answer = submit("fal", server.url)
    root = "https://queue.fal.run/fal-ai/flux-pro/requests/e36fc67f-afa7-416a-a288-50d90a630d7a"
    assert answer == Accepted(
        ProviderHandle(
            "e36fc67f-afa7-416a-a288-50d90a630d7a", f"{root}/status", root, f"{root}/cancel"
        )
    )
    [request] = server.requests
    assert request.method == "POST"
    assert httpx.URL(server.url + request.path).params["fal_webhook"] == HOOK
    assert request.path.startswith(f"/{EDIT}?")
    assert request.json == {"prompt": "x", "seed": 7}
    assert request.headers["authorization"] == "Key key"
    assert request.headers["x-app-fal-disable-fallback"] == "true"
    assert request.headers["host"] == server.url.removeprefix("http://")


def test_replicate_gets_version_input_and_webhook(server: Server) -> None:
    server.answer = Reply(201, example("replicate_create_response_official_model"))
    assert submit("replicate", server.url) == Accepted(ProviderHandle("5pcmjq6sfnrmc0cram79p95eg4"))
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/v1/predictions")
    assert request.json == {
        "version": PRO,
        "input": {"prompt": "x", "seed": 7},
        "webhook": HOOK,
        "webhook_events_filter": ["completed"],
    }
    assert request.headers["authorization"] == "Bearer token"


@pytest.mark.parametrize(
    "example_name", ["fal_submit_response_docs", "fal_submit_response_webhook_docs"]
)
def test_fal_may_answer_with_less(server: Server, example_name: str) -> None:
    body = example(example_name)
    server.answer = Reply(200, body)
    answer = submit("fal", server.url)
    assert isinstance(answer, Accepted)
    assert answer.handle.provider_id == body["request_id"]
    assert answer.handle.status_url == body.get("status_url")
    assert len(server.requests) == 1


NOT_2XX: list[tuple[Reply, type]] = [
    (Reply(429, {"detail": "throttled"}, {"Retry-After": "4"}), NotCreated),
    (Reply(503, b"busy"), NotCreated),
    (Reply(500, b"oops"), OutcomeUnknown),
    (Reply(502, b""), OutcomeUnknown),
    (Reply(504, {"detail": "Request timed out"}), OutcomeUnknown),
    (Reply(408, b""), OutcomeUnknown),
    (Reply(409, b""), OutcomeUnknown),
    (Reply(401, {"detail": "no"}), Rejected),
    (Reply(402, {"detail": "no credit"}), Rejected),
    (Reply(422, {"detail": "bad"}), Rejected),
    (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), Rejected),
]


@BOTH
@pytest.mark.parametrize(("reply", "kind"), NOT_2XX, ids=lambda value: str(value)[:16])
def test_an_answer_is_one_post_and_tells_what_is_certain(
    server: Server, name: str, reply: Reply, kind: type
) -> None:
    server.answer = reply
    assert isinstance(submit(name, server.url), kind)
    assert [request.method for request in server.requests] == ["POST"]


@BOTH
@pytest.mark.parametrize("answer", [RESET, Hang(1.0)])
@pytest.mark.usefixtures("in_a_hurry")
def test_a_lost_answer_is_unknown_and_one_post(server: Server, name: str, answer: Any) -> None:
    server.answer = answer
    assert isinstance(submit(name, server.url), OutcomeUnknown)
    assert len(server.requests) == 1


@BOTH
@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"request_id": 5, "id": 5}', b"null"])
def test_a_2xx_without_an_id_is_unknown(server: Server, name: str, body: bytes) -> None:
    server.answer = Reply(200, body)
    assert isinstance(submit(name, server.url), OutcomeUnknown)
    assert len(server.requests) == 1


@BOTH
def test_a_2xx_that_cannot_be_unpacked_is_unknown(server: Server, name: str) -> None:
    server.answer = Reply(200, b"no gzip", {"Content-Encoding": "gzip"})
    assert isinstance(submit(name, server.url), OutcomeUnknown)
    assert len(server.requests) == 1


@BOTH
def test_no_connection_certainly_created_nothing(name: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    assert isinstance(submit(name, f"http://127.0.0.1:{port}"), NotCreated)


@BOTH
def test_a_client_serves_many_submits(server: Server, name: str) -> None:
    provider = client(name, server.url)
    server.answer = Reply(200, {"request_id": "a", "id": "a"})
    first = provider.submit(ENDPOINTS[name], {}, HOOK)
    server.answer = Reply(200, b"{}")
    assert isinstance(first, Accepted)
    second = provider.submit(ENDPOINTS[name], {}, HOOK)
    assert isinstance(second, OutcomeUnknown), "never the answer of the call before"


# --- fetch ---

JOB = ProviderHandle("job-1")


def by_path(answers: dict[str, Reply]) -> Callable[[Request], Reply]:
    return lambda request: answers.get(request.path.partition("?")[0], Reply(404, b"{}"))


ROOT = "/fal-ai/flux-2-pro/requests/job-1"
DONE = Reply(200, example("fal_status_completed"))
TOLD = Reply(200, example("fal_status_completed_failed"))


def told(error: Any, error_type: str | None = None) -> Reply:
    return Reply(200, {"status": "COMPLETED", "error": error, "error_type": error_type})


FAL_FETCHES: list[tuple[Reply, Reply, Any]] = [
    (Reply(200, example("fal_status_in_queue")), Reply(400), Pending()),
    (Reply(200, {"status": "IN_PROGRESS"}), Reply(400), Pending()),
    (
        DONE,
        Reply(200, example("fal_result_image")),
        Succeeded(("https://v3.fal.media/files/rabbit/abc123.png",), 42),
    ),
    (DONE, Reply(422, example("fal_422_validation")), FailureKind.INVALID_INPUT),
    (DONE, Reply(504, example("fal_504_request_error")), FailureKind.TIMEOUT),
    (
        Reply(200, example("fal_status_completed_failed")),
        Reply(504, example("fal_504_request_error")),
        FailureKind.TIMEOUT,
    ),
    # A failed job is COMPLETED too; its status tells why when the result does not.
    (TOLD, Reply(404, {"detail": "not found"}), FailureKind.TIMEOUT),
    (TOLD, Reply(410), FailureKind.TIMEOUT),
    (TOLD, Reply(500, b"<html>"), FailureKind.TIMEOUT),
    (TOLD, Reply(429, {"detail": "slow down"}), FailureKind.TIMEOUT),
    (TOLD, Reply(200, b"null"), FailureKind.TIMEOUT),
    (TOLD, Reply(200, {}), FailureKind.TIMEOUT),
    (TOLD, Reply(422, example("fal_422_validation")), FailureKind.INVALID_INPUT),
    (told("Invalid status code: 422"), Reply(404), FailureKind.INVALID_INPUT),
    (told("x", "content_policy_violation"), Reply(404), FailureKind.BLOCKED),
    (told(None, "runner_disconnected"), Reply(404), FailureKind.UNAVAILABLE),
    (told({"any": "thing"}), Reply(404), FailureKind.UNAVAILABLE),
    (told(None), Reply(404), FailureKind.LOST_RESULT),
    (DONE, Reply(404, {"detail": "not found"}), FailureKind.LOST_RESULT),
    (DONE, Reply(400, {"detail": "Request is still in progress"}), DownloadFailed),
    (DONE, Reply(400, {"detail": "x", "error_type": "bad_request"}), FailureKind.INVALID_INPUT),
    (DONE, Reply(403, {"detail": "User is locked."}), DownloadFailed),
    (DONE, Reply(200, {"images": []}), FailureKind.LOST_RESULT),
    (DONE, Reply(500, b"<html>"), DownloadFailed),
    # Without a type of fal's own it is fal that fails, not the job: the picture is there, and paid.
    *((DONE, Reply(code, {"detail": "Bad gateway"}), DownloadFailed) for code in (405, 408, 502)),
    *((DONE, Reply(code, {"detail": "Unavailable"}), DownloadFailed) for code in (500, 503, 504)),
    (DONE, Reply(422, {"detail": "The prompt is empty."}), FailureKind.INVALID_INPUT),
    (TOLD, Reply(502, {"detail": "Bad gateway"}), FailureKind.TIMEOUT),
    (DONE, Reply(429, {"detail": "slow down"}), DownloadFailed),
    (DONE, Reply(401, {"detail": "bad key"}), DownloadFailed),
    (Reply(404), Reply(404), FailureKind.LOST_RESULT),
    (Reply(500), Reply(200), DownloadFailed),
    (Reply(200, b"not json"), Reply(200), Pending()),
]


@pytest.mark.parametrize(("status", "result", "expected"), FAL_FETCHES)
def test_what_became_of_a_job_at_fal(
    server: Server, status: Reply, result: Reply, expected: Any
) -> None:
    server.answer = by_path({f"{ROOT}/status": status, ROOT: result})
    if expected is DownloadFailed:
        with pytest.raises(DownloadFailed):
            client("fal", server.url).fetch(EDIT, JOB)
        return
    found = client("fal", server.url).fetch(EDIT, JOB)
    if isinstance(expected, FailureKind):
        assert isinstance(found, Failed)
        assert found.failure.kind is expected
    else:
        assert found == expected
    assert {request.method for request in server.requests} == {"GET"}


REPLICATE_FETCHES: list[tuple[Reply, Any]] = [
    (Reply(200, example("replicate_webhook_starting_docs")), Pending()),
    (Reply(200, example("replicate_prediction_aborted")), FailureKind.TIMEOUT),
    (Reply(200, example("replicate_prediction_data_removed")), FailureKind.LOST_RESULT),
    (Reply(200, example("replicate_webhook_failed_nsfw_e005")), FailureKind.BLOCKED),
    (Reply(200, {"status": "melted"}), Pending()),
    (Reply(200, b"not json"), Pending()),
    (Reply(404, {"detail": "not found"}), FailureKind.LOST_RESULT),
    (Reply(500), DownloadFailed),
    (Reply(401), DownloadFailed),
]


@pytest.mark.parametrize(("reply", "expected"), REPLICATE_FETCHES)
def test_what_became_of_a_job_at_replicate(server: Server, reply: Reply, expected: Any) -> None:
    server.answer = by_path({"/v1/predictions/job-1": reply})
    if expected is DownloadFailed:
        with pytest.raises(DownloadFailed):
            client("replicate", server.url).fetch(PRO, JOB)
        return
    found = client("replicate", server.url).fetch(PRO, JOB)
    if isinstance(expected, FailureKind):
        assert isinstance(found, Failed)
        assert found.failure.kind is expected
    else:
        assert found == expected


@BOTH
@pytest.mark.parametrize("answer", [RESET, Hang(1.0)])
@pytest.mark.usefixtures("in_a_hurry")
def test_a_provider_that_cannot_be_asked(server: Server, name: str, answer: Any) -> None:
    server.answer = answer
    with pytest.raises(DownloadFailed):
        client(name, server.url).fetch(ENDPOINTS[name], JOB)
    assert len(server.requests) == 1


# --- upload ---

PICTURE = picture(1024, 1024)
TOKEN = {"token": "file-token", "token_type": "Bearer", "base_url": "https://v3.fal.media"}
ACCESS = Reply(200, {**TOKEN, "expires_at": "2026-01-01T01:00:00+00:00"})
ACCESS_PATH, FILE_PATH = "/storage/auth/token", "/files/upload"


def upload(name: str, url: str) -> Any:
    return client(name, url).upload(PICTURE, "image/png", "elena.png")


def uploading(name: str, answer: Any) -> Callable[[Request], Any]:
    """The server's answers when the one to the file itself is `answer`."""
    path = {"fal": FILE_PATH, "replicate": "/v1/files"}[name]
    return lambda request: {ACCESS_PATH: ACCESS, path: answer}[request.path.partition("?")[0]]


def test_a_file_for_fal_is_one_token_and_one_post(server: Server) -> None:
    server.answer = uploading("fal", Reply(200, {"access_url": "https://v3.fal.media/files/1"}))
    assert upload("fal", server.url) == Uploaded("https://v3.fal.media/files/1")
    token, file = server.requests
    assert (token.method, token.path) == ("POST", f"{ACCESS_PATH}?storage_type=fal-cdn-v3")
    assert token.headers["authorization"] == "Key key"
    assert (file.method, file.path, file.body) == ("POST", FILE_PATH, PICTURE)
    assert file.headers["authorization"] == "Bearer file-token"
    assert file.headers["content-type"] == "image/png"
    assert file.headers["x-fal-file-name"] == "elena.png"
    lifecycle = json.loads(file.headers["x-fal-object-lifecycle"])
    assert lifecycle == {"expiration_duration_seconds": 24 * 3600}, "it dies when it is forgotten"


def test_a_file_for_replicate_is_one_post(server: Server) -> None:
    server.answer = Reply(201, example("replicate_file_response"))
    expires_at = datetime(2026, 1, 2, 0, 0, 10, tzinfo=UTC)
    assert upload("replicate", server.url) == Uploaded(
        "https://files.example.com/1.png", expires_at
    )
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/v1/files")
    assert request.headers["authorization"] == "Bearer token"
    head, _, rest = request.body.partition(b"\r\n\r\n")
    assert b'name="content"; filename="elena.png"' in head
    assert b"Content-Type: image/png" in head
    assert rest.startswith(PICTURE)


@BOTH
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(429, {"detail": "slow down"}, {"Retry-After": "4"}), NotCreated),
        (Reply(500, b"oops"), NotCreated),
        (Reply(408, b""), NotCreated),
        (Reply(401, {"detail": "no"}), Rejected),
        (Reply(413, {"detail": "too large"}), Rejected),
        (Reply(200, b"not json"), NotCreated),
        (Reply(200, {"urls": {}}), NotCreated),
        (RESET, NotCreated),
        (Hang(1.0), NotCreated),
    ],
    ids=lambda value: str(value)[:16],
)
@pytest.mark.usefixtures("in_a_hurry")
def test_an_upload_that_fails_is_one_request_and_created_no_job(
    server: Server, name: str, reply: Any, expected: type
) -> None:
    server.answer = uploading(name, reply)
    found = upload(name, server.url)
    assert isinstance(found, expected)
    if isinstance(found, NotCreated) and isinstance(reply, Reply):
        assert found.retry_after_seconds == (4.0 if reply.status == 429 else None)
    files = [request for request in server.requests if not request.path.startswith(ACCESS_PATH)]
    assert len(files) == 1


@pytest.mark.parametrize(("status", "expected"), [(401, Rejected), (500, NotCreated)])
def test_without_a_token_fal_gets_no_file(server: Server, status: int, expected: type) -> None:
    server.answer = Reply(status, {"detail": "no"})
    assert isinstance(upload("fal", server.url), expected)
    assert [request.path.partition("?")[0] for request in server.requests] == [ACCESS_PATH]


def test_fals_own_hosts_are_asked_when_no_simulator_stands_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.scheme, request.url.host, request.headers["host"]))
        bodies = {
            "rest.fal.ai": {**TOKEN, "expires_at": "2026-01-01T01:00:00+00:00"},
            "v3.fal.media": {"access_url": "https://v3.fal.media/files/1"},
        }
        return httpx.Response(200, json=bodies.get(request.url.host, {"request_id": "a"}))

    monkeypatch.setattr(httpx, "HTTPTransport", lambda **_: httpx.MockTransport(answer))
    assert isinstance(upload("fal", "https://queue.fal.run"), Uploaded)
    assert isinstance(submit("fal", "https://queue.fal.run"), Accepted)
    hosts = ["rest.fal.ai", "v3.fal.media", "queue.fal.run"]
    assert asked == [("https", host, host) for host in hosts]


# --- find, cancel, and where the key may go ---


def test_replicate_finds_a_job_by_its_webhook(server: Server) -> None:
    server.answer = Reply(
        200, {"results": [{"id": "a", "webhook": "https://x"}, {"id": "b", "webhook": HOOK}]}
    )
    assert client("replicate", server.url).find(HOOK) == ProviderHandle("b")
    assert client("replicate", server.url).find("https://other") is None
    for nothing in (Reply(200, b"[]"), Reply(500), Reply(200, {"results": []})):
        server.answer = nothing
        assert client("replicate", server.url).find(HOOK) is None
    assert client("fal", server.url).find(HOOK) is None


@pytest.mark.parametrize("answer", example("fal_cancel_responses"), ids=lambda a: a["http_status"])
def test_what_fal_says_to_a_cancel(server: Server, answer: dict[str, Any]) -> None:
    server.answer = Reply(answer["http_status"], answer["body"])
    in_time = answer["body"]["status"] == "CANCELLATION_REQUESTED"
    assert client("fal", server.url).cancel(EDIT, JOB) is in_time


@BOTH
def test_a_job_without_a_webhook_is_asked_for_and_found_nowhere(server: Server, name: str) -> None:
    server.answer = Reply(200, {"request_id": "a", "id": "a"})
    provider = client(name, server.url)
    assert isinstance(provider.submit(ENDPOINTS[name], {"prompt": "x"}, None), Accepted)
    [request] = server.requests
    assert "webhook" not in request.path
    assert b"webhook" not in request.body
    server.answer = Reply(200, {"results": [{"id": "another's", "webhook": None}]})
    assert provider.find(None) is None


@BOTH
def test_cancel_asks_once(server: Server, name: str) -> None:
    server.answer = Reply(202, {"status": "CANCELLATION_REQUESTED"})
    assert client(name, server.url).cancel(ENDPOINTS[name], JOB) is True
    server.answer = Reply(400, {"status": "ALREADY_COMPLETED"})
    assert client(name, server.url).cancel(ENDPOINTS[name], JOB) is False
    paths = {
        "fal": ("PUT", f"{ROOT}/cancel"),
        "replicate": ("POST", "/v1/predictions/job-1/cancel"),
    }
    assert [(r.method, r.path) for r in server.requests] == [paths[name]] * 2


def test_the_key_goes_to_fal_alone(server: Server) -> None:
    # Another name for the same server, so that a request that must not be made would arrive.
    evil = f"http://localhost:{server.server_port}/fal-ai/x/requests/job-1"
    stolen = ProviderHandle("job-1", evil + "/status", evil, evil + "/cancel")
    with pytest.raises(DownloadFailed):
        client("fal", server.url).fetch(EDIT, stolen)
    assert client("fal", server.url).cancel(EDIT, stolen) is False
    assert server.requests == []


def test_fals_own_urls_are_used_as_they_are(server: Server) -> None:
    url = "https://queue.fal.run/other/app/requests/job-1"
    handle = ProviderHandle("job-1", url + "/status", url + "/response", url + "/cancel")
    server.answer = by_path(
        {
            "/other/app/requests/job-1/status": DONE,
            "/other/app/requests/job-1/response": Reply(200, example("fal_result_image")),
        }
    )
    assert isinstance(client("fal", server.url).fetch(EDIT, handle), Succeeded)


# --- the transport itself ---


def _get(url: str) -> httpx.Response:
    with httpx.Client(transport=OneRequest()) as http:
        return http.get(url)


def test_the_transports_three_exceptions(server: Server, in_a_hurry: None) -> None:
    server.answer = Reply(418, b"teapot", {"X-A": "b"})
    with pytest.raises(NotOk) as caught:
        _get(server.url)
    assert (caught.value.status, caught.value.body) == (418, b"teapot")
    for answer in (RESET, Hang(1.0)):
        server.answer = answer
        with pytest.raises(NoAnswer):
            _get(server.url)
    with pytest.raises(NeverSent):
        _get("http://127.0.0.1:1/")


def test_a_time_out_that_a_client_leaves_out_is_put_back(server: Server, in_a_hurry: None) -> None:
    server.answer = Hang(2.0)
    begun = time.monotonic()
    with httpx.Client(transport=OneRequest(), timeout=None) as http, pytest.raises(NoAnswer):
        http.post(server.url)
    assert time.monotonic() - begun < 1.5
