"""Share a board by a link, list its links, revoke one. A secret is shown once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.errors import NotFound
from storyhook.domain.ids import new_secret
from storyhook.domain.share import Share

if TYPE_CHECKING:
    from datetime import timedelta

    from storyhook.domain.access import Page
    from storyhook.domain.idempotency import Origin
    from storyhook.ports import Clock, Entropy
    from storyhook.ports.access import Shares
    from storyhook.usecases.assemble import ReadStoryboard

_SECRET_BYTES = 32
_KIND = "share"

type MadeShare = tuple[Share, str | None]
"""A link, and its secret if it is made just now."""


@dataclass(frozen=True)
class ManageShares:
    """Raises NotFound for a board that is not there, also for another tenant's."""

    shares: Shares
    read_storyboard: ReadStoryboard
    clock: Clock
    entropy: Entropy

    def made(self, storyboard_id: str, origin: Origin) -> MadeShare | None:
        """What was made from this origin, if anything was; its secret was shown then."""
        share = self.shares.get(storyboard_id, origin.id(_KIND))
        return (share, None) if share else None

    def create(
        self, tenant: str, storyboard_id: str, lifetime: timedelta, origin: Origin
    ) -> MadeShare:
        """The secret is drawn anew, not from the origin, which is kept for a day."""
        self.read_storyboard.board(tenant, storyboard_id)
        secret, now = "shr_" + new_secret(self.entropy(_SECRET_BYTES)), self.clock()
        share = Share(
            id=origin.id(_KIND),
            tenant=tenant,
            storyboard_id=storyboard_id,
            sha256=hashlib.sha256(secret.encode()).hexdigest(),
            created_at=now,
            expires_at=(now + lifetime).replace(microsecond=0),
        )
        self.shares.add(share)
        return share, secret

    def list(self, tenant: str, storyboard_id: str, limit: int, cursor: str | None) -> Page[Share]:
        """Newest first; those that expired a while ago are gone."""
        self.read_storyboard.board(tenant, storyboard_id)
        return self.shares.list(storyboard_id, limit, cursor)

    def revoke(self, tenant: str, storyboard_id: str, share_id: str) -> None:
        """One that is revoked already stays as it is."""
        self.read_storyboard.board(tenant, storyboard_id)
        share = self.shares.get(storyboard_id, share_id)
        if share is None:
            raise NotFound(f"There is no share {share_id!r}.")
        if share.revoked_at is None:
            self.shares.revoke(share, self.clock())
