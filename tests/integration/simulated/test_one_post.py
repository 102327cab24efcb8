"""One submit is one POST, counted at the simulators: whatever the official clients would do.

Left alone they would send some of these again, and each POST may be a paid job.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from fal_client import SyncClient

from storyhook.domain.outcome import Accepted, NotCreated, OutcomeUnknown, Rejected
from storyhook.providers import transport
from storyhook.providers.fal.client import FalClient
from storyhook.providers.replicate.client import ReplicateClient
from tests.integration.simulated.support import PRO, TEXT, Sim, text

HOOK = "https://api.example.com/webhooks/x/pred_1.secret"
BOTH = pytest.mark.parametrize("name", ["fal", "replicate"])
CREATES = {"fal": "POST submit", "replicate": "POST /v1/predictions"}


@pytest.fixture
def sim(name: str, fal: Sim, rep: Sim) -> Sim:
    return fal if name == "fal" else rep


def submit(name: str, sim: Sim, hook: str = HOOK) -> Any:
    if name == "fal":
        return FalClient("sim-fal-key", sim.url).submit(TEXT, text(), hook)
    client = ReplicateClient("sim-replicate-token", sim.url)
    return client.submit(PRO, {"prompt": "a harbour"}, hook)


def posts(name: str, sim: Sim) -> int:
    counted = sim.state["requests"]
    found = [key for key in counted if key.startswith(CREATES[name])]
    return sum(counted[key] for key in found)


TROUBLES: dict[str, tuple[dict[str, Any], type, int]] = {
    "nothing": ({}, Accepted, 1),
    "429": ({"faults": {"http_429": 1}}, NotCreated, 0),
    "429 with Retry-After": ({"faults": {"http_429": 1}, "retry_after": 1}, NotCreated, 0),
    "503": ({"faults": {"http_5xx": 1}}, NotCreated, 0),
    "500": ({"faults": {"http_5xx": 1}, "http_5xx_status": 500}, OutcomeUnknown, 0),
    "502": ({"faults": {"http_5xx": 1}, "http_5xx_status": 502}, OutcomeUnknown, 0),
    "504": ({"faults": {"http_5xx": 1}, "http_5xx_status": 504}, OutcomeUnknown, 0),
    "500 that hides a job": (
        {"faults": {"lost_answer": 1}, "lost_answer_status": 500},
        OutcomeUnknown,
        1,
    ),
    "reset after the job was made": ({"faults": {"lost_answer": 1}}, OutcomeUnknown, 1),
    "wrong key": ({"faults": {"refuse_auth": 1}}, Rejected, 0),
}


@BOTH
@pytest.mark.parametrize("trouble", TROUBLES)
def test_one_submit_is_one_post(name: str, sim: Sim, trouble: str) -> None:
    settings, expected, jobs = TROUBLES[trouble]
    sim.set(**settings)
    assert isinstance(submit(name, sim), expected)
    assert posts(name, sim) == 1
    assert sim.state["count"] == jobs


@pytest.fixture
def slow_receiver() -> Iterator[str]:
    """Takes a webhook and thinks for a while; a simulator that waits for it answers late."""
    think = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            think.wait(2)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    think.set()
    server.shutdown()
    server.server_close()


@BOTH
def test_a_time_out_is_one_post_too(
    name: str, sim: Sim, slow_receiver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is made, its webhook is under way, and the answer is later than we wait."""
    monkeypatch.setattr(transport, "TIMEOUT", httpx.Timeout(0.7, connect=0.7))
    sim.faults(early_webhook=1)
    assert isinstance(submit(name, sim, slow_receiver), OutcomeUnknown)
    assert posts(name, sim) == 1
    assert sim.state["count"] == 1


def test_what_fals_client_would_pay_by_itself(fal: Sim, fal_sdk: SyncClient) -> None:
    """Why the transport is ours: the answer is lost twice, and the bare client pays thrice."""
    fal.set(rules=[{"match_prompt": "harbour", "fault": "lost_answer", "times": 2}])
    fal_sdk.submit(TEXT, text(), webhook_url=HOOK)
    assert fal.state["requests"]["POST submit"] == 3
    assert fal.state["count"] == 3
