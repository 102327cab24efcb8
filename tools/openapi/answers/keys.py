"""API keys: who may do what, and for how much."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from tools.openapi.answers.base import Time, Urls, Usd


class KeyLimits(TypedDict):
    predictions_per_minute: Annotated[int | None, Field(description="null: no limit.")]
    max_cost_per_month: Annotated[Usd | None, Field(description="USD; null: no limit.")]


class ThisMonth(TypedDict):
    spent: Usd
    reserved: Annotated[Usd, Field(description="USD, of what is not over yet.")]
    left: Annotated[
        str,
        Field(
            pattern=r"^-?\d+\.\d{4,}$",
            description="USD; below zero if a picture cost more than was known before.",
        ),
    ]
    ends_at: Time


class Key(TypedDict):
    id: str
    name: str
    tenant: Annotated[str, Field(description="Everything that is made with it is this tenant's.")]
    scopes: list[Literal["read", "write", "admin"]]
    limits: KeyLimits
    this_month: Annotated[
        ThisMonth | None, Field(description="null for a key without a limit of money.")
    ]
    operator: Annotated[bool, Field(description="Whether it may make keys for any tenant.")]
    urls: Urls
    created_at: Time
    expires_at: Time | None
    revoked_at: Time | None


class NewKey(Key):
    secret: Annotated[
        str | None,
        Field(pattern="^shk_", description="Shown once: null when the request is repeated."),
    ]
    callback_secret: Annotated[
        str | None,
        Field(pattern="^whsec_", description="It signs the callbacks; null as `secret` is."),
    ]
