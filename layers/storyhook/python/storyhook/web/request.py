"""One guarded HTTP request: no redirects, no retries, no proxy, and a clock over all of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3
from urllib3.util import Timeout

from storyhook.web.guard import Guard, Target

_CONNECT_SECONDS = 3.0
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is cut at the limit; then `truncated` is True."""

    status: int
    body: bytes
    truncated: bool


class TooSlow(Exception):
    """The whole request took longer than allowed."""


NETWORK_ERRORS = (urllib3.exceptions.HTTPError, OSError, TooSlow)


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
    deadline = time.monotonic() + total_seconds
    target = guard.pin(url)
    timeout = Timeout(connect=_CONNECT_SECONDS, read=total_seconds, total=total_seconds)
    with _pool(target, timeout) as pool:
        response = pool.urlopen(
            method,
            target.path,
            body=body,
            headers={**headers, "Host": _host_header(target)},
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
            assert_same_host=False,
        )
        try:
            data = bytearray()
            # `read1` comes back with what is there, so that a dripping server meets the clock.
            while chunk := response.read1(_CHUNK, decode_content=False):
                data += chunk
                if len(data) > max_bytes:
                    return Answer(response.status, bytes(data[:max_bytes]), True)
                if time.monotonic() > deadline:
                    raise TooSlow(f"no whole answer within {total_seconds:g} seconds")
            return Answer(response.status, bytes(data), False)
        finally:
            response.close()


def _pool(target: Target, timeout: Timeout) -> urllib3.HTTPConnectionPool:
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(target.address, target.port, timeout=timeout, maxsize=1)
    # Connect to the checked address; name and certificate are those of the host.
    return urllib3.HTTPSConnectionPool(
        target.address,
        target.port,
        timeout=timeout,
        maxsize=1,
        server_hostname=target.host,
        assert_hostname=target.host,
        cert_reqs="CERT_REQUIRED",
    )


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.scheme == "https" else f"{host}:{target.port}"
