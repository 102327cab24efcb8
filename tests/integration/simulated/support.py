"""The other side of the simulated providers: pictures, webhooks, and their control."""

import base64
import hashlib
import io
import json
import os
import random
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[3]
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
    fetched: list[str] = field(default_factory=list)
    padding: int = 0
    """Bytes after the end of each picture: a large file that is quickly drawn."""
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


def portrait(number: int, size: tuple[int, int] = (384, 512)) -> bytes:
    dice = random.Random(number)
    colours = [(dice.randint(0, 255), dice.randint(0, 255), dice.randint(0, 255)) for _ in "abc"]
    image = Image.new("RGB", size, colours[0])
    draw = ImageDraw.Draw(image)
    draw.ellipse((120, 80, 264, 280), colours[1])
    draw.rectangle((80, 300, 304, 512), colours[2])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rsplit("/", 1)[-1]
            if not name.endswith(".png"):
                return self._answer(404, b"no such picture")
            receiver.fetched.append(name)
            number, _, sides = name.removesuffix(".png").lstrip("cut").partition("-")
            width, _, height = sides.partition("x")
            size = (int(width), int(height)) if sides else (384, 512)
            data = portrait(int(number or 0), size) + bytes(receiver.padding)
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


# --- small helpers -----------------------------------------------------------------------


def portraits(receiver: Receiver, *numbers: int) -> list[str]:
    return [f"{receiver.url}/refs/{number}.png" for number in numbers]


def with_pictures(receiver: Receiver, given: Any) -> Any:
    """The input with a real URL for each `@1`, `@2`, or `@1-2048x1024` (its size)."""
    if isinstance(given, dict):
        return {name: with_pictures(receiver, value) for name, value in given.items()}
    if isinstance(given, list):
        return [with_pictures(receiver, value) for value in given]
    if isinstance(given, str) and given.startswith("@"):
        return f"{receiver.url}/refs/{given[1:]}.png"
    return given


def shown(image: Image.Image) -> list[str]:
    """Hashes of the pictures that the model was shown, in order."""
    references: list[str] = json.loads(image.getexif()[270])["references"]
    return references


def hashes(*numbers: int) -> list[str]:
    return [hashlib.sha256(portrait(number)).hexdigest() for number in numbers]


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


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
