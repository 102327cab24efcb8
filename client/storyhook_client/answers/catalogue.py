"""Models as GET /models has them."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from storyhook_client.answers.base import Answer, Money


class ReferenceRule(Answer):
    """What a model can be shown; `max` 0 is a model of words alone."""

    kind: str | None = None
    max: int = 0
    required: bool | None = None
    max_total_megapixels: float | None = None


class PriceExample(Answer):
    what: str | None = None
    cost: Money | None = None


class Price(Answer):
    rule: str | None = None
    unit_price: dict[str, Money | None] = Field(default_factory=dict)
    as_of: date | None = None
    grade: str | None = None
    example: PriceExample = PriceExample()


class Model(Answer):
    id: str
    aliases: tuple[str, ...] = ()
    alias_notes: dict[str, str] = Field(default_factory=dict)
    provider: str | None = None
    endpoint: str | None = None
    family: str | None = None
    text_model: str | None = None
    edit_model: str | None = None
    twin: str | None = None
    references: ReferenceRule = ReferenceRule()
    aspect_ratios: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    seed: bool | None = None
    output: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)
    price: Price = Price()
    typical_seconds: float | None = None
    consistency: str | None = None
    best_for: str | None = None
    note: str | None = None
