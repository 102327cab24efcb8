"""Make, show and revoke API keys. A secret is shown once, and only its SHA-256 kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.access import Page, owned
from storyhook.domain.budget import budget_of_key
from storyhook.domain.ids import new_secret
from storyhook.domain.keys import IssuedKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.domain.access import ApiKey
    from storyhook.domain.budget import Budget
    from storyhook.domain.idempotency import Origin
    from storyhook.domain.keys import KeyRequest
    from storyhook.ports import Clock, Entropy
    from storyhook.ports.access import Budgets, Keys

_SECRET_BYTES = 32
_KIND = "key"


@dataclass(frozen=True, slots=True)
class NewKey:
    """`callback_secret` signs the callbacks of what is made with the key."""

    issued: IssuedKey
    secret: str
    callback_secret: str


type MadeKey = tuple[IssuedKey, Budget | None, NewKey | None]
"""A key, this month's budget, and what is shown of the key when it is made, and only then."""


@dataclass(frozen=True)
class ManageKeys:
    """`derive` makes a key's callback secret of its id and version."""

    keys: Keys
    budgets: Budgets
    derive: Callable[[str, int], str]
    clock: Clock
    entropy: Entropy

    def made(self, origin: Origin) -> MadeKey | None:
        """What was made from this origin, if anything was; its secret was shown then."""
        issued = self.keys.get(origin.id(_KIND))
        return (issued, self._this_month(issued.id), None) if issued else None

    def create(self, caller: ApiKey, wanted: KeyRequest, origin: Origin) -> MadeKey:
        """Raises KeyTooWide."""
        (self.keys.get(caller.id) or self._of_before(caller)).may_issue(wanted)
        made = self.issue(wanted, wanted.tenant or caller.tenant, origin, operator=False)
        return made.issued, None, made

    def _of_before(self, caller: ApiKey) -> IssuedKey:
        """A key of before keys had a row by id: without limits, and of its tenant alone."""
        return IssuedKey(caller.id, caller.tenant, "", caller.scopes, self.clock(), sha256="")

    def issue(self, wanted: KeyRequest, tenant: str, origin: Origin, *, operator: bool) -> NewKey:
        """Make a key, whatever it may do.

        Its secret is drawn anew, not from the origin, which is kept for a day: nothing that is
        written must give it away.
        """
        key_id = origin.id(_KIND)
        secret = "shk_" + new_secret(self.entropy(_SECRET_BYTES))
        issued = IssuedKey(
            id=key_id,
            tenant=tenant,
            name=wanted.name,
            scopes=wanted.scopes,
            created_at=self.clock(),
            sha256=hashlib.sha256(secret.encode()).hexdigest(),
            predictions_per_minute=wanted.limits.predictions_per_minute,
            max_cost_per_month=wanted.limits.max_cost_per_month,
            valid_until=wanted.valid_until,
            operator=operator,
        )
        self.keys.add(issued)
        return NewKey(issued, secret, self.derive(key_id, 1))

    def list(
        self, tenant: str, limit: int, cursor: str | None
    ) -> Page[tuple[IssuedKey, Budget | None]]:
        """Newest first, each with this month's budget, if it has one and has used it."""
        page = self.keys.list(tenant, limit, cursor)
        now = self.clock()
        names = {key.id: budget_of_key(key.id, now) for key in page.items if key.max_cost_per_month}
        used = self.budgets.get_many(list(names.values()))
        found = tuple((key, used.get(names.get(key.id, ""))) for key in page.items)
        return Page(found, page.cursor)

    def get(self, tenant: str, key_id: str) -> tuple[IssuedKey, Budget | None]:
        """Raises NotFound, also for another tenant's."""
        return self._find(tenant, key_id), self._this_month(key_id)

    def revoke(self, tenant: str, key_id: str) -> None:
        """Raises NotFound. A key that is revoked already stays as it is."""
        issued = self._find(tenant, key_id)
        if issued.revoked_at is None:
            self.keys.revoke(issued, self.clock())

    def _find(self, tenant: str, key_id: str) -> IssuedKey:
        return owned(self.keys.get(key_id), tenant, f"API key {key_id!r}")

    def _this_month(self, key_id: str) -> Budget | None:
        return self.budgets.get(budget_of_key(key_id, self.clock()))
