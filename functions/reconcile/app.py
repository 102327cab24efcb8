"""Every minute: look after whatever is overdue."""

from typing import Any

from storyhook import wiring
from storyhook.logs import handled

# Stop early enough to finish the row at hand.
_RESERVE_MILLISECONDS = 30_000


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    seen = wiring.reconcile()(
        lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS
    )
    handled("reconciled", **seen)
    return seen
