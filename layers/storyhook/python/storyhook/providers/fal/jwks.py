"""fal's public keys: fetched once, kept a day, and looked up again at most once a minute."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from storyhook.domain.errors import DownloadFailed

_KEEP = timedelta(hours=24)
_MIN_GAP = timedelta(minutes=1)
_KEY_BYTES = 32


@dataclass
class Jwks:
    """`fetch` reads the key set's URL; it raises DownloadFailed."""

    fetch: Callable[[], bytes]
    _keys: tuple[bytes, ...] = ()
    _fetched_at: datetime | None = None
    _tried_at: datetime | None = None

    def keys(self, now: datetime) -> tuple[bytes, ...]:
        """The keys as known; raises DownloadFailed when there never were any."""
        if self._fetched_at is None or now - self._fetched_at > _KEEP:
            self.refresh(now)
        if not self._keys:
            raise DownloadFailed("fal's public keys cannot be had just now.", retryable=True)
        return self._keys

    def refresh(self, now: datetime) -> bool:
        """Fetch again, unless that was just tried: forged requests must not cost one each.

        Whether there are new keys. The old ones stay when it fails.
        """
        if self._tried_at is not None and now - self._tried_at < _MIN_GAP:
            return False
        self._tried_at = now
        try:
            fresh = _parse(self.fetch())
        except DownloadFailed:
            return False
        if not fresh:
            return False
        changed = fresh != self._keys
        self._keys, self._fetched_at = fresh, now
        return changed


def _parse(document: bytes) -> tuple[bytes, ...]:
    try:
        entries = json.loads(document)["keys"]
        encoded = [entry["x"] for entry in entries if entry.get("kty", "OKP") == "OKP"]
        # A conforming `x` has no padding; Python wants it.
        keys = [base64.urlsafe_b64decode(x + "=" * (-len(x) % 4)) for x in encoded]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return ()
    return tuple(key for key in keys if len(key) == _KEY_BYTES)
