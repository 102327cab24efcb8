"""Both simulators, as processes of their own, and the official clients pointed at them."""

import json
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import fal_client
import fal_client.client
import httpx
import pytest
from replicate.client import Client as ReplicateClient

from tests.integration.simulated.support import (
    DEADLINE,
    SPEED,
    Receiver,
    Sim,
    handler,
    start,
    stop,
)


@pytest.fixture(scope="module")
def _receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(receiver))
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
    _receiver.fetched.clear()
    _receiver.padding = 0
    return _receiver


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
    monkeypatch.setattr(fal_client.client, "REST_URL", _fal.url)
    monkeypatch.setattr(fal_client.client, "CDN_URL", _fal.url)
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
