"""Callbacks: the delivery log, and the secret that signs them."""

from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

from storyhook.domain.callback import CallbackStatus
from tools.openapi.answers.base import Path, Time, Urls


class ReplayUrls(Urls):
    replay: Path


class Attempt(TypedDict):
    at: Time
    status_code: Annotated[int | None, Field(description="null when no answer came.")]
    error: str | None
    duration_seconds: float | None
    response: Annotated[
        str | None, Field(description="The beginning of an answer that was no 2xx.")
    ]


class Address(TypedDict):
    status: Literal["active", "failing", "disabled"]
    since: Time | None
    reason: str | None


CallbackType = Literal["prediction.completed", "scene.completed", "storyboard.completed"]


class Callback(TypedDict):
    id: str
    type: CallbackType
    subject: Annotated[str, Field(description="The prediction's or the board's id.")]
    storyboard_id: str | None
    sequence: Annotated[int | None, Field(description="1, 2, 3, … in the order of what happened.")]
    url: str
    address: Address
    status: CallbackStatus
    error: str | None
    attempts: list[Attempt]
    next_attempt_at: Time | None
    urls: ReplayUrls
    created_at: Time
    expires_at: Annotated[Time | None, Field(description="When the log forgets it.")]


class CallbackWithPayload(Callback):
    payload: Annotated[dict[str, Any], Field(description="The body that is sent.")]


class CallbackSecret(TypedDict):
    secret: Annotated[str, Field(pattern="^whsec_", description="Verifies callbacks' signatures.")]
    version: int
    previous_expires_at: Annotated[
        Time | None, Field(description="Until then the one before signs, too.")
    ]
