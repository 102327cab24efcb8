"""Sign our callbacks: a secret per API key, derived from one master key, so none is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from storyhook.domain.callback_secret import SecretVersion
from storyhook.providers.signatures import standard_webhooks_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from storyhook.ports import Clock

_KEEP = timedelta(seconds=60)


def callback_secret(master: str, key_id: str | None, version: int = 1) -> str:
    """The `whsec_…` that the owner of `key_id` verifies with."""
    label = f"storyhook callback {version} {key_id or ''}".encode()
    derived = hmac.new(master.encode(), label, hashlib.sha256).digest()
    return "whsec_" + base64.b64encode(derived).decode()


@dataclass(frozen=True)
class CallbackSigner:
    """Signs with each of the `masters`. What `version_of` answers is kept for a minute."""

    masters: Callable[[], Collection[str]]
    version_of: Callable[[str], SecretVersion]
    clock: Clock
    _kept: dict[str, tuple[datetime, SecretVersion]] = field(default_factory=dict, repr=False)

    def sign(self, key_id: str | None, message_id: str, body: bytes) -> Mapping[str, str]:
        now = self.clock()
        timestamp = int(now.timestamp())
        signatures = [
            standard_webhooks_signature(
                callback_secret(master, key_id, version), message_id, timestamp, body
            )
            for master in self.masters()
            for version in self._version(key_id, now).signing(now)
        ]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }

    def _version(self, key_id: str | None, now: datetime) -> SecretVersion:
        if key_id is None:
            return SecretVersion()
        kept = self._kept.get(key_id)
        if kept is None or now - kept[0] >= _KEEP:
            kept = self._kept[key_id] = now, self.version_of(key_id)
        return kept[1]
