"""Real requests and answers, of every operation: the examples of the document.

The functions run in this process as `make test` runs them: the template's table, bucket and queues
in moto, simulated providers, a clock and random bytes that are the same in each run.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from storyhook import wiring
from storyhook.domain.errors import DownloadFailed
from storyhook.domain.prediction import Prediction
from storyhook.http import pages
from storyhook.usecases import characters
from storyhook.web.request import Answer as WebAnswer
from tests.fixtures import cloud as clouds
from tests.fixtures import events, functions, signing
from tests.fixtures.clock import Clock, Entropy
from tests.fixtures.functions import Stage
from tests.fixtures.gateway import Answer, Gateway
from tests.fixtures.world import done, failed


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `name` is that of the example."""

    operation: str
    name: str
    path: str
    answer: Answer
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)


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
        self.exchanges.append(
            Exchange(operation, name or operation, path, answer, kept, values.get("query") or {})
        )
        return answer.json if answer.headers["content-type"].endswith("json") else None

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
        patch.setattr(wiring, "randomness", chance)
        patch.setattr(wiring.parts, "randomness", chance)
        # One after the other, so that each reference gets the same id in each run.
        patch.setattr(characters, "_PARALLEL_FETCHES", 1)
        patch.setattr(wiring, "random", SimpleNamespace(random=lambda: 0.5))
        with functions.staged(cloud, Clock(), patch) as stage:
            stage.seed_caller()
            stage.described = False  # the document is made of this
            yield stage


def told(stage: Stage) -> Story:
    """The whole story, with a request of every operation."""
    story = Story(stage, Gateway(stage))
    for part in (_characters, _one_picture, _other_ends, _board, _secrets, _pages, _refused):
        part(story)
    return story


FROM_BEHIND = "https://images.example.com/elena-back.png"
ELENA = {
    "id": "elena",
    "name": "Elena",
    "description": "young woman with long red hair, green eyes",
    "outfit": "brown leather jacket",
    "references": [
        {"url": events.REFERENCE, "role": "face", "angle": "front"},
        {"url": FROM_BEHIND, "role": "full_body", "angle": "back"},
    ],
}
PREDICTION = {
    "model": "flux-2-pro",
    "prompt": "Elena reads a map by candlelight",
    "characters": ["elena"],
    "aspect_ratio": "16:9",
    "seed": 12345,
    "options": {"output_format": "png"},
    "callback_url": events.CALLBACK_URL,
}
STORYBOARD = {
    "title": "The ancient map",
    "model": "flux-2-pro",
    "fallback_models": ["rep-flux2-pro"],
    "fallback_on_block": True,
    "style": "storybook watercolour",
    "aspect_ratio": "16:9",
    "seed": 12345,
    "callback_url": events.CALLBACK_URL,
    "callback_events": ["scene.completed", "storyboard.completed"],
    "characters": [events.CHARACTER],
    "scenes": [
        {
            "description": "Elena and Marcus meet for the first time at a crowded marketplace",
            "characters": ["elena", "marcus"],
            "setting": "medieval fantasy marketplace with colorful stalls and busy crowds",
            "shot": "wide",
            "light": "noon",
            "caption": "They meet.",
            "overrides": {"elena": {"outfit": "green cloak"}},
        },
        {"description": "Marcus unrolls the map", "characters": ["marcus"]},
        {"description": "Elena walks into the hills", "characters": ["elena"]},
    ],
}


def _characters(story: Story) -> None:
    story.stage.web.pages[FROM_BEHIND] = story.stage.web.pages[events.REFERENCE]
    story.ask("createCharacter", "POST /characters", ELENA, name="new")
    better = {**ELENA, "outfit": "green cloak"}
    story.ask("createCharacter", "POST /characters", better, name="nextVersion")
    story.ask("getCharacter", "GET /characters/elena")
    story.ask("createCharacter", "POST /characters", events.CHARACTER, name="second")
    story.ask("listCharacters", "GET /characters", query={"limit": "1"})
    story.ask("listModels", "GET /models", query={"sort": "price"})


def _one_picture(story: Story) -> None:
    dry = {"dry_run": "true"}
    story.ask("createPrediction", "POST /predictions", PREDICTION, name="dryRun", query=dry)
    one = {**PREDICTION, "model": "kontext"}
    story.ask("createPrediction", "POST /predictions", one, name="dryRunOfOneReference", query=dry)
    made = story.ask("createPrediction", "POST /predictions", PREDICTION, name="create")
    here = f"/predictions/{made['id']}"
    story.ask("getPrediction", f"GET {here}", name="running")
    story.hear(made["id"])
    story.ask("getPrediction", f"GET {here}", name="succeeded")
    story.ask("cancelPrediction", f"POST {here}/cancel", name="tooLate")
    story.deliver()
    listed = story.ask("listCallbacks", "GET /callbacks", query={"subject": made["id"]})
    callback = listed["items"][0]["urls"]
    story.ask("getCallback", f"GET {callback['self']}", name="delivered")
    silent = DownloadFailed("app.example.com did not answer.", retryable=True)
    for name, page in (
        ("silent", silent),
        ("failing", WebAnswer(500, b"oops", False)),
        ("disabled", WebAnswer(410, b"gone", False)),
    ):
        story.stage.web.pages[events.CALLBACK_URL] = page
        story.ask("replayCallback", f"POST {callback['replay']}")
        story.deliver()
        story.ask("getCallback", f"GET {callback['self']}", name=name)


def _other_ends(story: Story) -> None:
    """Blocked, failed, queued because the provider was busy, canceled."""
    for end, how in (("blocked", {"blocked": True}), ("failed", {})):
        made = story.ask("createPrediction", "POST /predictions", PREDICTION, name="create")
        story.hear(made["id"], failed, **how)
        story.ask("getPrediction", f"GET /predictions/{made['id']}", name=end)
    story.deliver()
    failing = story.ask("listCallbacks", "GET /callbacks", query={"status": "failed"})["items"][0]
    story.ask("getCallback", f"GET {failing['urls']['self']}", name="notSent")
    story.stage.web.pages[events.CALLBACK_URL] = WebAnswer(200, b"", False)
    story.ask("replayCallback", f"POST {failing['urls']['replay']}")
    story.deliver()
    busy = {**PREDICTION, "seed": 429}
    made = story.ask("createPrediction", "POST /predictions", busy, name="queued")
    story.ask("cancelPrediction", f"POST /predictions/{made['id']}/cancel", name="inTime")
    made = story.ask("createPrediction", "POST /predictions", PREDICTION, name="create")
    story.ask("cancelPrediction", f"POST /predictions/{made['id']}/cancel", name="asked")
    story.ask("listPredictions", "GET /predictions", query={"limit": "2"})


def _board(story: Story) -> None:
    """Of three scenes one succeeds, one is blocked and moves on, and the last is canceled."""
    dry = {"dry_run": "true"}
    story.ask("createStoryboard", "POST /storyboards", STORYBOARD, name="dryRun", query=dry)
    board = story.ask("createStoryboard", "POST /storyboards", STORYBOARD, name="create")
    here = f"/storyboards/{board['id']}"
    first, second, _ = (scene["candidates"][0] for scene in board["scenes"])
    story.submit(first, second)
    story.hear(first)
    story.hear(second, failed, blocked=True)
    story.submit(second)
    story.ask("getStoryboard", f"GET {here}", name="running")
    replaced = story.ask("getPrediction", f"GET /predictions/{second}", name="replaced")
    story.ask("cancelStoryboard", f"POST {here}/cancel", name="asked")
    fallback = f"/predictions/{replaced['replaced_by']}"
    story.ask("getPrediction", f"GET {fallback}", name="fallback")
    story.hear(replaced["replaced_by"], canceled)
    story.stage.run("assemble", {"storyboard_id": board["id"]})
    story.ask("getStoryboard", f"GET {here}", name="canceled")
    story.ask("cancelStoryboard", f"POST {here}/cancel", name="isOver")
    scenes = [{"description": "A lighthouse in a storm"}]
    short = {"title": "No people", "model": "flux-2-pro", "scenes": scenes}
    story.ask("createStoryboard", "POST /storyboards", short, name="withoutCharacters")
    listed = story.ask("listStoryboards", "GET /storyboards", query={"limit": "1"})
    after = {"cursor": listed["next_cursor"]}
    story.ask("listStoryboards", "GET /storyboards", query=after, name="nextPage")
    story.deliver()
    listed = story.ask("listCallbacks", "GET /callbacks", query={"limit": "2"}, name="page")
    told = next(each for each in listed["items"] if each["type"] == "storyboard.completed")
    story.ask("getCallback", f"GET {told['urls']['self']}", name="ofStoryboard")


def canceled(_provider: str, job: str) -> Any:
    """Replicate's webhook of a job that it has stopped."""
    return {"id": job, "status": "canceled", "output": None, "error": None}


def _secrets(story: Story) -> None:
    story.ask("getCallbackSecret", "GET /callback-secret")
    story.ask("rotateCallbackSecret", "POST /callback-secret/rotate")
    story.ask("rotateCallbackSecret", "POST /callback-secret/rotate", name="tooSoon")
    force = {"force": True}
    story.ask("rotateCallbackSecret", "POST /callback-secret/rotate", force, name="force")


def _pages(story: Story) -> None:
    story.ask("getDescription", "GET /openapi.json", key=None)
    story.ask("getDocs", "GET /docs", key=None)
    for name in pages.ASSETS:
        story.ask("getDocsFile", f"GET /docs/{name}", key=None)
    story.ask("getProblem", "GET /problems/unknown-model", key=None)


def _refused(story: Story) -> None:
    """What callers do wrong."""
    create = "POST /predictions"
    story.ask("createPrediction", create, b"{not json", name="notJson")
    story.ask("createPrediction", create, PREDICTION, name="noKey", key=None)
    story.ask("createPrediction", create, PREDICTION, name="unknownKey", key="shk_nobody")
    story.ask("createPrediction", create, b"[" * 300_000, name="tooLarge")
    story.ask("createPrediction", create, {**PREDICTION, "model": "x"}, name="unknownModel")
    wrong = {**PREDICTION, "promt": "Elena", "seed": -1}
    story.ask("createPrediction", create, wrong, name="invalidFields")
    story.ask("getPrediction", "GET /predictions/pred_0", name="unknown")
    scenes = [{"description": "They meet", "characters": ["elena", "nobody"]}]
    unknown = {**STORYBOARD, "scenes": scenes}
    story.ask("createStoryboard", "POST /storyboards", unknown, name="unknownCharacter")
    bad = {**ELENA, "references": [{"url": events.REFERENCE + ".html"}]}
    story.ask("createCharacter", "POST /characters", bad, name="badReference")
    forged = {"webhook-id": "msg_1", "webhook-timestamp": "1767225600", "webhook-signature": "v1,"}
    sent = next(each for each in story.exchanges if each.name == "create").answer.json
    row = story.row(sent["id"])
    token = f"/webhooks/replicate/{row.id}.{row.token}"
    story.ask("receiveWebhook", f"POST {token}", {}, name="forged", headers=forged, key=None)
