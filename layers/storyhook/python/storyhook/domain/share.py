"""A shared link: whoever has it may look at one board, until it expires or is revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

DEFAULT_LIFETIME = timedelta(days=7)
MIN_LIFETIME = timedelta(minutes=1)
MAX_LIFETIME = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Share:
    """`sha256` (hex) is all that is kept of the secret. Its row goes some time after it expired.

    `expires_at` in whole seconds, as DynamoDB's time to live has it.
    """

    id: str
    tenant: str
    storyboard_id: str
    sha256: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
