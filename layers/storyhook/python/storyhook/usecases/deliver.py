"""Deliver one callback to the customer's URL: begin the turn, sign, POST once, write it down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from storyhook.domain import callback as callbacks
from storyhook.domain.callback import Callback, CallbackStatus, accepted, next_attempt

if TYPE_CHECKING:
    from storyhook.ports import CallbackQueue, Callbacks, Clock, Random, Sender, Signer

# SQS delays a message at most so long; the reconciler looks after longer waits.
_MAX_QUEUE_DELAY = timedelta(minutes=15)


@dataclass(frozen=True)
class Deliver:
    callbacks: Callbacks
    queue: CallbackQueue
    sender: Sender
    signer: Signer
    clock: Clock
    random: Random

    def __call__(self, callback_id: str, turn: int) -> Callback | None:
        """Try once; the callback as it is then, or None when this turn was not ours."""
        row = self.callbacks.begin_turn(callback_id, turn, self.clock() + callbacks.LEASE)
        if row is None:
            return None
        if row.turn > callbacks.MAX_TURNS:
            # Tries that died without a word count too: such an address must not run for ever.
            row = replace(row, status=CallbackStatus.FAILED, due_at=None)
            self.callbacks.record(row)
            return row
        body = row.body.encode()
        headers = self.signer.sign(row.key_id, row.id, body)
        attempt = self.sender.post(row.url, body, headers)
        attempts = (*row.attempts, attempt)
        if accepted(attempt):
            row = replace(row, attempts=attempts, status=CallbackStatus.DELIVERED, due_at=None)
            self.callbacks.record(row)
            return row
        again = next_attempt(attempts, self.random())
        if again is None:
            row = replace(row, attempts=attempts, status=CallbackStatus.FAILED, due_at=None)
            self.callbacks.record(row)
            return row
        delay = again - self.clock()
        soon = delay <= _MAX_QUEUE_DELAY
        # A soon retry comes by the queue; then `due_at` is the net under that message.
        due_at = again + callbacks.LEASE if soon else again
        row = replace(row, attempts=attempts, due_at=due_at)
        self.callbacks.record(row)
        if soon:
            self.queue.enqueue(row.id, row.turn, delay_seconds=max(0, round(delay.total_seconds())))
        return row
