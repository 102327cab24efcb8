"""The delivery log, and sending a callback again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storyhook.domain import callback as callbacks
from storyhook.domain.access import Page, owned
from storyhook.domain.callback import Callback, CallbackStatus

if TYPE_CHECKING:
    from storyhook.domain.address import Address
    from storyhook.ports import Clock
    from storyhook.ports.callbacks import Addresses, CallbackQueue, Callbacks

type Entry = tuple[Callback, Address | None]
"""A callback and its address, if that has failed since it last worked."""


@dataclass(frozen=True)
class CallbackLog:
    callbacks: Callbacks
    addresses: Addresses
    clock: Clock

    def get(self, tenant: str, callback_id: str) -> Entry:
        """Raises NotFound, also for another's callback and one that is too old."""
        found = self.callbacks.get(callback_id)
        there = None if found is None or self._expired(found) else found
        row = owned(there, tenant, f"callback {callback_id!r}")
        return row, self.addresses.find(tenant, row.url)

    def list(
        self,
        tenant: str,
        limit: int,
        cursor: str | None,
        status: CallbackStatus | None,
        subject: str | None,
    ) -> Page[Entry]:
        """Newest first. `limit` callbacks are looked at; a filter leaves out some of them.

        `subject` is a prediction's id, or a board's: then the events of its parts are there too.
        """
        page = self.callbacks.list(tenant, limit, cursor)
        rows = [
            row
            for row in page.items
            if not self._expired(row)
            and status in (None, row.status)
            and subject in (None, row.subject_id, row.storyboard_id)
        ]
        where = self.addresses.find_many(tenant, {row.url for row in rows})
        return Page(tuple((row, where.get(row.url)) for row in rows), page.cursor)

    def _expired(self, row: Callback) -> bool:
        """DynamoDB takes up to two days to remove what has expired."""
        return row.expires_at is not None and row.expires_at <= self.clock()


@dataclass(frozen=True)
class Replay:
    log: CallbackLog
    callbacks: Callbacks
    queue: CallbackQueue
    clock: Clock

    def __call__(self, tenant: str, callback_id: str) -> Entry:
        """Send it now, with the same id and body, and a fresh schedule if that fails.

        One that is being sent at this moment stays as it is, and so does one that somebody else
        has replayed meanwhile. Raises NotFound.
        """
        now = self.clock()
        row, address = self.log.get(tenant, callback_id)
        if row.sending_until and row.sending_until > now:
            return row, address
        wanted = replace(
            row,
            status=CallbackStatus.PENDING,
            # The write raises the turn, so that messages of before send nothing.
            first_turn=row.turn + 1,
            tries=0,
            error=None,
            due_at=now + callbacks.LEASE,
            next_at=now,
            expires_at=now + callbacks.KEPT,
        )
        replayed = self.callbacks.replay(row, wanted)
        if replayed is None:
            return self.log.get(tenant, callback_id)
        self.queue.enqueue(replayed.id, turn=replayed.turn)
        return replayed, address
