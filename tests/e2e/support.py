"""What the end-to-end tests stand on: a caller, and a place that serves portraits and is called."""

import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx
from PIL import Image

from local.cloud import LocalCloud

Json = dict[str, Any]


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Json:
        document: Json = json.loads(self.body)
        return document


@dataclass
class Customer:
    """The customer's own server: GET answers a portrait, POST takes a callback."""

    received: list[Received] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    _arrived: threading.Condition = field(default_factory=threading.Condition)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        customer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, portrait(self.path), "image/png")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self._answer(customer._take(self.path, dict(self.headers.items()), body), b"", "")

            def _answer(self, status: int, body: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        with self._arrived:
            names = {name.lower(): value for name, value in headers.items()}
            self.received.append(Received(path, names, body))
            self._arrived.notify_all()
            planned = self.answers.get(path)
            return planned.pop(0) if planned else 204

    def at(self, path: str) -> list[Received]:
        return [each for each in self.received if each.path == path]

    def wait_for(self, path: str, count: int = 1, seconds: float = 30) -> list[Received]:
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.at(path)) >= count, seconds):
                raise TimeoutError(f"{len(self.at(path))} of {count} callbacks at {path}")
        return self.at(path)


def portrait(name: str) -> bytes:
    """A different picture for each name, one megapixel."""
    colour = tuple(40 + sum(name.encode()) * factor % 180 for factor in (1, 7, 13))
    file = io.BytesIO()
    Image.new("RGB", (1024, 1024), colour).save(file, "PNG", compress_level=1)
    return file.getvalue()


@dataclass(frozen=True)
class Caller:
    """An HTTP client of the API, as a customer writes one."""

    cloud: LocalCloud
    http: httpx.Client

    def post(self, path: str, body: Any, **kwargs: Any) -> httpx.Response:
        return self.http.post(self.cloud.api_url + path, json=body, **kwargs)

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.http.get(self.cloud.api_url + path, **kwargs)

    def finished(self, path: str, seconds: float = 60) -> Json:
        """The prediction or board at `path`, once it is neither queued nor running."""
        return until(
            lambda: self.get(path).json(),
            lambda thing: thing["status"] not in ("queued", "running"),
            seconds,
            path,
        )


def introduce(caller: Caller, customer: Customer) -> list[Json]:
    """Elena and Marcus, with a portrait each."""
    described = {
        "elena": ("Elena", "young woman with long red hair, green eyes", "brown leather jacket"),
        "marcus": ("Marcus", "tall man with short black hair, beard", "blue robes"),
    }
    characters = []
    for id_, (name, description, outfit) in described.items():
        answer = caller.post(
            "/characters",
            {
                "id": id_,
                "name": name,
                "description": description,
                "outfit": outfit,
                "reference_image_url": customer.url(f"/{id_}.png"),
            },
        )
        assert answer.status_code == 201, answer.text
        characters.append(answer.json())
    return characters


@dataclass(frozen=True)
class Simulator:
    """The control of a simulated provider."""

    url: str

    def configure(self, **settings: Any) -> None:
        httpx.patch(f"{self.url}/_control/settings", json=settings).raise_for_status()

    def jobs(self, prompt: str) -> list[Json]:
        """Every job it ever accepted whose prompt holds this text."""
        rows = httpx.get(f"{self.url}/_control/predictions").json()["predictions"]
        return [row for row in rows if prompt in row["prompt"]]

    def requests(self) -> dict[str, int]:
        """How often each route was asked, as "POST /path"."""
        counts: dict[str, int] = httpx.get(f"{self.url}/_control/summary").json()["requests"]
        return counts

    def count(self) -> int:
        return len(httpx.get(f"{self.url}/_control/predictions").json()["predictions"])


def until[Thing](
    look: Callable[[], Thing], good: Callable[[Thing], bool], seconds: float, what: str
) -> Thing:
    """Look until it is good; TimeoutError with the last sight of it."""
    deadline = time.monotonic() + seconds
    while True:
        thing = look()
        if good(thing):
            return thing
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} after {seconds} s: {str(thing)[:1500]}")
        time.sleep(0.2)
