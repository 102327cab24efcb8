"""The catalogue."""

from typing import Annotated, Any, TypedDict

from pydantic import Field

from tools.openapi.answers.base import Usd


class ReferenceRule(TypedDict):
    kind: str
    max: int
    required: bool
    max_total_megapixels: int | None


class PriceExample(TypedDict):
    what: str
    cost: Usd | None


class ModelPrice(TypedDict):
    rule: str
    unit_price: dict[str, str | None]
    as_of: Annotated[str, Field(json_schema_extra={"format": "date"})]
    grade: str
    example: PriceExample


class Model(TypedDict):
    id: str
    aliases: list[str]
    alias_notes: dict[str, str]
    provider: str
    endpoint: str
    family: str
    text_model: str | None
    edit_model: str | None
    twin: str | None
    references: ReferenceRule
    aspect_ratios: list[str]
    formats: list[str]
    seed: bool
    output: str
    options: dict[str, str]
    defaults: dict[str, Any]
    price: ModelPrice
    typical_seconds: int
    consistency: str
    best_for: str
    note: str


class Models(TypedDict):
    items: list[Model]
    next_cursor: Annotated[None, Field(description="They come at once.")]
