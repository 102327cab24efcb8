"""Verify and read fal's webhooks. No SDK, no key.

The signing keys are the same for all of fal's customers: a valid signature says "fal sent this",
not "this is about our job"; the URL's secret and the request id say that.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from storyhook.domain.errors import BadSignature
from storyhook.domain.outcome import Delivery
from storyhook.providers.fal.jwks import Jwks
from storyhook.providers.fal.outcome import delivery
from storyhook.providers.parsing import json_body
from storyhook.providers.signatures import check_age, header, unix_seconds, verify_ed25519


@dataclass(frozen=True)
class FalWebhook:
    """`user_id`: our account at fal, checked when it is configured."""

    jwks: Jwks
    user_id: str | None = None

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        request_id = header(headers, "x-fal-webhook-request-id")
        user_id = header(headers, "x-fal-webhook-user-id")
        timestamp = header(headers, "x-fal-webhook-timestamp")
        signature = header(headers, "x-fal-webhook-signature")
        seconds = unix_seconds(timestamp)
        digest = hashlib.sha256(body).hexdigest()
        message = f"{request_id}\n{user_id}\n{timestamp}\n{digest}".encode()
        verified = verify_ed25519(message, signature, self.jwks.keys(now))
        if not verified and self.jwks.refresh(now):
            verified = verify_ed25519(message, signature, self.jwks.keys(now))
        if not verified:
            raise BadSignature("No key of fal's signed this body.")
        if self.user_id and user_id != self.user_id:
            raise BadSignature("The webhook is for another account at fal.")
        check_age(seconds, now)
        return delivery(json_body(body))
