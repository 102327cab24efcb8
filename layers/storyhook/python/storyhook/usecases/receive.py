"""Receive a provider's webhook: verify the raw bytes, match it to its row, settle.

The signature proves who sent it (any customer of the provider could be behind it), the secret in
the URL proves which row it is for, the provider's id is a cross-check.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.errors import BadSignature, NotFound, StaleSignature
from storyhook.domain.outcome import AskProvider, Failed, ProviderHandle
from storyhook.domain.prediction import Prediction, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from storyhook.ports import Clock, Predictions, WebhookReader
    from storyhook.usecases.settle import Settle

_MAX_ID = 64


@dataclass(frozen=True)
class ReceiveWebhook:
    predictions: Predictions
    reader: Callable[[str], WebhookReader]
    settle: Settle
    clock: Clock

    def __call__(
        self, provider: str, token: str, headers: Mapping[str, str], body: bytes
    ) -> Prediction:
        """Settle what the webhook reports; the row it was for. Raises BadSignature, NotFound."""
        now = self.clock()
        try:
            delivery = self.reader(provider).read(headers, body, now)
        except StaleSignature:
            # A genuine retry may carry its first timestamp: the body is not trusted, but the
            # provider is asked soon.
            row = self._find(provider, token)
            self._ask_soon(row, None, now)
            return row
        row = self._find(provider, token)
        known = row.handle.provider_id if row.handle else None
        if known is None or delivery.provider_id != known:
            if known and not row.unknown_outcomes:
                raise BadSignature("The webhook is signed, but for another job than this URL's.")
            if row.unknown_outcomes and isinstance(delivery.outcome, Failed):
                # It was sent more than once. A picture is taken from whichever job makes one
                # first, but only the job that we know may end the row without.
                return row
        if isinstance(delivery.outcome, AskProvider):
            self._ask_soon(row, delivery.provider_id, now)
            return row
        self.settle(row, delivery.outcome, delivery.provider_id)
        return row

    def _ask_soon(self, row: Prediction, provider_id: str | None, now: datetime) -> None:
        """Leave it to the reconciler, who asks the provider for the job."""
        if provider_id and row.handle is None:
            # The answer to the submission is not here (yet): only this webhook names the job.
            named = {"handle": ProviderHandle(provider_id), "submitted_at": now, "due_at": now}
            if self.predictions.advance(row.id, Status.SUBMITTED, named):
                return
        if not row.status.terminal:
            self.predictions.postpone(row, now, {})

    def _find(self, provider: str, token: str) -> Prediction:
        prediction_id, _, secret = token.partition(".")
        row = self.predictions.get(prediction_id) if 0 < len(prediction_id) <= _MAX_ID else None
        if (
            row is None
            or row.provider != provider
            or not hmac.compare_digest(row.token.encode(), secret.encode())
        ):
            raise NotFound("No prediction waits at this URL.")
        return row
