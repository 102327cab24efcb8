"""Who is calling: a bearer key, or a shared link's secret, is known by its SHA-256 only."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storyhook.domain.access import ApiKey
    from storyhook.ports import Clock
    from storyhook.ports.access import Keys

_BEARER = re.compile(r"Bearer (sh[kr]_[A-Za-z0-9_-]{20,100})", re.ASCII)


@dataclass(frozen=True)
class Authorize:
    keys: Keys
    clock: Clock

    def __call__(self, authorization: str | None) -> ApiKey | None:
        """The key of an `Authorization: Bearer shk_…` (or `shr_…`) header, or None."""
        match = _BEARER.fullmatch(authorization or "")
        if match is None:
            return None
        sha256 = hashlib.sha256(match.group(1).encode()).hexdigest()
        return self.keys.find(sha256, self.clock())
