"""fal's webhook signature: ED25519 over id, user, time and body hash; keys in a JWKS."""

import base64
import hashlib
import time
from typing import Any

from nacl.signing import SigningKey

from local.simulators.delivery import Delivery
from local.simulators.settings import FalSettings
from local.simulators.simulator import Simulator


def test_key(number: int) -> SigningKey:
    """The n-th key: the same at each start, so that a cached key set stays right."""
    return SigningKey(hashlib.sha256(f"TEST ONLY simulated fal key {number}".encode()).digest())


class FalSigner:
    """Holds the key set; rotation retires the oldest key and signs with a new one."""

    def __init__(self, simulator: Simulator[FalSettings]) -> None:
        self._simulator = simulator

    def rotate(self) -> dict[str, Any]:
        self._simulator.change({"oldest_key": self._simulator.settings.oldest_key + 1})
        return self.jwks()

    def jwks(self) -> dict[str, Any]:
        settings = self._simulator.settings
        keys = []
        for number in self._numbers():
            x = base64.urlsafe_b64encode(bytes(test_key(number).verify_key)).decode()
            key = {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": x if settings.jwks_padded else x.rstrip("="),
            }
            if settings.jwks_kid:
                key["kid"] = f"simulator-{number}"
            keys.append(key)
        return {"keys": keys}

    def headers(self, delivery: Delivery, first_sent_at: float) -> dict[str, str]:
        settings = self._simulator.settings
        sent_at = first_sent_at if settings.retry_timestamp == "first" else time.time()
        if "stale_timestamp" in delivery.job.faults:
            sent_at -= settings.stale_seconds
        timestamp = str(int(sent_at))
        message = "\n".join(
            [
                delivery.job.id,
                settings.user_id,
                timestamp,
                hashlib.sha256(delivery.body).hexdigest(),
            ]
        )
        numbers = self._numbers()
        key = test_key(numbers[min(settings.signing_key, len(numbers) - 1)])
        signature = key.sign(message.encode()).signature
        if "bad_signature" in delivery.job.faults:
            signature = bytes([signature[0] ^ 1]) + signature[1:]
        return {
            "X-Fal-Webhook-Request-Id": delivery.job.id,
            "X-Fal-Webhook-User-Id": settings.user_id,
            "X-Fal-Webhook-Timestamp": timestamp,
            "X-Fal-Webhook-Signature": signature.hex(),
        }

    def _numbers(self) -> list[int]:
        settings = self._simulator.settings
        return list(range(settings.oldest_key, settings.oldest_key + settings.key_count))
