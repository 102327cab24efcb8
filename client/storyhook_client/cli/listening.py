"""The command that takes callbacks on this machine, as a receiver of yours would."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

import click

from storyhook_client.answers import Event
from storyhook_client.cli.session import Command, Session, pass_session
from storyhook_client.errors import BadConfiguration, BadWebhook
from storyhook_client.webhooks import verify

HOST, PATH = "127.0.0.1", "/hooks"
_MAX_BODY_BYTES = 1024 * 1024
_TIMEOUT_SECONDS = 10


@click.command(cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), default=9000, show_default=True)
@click.option("--count", type=click.IntRange(1), help="End after so many; else Ctrl-C does.")
@pass_session
def listen(session: Session, port: int, count: int | None) -> None:
    """Take callbacks on this machine, for a local cloud: each is verified, then printed.

    With --json, one event per line.
    """
    secret = session.client.callbacks.secret().secret
    with _bound(session, secret, port) as server:
        session.say(f"give http://{HOST}:{server.server_port}{PATH} as callback_url")
        while count is None or server.taken < count:
            server.handle_request()


def _bound(session: Session, secret: str, port: int) -> _Server:
    try:
        return _Server(session, secret, port)
    except OSError as error:
        raise BadConfiguration(f"--port {port}: {error.strerror or error}") from error


class _Server(HTTPServer):
    """One callback at a time, so their lines come in order."""

    def __init__(self, session: Session, secret: str, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.session, self.secret = session, secret
        self.taken = 0

    def take(self, event: Event) -> None:
        self.taken += 1
        if self.session.as_json:
            click.echo(json.dumps(event.to_json(), ensure_ascii=False))
        thing, status = event.data.get("id", "-"), event.data.get("status", "-")
        self.session.say(f"{event.sequence} {event.type} {thing} {status}: the signature is right")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _TIMEOUT_SECONDS

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= _MAX_BODY_BYTES):
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        try:
            event = verify(self.server.secret, dict(self.headers.items()), body)
        except BadWebhook as error:
            self.server.session.say(f"refused: {error}", style="red")
            self.send_error(HTTPStatus.UNAUTHORIZED)
            return
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()
        self.server.take(event)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Quiet: the command itself says what came."""
