"""What callers may send of API keys."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StrictInt

from storyhook.domain.access import Scope
from storyhook.domain.errors import FieldError, InvalidRequest
from storyhook.domain.keys import KeyRequest, Limits
from storyhook.http.fields import Body, Id, Money, ShortText

_Scope = Literal[Scope.READ, Scope.WRITE, Scope.ADMIN]


class LimitsBody(Body):
    predictions_per_minute: Annotated[StrictInt, Field(ge=1, le=100_000)] | None = None
    max_cost_per_month: Money | None = None


class KeyBody(Body):
    name: ShortText
    scopes: Annotated[tuple[_Scope, ...], Field(min_length=1)] = (Scope.READ, Scope.WRITE)
    limits: LimitsBody = Field(default_factory=LimitsBody)
    tenant: Id | None = None
    expires_at: AwareDatetime | None = None

    def to_request(self, now: datetime) -> KeyRequest:
        """Raises InvalidRequest when it would have expired at `now`."""
        if self.expires_at is not None and self.expires_at <= now:
            detail = "expires_at is a time to come."
            raise InvalidRequest(detail, (FieldError("expires_at", detail),))
        return KeyRequest(
            name=self.name,
            scopes=tuple(scope for scope in Scope if scope in self.scopes),
            limits=Limits(self.limits.predictions_per_minute, self.limits.max_cost_per_month),
            tenant=self.tenant,
            valid_until=self.expires_at,
        )
