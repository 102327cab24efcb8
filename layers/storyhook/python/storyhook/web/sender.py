"""POST a callback to a customer's URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.callback import Attempt
from storyhook.domain.errors import DownloadFailed, UnsafeUrl
from storyhook.web.request import NETWORK_ERRORS, send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storyhook.ports import Clock
    from storyhook.web.guard import Guard

_TOTAL_SECONDS = 10.0
# Only the status counts; the customer's answer is not read further than this.
_MAX_ANSWER_BYTES = 4096


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
            return Attempt(at, None, error.detail)
        except NETWORK_ERRORS as error:
            return Attempt(at, None, f"no answer ({type(error).__name__})")
        return Attempt(at, answer.status)
