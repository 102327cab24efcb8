"""One guarded HTTP request: no redirects, no retries, no proxy, and a clock over all of it."""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.util.ssl_match_hostname import CertificateError

from storyhook.web.guard import Guard, Target

_CONNECT_SECONDS = 3.0
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is cut at the limit; then `truncated` is True. `headers` by name in lower case."""

    status: int
    body: bytes
    truncated: bool
    headers: Mapping[str, str] = field(default_factory=dict)


class TooSlow(Exception):
    """The whole request took longer than allowed."""


# urllib3 counts a certificate of another name among none of its own.
NETWORK_ERRORS = (HTTPError, OSError, TooSlow, CertificateError)


def send(
    guard: Guard,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    total_seconds: float,
    max_bytes: int,
) -> Answer:
    """Raises UnsafeUrl before anything is sent, and one of NETWORK_ERRORS after."""
    target = guard.pin(url)
    connection = _connection(target, total_seconds)
    rang = threading.Event()
    clock = threading.Timer(total_seconds, _hang_up, (connection, rang))
    try:
        connection.connect()
        connection.sock.settimeout(total_seconds)
        # Time-outs of sockets count from byte to byte: a server that drips never meets them.
        clock.start()
        connection.request(
            method,
            target.path,
            body=body,
            headers={**headers, "Host": _host_header(target)},
            preload_content=False,
            decode_content=False,
        )
        response = connection.getresponse()
        received = {name.lower(): value for name, value in response.headers.items()}
        data = bytearray()
        while chunk := response.read1(_CHUNK, decode_content=False):
            data += chunk
            if len(data) > max_bytes:
                return Answer(response.status, bytes(data[:max_bytes]), True, received)
        if rang.is_set():
            raise TooSlow(f"no whole answer within {total_seconds:g} seconds")
        return Answer(response.status, bytes(data), False, received)
    except HTTPException as error:
        raise ProtocolError(f"not an HTTP answer: {type(error).__name__}") from error
    finally:
        clock.cancel()
        connection.close()


def _hang_up(connection: HTTPConnection, rang: threading.Event) -> None:
    rang.set()
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _connection(target: Target, total_seconds: float) -> HTTPConnection:
    timeout = min(_CONNECT_SECONDS, total_seconds)
    if target.scheme == "http":
        connection = HTTPConnection(target.address, target.port, timeout=timeout)
    else:
        # Connect to the checked address; name and certificate are those of the host.
        connection = HTTPSConnection(
            target.address,
            target.port,
            timeout=timeout,
            server_hostname=target.host,
            assert_hostname=target.host,
            cert_reqs="CERT_REQUIRED",
        )
    return connection


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.scheme == "https" else f"{host}:{target.port}"
