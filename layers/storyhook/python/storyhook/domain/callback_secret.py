"""Which secrets of an API key sign its callbacks: two at once while one replaces the other."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# How long the secret before the newest one goes on signing.
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """The newest version, and until when the one before it signs too.

    A key that never rotated its secret has no row: it is at version 1.
    """

    version: int = 1
    previous_until: datetime | None = None

    def previous_expires_at(self, now: datetime) -> datetime | None:
        """None when no previous one is valid any more."""
        return self.previous_until if self.previous_until and self.previous_until > now else None

    def signing(self, now: datetime) -> tuple[int, ...]:
        """The versions that sign at `now`, the newest first."""
        if self.previous_expires_at(now):
            return self.version, self.version - 1
        return (self.version,)

    def rotated(self, now: datetime) -> "SecretVersion":
        return SecretVersion(self.version + 1, now + OVERLAP)
