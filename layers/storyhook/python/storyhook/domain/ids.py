"""Identifiers: a ULID behind a prefix that names the kind, so that ids sort by time.

The clock and the randomness are arguments; `ports.Clock` and `ports.Entropy` supply them.
"""

import base64
from datetime import UTC, datetime, timedelta

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_LENGTH = 26
ENTROPY_BYTES = 10
SECRET_BYTES = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(kind: str, now: datetime, entropy: bytes) -> str:
    """An id such as `pred_01JD…`: `kind`, then 48 bits of milliseconds and 80 random bits."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"an id takes {ENTROPY_BYTES} bytes of entropy, got {len(entropy)}")
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1)
    value = (milliseconds << 80) | int.from_bytes(entropy)
    digits = []
    for _ in range(_ULID_LENGTH):
        value, digit = divmod(value, 32)
        digits.append(_CROCKFORD[digit])
    return f"{kind}_{''.join(reversed(digits))}"


def new_secret(entropy: bytes) -> str:
    """The secret half of a webhook URL, of `SECRET_BYTES` random bytes."""
    return base64.urlsafe_b64encode(entropy).decode().rstrip("=")
