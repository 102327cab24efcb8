"""POST a callback to a customer's URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.callback import Attempt, accepted, retry_after
from storyhook.domain.errors import DownloadFailed, UnsafeUrl
from storyhook.web.request import NETWORK_ERRORS, send

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from storyhook.ports import Clock
    from storyhook.web.guard import Guard

_TOTAL_SECONDS = 10.0
# Only the status counts; the customer's answer is not read further than this.
_MAX_ANSWER_BYTES = 4096
_SHOWN_CHARACTERS = 500


@dataclass(frozen=True)
class HttpSender:
    guard: Guard
    clock: Clock

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        at = self.clock()
        try:
            answer = send(
                self.guard,
                "POST",
                url,
                headers={**headers, "Content-Type": "application/json", "User-Agent": "storyhook"},
                body=body,
                total_seconds=_TOTAL_SECONDS,
                max_bytes=_MAX_ANSWER_BYTES,
            )
        except (UnsafeUrl, DownloadFailed) as error:
            return Attempt(at, None, error.detail, self._since(at))
        except NETWORK_ERRORS as error:
            return Attempt(at, None, f"no answer ({type(error).__name__})", self._since(at))
        attempt = Attempt(at, answer.status, duration_seconds=self._since(at))
        if accepted(attempt):
            return attempt
        return Attempt(
            at,
            answer.status,
            duration_seconds=attempt.duration_seconds,
            response=_shown(answer.body),
            not_before=retry_after(answer.headers.get("retry-after"), self.clock()),
        )

    def _since(self, at: datetime) -> float:
        return round((self.clock() - at).total_seconds(), 3)


def _shown(body: bytes) -> str | None:
    """The beginning of an answer as text, for the customer's own eyes."""
    text = body[:_MAX_ANSWER_BYTES].decode("utf-8", "replace")[:_SHOWN_CHARACTERS]
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text) or None
