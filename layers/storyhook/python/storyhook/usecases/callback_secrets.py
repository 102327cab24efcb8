"""The secret that an API key's callbacks are signed with: show it, replace it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.errors import RotationTooSoon

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from storyhook.domain.callback_secret import SecretVersion
    from storyhook.ports import Clock
    from storyhook.ports.callbacks import SecretVersions


@dataclass(frozen=True, slots=True)
class ShownSecret:
    """`previous_expires_at`: until when the secret before it signs too, if it still does."""

    secret: str
    version: int
    previous_expires_at: datetime | None


@dataclass(frozen=True)
class CallbackSecrets:
    """`derive` makes the newest secret of a key and version."""

    versions: SecretVersions
    derive: Callable[[str, int], str]
    clock: Clock

    def read(self, key_id: str) -> ShownSecret:
        return self._shown(key_id, self.versions.get(key_id))

    def rotate(self, key_id: str, *, force: bool = False) -> ShownSecret:
        """Make the next version; the one before it signs too for a day.

        Raises RotationTooSoon while an earlier one still does: a receiver may know that one alone.
        With `force` it is dropped at once, which is for a secret that has leaked.
        """
        while True:
            seen, now = self.versions.get(key_id), self.clock()
            until = seen.previous_expires_at(now)
            if until and not force:
                raise RotationTooSoon(
                    f"The secret was rotated already, and the one before it is valid until "
                    f"{until.isoformat(timespec='seconds').replace('+00:00', 'Z')}; rotate again "
                    'after that, or send {"force": true} to drop it at once.'
                )
            new = seen.rotated(now)
            if self.versions.replace(key_id, seen, new):
                return self._shown(key_id, new)
            # Somebody else rotated it just now.

    def _shown(self, key_id: str, at: SecretVersion) -> ShownSecret:
        previous = at.previous_expires_at(self.clock())
        return ShownSecret(self.derive(key_id, at.version), at.version, previous)
