"""Verify and read Replicate's webhooks. No SDK, no token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from storyhook.domain.outcome import Delivery
from storyhook.providers.parsing import json_body
from storyhook.providers.replicate.outcome import delivery
from storyhook.providers.signatures import verify_standard_webhooks


@dataclass(frozen=True)
class ReplicateWebhook:
    """`secret`: the account's `whsec_…`, the same for all its webhooks."""

    secret: Callable[[], str]

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        verify_standard_webhooks(headers, body, (read() for read in [self.secret]), now)
        return delivery(json_body(body))
