"""A small web server on this machine: it shows reference images and takes callbacks.

It stands for two things that belong to a customer: the place where their images are, and the
endpoint that hears about finished work.
"""

import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
CALLBACKS = "/callbacks"
_IMAGES = "/references/"
_MAX_BODY = 1024 * 1024
_TIMEOUT_SECONDS = 10

Receive = Callable[[Mapping[str, str], bytes], HTTPStatus]


class Listener:
    """Serves from `with` on; nothing is left of it after."""

    def __init__(self, receive: Receive) -> None:
        self._images: dict[str, bytes] = {}
        self._server = _Server(self._images, receive)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def callback_url(self) -> str:
        return self.url + CALLBACKS

    def serve(self, name: str, data: bytes) -> str:
        """Show an image under this name; its URL."""
        self._images[_IMAGES + name] = data
        return self.url + _IMAGES + name


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a request in progress must not keep the demo alive

    def __init__(self, images: Mapping[str, bytes], receive: Receive) -> None:
        super().__init__((HOST, 0), _Handler)
        self.images = images
        self.receive = receive


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _TIMEOUT_SECONDS

    def do_GET(self) -> None:
        data = self.server.images.get(self.path)
        if data is None:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        kind = self.path.rpartition(".")[2]
        self._answer(HTTPStatus.OK, data, f"image/{kind}")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != CALLBACKS:
            self._answer(HTTPStatus.NOT_FOUND)
        elif not (length.isascii() and length.isdigit()):
            self._answer(HTTPStatus.LENGTH_REQUIRED)
        elif int(length) > _MAX_BODY:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            body = self.rfile.read(int(length))
            self._answer(self.server.receive(dict(self.headers.items()), body))

    def _answer(self, status: HTTPStatus, data: bytes = b"", kind: str = "") -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet: the demo itself says what happened."""
