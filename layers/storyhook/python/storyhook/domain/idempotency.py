"""A request that may come again: what it was, and where the ids of what it creates come from."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from storyhook.domain.ids import ENTROPY_BYTES, new_id

SEED_BYTES = 32
# Longer than any function that creates may run: whoever held a claim for so long is dead.
LEASE = timedelta(seconds=45)
# How long a key stands for its first request.
KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where ids and secrets of one request come from: the same origin makes the same ones.

    A request that died half-way is done again from its origin, and lands on what it had written.
    """

    at: datetime
    seed: bytes

    def id(self, kind: str) -> str:
        return new_id(kind, self.at, self.draw(f"id {kind}", ENTROPY_BYTES))

    def draw(self, what: str, size: int) -> bytes:
        """Bytes as good as random, always the same for `what`."""
        return hashlib.shake_256(self.seed + what.encode()).digest(size)

    def part(self, name: str) -> "Origin":
        """The origin of one of several things, such as a scene."""
        return Origin(self.at, self.draw(f"part {name}", SEED_BYTES))


@dataclass(frozen=True, slots=True)
class Asked:
    """`key` is the caller's Idempotency-Key, `fingerprint` a hash of all that was asked with it."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claim:
    """That `key` of this API key stands for one request; `seed` (hex) and `at` are its origin.

    `holder` is whoever answers it now, until `lease_until`. Of one that is over nothing is kept but
    its origin: what it created is found by the ids that follow from that.
    """

    tenant: str
    key_id: str
    key: str
    fingerprint: str
    at: datetime
    seed: str
    holder: str
    lease_until: datetime
    expires_at: datetime

    @property
    def origin(self) -> Origin:
        return Origin(self.at, bytes.fromhex(self.seed))
