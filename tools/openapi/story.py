"""Real requests and answers, of every operation: the examples of the document.

The functions run in this process as `make test` runs them: the template's table, bucket and queues
in moto, simulated providers, a clock and random bytes that are the same in each run.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from storyhook import wiring
from storyhook.domain.prediction import Prediction
from storyhook.usecases import characters
from storyhook.wiring import keys, library, parts
from tests.fixtures import cloud as clouds
from tests.fixtures import events, functions, signing
from tests.fixtures.clock import Clock, Entropy
from tests.fixtures.functions import Stage
from tests.fixtures.gateway import Answer, Gateway
from tests.fixtures.world import done


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `name` is that of the example."""

    operation: str
    name: str
    path: str
    answer: Answer
    body: Any = None


@dataclass
class Story:
    stage: Stage
    gateway: Gateway
    exchanges: list[Exchange] = field(default_factory=list)

    def ask(
        self, operation: str, route: str, body: Any = None, *, name: str = "", **values: Any
    ) -> Any:
        """Send a request, keep it with its answer, give the answer's JSON."""
        method, _, path = route.partition(" ")
        self.stage.clock.advance(seconds=1)
        answer = self.gateway.request(method, path, body, **values)
        kept = body.decode() if isinstance(body, bytes) else body
        self._keep(operation, name or operation, path, answer, kept)
        if "etag" in answer.headers:
            had = {"if-none-match": answer.headers["etag"]}
            same = self.gateway.request(method, path, **values, headers=had)
            self._keep(operation, "unchanged", path, same)
        is_json = answer.headers.get("content-type", "").endswith("json")
        return answer.json if is_json else None

    def _keep(self, operation: str, name: str, path: str, answer: Answer, body: Any = None) -> None:
        self.exchanges.append(Exchange(operation, name, path, answer, body))

    @property
    def callbacks(self) -> list[Any]:
        """The bodies of the callbacks that were sent."""
        sent = self.stage.web.requests
        return [json.loads(body) for _, url, body, _ in sent if url == events.CALLBACK_URL and body]

    def row(self, prediction_id: str) -> Prediction:
        row = self.stage.predictions.get(prediction_id)
        assert row is not None
        return row

    def hear(self, prediction_id: str, made: Any = done, **how: Any) -> Any:
        """The provider's webhook for a prediction."""
        self.stage.clock.advance(seconds=9)
        row = self.row(prediction_id)
        assert row.handle is not None
        body = made(row.provider, row.handle.provider_id, **how)
        data = json.dumps(body).encode()
        signed = signing.SIGNERS[row.provider](data, at=self.stage.clock())
        route = f"POST /webhooks/{row.provider}/{row.id}.{row.token}"
        return self.ask("receiveWebhook", route, data, name=row.provider, headers=signed, key=None)

    def submit(self, *prediction_ids: str) -> None:
        """What a board's workflow does for its scenes."""
        bodies = [
            {"prediction_id": each, "task_token": f"task of {each}"} for each in prediction_ids
        ]
        self.stage.run("submit", events.queue("submissions", *bodies))

    def deliver(self) -> None:
        """Send every callback that waits."""
        self.stage.clock.advance(seconds=1)
        for message in self.stage.cloud.messages(self.stage.cloud.callbacks_url):
            body = {name: message[name] for name in ("callback_id", "turn")}
            self.stage.run("callback", events.queue("callbacks", body))


@contextmanager
def stage() -> Iterator[Stage]:
    """The functions with their surroundings, an API key, and nothing else."""
    chance = SimpleNamespace(token_bytes=Entropy("openapi"))
    with clouds.running() as cloud, pytest.MonkeyPatch.context() as patch:
        for module in (wiring, keys, library, parts):
            patch.setattr(module, "randomness", chance)
        # One after the other, so that each reference gets the same id in each run.
        patch.setattr(characters, "_PARALLEL_FETCHES", 1)
        patch.setattr(wiring, "random", SimpleNamespace(random=lambda: 0.5))
        with functions.staged(cloud, Clock(), patch) as stage:
            stage.seed_caller()
            stage.described = False  # the document is made of this
            yield stage
