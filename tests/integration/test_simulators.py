"""The simulated providers, seen through the official clients and real webhooks."""

import base64
import hashlib
import io
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fal_client
import fal_client.client
import httpx
import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from PIL import Image, ImageChops, ImageDraw
from replicate.client import Client as ReplicateClient
from replicate.exceptions import ReplicateError
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret
from standardwebhooks import Webhook, WebhookVerificationError

ROOT = Path(__file__).parents[2]
DEADLINE = 20.0
SPEED = 50
EDIT = "fal-ai/flux-2-pro/edit"
TEXT = "fal-ai/flux-2-pro"
PRO = "black-forest-labs/flux-2-pro"
WIDE = {"width": 672, "height": 384}


# --- the other side: pictures to fetch, webhooks to receive ---------------------------------


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


@dataclass
class Receiver:
    """Serves reference images and takes webhooks; answers can be set beforehand."""

    url: str = ""
    got: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def hook(self, name: str) -> str:
        return f"{self.url}/hooks/{name}?token=abc"

    def take(self, received: Received) -> int:
        with self.changed:
            self.got.append(received)
            self.changed.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def wait(self, wanted: Callable[[Received], bool], count: int = 1) -> list[Received]:
        def found() -> list[Received]:
            return [each for each in self.got if wanted(each)]

        with self.changed:
            assert self.changed.wait_for(lambda: len(found()) >= count, DEADLINE), self.got
            return found()

    def final(self, name: str, count: int = 1) -> list[Received]:
        """The terminal webhooks that came to this hook."""

        def terminal(each: Received) -> bool:
            status = each.json["status"]
            return each.path.startswith(f"/hooks/{name}?") and status not in (
                "starting",
                "processing",
            )

        return self.wait(terminal, count)


def _portrait(number: int) -> bytes:
    dice = random.Random(number)
    colours = [(dice.randint(0, 255), dice.randint(0, 255), dice.randint(0, 255)) for _ in "abc"]
    image = Image.new("RGB", (384, 512), colours[0])
    draw = ImageDraw.Draw(image)
    draw.ellipse((120, 80, 264, 280), colours[1])
    draw.rectangle((80, 300, 304, 512), colours[2])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rsplit("/", 1)[-1]
            if not name.endswith(".png"):
                return self._answer(404, b"no such picture")
            data = _portrait(int(name.removesuffix(".png").lstrip("cut") or 0))
            return self._answer(200, data[: len(data) // 2] if "cut" in name else data)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {key.lower(): value for key, value in self.headers.items()}
            status = receiver.take(Received(self.path, headers, body, time.time()))
            self._answer(status, b"", {"Location": "/elsewhere"} if status == 302 else {})

        def _answer(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    return Handler


@pytest.fixture(scope="module")
def _receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()


@pytest.fixture
def receiver(_receiver: Receiver) -> Receiver:
    _receiver.got.clear()
    _receiver.answers.clear()
    return _receiver


# --- the simulators ----------------------------------------------------------------------


def start(provider: str, *options: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", f"local.simulators.{provider}", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--parent-pid", str(os.getpid()), "--max-seconds", "240", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
    assert ready, f"the {provider} simulator did not start"
    return process, process.stdout.readline().split()[-1]


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(DEADLINE)
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()


@dataclass
class Sim:
    url: str
    http: httpx.Client

    def set(self, **patch: Any) -> None:
        answer = self.http.patch("/_control/settings", json=patch)
        assert answer.status_code == 200, answer.text

    def faults(self, **probabilities: float) -> None:
        self.set(faults=probabilities)

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.http.get("/_control/predictions").json()
        return state

    @property
    def jobs(self) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = self.state["predictions"]
        return jobs

    def settle(self) -> None:
        """Wait until no job runs and no delivery is under way."""
        answer = self.http.get(f"/_control/idle?timeout={DEADLINE}", timeout=DEADLINE + 5)
        assert answer.status_code == 200, answer.text

    def until(self, job_id: str, status: str) -> dict[str, Any]:
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            (job,) = [each for each in self.jobs if each["id"] == job_id]
            if job["status"] == status:
                return job
        raise AssertionError(f"{job_id} did not become {status}")


def _running(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    settings = tmp_path_factory.mktemp(provider) / "settings.json"
    settings.write_text(json.dumps({"speed": SPEED}))
    process, url = start(provider, "--settings", str(settings))
    try:
        with httpx.Client(base_url=url, timeout=DEADLINE) as http:
            yield Sim(url, http)
    finally:
        stop(process)


@pytest.fixture(scope="module")
def _fal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    yield from _running("fal", tmp_path_factory)


@pytest.fixture(scope="module")
def _replicate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    yield from _running("replicate", tmp_path_factory)


@pytest.fixture
def fal(_fal: Sim, monkeypatch: pytest.MonkeyPatch) -> Sim:
    _fal.http.post("/_control/reset")
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{_fal.url}/")
    _fal.http.headers["Authorization"] = "Key sim-fal-key"
    return _fal


@pytest.fixture
def fal_sdk(fal: Sim) -> fal_client.SyncClient:
    return fal_client.SyncClient(key="sim-fal-key", default_timeout=DEADLINE)


@pytest.fixture
def rep(_replicate: Sim) -> Sim:
    _replicate.http.post("/_control/reset")
    _replicate.http.headers["Authorization"] = "Bearer sim-replicate-token"
    return _replicate


@pytest.fixture
def rep_sdk(rep: Sim) -> ReplicateClient:
    client = ReplicateClient(
        api_token="sim-replicate-token", base_url=rep.url, timeout=httpx.Timeout(DEADLINE)
    )
    client.poll_interval = 0.05
    return client


# --- small helpers -----------------------------------------------------------------------


def portraits(receiver: Receiver, *numbers: int) -> list[str]:
    return [f"{receiver.url}/refs/{number}.png" for number in numbers]


def edit(receiver: Receiver, count: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "prompt": "Elena and Marco at the market",
        "image_urls": portraits(receiver, *range(count)),
        "image_size": WIDE,
        "seed": 7,
        "output_format": "png",
        **more,
    }


def text(**more: Any) -> dict[str, Any]:
    return {"prompt": "an empty harbour at night", "image_size": WIDE, "seed": 7, **more}


def fal_post(fal: Sim, endpoint: str, body: Any, hook: str | None = None) -> httpx.Response:
    params = {} if hook is None else {"fal_webhook": hook}
    return fal.http.post(f"/{endpoint}", json=body, params=params)


def rep_post(rep: Sim, **more: Any) -> httpx.Response:
    body = {"version": PRO, "input": {"prompt": "a forest", "output_format": "png"}, **more}
    return rep.http.post("/v1/predictions", json=body)


def verify_fal(received: Received, keys: dict[str, Any], now: float | None = None) -> None:
    """As section 3 of the facts page says; raises if it does not hold."""
    names = ("request-id", "user-id", "timestamp", "signature")
    parts = [received.headers[f"x-fal-webhook-{name}"] for name in names]
    assert abs((now or time.time()) - int(parts[2])) <= 300, "stale"
    digest = hashlib.sha256(received.body).hexdigest()
    message = "\n".join([*parts[:3], digest]).encode()
    for key in keys["keys"]:
        x = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
        try:
            VerifyKey(x).verify(message, bytes.fromhex(parts[3]))
        except BadSignatureError:
            continue
        return
    raise BadSignatureError("no key matches")


def jwks(fal: Sim) -> dict[str, Any]:
    keys: dict[str, Any] = fal.http.get("/.well-known/jwks.json").json()
    return keys


def picture(url: str) -> Image.Image:
    answer = httpx.get(url, timeout=DEADLINE)
    assert answer.status_code == 200
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def scene(image: Image.Image) -> Image.Image:
    """Without the caption, which shows the prediction's id."""
    return image.convert("RGB").crop((0, 0, image.width, round(image.height * 0.75)))


# --- fal: the official client --------------------------------------------------------------


def test_fal_client_submits_polls_and_fetches(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    fal.set(latency_seconds=30)
    handle = fal_sdk.submit(EDIT, edit(receiver))
    # The root app without the sub-path, as real answers show for nested endpoint ids.
    assert handle.response_url == f"{fal.url}/fal-ai/flux-2-pro/requests/{handle.request_id}"
    seen = {type(each).__name__ for each in handle.iter_events(interval=0.01)}
    assert "Completed" in seen
    assert "InProgress" in seen
    result = handle.get()
    assert result["seed"] == 7
    assert set(result["images"][0]) == {"url", "content_type"}
    image = picture(result["images"][0]["url"])
    assert (image.format, image.size) == ("PNG", (672, 384))
    assert fal_sdk.result(EDIT, handle.request_id) == result
    (job,) = fal.jobs
    assert (job["id"], job["reference_count"]) == (handle.request_id, 2)
    assert job["price"] == "0.060"  # 0.03 + 0.015 for each of two small references
    raw = fal.http.get(handle.response_url)
    assert raw.headers["X-Fal-Billable-Units"] == "3"


def test_fal_status_carries_logs_and_metrics(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    handle = fal_sdk.submit(TEXT, text())
    handle.get()
    status = handle.status(with_logs=True)
    assert isinstance(status, fal_client.Completed)
    assert status.error is None
    assert status.logs
    assert status.metrics["inference_time"] >= 10  # the provider's own seconds


def test_fal_client_cancels_a_queued_job(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    fal.set(slots=0)
    first = fal_sdk.submit(TEXT, text(), webhook_url=receiver.hook("first"))
    second = fal_sdk.submit(TEXT, text())
    assert first.status() == fal_client.Queued(position=0)
    assert second.status() == fal_client.Queued(position=1)
    first.cancel()
    assert receiver.final("first")[0].json["error"] == "Invalid status code: 499"
    status = first.status()
    assert isinstance(status, fal_client.Completed)
    assert status.error_type == "client_cancelled"
    assert fal.http.put(first.cancel_url).json() == {"status": "ALREADY_COMPLETED"}
    assert fal.http.put(first.cancel_url).status_code == 400
    unknown = first.cancel_url.replace(first.request_id, "no-such-id")
    assert fal.http.put(unknown).json() == {"status": "NOT_FOUND"}
    fal.set(slots=1)
    assert second.get()["images"]


def test_fal_slots_let_jobs_wait_their_turn(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    fal.set(slots=1)
    handles = [fal_sdk.submit(TEXT, text(seed=seed)) for seed in range(3)]
    for handle in handles:
        handle.get()
    times = [(job["started_at"], job["completed_at"]) for job in fal.jobs]
    assert times[0][1] <= times[1][0] <= times[1][1] <= times[2][0]


def test_fal_start_deadline_and_queue_limit(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    fal.set(slots=0)
    handle = fal_sdk.submit(TEXT, text(), start_timeout=10)
    fal.until(handle.request_id, "timeout")
    answer = fal.http.get(handle.response_url)
    assert answer.status_code == 504
    assert answer.json() == {"detail": "Request timed out", "error_type": "request_timeout"}
    assert answer.headers["X-Fal-Request-Timeout-Type"] == "user"
    fal_sdk.submit(TEXT, text())
    refused = fal.http.post(f"/{TEXT}?fal_max_queue_length=1", json=text())
    assert refused.status_code == 429


@pytest.mark.parametrize(
    ("endpoint", "key", "status"),
    [(TEXT, "Key wrong", 401), (TEXT, "Bearer sim-fal-key", 401), ("fal-ai/nope", None, 404)],
)
def test_fal_refuses_strangers_and_unknown_endpoints(
    fal: Sim, endpoint: str, key: str | None, status: int
) -> None:
    headers = {} if key is None else {"Authorization": key}
    answer = fal.http.post(f"/{endpoint}", json=text(), headers=headers)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert fal.jobs == []


def test_fal_serves_no_status_below_the_sub_path(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    handle = fal_sdk.submit(EDIT, edit(receiver))
    assert fal.http.get(f"/{EDIT}/requests/{handle.request_id}/status").status_code == 405
    assert fal.http.get(f"/fal-ai/other/requests/{handle.request_id}/status").status_code == 404


@pytest.mark.parametrize(
    ("change", "kind", "loc"),
    [
        ({"image_urls": [f"http://127.0.0.1:1/{n}.png" for n in range(10)]},
         "sequence_too_long", ["body", "image_urls"]),
        ({"image_urls": []}, "sequence_too_short", ["body", "image_urls"]),
        ({"image_urls": None}, "value_error.missing", ["body", "image_urls"]),
        ({"image_urls": ["http://127.0.0.1:1/a.png", 5]},
         "type_error.string", ["body", "image_urls", 1]),
        ({"prompt": None}, "value_error.missing", ["body", "prompt"]),
        ({"seed": "12"}, "type_error.integer", ["body", "seed"]),
        ({"seed": True}, "type_error.integer", ["body", "seed"]),
        ({"safety_tolerance": 2}, "type_error.string", ["body", "safety_tolerance"]),
        ({"safety_tolerance": "6"}, "one_of", ["body", "safety_tolerance"]),
        ({"output_format": "webp"}, "one_of", ["body", "output_format"]),
        ({"image_size": {"width": 1024}}, "value_error.missing", ["body", "image_size", "height"]),
        ({"image_size": "huge"}, "one_of", ["body", "image_size"]),
        ({"num_images": 4}, "value_error.extra", ["body", "num_images"]),
    ],
)  # fmt: skip
def test_fal_takes_wrong_input_and_fails_later(
    fal: Sim, receiver: Receiver, change: dict[str, Any], kind: str, loc: list[Any]
) -> None:
    submitted = fal_post(fal, EDIT, edit(receiver, **change), receiver.hook("wrong"))
    assert submitted.status_code == 200
    (event,) = receiver.final("wrong")
    assert event.json["status"] == "ERROR"
    assert event.json["error"] == "Invalid status code: 422"
    (detail,) = event.json["payload"]["detail"]
    assert (detail["type"], detail["loc"]) == (kind, loc)
    answer = fal.http.get(submitted.json()["response_url"])
    assert answer.status_code == 422
    assert answer.json() == event.json["payload"]
    assert answer.headers["X-Fal-Retryable"] == "false"


def test_fal_client_raises_for_a_failed_job(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    handle = fal_sdk.submit(TEXT, {"image_size": WIDE})
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get()
    assert caught.value.status_code == 422


def test_fal_ignores_unknown_inputs_when_told(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    fal.set(unknown_inputs="ignore")
    assert fal_sdk.submit(TEXT, text(webhookUrl="https://x.example")).get()["images"]


def test_fal_client_retries_a_throttled_post_by_itself(
    fal: Sim, fal_sdk: fal_client.SyncClient
) -> None:
    """The trap of the official client; here it is harmless, as nothing was created."""
    fal.set(rules=[{"match_prompt": "harbour", "fault": "http_429", "times": 2}])
    fal_sdk.submit(TEXT, text())
    assert fal.state["requests"]["POST submit"] == 3
    assert fal.state["count"] == 1


# --- fal: webhooks ---------------------------------------------------------------------------


def test_fal_webhook_is_signed_by_one_of_the_keys(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    handle = fal_sdk.submit(EDIT, edit(receiver), webhook_url=receiver.hook("ok"))
    (event,) = receiver.final("ok")
    keys = jwks(fal)
    assert len(keys["keys"]) == 2
    assert all(len(key["x"]) == 43 for key in keys["keys"])  # unpadded
    verify_fal(event, keys)
    with pytest.raises(BadSignatureError):
        verify_fal(event, {"keys": keys["keys"][:1]})
    assert event.path == "/hooks/ok?token=abc"
    assert event.headers["x-fal-webhook-request-id"] == handle.request_id
    assert event.json["request_id"] == handle.request_id
    assert event.json["status"] == "OK"
    assert event.json["payload"] == handle.get()


def test_fal_keys_rotate_and_may_be_padded(fal: Sim, receiver: Receiver) -> None:
    before = jwks(fal)
    fal.http.post("/_control/rotate-keys")
    fal.set(jwks_padded=True, jwks_kid=True)
    after = jwks(fal)
    assert all(key["x"].endswith("=") and key["kid"] for key in after["keys"])
    fal_post(fal, TEXT, text(), receiver.hook("rotated"))
    (event,) = receiver.final("rotated")
    verify_fal(event, after)
    with pytest.raises(BadSignatureError):
        verify_fal(event, before)


def test_fal_retries_until_it_is_taken(fal: Sim, receiver: Receiver) -> None:
    receiver.answers += [500, 401]
    fal_post(fal, TEXT, text(), receiver.hook("retry"))
    events = receiver.final("retry", 3)
    fal.settle()
    assert len({event.body for event in events}) == 1
    for event in events:
        verify_fal(event, jwks(fal))
    (job,) = fal.jobs
    assert [each["status_code"] for each in job["deliveries"]] == [500, 401, 200]


def test_fal_does_not_follow_a_redirect(fal: Sim, receiver: Receiver) -> None:
    receiver.answers += [302]
    fal_post(fal, TEXT, text(), receiver.hook("moved"))
    receiver.final("moved")
    fal.settle()
    assert [event.path for event in receiver.got] == ["/hooks/moved?token=abc"]


def test_fal_sends_nothing_to_a_plain_http_address_elsewhere(fal: Sim) -> None:
    fal_post(fal, TEXT, text(), "http://hooks.example.com/x")
    fal.settle()
    (delivery,) = fal.jobs[0]["deliveries"]
    assert delivery["error"].startswith("not delivered")


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [("moderation", 422, "content_policy_violation"), ("fail", 503, "runner_disconnected")],
)
def test_fal_failures_in_their_real_form(
    fal: Sim,
    fal_sdk: fal_client.SyncClient,
    receiver: Receiver,
    fault: str,
    status: int,
    kind: str,
) -> None:
    fal.set(rules=[{"match_prompt": "market", "fault": fault}])
    handle = fal_sdk.submit(EDIT, edit(receiver), webhook_url=receiver.hook("bad"))
    (event,) = receiver.final("bad")
    assert event.json["error"] == f"Invalid status code: {status}"
    state = handle.status()
    assert isinstance(state, fal_client.Completed)
    assert state.error_type == kind
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        fal_sdk.result(EDIT, handle.request_id)
    assert caught.value.status_code == status
    body = event.json["payload"]
    assert kind in (body.get("error_type"), body["detail"][0]["type"] if fault != "fail" else None)
    assert fal.jobs[0]["price"] == "0"


def test_fal_detail_may_be_a_string(fal: Sim, receiver: Receiver) -> None:
    fal.faults(moderation=1, detail_string=1)
    fal_post(fal, TEXT, text(), receiver.hook("string"))
    payload = receiver.final("string")[0].json["payload"]
    assert payload == {"detail": "The content was flagged by a content checker."}


@pytest.mark.parametrize(
    ("name", "kind"), [("missing", "file_download_error"), ("cut3.png", "image_load_error")]
)
def test_fal_names_the_reference_that_is_bad(
    fal: Sim, receiver: Receiver, name: str, kind: str
) -> None:
    urls = [*portraits(receiver, 1), f"{receiver.url}/refs/{name}"]
    fal_post(fal, EDIT, edit(receiver, image_urls=urls), receiver.hook("ref"))
    (detail,) = receiver.final("ref")[0].json["payload"]["detail"]
    assert (detail["type"], detail["loc"]) == (kind, ["body", "image_urls", 1])


def test_fal_nsfw_flag_comes_with_a_black_picture(fal: Sim, receiver: Receiver) -> None:
    fal.faults(nsfw_flag=1)
    fal_post(fal, TEXT, text(output_format="png"), receiver.hook("nsfw"))
    payload = receiver.final("nsfw")[0].json["payload"]
    assert payload["has_nsfw_concepts"] == [True]
    assert picture(payload["images"][0]["url"]).getbbox() is None


def test_fal_null_payload_is_a_success_to_be_fetched(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    fal.faults(null_payload=1)
    handle = fal_sdk.submit(TEXT, text(), webhook_url=receiver.hook("null"))
    (event,) = receiver.final("null")
    assert (event.json["status"], event.json["payload"]) == ("OK", None)
    assert event.json["payload_error"]
    assert handle.get()["images"]


def test_fal_results_expire(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    handle = fal_sdk.submit(TEXT, text())
    url = handle.get()["images"][0]["url"]
    fal.set(retention_seconds=0.001)
    assert fal.http.get(handle.response_url).status_code == 404
    assert picture(url).size == (672, 384)  # files live longer than results


def test_fal_result_is_not_there_before_its_time(fal: Sim) -> None:
    fal.faults(stuck=1)
    answer = fal_post(fal, TEXT, text()).json()
    fal.until(answer["request_id"], "running")
    assert fal.http.get(answer["response_url"]).status_code == 400
    assert fal.http.get(answer["status_url"]).json()["status"] == "IN_PROGRESS"
    assert fal.http.put(answer["cancel_url"]).status_code == 202
    fal.until(answer["request_id"], "canceled")


# --- faults on the way -----------------------------------------------------------------------


def test_dropped_and_doubled_webhooks(fal: Sim, receiver: Receiver) -> None:
    fal.set(
        rules=[
            {"match_prompt": "never", "fault": "drop"},
            {"match_prompt": "twice", "fault": "double"},
        ]
    )
    fal_post(fal, TEXT, text(prompt="never told"), receiver.hook("never"))
    fal_post(fal, TEXT, text(prompt="told twice"), receiver.hook("twice"))
    fal.settle()
    assert [each.path.split("?")[0] for each in receiver.got] == ["/hooks/twice"] * 2
    assert [job["status"] for job in fal.jobs] == ["succeeded", "succeeded"]


def test_delayed_and_reordered_webhooks(fal: Sim, receiver: Receiver) -> None:
    fal.set(
        slots=1,
        delay_seconds=60.0,
        rules=[
            {"match_prompt": "delayed", "fault": "delay"},
            {"match_prompt": "held back", "fault": "reorder"},
        ],
        reorder_max_seconds=10_000,
    )
    for name in ("delayed", "held back", "third"):
        fal_post(fal, TEXT, text(prompt=name), receiver.hook(name.replace(" ", "-")))
    fal.settle()
    order = [event.path.split("?")[0].removeprefix("/hooks/") for event in receiver.got]
    assert order.index("third") < order.index("held-back")
    delayed = fal.jobs[0]
    (event,) = receiver.final("delayed")
    assert event.at - _seconds(delayed["completed_at"]) >= 60 / SPEED * 0.95


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


@pytest.mark.parametrize(
    ("fault", "status"), [("http_429", 429), ("http_5xx", 503), ("refuse_auth", 402)]
)
def test_fal_refusals_at_submit_create_nothing(fal: Sim, fault: str, status: int) -> None:
    fal.set(retry_after=3, refuse_auth_status=402, faults={fault: 1})
    answer = fal_post(fal, TEXT, text())
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == (None if status == 402 else "3")
    assert fal.jobs == []
    fal.set(retry_after=None)
    assert "Retry-After" not in fal_post(fal, TEXT, text()).headers


def test_fal_answer_may_be_lost_though_the_job_runs(fal: Sim, receiver: Receiver) -> None:
    fal.faults(lost_answer=1)
    with pytest.raises(httpx.RemoteProtocolError):
        fal_post(fal, TEXT, text(), receiver.hook("lost"))
    assert receiver.final("lost")[0].json["request_id"] == fal.jobs[0]["id"]
    fal.set(lost_answer_status=502)
    assert fal_post(fal, TEXT, text()).status_code == 502
    assert fal.state["count"] == 2


def test_fal_webhook_may_come_before_the_answer(fal: Sim, receiver: Receiver) -> None:
    fal.faults(early_webhook=1)
    answer = fal_post(fal, TEXT, text(), receiver.hook("early"))
    assert [event.json["request_id"] for event in receiver.got] == [answer.json()["request_id"]]


@pytest.mark.parametrize("kind", ["truncated", "garbage", "html", "empty", "missing"])
def test_broken_pictures(fal: Sim, receiver: Receiver, kind: str) -> None:
    fal.set(broken_image_kind=kind, faults={"broken_image": 1})
    fal_post(fal, TEXT, text(), receiver.hook("broken"))
    url = receiver.final("broken")[0].json["payload"]["images"][0]["url"]
    answer = httpx.get(url)
    assert answer.status_code == (404 if kind == "missing" else 200)
    with pytest.raises(OSError, match=r"truncated|cannot identify"):
        Image.open(io.BytesIO(answer.content)).load()


def test_fal_stale_and_bad_signatures(fal: Sim, receiver: Receiver) -> None:
    fal.set(
        rules=[
            {"match_prompt": "stale", "fault": "stale_timestamp"},
            {"match_prompt": "forged", "fault": "bad_signature"},
        ]
    )
    fal_post(fal, TEXT, text(prompt="stale"), receiver.hook("stale"))
    fal_post(fal, TEXT, text(prompt="forged"), receiver.hook("forged"))
    (stale,) = receiver.final("stale")
    verify_fal(stale, jwks(fal), now=time.time() - 600)
    with pytest.raises(AssertionError, match="stale"):
        verify_fal(stale, jwks(fal))
    (forged,) = receiver.final("forged")
    with pytest.raises(BadSignatureError):
        verify_fal(forged, jwks(fal))


def test_fault_probabilities_hit_the_same_jobs_each_time(fal: Sim) -> None:
    def blocked() -> list[str]:
        fal.set(faults={"moderation": 0.5}, seed=3)
        for number in range(12):
            fal_post(fal, TEXT, text(prompt=f"scene {number}"))
        fal.settle()
        hit = [job["prompt"] for job in fal.jobs if job["status"] == "moderation"]
        fal.http.post("/_control/reset")
        return hit

    first = blocked()
    assert 0 < len(first) < 12
    assert blocked() == first


# --- pictures ------------------------------------------------------------------------------


def _drawn(sdk: fal_client.SyncClient, endpoint: str, given: dict[str, Any]) -> Image.Image:
    return picture(sdk.submit(endpoint, given).get()["images"][0]["url"])


def test_pictures_depend_on_the_references_and_their_order(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    one_two = edit(receiver, image_urls=portraits(receiver, 1, 2))
    two_one = edit(receiver, image_urls=portraits(receiver, 2, 1))
    first, again, swapped = (
        scene(_drawn(fal_sdk, EDIT, given)) for given in (one_two, one_two, two_one)
    )
    assert ImageChops.difference(first, again).getbbox() is None
    assert ImageChops.difference(first, swapped).getbbox() is not None
    nobody = scene(_drawn(fal_sdk, TEXT, text(prompt=one_two["prompt"], output_format="png")))
    left, _, right, _ = ImageChops.difference(first, nobody).getbbox() or (0, 0, 0, 0)
    assert right - left > first.width / 4  # two cards stand in the same landscape


def test_plain_pictures_leave_only_the_scenery_out(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    fal.set(drawing="plain")
    first, swapped = (
        scene(_drawn(fal_sdk, EDIT, edit(receiver, image_urls=portraits(receiver, *order))))
        for order in ((1, 2), (2, 1))
    )
    assert first.getpixel((0, 0)) == first.getpixel((first.width - 1, first.height // 2))
    assert ImageChops.difference(first, swapped).getbbox() is not None


def test_pictures_depend_on_prompt_and_seed(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    base = text(output_format="png")
    first = scene(_drawn(fal_sdk, TEXT, base))
    for change in ({"seed": 8}, {"prompt": "a market at sunset"}):
        other = scene(_drawn(fal_sdk, TEXT, {**base, **change}))
        assert ImageChops.difference(first, other).getbbox() is not None


def test_pictures_say_what_they_were_made_from(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    handle = fal_sdk.submit(EDIT, edit(receiver, 3, output_format="jpeg"))
    image = picture(handle.get()["images"][0]["url"])
    told = json.loads(image.getexif()[270])
    assert told["prediction_id"] == handle.request_id
    assert told["references"] == [hashlib.sha256(_portrait(n)).hexdigest() for n in range(3)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("square", (512, 512)),
        ("landscape_16_9", (1024, 576)),
        ("auto", (864, 1152)),  # as the first reference (3:4), in about one megapixel
        ({"width": 300, "height": 200}, (300, 200)),
    ],
)
def test_fal_sizes(
    fal: Sim,
    fal_sdk: fal_client.SyncClient,
    receiver: Receiver,
    size: Any,
    expected: tuple[int, int],
) -> None:
    assert _drawn(fal_sdk, EDIT, edit(receiver, 1, image_size=size)).size == expected


# --- Replicate: the official client -----------------------------------------------------------


def test_replicate_client_creates_and_waits(
    rep: Sim, rep_sdk: ReplicateClient, receiver: Receiver
) -> None:
    given = {
        "prompt": "Elena and Marco in a tavern",
        "input_images": portraits(receiver, 1, 2),
        "aspect_ratio": "16:9",
        "seed": 7,
    }
    created = rep_sdk.models.predictions.create(model=PRO, input=given)
    assert (created.status, created.version) == ("starting", "hidden")
    created.wait()
    assert isinstance(created.output, str)
    image = picture(created.output)
    assert (image.format, image.size) == ("WEBP", (1344, 768))
    assert created.metrics is not None
    assert created.metrics["predict_time"] >= 10
    (job,) = rep.jobs
    assert (job["price"], job["reference_count"], job["seed"]) == ("0.060", 2, 7)


def test_replicate_client_creates_by_version_lists_and_cancels(
    rep: Sim, rep_sdk: ReplicateClient
) -> None:
    rep.set(slots=0)
    first = rep_sdk.predictions.create(version=PRO, input={"prompt": "one"})
    second = rep_sdk.predictions.create(version=PRO, input={"prompt": "two"})
    assert [each.id for each in rep_sdk.predictions.list().results] == [second.id, first.id]
    first.cancel()
    assert first.status == "canceled"
    assert rep_sdk.predictions.get(second.id).status == "starting"
    rep.set(slots=1)
    second.wait()
    assert second.status == "succeeded"
    second.cancel()
    assert second.status == "succeeded"  # it had ended


def test_replicate_list_has_pages(rep: Sim, rep_sdk: ReplicateClient) -> None:
    rep.set(slots=0)
    for _ in range(101):
        rep_post(rep)
    page = rep_sdk.predictions.list()
    assert len(page.results) == 100
    assert page.next is not None
    last = rep_sdk.predictions.list(page.next)
    assert [each.id for each in last.results] == [rep.jobs[0]["id"]]


def test_replicate_webhooks_verify_by_both_libraries(
    rep: Sim, rep_sdk: ReplicateClient, receiver: Receiver
) -> None:
    created = rep_sdk.predictions.create(
        version=PRO,
        input={"prompt": "a castle", "output_format": "png"},
        webhook=receiver.hook("castle"),
        webhook_events_filter=["completed"],
    )
    (final,) = receiver.final("castle")
    rep.settle()
    assert [event.json["status"] for event in receiver.got] == ["starting", "succeeded"]
    secret = rep_sdk.webhooks.default.secret()
    for event in receiver.got:
        Webhook(secret.key).verify(event.body, event.headers)
        Webhooks.validate(headers=event.headers, body=event.body.decode(), secret=secret)
    ours = WebhookSigningSecret(key="whsec_" + base64.b64encode(b"x" * 24).decode())
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(headers=final.headers, body=final.body.decode(), secret=ours)
    fetched = rep.http.get(f"/v1/predictions/{created.id}").json()
    assert final.json == fetched  # the bare object, no envelope
    assert fetched["webhook"] == receiver.hook("castle")
    assert fetched["webhook_events_filter"] == ["completed"]


def test_replicate_events_by_filter(rep: Sim, receiver: Receiver) -> None:
    rep.set(start_events=False)
    rep_post(rep, webhook=receiver.hook("plain"))
    rep.settle()
    assert [event.json["status"] for event in receiver.got] == ["processing", "succeeded"]
    assert receiver.got[0].json["output"] == receiver.got[1].json["output"]


def test_replicate_old_signature_may_come_first(rep: Sim, receiver: Receiver) -> None:
    rep.set(old_signature_first=True)
    rep_post(rep, webhook=receiver.hook("two"))
    (event,) = receiver.final("two")
    assert len(event.headers["webhook-signature"].split(" ")) == 2
    Webhook(rep.http.get("/v1/webhooks/default/secret").json()["key"]).verify(
        event.body, event.headers
    )


def test_replicate_retries_only_the_final_webhook(rep: Sim, receiver: Receiver) -> None:
    receiver.answers += [500, 500]  # the start event, then the first try of the final one
    rep_post(rep, webhook=receiver.hook("again"), webhook_events_filter=["completed"])
    finals = receiver.final("again", 2)
    rep.settle()
    assert [event.json["status"] for event in receiver.got].count("starting") == 1
    assert len({event.headers["webhook-id"] for event in finals}) == 1


def test_replicate_gives_up_after_about_a_minute(rep: Sim, receiver: Receiver) -> None:
    rep.set(speed=1000, start_events=False)
    receiver.answers += [500] * 50
    rep_post(rep, webhook=receiver.hook("down"), webhook_events_filter=["completed"])
    rep.settle()
    assert len(receiver.got) == 7  # the last about 60 s after completion


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "- input: prompt is required"),
        ({"prompt": 5}, "- input.prompt: Invalid type. Expected: string, given: integer"),
        ({"prompt": "x", "seed": "7"},
         "- input.seed: Invalid type. Expected: integer, given: string"),
        ({"prompt": "x", "safety_tolerance": 6},
         "- input.safety_tolerance: Must be less than or equal to 5"),
        ({"prompt": "x", "safety_tolerance": "2"}, "Expected: integer, given: string"),
        ({"prompt": "x", "output_format": "jpeg"}, "- input.output_format: input.output_format"),
        ({"prompt": "x", "width": 1001}, "- input.width: Must be a multiple of 16"),
        ({"prompt": "x", "num_outputs": 2},
         "- input: Additional property num_outputs is not allowed"),
        ({"prompt": "x", "input_images": [f"http://127.0.0.1:1/{n}.png" for n in range(9)]},
         "- input.input_images: Array must have at most 8 items"),
    ],
)  # fmt: skip
def test_replicate_refuses_wrong_input(
    rep: Sim, rep_sdk: ReplicateClient, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ReplicateError) as caught:
        rep_sdk.predictions.create(version=PRO, input=given)
    assert caught.value.status == 422
    assert caught.value.title == "Input validation failed"
    assert words in (caught.value.detail or "")
    assert rep.jobs == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metadata": {"job": 1}}, "Additional property metadata is not allowed"),
        ({"webhook": "http://hooks.example.com/x"}, "webhook: Must be a valid HTTPS URL"),
        ({"webhook_events_filter": ["done"]}, "webhook_events_filter"),
        ({"version": None}, "version is required"),
        ({"version": "lucataco/flux-dev-lora"}, "specified version does not exist"),
        ({"version": "0" * 64}, "specified version does not exist"),
    ],
)
def test_replicate_refuses_wrong_requests(rep: Sim, change: dict[str, Any], words: str) -> None:
    answer = rep_post(rep, **change)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_replicate_refuses_strangers_and_unknown_things(rep: Sim) -> None:
    assert rep.http.get("/v1/predictions/nope").status_code == 404
    body = {"input": {"prompt": "x"}}
    assert rep.http.post("/v1/models/no/such/predictions", json=body).status_code == 404
    rep.http.headers["Authorization"] = "Bearer wrong"
    answer = rep_post(rep)
    assert (answer.status_code, answer.json()["title"]) == (401, "Unauthenticated")


def test_replicate_community_models_need_their_version(rep: Sim) -> None:
    entry = {
        "typical_seconds": 5, "output": "list", "official": False, "version": "ab" * 32,
        "price": {"per_run": "0.010"},
        "input": {
            "prompt": {"type": "string", "required": True},
            "width": {"type": "integer"}, "height": {"type": "integer"},
            "output_format": {"type": "string", "default": "png"},
        },
    }  # fmt: skip
    rep.set(models={"someone/thing": entry})
    given = {"prompt": "x", "width": 320, "height": 256}
    assert rep_post(rep, version="someone/thing", input=given).status_code == 422
    for version in ("ab" * 32, f"someone/thing:{'ab' * 32}"):
        created = rep_post(rep, version=version, input=given).json()
        rep.until(created["id"], "succeeded")
        output = rep.http.get(f"/v1/predictions/{created['id']}").json()["output"]
        assert picture(output[0]).size == (320, 256)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("moderation", "flagged as sensitive. Please try again with different inputs. (E005)"),
        ("nsfw_flag", "NSFW content detected"),
        ("fail", "Prediction interrupted; please retry (code: PA)"),
    ],
)
def test_replicate_failures_in_their_real_form(
    rep: Sim, receiver: Receiver, fault: str, words: str
) -> None:
    rep.set(rules=[{"match_prompt": "forest", "fault": fault}])
    rep_post(rep, webhook=receiver.hook("bad"))
    (event,) = receiver.final("bad")
    assert (event.json["status"], event.json["output"]) == ("failed", None)
    assert words in event.json["error"]


def test_replicate_tells_of_a_reference_it_cannot_download(rep: Sim, receiver: Receiver) -> None:
    given = {"prompt": "x", "input_images": [f"{receiver.url}/refs/missing"]}
    rep_post(rep, input=given, webhook=receiver.hook("ref"))
    error = receiver.final("ref")[0].json["error"]
    assert error.startswith("Failed to download input file")
    assert "404" in error


def test_replicate_deadlines_abort_or_cancel(rep: Sim, receiver: Receiver) -> None:
    rep.set(slots=0)
    body = {"version": PRO, "input": {"prompt": "x"}, "webhook": receiver.hook("late")}
    headers = {"Cancel-After": "5s"}
    early = rep.http.post("/v1/predictions", json=body, headers=headers).json()
    rep.until(early["id"], "aborted")
    rep.settle()
    assert rep.http.get(f"/v1/predictions/{early['id']}").json()["status"] == "aborted"
    assert [event.json["status"] for event in receiver.got] == ["starting"]
    rep.set(slots=1)
    late = rep.http.post("/v1/predictions", json=body, headers=headers).json()
    assert late["deadline"]
    assert receiver.final("late")[0].json["status"] == "canceled"


def test_replicate_removes_data_and_files(rep: Sim, rep_sdk: ReplicateClient) -> None:
    created = rep_sdk.predictions.create(version=PRO, input={"prompt": "x"})
    created.wait()
    rep.set(retention_seconds=0.001)
    after = rep.http.get(f"/v1/predictions/{created.id}").json()
    assert (after["data_removed"], after["output"], after["input"]) == (True, None, {})
    assert after["status"] == "succeeded"
    assert isinstance(created.output, str)
    assert httpx.get(created.output).status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "Your rate limit resets in ~30s."),
        ({"throttle_wording": "expected", "retry_after": 1}, "Expected available in 1 second"),
    ],
)
def test_replicate_throttles_in_both_wordings(rep: Sim, change: dict[str, Any], words: str) -> None:
    rep.set(**change, faults={"http_429": 1})
    answer = rep_post(rep)
    assert answer.status_code == 429
    assert words in answer.json()["detail"]
    assert answer.headers.get("Retry-After") == (None if not change else "1")


def test_replicate_prefer_wait(rep: Sim) -> None:
    headers = {"Prefer": "wait=10"}
    body = {"version": PRO, "input": {"prompt": "x"}}
    done = rep.http.post("/v1/predictions", json=body, headers=headers)
    assert (done.status_code, done.json()["status"]) == (201, "succeeded")
    rep.set(slots=0)
    headers = {"Prefer": "wait=1"}
    assert rep.http.post("/v1/predictions", json=body, headers=headers).status_code == 202


def test_replicate_faults_on_the_way(rep: Sim, receiver: Receiver) -> None:
    rep.set(
        start_events=False,
        rules=[
            {"match_prompt": "twice", "fault": "double"},
            {"match_prompt": "stale", "fault": "stale_timestamp"},
            {"match_prompt": "forged", "fault": "bad_signature"},
        ],
    )
    secret = Webhook(rep.http.get("/v1/webhooks/default/secret").json()["key"])
    for name in ("twice", "stale", "forged"):
        rep_post(
            rep, input={"prompt": name}, webhook=receiver.hook(name),
            webhook_events_filter=["completed"],
        )  # fmt: skip
    rep.settle()
    assert len({event.headers["webhook-id"] for event in receiver.final("twice", 2)}) == 1
    for name, words in (("stale", "too old"), ("forged", "No matching")):
        (event,) = receiver.final(name)
        with pytest.raises(WebhookVerificationError, match=words):
            secret.verify(event.body, event.headers)


def test_replicate_start_event_may_come_after_the_end(rep: Sim, receiver: Receiver) -> None:
    rep.set(faults={"reorder": 1}, reorder_max_seconds=10_000)
    rep_post(rep, webhook=receiver.hook("order"), webhook_events_filter=["completed"])
    rep.settle()
    assert [event.json["status"] for event in receiver.got] == ["succeeded", "starting"]


# --- control -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "patch",
    [
        {"speed": 0},
        {"no_such": 1},
        {"faults": {"drop": 2}},
        {"faults": {"no_such": 0.1}},
        {"rules": [{"match_prompt": "x", "fault": "no_such"}]},
        {"models": {"a/b": {"input": {}}}},
    ],
)
def test_wrong_settings_change_nothing(fal: Sim, patch: dict[str, Any]) -> None:
    before = fal.http.get("/_control/settings").json()
    answer = fal.http.patch("/_control/settings", json={"delivery_pool": 9, **patch})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"]
    assert fal.http.get("/_control/settings").json() == before


def test_latency_follows_the_settings(fal: Sim) -> None:
    def seconds(endpoint: str, given: dict[str, Any]) -> float:
        answer = fal_post(fal, endpoint, given).json()
        job = fal.until(answer["request_id"], "succeeded")
        return _seconds(job["completed_at"]) - _seconds(job["started_at"])

    small = text(image_size={"width": 64, "height": 64})
    fal.set(latency_seconds={TEXT: 40.0})
    assert seconds(TEXT, small) >= 40 / SPEED * 0.95
    # The typical 10 s would now take 1000 s.
    fal.set(latency_seconds=0, speed=0.01)
    assert seconds(TEXT, small) < DEADLINE


def test_reset_forgets_jobs_and_settings(fal: Sim) -> None:
    fal.set(slots=0, delivery_pool=1)
    fal_post(fal, TEXT, text())
    fal.http.post("/_control/reset?keep_settings=1")
    assert (fal.state["count"], fal.state["requests"]) == (0, {})
    assert fal.http.get("/_control/settings").json()["delivery_pool"] == 1
    fal.http.post("/_control/reset")
    assert fal.http.get("/_control/settings").json()["delivery_pool"] == 4


def test_a_wrong_settings_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"no_such": 1}')
    command = [sys.executable, "-m", "local.simulators.fal", "--port", "0", "--settings", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 1
    assert "no_such" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("provider", ["fal", "replicate"])
def test_sigterm_stops_cleanly(provider: str, tmp_path: Path) -> None:
    process, url = start(provider)
    try:
        assert httpx.get(f"{url}/_control/health").json()["provider"] == provider
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) in (0, -signal.SIGTERM)
    finally:
        stop(process)


def test_the_time_limit_stops_it() -> None:
    process, _ = start("fal", "--max-seconds", "0.2")
    try:
        assert process.wait(DEADLINE) == 0
    finally:
        stop(process)


def test_the_end_of_the_parent_stops_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process, url = start("replicate", "--parent-pid", str(parent.pid))
    try:
        assert httpx.get(f"{url}/_control/health").status_code == 200
        parent.communicate(b"\n", DEADLINE)
        assert process.wait(DEADLINE) == 0
    finally:
        parent.kill()
        stop(process)
