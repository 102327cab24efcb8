"""Who may ask, and for how much: what `usecases` ask for of keys, shared links and budgets."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from storyhook.domain.access import ApiKey, Page
from storyhook.domain.budget import Budget
from storyhook.domain.keys import IssuedKey
from storyhook.domain.share import Share


class Keys(Protocol):
    def find(self, sha256: str, now: datetime) -> ApiKey | None:
        """The key whose secret has this SHA-256 (hex), unless it is revoked or has expired."""

    def get(self, key_id: str) -> IssuedKey | None:
        """None also for a key of before keys could be looked up by their id."""

    def add(self, issued: IssuedKey) -> None: ...

    def revoke(self, issued: IssuedKey, now: datetime) -> None:
        """Close it to whoever has its secret, since `now` unless it was before."""

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[IssuedKey]:
        """Newest first."""


class Shares(Protocol):
    """Links to boards; whoever has one's secret is let in by `Keys.find`."""

    def get(self, storyboard_id: str, share_id: str) -> Share | None: ...

    def add(self, share: Share) -> None: ...

    def revoke(self, share: Share, now: datetime) -> None:
        """Close it to whoever has its secret, since `now` unless it was before."""

    def list(self, storyboard_id: str, limit: int, cursor: str | None) -> Page[Share]:
        """Newest first."""


class Budgets(Protocol):
    """What is left of the money allowed; a budget of which nothing was ever taken is not there."""

    def get(self, budget: str) -> Budget | None: ...

    def get_many(self, budgets: Collection[str]) -> dict[str, Budget]: ...


class Rates(Protocol):
    def used(self, key_id: str, at: datetime) -> int:
        """How many predictions the key has asked for in the minute of `at`."""
