"""References that lie with a provider, because it cannot read our bucket from where we run."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# No provider's file is counted on for longer, whatever it says.
MAX_KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A provider took a file; `expires_at` where it says until when it keeps it."""

    url: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """What is remembered of one. Without a `url` somebody is at it, until `expires_at` at most."""

    url: str | None
    expires_at: datetime
