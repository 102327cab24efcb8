"""The customers' servers: most take a callback at once; some fail, some for ever, one is gone."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from storyhook.domain.callback import Attempt
from tests.reliability.faults import Faults
from tests.reliability.ledger import Ledger
from tests.reliability.timeline import Timeline

_TROUBLE = (500, 502, 503, 429, 302, None)


@dataclass
class Customers:
    timeline: Timeline
    faults: Faults
    ledger: Ledger

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        self.faults.may_die()
        status = self._status(url)
        self.ledger.callback(body, headers, status)
        self.faults.may_die()
        return Attempt(self.timeline.clock(), status, None if status else "no answer")

    def address(self) -> str:
        """One of a hundred."""
        return f"https://app.example.com/hooks/{self.timeline.random.randrange(100)}"

    def _status(self, url: str) -> int | None:
        if zlib.crc32(url.encode()) % 100 < 100 * self.faults.mix.down:
            self.faults.counts["down"] += 1
            return 500
        if self.faults.happens("gone"):
            return 410
        if self.faults.happens("customer"):
            return self.timeline.random.choice(_TROUBLE)
        return 200
