"""Replicate's webhook signature: Standard Webhooks, by the library of that name."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook

from local.simulators.delivery import Delivery
from local.simulators.settings import ReplicateSettings
from local.simulators.simulator import Simulator


class ReplicateSigner:
    def __init__(self, simulator: Simulator[ReplicateSettings]) -> None:
        self._simulator = simulator
        self._previous = "whsec_" + base64.b64encode(b"a secret nobody knows any").decode()

    def rotate(self) -> dict[str, Any]:
        self._previous = self._simulator.settings.webhook_secret
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self._simulator.change({"webhook_secret": secret})
        return {"key": secret}

    def headers(self, delivery: Delivery, first_sent_at: float) -> dict[str, str]:
        """Each attempt carries its own time; the id stays the same (the dedupe key)."""
        del first_sent_at
        settings = self._simulator.settings
        sent_at = datetime.now(UTC)
        if "stale_timestamp" in delivery.job.faults:
            sent_at -= timedelta(seconds=settings.stale_seconds)
        text = delivery.body.decode()
        signature = Webhook(settings.webhook_secret).sign(delivery.message_id, sent_at, text)
        if "bad_signature" in delivery.job.faults:
            signature = Webhook(b"quite another secret").sign(delivery.message_id, sent_at, text)
        if settings.old_signature_first:
            old = Webhook(self._previous).sign(delivery.message_id, sent_at, text)
            signature = f"{old} {signature}"
        return {
            "webhook-id": delivery.message_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": signature,
        }
