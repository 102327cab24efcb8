"""Where callbacks go: a URL of a tenant that has failed since it last worked.

An address that works has no row at all, so that a delivery that works writes nothing here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from storyhook.domain.callback import GONE, Attempt

# The clock starts with the first failure since it last worked. A few tries must have been made, so
# that a quiet address is not judged by one that failed and one more, days later.
_PATIENCE = timedelta(days=5)
_LEAST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Address:
    """`failures` in a row since `failing_since`. Once disabled, `reason` says why."""

    failing_since: datetime
    failures: int
    disabled_at: datetime | None = None
    reason: str | None = None

    @property
    def refusal(self) -> str | None:
        """Why nothing is sent there any more, and what to do; None while it may be tried."""
        if self.disabled_at is None:
            return None
        since = self.disabled_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return (
            f"This callback URL is disabled since {since}, because {self.reason}; nothing is sent "
            "to it. Mend it, then replay this callback (POST /callbacks/{id}/replay): an answer of "
            "2xx enables the URL again."
        )


def why_disable(address: Address, last: Attempt) -> str | None:
    """The reason to send nothing there any more after `last`, which `address` has counted."""
    if last.status_code == GONE:
        return f"it answered {GONE} Gone"
    if address.failures >= _LEAST_FAILURES and last.at - address.failing_since >= _PATIENCE:
        days = (last.at - address.failing_since).days
        return f"all {address.failures} tries of the last {days} days failed"
    return None
