"""A shared link: whoever has it may look at one board, until it expires or is revoked."""

from dataclasses import dataclass
from datetime import datetime

DEFAULT_SECONDS = 7 * 86_400
MIN_SECONDS = 60
MAX_SECONDS = 90 * 86_400


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
