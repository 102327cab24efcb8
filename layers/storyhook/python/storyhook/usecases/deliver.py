"""Deliver one callback to the customer's URL: begin the turn, sign, POST once, write it down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

from storyhook.domain import callback as callbacks
from storyhook.domain.address import why_disable
from storyhook.domain.callback import Callback, CallbackStatus, accepted, next_attempt

if TYPE_CHECKING:
    from datetime import datetime

    from storyhook.domain.address import Address
    from storyhook.domain.callback import Attempt
    from storyhook.ports import Clock, Random
    from storyhook.ports.callbacks import Addresses, CallbackQueue, Callbacks, Sender, Signer

# SQS delays a message at most so long; the reconciler looks after longer waits.
_MAX_QUEUE_DELAY = timedelta(minutes=15)
_DIED = (
    f"Given up: {callbacks.MAX_TURNS} tries were begun, and most of them ended without a word. "
    "Replay it (POST /callbacks/{id}/replay) once the log of the callback function says why."
)
_EXHAUSTED = (
    "Given up: every try of the schedule failed. Mend the URL, then replay this callback "
    "(POST /callbacks/{id}/replay)."
)


@dataclass(frozen=True, slots=True)
class Tried:
    """The callback as it is then; `disabled` is its address, if this try has disabled it."""

    callback: Callback
    disabled: Address | None = None


@dataclass(frozen=True)
class Deliver:
    callbacks: Callbacks
    addresses: Addresses
    queue: CallbackQueue
    sender: Sender
    signer: Signer
    clock: Clock
    random: Random

    def __call__(self, callback_id: str, turn: int) -> Tried | None:
        """Try once; None when this turn was not ours."""
        now = self.clock()
        row = self.callbacks.begin_turn(
            callback_id, turn, until=now + callbacks.LEASE, expires_at=now + callbacks.KEPT
        )
        if row is None:
            return None
        if row.turn - row.first_turn > callbacks.MAX_TURNS:
            # Tries that died without a word count too: such an address must not run for ever.
            return self._end(row, CallbackStatus.FAILED, _DIED)
        address = self.addresses.find(row.tenant, row.url)
        if address and address.refusal and not row.just_replayed:
            return self._end(row, CallbackStatus.FAILED, address.refusal)
        body = row.body.encode()
        headers = self.signer.sign(row.key_id, row.id, body)
        attempt = self.sender.post(row.url, body, headers)
        row = row.tried(attempt)
        # The address first: what was written of a callback is not looked at again.
        if accepted(attempt):
            if address:
                self.addresses.works(row.tenant, row.url)
            return self._end(row, CallbackStatus.DELIVERED)
        return self._failed(row, attempt)

    def _failed(self, row: Callback, attempt: Attempt) -> Tried:
        address = self.addresses.failed(row.tenant, row.url, attempt.at)
        disabled = None
        reason = None if address.disabled_at else why_disable(address, attempt)
        if reason:
            disabled = self.addresses.disable(row.tenant, row.url, self.clock(), reason)
            address = disabled or address
        again = next_attempt(row.tries, attempt, self.random())
        if address.refusal or again is None:
            return self._end(row, CallbackStatus.FAILED, address.refusal or _EXHAUSTED, disabled)
        self._try_again(row, again)
        return Tried(row)

    def _try_again(self, row: Callback, again: datetime) -> None:
        delay = again - self.clock()
        soon = delay <= _MAX_QUEUE_DELAY
        # A soon retry comes by the queue; then `due_at` is the net under that message.
        due_at = again + callbacks.LEASE if soon else again
        self.callbacks.record(replace(row, due_at=due_at, next_at=again))
        if soon:
            # Never early, not even by less than a second.
            self.queue.enqueue(row.id, row.turn, delay_seconds=max(0, ceil(delay.total_seconds())))

    def _end(
        self,
        row: Callback,
        status: CallbackStatus,
        error: str | None = None,
        disabled: Address | None = None,
    ) -> Tried:
        ended = row.ended(status, error)
        self.callbacks.record(ended)
        return Tried(ended, disabled)
