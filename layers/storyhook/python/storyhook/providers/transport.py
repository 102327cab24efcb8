"""The HTTP transport under both official clients, which makes them safe.

One call is one request: an answer that is not 2xx, or no answer, leaves this transport as one of
our own exceptions. Both clients retry on httpx's errors and on statuses (fal-client up to ten
POSTs, each a paid job); neither knows ours, so they pass straight through. Every request has a
time-out, also where a client asks for none.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_BEFORE_THE_FIRST_BYTE = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)


@dataclass
class NotOk(Exception):
    """The provider answered, but not with 2xx."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class NeverSent(Exception):
    """No connection: certainly nothing was created."""

    detail: str


@dataclass
class NoAnswer(Exception):
    """The request may have arrived; what became of it is unknown."""

    detail: str


class OneRequest(httpx.BaseTransport):
    """`rewrite` maps a host that a client has built in to the base URL that settings name."""

    def __init__(self, rewrite: Mapping[str, str] | None = None) -> None:
        # A connection that died while the function was frozen would leave an unknown outcome.
        self._inner = httpx.HTTPTransport(
            retries=0, limits=httpx.Limits(max_keepalive_connections=0)
        )
        # It logs every URL at INFO; ours hold the secrets of webhooks.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._rewrite = {host: urlsplit(url) for host, url in (rewrite or {}).items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = self._rewrite.get(request.url.host)
        if target:
            request.url = request.url.copy_with(
                scheme=target.scheme, host=target.hostname, port=target.port
            )
            request.headers["host"] = target.netloc
        request.extensions["timeout"] = TIMEOUT.as_dict()
        try:
            response = self._inner.handle_request(request)
            response.read()
        except _BEFORE_THE_FIRST_BYTE as error:
            raise NeverSent(type(error).__name__) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise NoAnswer(type(error).__name__) from error
        if not response.is_success:
            raise NotOk(response.status_code, dict(response.headers), response.content)
        return response

    def close(self) -> None:
        self._inner.close()
