"""The two signature schemes. Verifying raises BadSignature or StaleSignature, nothing else.

Standard Webhooks (HMAC-SHA256): Replicate's webhooks and our own callbacks.
ED25519 over a JWKS: fal's webhooks.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime

from storyhook.domain.errors import BadSignature, SettingsError, StaleSignature

TOLERANCE_SECONDS = 300
_SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, not a secret
_MIN_SECRET_BYTES = 16


def header(headers: Mapping[str, str], name: str) -> str:
    """A header that must be there; names in lower case."""
    value = headers.get(name)
    if not value:
        raise BadSignature(f"The header {name} is missing.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadSignature(f"The header {name} is not text.") from error
    return value


def unix_seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise BadSignature("The timestamp is not a number of seconds.")
    return int(text)


def check_age(timestamp: int, now: datetime) -> None:
    if abs(now.timestamp() - timestamp) > TOLERANCE_SECONDS:
        raise StaleSignature("The signature is valid, but its timestamp is too far from now.")


def standard_webhooks_signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,<base64>` over `id.timestamp.body`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_secret_bytes(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def verify_standard_webhooks(
    headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: datetime
) -> None:
    """Any of `secrets` may have signed; any of the header's `v1` entries may match."""
    message_id = header(headers, "webhook-id")
    timestamp = unix_seconds(header(headers, "webhook-timestamp"))
    given = [
        entry.encode()
        for entry in header(headers, "webhook-signature").split(" ")
        if entry.startswith("v1,")
    ]
    # Read only once the request looks like one: a stranger must not cost a look-up each.
    for secret in secrets if given else ():
        expected = standard_webhooks_signature(secret, message_id, timestamp, body).encode()
        if any(hmac.compare_digest(expected, entry) for entry in given):
            check_age(timestamp, now)
            return
    raise BadSignature("No signature matches the body.")


def verify_ed25519(message: bytes, signature_hex: str, public_keys: Iterable[bytes]) -> bool:
    """Whether one of the keys signed the message. A malformed signature is just not valid."""
    # Imported here: half of all webhooks never need it.
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    try:
        signature = binascii.unhexlify(signature_hex)
    except (binascii.Error, ValueError):
        return False
    if len(signature) != 64:
        return False
    for public_key in public_keys:
        try:
            VerifyKey(public_key).verify(message, signature)
        except BadSignatureError:
            continue
        return True
    return False


def _secret_bytes(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < _MIN_SECRET_BYTES:
        raise SettingsError("A webhook secret is not a whsec_… value; set it again.")
    return key
