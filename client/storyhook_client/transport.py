"""HTTP to one stack: the key, time-outs, and sending again what is safe to send again."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any

import httpx

from storyhook_client.errors import (
    BadConfiguration,
    NoAnswer,
    StoryhookError,
    UnexpectedAnswer,
    api_error,
)

Json = dict[str, Any]

CONNECT_SECONDS = 5.0
_BACK_OFF_SECONDS = 0.5
_MAX_BACK_OFF_SECONDS = 8.0
_GATEWAY_TROUBLE = {429, 500, 502, 503, 504}
_PROBLEM = "application/problem+json"
_UNKNOWN_KEY = {
    "type": "/problems/unauthorized",
    "title": "The API key is not accepted",
    "detail": "Give a key that this stack knows: STORYHOOK_API_KEY, or `storyhook configure`.",
}


@dataclass(frozen=True)
class Patience:
    """How long one answer may take, and how often a request is sent.

    A `Retry-After` longer than `max_retry_after_seconds` is not waited for: the error has it.
    """

    timeout_seconds: float = 30.0
    attempts: int = 4
    max_retry_after_seconds: float = 60.0


@dataclass(frozen=True)
class Surroundings:
    """What the client takes from the machine."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    jitter: Callable[[], float] = random.random
    new_key: Callable[[], str] = lambda: str(uuid.uuid4())


@dataclass
class Transport:
    """`url` is the stack's, with any path; `key` is `shk_…`.

    Raises BadConfiguration for plain http to another machine.
    """

    url: str
    key: str = field(repr=False)
    patience: Patience = Patience()
    around: Surroundings = Surroundings()

    def __post_init__(self) -> None:
        here = _is_loopback(self.url)
        if not (here or httpx.URL(self.url).scheme == "https"):
            raise BadConfiguration(
                f"{self.url}: the API key would go in clear; use https, or a stack on this machine."
            )
        # A proxy of the environment's would not find a stack on this machine.
        proxies = not here
        certificates = httpx.create_ssl_context()  # once: it takes longer than all the rest
        self._api = httpx.Client(
            base_url=self.url,
            headers={
                "Authorization": f"Bearer {self.key}",
                "User-Agent": f"storyhook-client/{version('storyhook-client')}",
            },
            timeout=_timeout(self.patience.timeout_seconds),
            verify=certificates,
            trust_env=proxies,
        )
        # Presigned URLs hold their own right; our key is not for them.
        self._files = httpx.Client(
            timeout=_timeout(self.patience.timeout_seconds),
            verify=certificates,
            trust_env=proxies,
        )

    def close(self) -> None:
        self._api.close()
        self._files.close()

    def get(
        self, path: str, query: Mapping[str, object] | None = None, *, wait_seconds: int = 0
    ) -> Json:
        """What is None in `query` is left out. The API may hold its answer back `wait_seconds`."""
        query = {**(query or {}), "wait": wait_seconds or None}
        return self._send("GET", path, query=query, repeatable=True, extra_seconds=wait_seconds)

    def create(self, path: str, body: Mapping[str, Any]) -> Json:
        """A POST that makes something: its Idempotency-Key makes it safe to send again."""
        key = {"Idempotency-Key": self.around.new_key()}
        return self._send("POST", path, body=body, headers=key, repeatable=True)

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool = False
    ) -> Json:
        """A POST that does something; sent once, unless twice is the same as once."""
        return self._send("POST", path, body=body, repeatable=repeatable)

    def plan(self, path: str, body: Mapping[str, Any]) -> Json:
        """A dry run: it makes nothing, so that it needs no key to be sent again."""
        return self._send("POST", path, body=body, query={"dry_run": True}, repeatable=True)

    def patch(self, path: str, body: Mapping[str, Any]) -> Json:
        return self._send("PATCH", path, body=body)

    def delete(self, path: str) -> Json:
        return self._send("DELETE", path)

    @property
    def files(self) -> httpx.Client:
        """For presigned URLs: without our key."""
        return self._files

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        extra_seconds: float = 0,
    ) -> Json:
        request = self._api.build_request(
            method,
            path,
            json=body,
            params={n: _as_text(value) for n, value in (query or {}).items() if value is not None},
            headers=headers,
            timeout=_timeout(self.patience.timeout_seconds + extra_seconds),
        )
        attempts = self.patience.attempts
        for attempt in range(1, attempts + 1):
            again = attempt < attempts
            try:
                answer = self._api.send(request)
            except httpx.TransportError as error:
                # What was never sent may be sent again, whatever it is.
                never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if not (again and (repeatable or never_sent)):
                    advice = "; is the stack running, and its URL right?" if never_sent else ""
                    raise NoAnswer(f"{method} {self.url}{path}: {error}{advice}") from error
                pause = self._back_off(attempt)
            else:
                if answer.is_success:
                    return _document(answer)
                pause_or_none = self._pause_after(answer, attempt) if again and repeatable else None
                if pause_or_none is None:
                    raise self._error(answer)
                pause = pause_or_none
            self.around.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _pause_after(self, answer: httpx.Response, attempt: int) -> float | None:
        """Seconds until the request may help; None if it would not, or not soon enough.

        A problem without Retry-After is the API's last word; trouble without a problem comes
        from a gateway before it.
        """
        told = self._retry_after(answer)
        if told is not None:
            return told if told <= self.patience.max_retry_after_seconds else None
        if answer.status_code in _GATEWAY_TROUBLE and not _is_problem(answer):
            return self._back_off(attempt)
        return None

    def _back_off(self, attempt: int) -> float:
        longest = min(_MAX_BACK_OFF_SECONDS, _BACK_OFF_SECONDS * 2.0**attempt)
        return longest * (0.5 + self.around.jitter() / 2)

    def _retry_after(self, answer: httpx.Response) -> float | None:
        """Seconds, from either form of the header."""
        text = answer.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=timezone.utc)
        return max(0.0, (until - self.around.now()).total_seconds())

    def _error(self, answer: httpx.Response) -> StoryhookError:
        retry_after = self._retry_after(answer)
        if _is_problem(answer):
            return api_error(answer.status_code, answer.json(), retry_after)
        # API Gateway's own words, and whatever else may stand before the stack.
        if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return api_error(answer.status_code, _UNKNOWN_KEY, retry_after)
        what = f"{answer.request.method} {answer.request.url.copy_with(query=None)}"
        document = {"title": f"HTTP {answer.status_code}", "detail": f"{what}: {answer.text[:300]}"}
        return api_error(answer.status_code, document, retry_after)


def _document(answer: httpx.Response) -> Json:
    if not answer.content:
        return {}
    try:
        document = answer.json()
    except ValueError as error:
        raise UnexpectedAnswer(f"{answer.request.url}: not a Storyhook API (no JSON)") from error
    if not isinstance(document, dict):
        raise UnexpectedAnswer(f"{answer.request.url}: not a Storyhook API (no JSON object)")
    return document


def _is_problem(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("content-type", "").startswith(_PROBLEM))


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=CONNECT_SECONDS)


def _is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
