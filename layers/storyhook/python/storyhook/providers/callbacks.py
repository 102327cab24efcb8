"""Sign our callbacks: a secret per API key, derived from one master key, so none is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.providers.signatures import standard_webhooks_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from storyhook.ports import Clock


def callback_secret(master: str, key_id: str | None) -> str:
    """The `whsec_…` that the owner of `key_id` verifies with."""
    label = f"storyhook callback 1 {key_id or ''}".encode()
    derived = hmac.new(master.encode(), label, hashlib.sha256).digest()
    return "whsec_" + base64.b64encode(derived).decode()


@dataclass(frozen=True)
class CallbackSigner:
    master: Callable[[], str]
    clock: Clock

    def sign(self, key_id: str | None, message_id: str, body: bytes) -> Mapping[str, str]:
        timestamp = int(self.clock().timestamp())
        secret = callback_secret(self.master(), key_id)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": standard_webhooks_signature(secret, message_id, timestamp, body),
        }
