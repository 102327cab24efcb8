"""Verify and read Replicate's webhooks. No SDK, no token."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from storyhook.domain.outcome import Delivery
from storyhook.providers.parsing import json_body
from storyhook.providers.replicate.outcome import delivery
from storyhook.providers.signatures import verify_standard_webhooks


class Secrets(Protocol):
    """The account's `whsec_…`, the same for all its webhooks; two while it is changed."""

    def all(self) -> tuple[str, ...]: ...

    def refresh(self) -> bool:
        """Look for newer ones, if that was not just done; whether there are."""


@dataclass(frozen=True)
class ReplicateWebhook:
    secrets: Secrets

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        verify_standard_webhooks(headers, body, self._candidates(), now)
        return delivery(json_body(body))

    def _candidates(self) -> Iterator[str]:
        """Those at hand; only if none of them signed, those that came since."""
        yield from self.secrets.all()
        if self.secrets.refresh():
            yield from self.secrets.all()
