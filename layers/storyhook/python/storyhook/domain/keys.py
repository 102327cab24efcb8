"""An API key as it was issued: what it may do, how much of it, and until when."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from storyhook.domain.access import Scope
from storyhook.domain.errors import FieldError, KeyTooWide


@dataclass(frozen=True, slots=True)
class Limits:
    """None is no limit. Money in USD, by calendar month (UTC)."""

    predictions_per_minute: int | None = None
    max_cost_per_month: Decimal | None = None


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """`tenant` is None for that of the key which asks."""

    name: str
    scopes: tuple[Scope, ...]
    limits: Limits
    tenant: str | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """`sha256` (hex) is all that is kept of the secret. Limits never change: make another key.

    `operator`: it was made by who runs the stack, and may make keys for any tenant.
    """

    id: str
    tenant: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    sha256: str
    predictions_per_minute: int | None = None
    max_cost_per_month: Decimal | None = None
    valid_until: datetime | None = None
    revoked_at: datetime | None = None
    operator: bool = False

    def may_issue(self, wanted: KeyRequest) -> None:
        """Raises KeyTooWide with every field by which `wanted` would be allowed more than this.

        A key with limits makes none: each new one's would come on top of its own.
        Also for a key that is revoked: the door may know it for a minute, and what it made in that
        minute would stay.
        """
        if self.revoked_at:
            raise KeyTooWide("This API key is revoked, so it makes no others.")
        if self.operator:
            return
        if self.predictions_per_minute is not None or self.max_cost_per_month is not None:
            raise KeyTooWide(
                "A key with limits makes no others, which would each have as much again; ask with "
                "one without limits."
            )
        errors = []
        if wanted.tenant not in (None, self.tenant):
            errors.append(
                FieldError("tenant", f"only an operator's key may; leave out or give {self.tenant}")
            )
        if set(wanted.scopes) - set(self.scopes):
            errors.append(FieldError("scopes", f"at most {', '.join(self.scopes)}"))
        until = self.valid_until
        if until is not None and (wanted.valid_until is None or wanted.valid_until > until):
            errors.append(FieldError("expires_at", f"at most {until}, as your own key has"))
        if errors:
            raise KeyTooWide(
                "A key makes keys that may do at most what it may itself; mend what errors lists, "
                "or ask with an operator's key.",
                tuple(errors),
            )
