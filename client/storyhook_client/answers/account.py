"""What belongs to the customer: API keys, callbacks and the secret that signs them."""

from __future__ import annotations

from typing import Any

from storyhook_client.answers.base import Answer, Moment, Money, Urls


class Limits(Answer):
    predictions_per_minute: int | None = None
    max_cost_per_month: Money | None = None


class Month(Answer):
    """What a key has spent of its month, and what runs for it."""

    spent: Money | None = None
    reserved: Money | None = None
    left: Money | None = None
    ends_at: Moment | None = None


class Key(Answer):
    """`secret` and `callback_secret` are in the answer to `create`, and never again.

    `this_month` is None for a key without a limit in money: for it nothing is counted.
    """

    id: str
    name: str | None = None
    secret: str | None = None
    callback_secret: str | None = None
    tenant: str | None = None
    scopes: tuple[str, ...] = ()
    limits: Limits = Limits()
    this_month: Month | None = None
    operator: bool | None = None
    urls: Urls = Urls()
    created_at: Moment | None = None
    expires_at: Moment | None = None
    revoked_at: Moment | None = None


class Attempt(Answer):
    """One try of a callback: `status_code` and the start of an unhappy `response`, or `error`."""

    at: Moment | None = None
    status_code: int | None = None
    error: str | None = None
    duration_seconds: float | None = None
    response: str | None = None


class Address(Answer):
    """How a callback URL does: `active`, `failing` or `disabled`."""

    status: str | None = None
    since: Moment | None = None
    reason: str | None = None


class Callback(Answer):
    """`payload` is the event as it is sent, in the answer to `get`."""

    id: str
    type: str | None = None
    subject: str | None = None
    storyboard_id: str | None = None
    sequence: int | None = None
    url: str | None = None
    address: Address = Address()
    status: str
    error: str | None = None
    attempts: tuple[Attempt, ...] = ()
    next_attempt_at: Moment | None = None
    payload: dict[str, Any] | None = None
    urls: Urls = Urls()
    created_at: Moment | None = None
    expires_at: Moment | None = None


class CallbackSecret(Answer):
    """`whsec_…`; the one before it signs too until `previous_expires_at`."""

    secret: str
    version: int | None = None
    previous_expires_at: Moment | None = None
