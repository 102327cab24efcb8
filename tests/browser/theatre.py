"""A stage with an audience: boards that are made step by step while a browser looks on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Route

from storyhook import wiring
from storyhook.web.request import Answer as WebAnswer
from tests.browser.chromium import PATIENCE_MILLISECONDS
from tests.fixtures import cloud as clouds
from tests.fixtures import events, functions
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import BUCKET
from tests.fixtures.door import Door, opened
from tests.fixtures.functions import Stage
from tests.fixtures.gateway import Answer, Gateway
from tests.fixtures.pictures import picture
from tests.fixtures.world import done, failed
from tools.openapi.story import Story

BUCKET_URL = f"https://{BUCKET}.s3.amazonaws.com/"
Json = dict[str, Any]


class OneAtATime(Gateway):
    """The test and the browser's requests share one stage."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.lock = threading.RLock()

    def request(self, *args: Any, **values: Any) -> Answer:
        with self.lock:
            return super().request(*args, **values)


@dataclass
class Theatre:
    stage: Stage
    gateway: OneAtATime
    door: Door
    browser: Browser
    refuse_pictures: int = 0
    """So many of the next requests of pictures are refused, as those of old URLs are."""
    pictures_asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.story = Story(self.stage, self.gateway)

    @contextmanager
    def visitor(self, **how: Any) -> Iterator[BrowserContext]:
        """A browser of somebody who has nothing but a link."""
        with self.browser.new_context(**how) as context:
            context.set_default_timeout(PATIENCE_MILLISECONDS)
            context.route(f"{BUCKET_URL}**", self._picture)
            yield context

    def board(self, scenes: list[Json], **more: Any) -> Json:
        """A board whose predictions are at their providers."""
        with self.gateway.lock:
            body = {"title": "The ancient map", "model": "flux-2-pro", "seed": 7, "scenes": scenes}
            answer = self.gateway.request("POST", "/storyboards", {**body, **more})
            assert answer.status == 202, answer
            made: Json = answer.json
            self.story.submit(*(scene["candidates"][0] for scene in made["scenes"]))
            return made

    def draw(self, board: Json, number: int, data: bytes | None = None) -> None:
        """The picture of the panel of this number, counted from 1, comes."""
        page = WebAnswer(200, data or picture(1344, 768, colour="teal"), False)
        with self.gateway.lock:
            for url in events.PICTURES.values():
                self.stage.web.pages[url] = page
            row = self.story.row(self.newest(board, number))
            url = events.PICTURES[row.provider]
            self.story.hear(row.id, lambda provider, job: done(provider, job, url))

    def fail(self, board: Json, number: int, *, blocked: bool = False) -> None:
        with self.gateway.lock:
            self.story.hear(self.newest(board, number), failed, blocked=blocked)

    def newest(self, board: Json, number: int) -> str:
        """The prediction of a panel that was made last."""
        scene = self.stage.storyboards.scene(board["id"], number)
        assert scene is not None
        return scene.predictions[-1]

    def end(self, board: Json) -> None:
        with self.gateway.lock:
            self.stage.run("assemble", {"storyboard_id": board["id"]})

    def link(self, board: Json, **body: Any) -> str:
        """The page's URL at this door."""
        path = f"/storyboards/{board['id']}/share"
        answer = self.gateway.request("POST", path, body)
        assert answer.status == 201, answer
        made: str = answer.json["url"]
        return self.door.url + made.removeprefix(self.stage.environment("api")["API_URL"])

    def revoke(self, board: Json) -> None:
        """Every link; nothing of it is kept any more."""
        here = f"/storyboards/{board['id']}/shares"
        for share in self.gateway.request("GET", here).json["items"]:
            assert self.gateway.request("DELETE", f"{here}/{share['id']}").status == 204
        self.gateway.authorized.clear()

    def _picture(self, route: Route) -> None:
        url = route.request.url
        self.pictures_asked.append(url)
        if self.refuse_pictures:
            self.refuse_pictures -= 1
            time.sleep(1.1)  # two URLs that are signed in the same second are the same
            route.fulfill(status=403)
            return
        body = self.stage.images.get(urlsplit(url).path.lstrip("/"))
        route.fulfill(body=body, content_type="image/png")


@contextmanager
def open_theatre(browser: Browser) -> Iterator[Theatre]:
    """Its clock goes with the browser's, but for reads that wait: those are over in no time."""
    clock = Clock(datetime.now(UTC))

    def sleep(seconds: float) -> None:
        time.sleep(0.02)
        clock.advance(seconds=seconds)

    with (
        clouds.running() as cloud,
        pytest.MonkeyPatch.context() as patch,
        functions.staged(cloud, clock, patch) as stage,
    ):
        patch.setattr(wiring.parts, "sleep", sleep)
        stage.seed_all()
        gateway = OneAtATime(stage)
        with opened(gateway) as door:
            yield Theatre(stage, gateway, door, browser)
