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

        Also for a key that is revoked: the door may know it for a minute, and what it made in that
        minute would stay.
        """
        if self.revoked_at:
            raise KeyTooWide("This API key is revoked, so it makes no others.")
        if self.operator:
            return
        errors = []
        if wanted.tenant not in (None, self.tenant):
            errors.append(
                FieldError("tenant", f"only an operator's key may; leave out or give {self.tenant}")
            )
        if set(wanted.scopes) - set(self.scopes):
            errors.append(FieldError("scopes", f"at most {', '.join(self.scopes)}"))
        limits = wanted.limits
        for name, own, asked in (
            (
                "limits.predictions_per_minute",
                self.predictions_per_minute,
                limits.predictions_per_minute,
            ),
            ("limits.max_cost_per_month", self.max_cost_per_month, limits.max_cost_per_month),
            ("expires_at", self.valid_until, wanted.valid_until),
        ):
            if own is not None and (asked is None or asked > own):  # type: ignore[operator]
                errors.append(FieldError(name, f"at most {own}, as your own key has"))
        if errors:
            raise KeyTooWide(
                "A key makes keys that may do at most what it may itself; mend what errors lists, "
                "or ask with an operator's key.",
                tuple(errors),
            )
