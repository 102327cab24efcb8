"""What the use cases ask for to deliver callbacks; see `ports` for the rest.

Every write that moves a row is conditional: a method that may lose a race returns None.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from storyhook.domain.access import Page
from storyhook.domain.address import Address
from storyhook.domain.callback import Attempt, Callback
from storyhook.domain.callback_secret import SecretVersion


class Callbacks(Protocol):
    def add(self, callback: Callback) -> bool:
        """False if it was there already."""

    def add_to_board(
        self, storyboard_id: str, make: Callable[[int], Callback], seen: int | None = None
    ) -> bool:
        """Write what `make` makes of the board's next sequence number, and count it, in one step.

        False if it was there already, or the board is not: one that was written half-way tells
        nobody, and one that is being written tells at its end what it did not before. `seen` is
        the board's sequence as last read, if it was.
        """

    def get(self, callback_id: str) -> Callback | None: ...

    def known(self, callback_ids: Sequence[str]) -> set[str]:
        """Those that are there."""

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[Callback]:
        """Newest first."""

    def begin_turn(
        self, callback_id: str, turn: int, until: datetime, expires_at: datetime
    ) -> Callback | None:
        """Begin try number `turn` of a pending callback, unless somebody else has."""

    def claim_due(self, callback: Callback, until: datetime) -> Callback | None:
        """Take an overdue callback over: move its `due_at` unless somebody moved it first."""

    def record(self, callback: Callback) -> None:
        """Write how its turn ended: the attempts, the status and when it is due next."""

    def replay(self, seen: Callback, replayed: Callback) -> Callback | None:
        """Begin a new schedule, unless the callback has moved on since it was `seen`."""


class Addresses(Protocol):
    """Callback URLs that have failed since they last worked."""

    def find(self, tenant: str, url: str) -> Address | None: ...

    def find_many(self, tenant: str, urls: Collection[str]) -> dict[str, Address]:
        """By URL; one that works is not among them."""

    def failed(self, tenant: str, url: str, at: datetime) -> Address:
        """Count a failure; the address as it is now."""

    def disable(self, tenant: str, url: str, at: datetime, reason: str) -> Address | None:
        """None if it was disabled already, or works again."""

    def works(self, tenant: str, url: str) -> None:
        """Forget all failures, and enable it."""


class SecretVersions(Protocol):
    """Which version of its callback secret an API key is at."""

    def get(self, key_id: str) -> SecretVersion: ...

    def replace(self, key_id: str, seen: SecretVersion, new: SecretVersion) -> bool:
        """False if somebody has replaced it since it was `seen`."""


class CallbackQueue(Protocol):
    def enqueue(self, callback_id: str, turn: int, delay_seconds: int = 0) -> None: ...


class Sender(Protocol):
    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """POST once, safely: no private addresses, no redirects; never raises for the network."""


class Signer(Protocol):
    def sign(self, key_id: str | None, message_id: str, body: bytes) -> Mapping[str, str]:
        """Standard Webhooks headers for this customer's secret."""
