"""An API key as the API shows it; its secret is shown once, by whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storyhook.domain.budget import Budget, month_end
from storyhook.domain.pricing import as_text
from storyhook.domain.views import timestamp

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from storyhook.domain.keys import IssuedKey


def issued(key: IssuedKey, budget: Budget | None, now: datetime) -> dict[str, Any]:
    """`this_month` is null for a key without a money limit: for it nothing is counted."""
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant,
        "scopes": [scope.value for scope in key.scopes],
        "limits": {
            "predictions_per_minute": key.predictions_per_minute,
            "max_cost_per_month": as_text(key.max_cost_per_month),
        },
        "this_month": _this_month(key.max_cost_per_month, budget, now),
        "operator": key.operator,
        "urls": {"self": f"/keys/{key.id}"},
        "created_at": timestamp(key.created_at),
        "expires_at": timestamp(key.valid_until),
        "revoked_at": timestamp(key.revoked_at),
    }


def _this_month(
    limit: Decimal | None, budget: Budget | None, now: datetime
) -> dict[str, Any] | None:
    if limit is None:
        return None
    budget = budget or Budget.untouched(limit)
    return {
        "spent": as_text(budget.spent),
        "reserved": as_text(budget.reserved),
        "left": as_text(budget.left),
        "ends_at": timestamp(month_end(now)),
    }
