"""One picture wanted, and what became of it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from storyhook_client.answers.base import Answer, Moment, Money, Urls

OPEN = ("queued", "running")
"""Statuses of a prediction, scene or board that is not over."""


class Image(Answer):
    """`url` works until `expires_at`; reading the thing again gives a fresh one."""

    url: str
    expires_at: Moment | None = None
    content_type: str = "application/octet-stream"
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    sha256: str | None = None


class Problem(Answer):
    """Why there is no picture."""

    type: str | None = None
    title: str | None = None
    detail: str | None = None
    retryable: bool | None = None
    provider_code: str | None = None


class Cost(Answer):
    """None where it is not known; `max` is a board's own limit, `known` a plan's known prices."""

    estimated: Money | None = None
    actual: Money | None = None
    max: Money | None = None
    known: Money | None = None


class Metrics(Answer):
    queue_seconds: float | None = None
    provider_seconds: float | None = None
    store_seconds: float | None = None
    total_seconds: float | None = None


class PlacedReference(Answer):
    """A reference image that is shown (`position`), or was left out, and why."""

    position: int | None = None
    character: str | None = None
    role: str | None = None
    angle: str | None = None
    reference_id: str | None = None
    why: str | None = None


class PriceLine(Answer):
    what: str | None = None
    quantity: float | None = None
    unit_price: Money | None = None
    amount: Money | None = None


class PredictionInput(Answer):
    """What the provider is shown and told; `payload` is what is sent."""

    prompt: str | None = None
    seed: int | None = None
    aspect_ratio: str | None = None
    # Of those on stage, the version that was planned with.
    character_versions: dict[str, int] = Field(default_factory=dict)
    references: tuple[PlacedReference, ...] = ()
    left_out: tuple[PlacedReference, ...] = ()
    price: tuple[PriceLine, ...] = ()
    template: str | int | None = None
    sheet: dict[str, Any] | None = None
    payload: dict[str, Any] = Field(default_factory=dict)


class Output(Answer):
    images: tuple[Image, ...] = ()
    seed: int | None = None


class Cancellation(Answer):
    """`in_time`: whether no picture was made; None while that is not known."""

    requested_at: Moment | None = None
    in_time: bool | None = None
    canceled: int | None = None


class Prediction(Answer):
    id: str
    status: str
    model: str | None = None
    provider: str | None = None
    provider_id: str | None = None
    input: PredictionInput = PredictionInput()
    output: Output | None = None
    error: Problem | None = None
    cost: Cost = Cost()
    metrics: Metrics = Metrics()
    storyboard_id: str | None = None
    scene_id: str | None = None
    candidate: int | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    cancellation: Cancellation | None = None
    urls: Urls = Urls()
    created_at: Moment | None = None
    submitted_at: Moment | None = None
    completed_at: Moment | None = None

    @property
    def is_over(self) -> bool:
        return self.status not in OPEN


class Plan(PredictionInput):
    """A dry run: what would be sent, and its price. Nothing is written or paid."""

    dry_run: bool = True
    model: str | None = None
    provider: str | None = None
    endpoint: str | None = None
    cost: Cost = Cost()
    warnings: tuple[str, ...] = ()
