"""The models a simulator knows: one entry each in schemas/<provider>.json."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from local.simulators.pricing import Price

SCHEMAS = Path(__file__).parent / "schemas"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Field(Strict):
    """One input field: its type and what the provider's schema says of its values."""

    type: Literal["string", "integer", "number", "boolean", "array", "size", "object"]
    items: Literal["string", "object"] = "string"
    required: bool = False
    default: Any = None
    enum: list[str | int] | None = None
    minimum: float | None = None
    maximum: float | None = None
    multiple_of: int | None = None
    min_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None


class References(Strict):
    field: str
    max_total_megapixels: Decimal | None = None


class Size(Strict):
    form: Literal["image_size", "aspect_ratio", "width_height"]
    default: str


class Model(Strict):
    typical_seconds: float
    output: Literal["images", "image", "string", "list"]
    reports_nsfw: bool = False
    """fal's open models report a safety hit as a flag beside a black picture."""
    official: bool = True
    """Replicate: official models are named owner/name, community ones need the version."""
    version: str | None = None
    references: References | None = None
    size: Size
    price: Price
    input: dict[str, Field]


class Catalogue:
    def __init__(self, models: dict[str, Model]) -> None:
        self.models = models

    @classmethod
    def load(cls, provider: str, extra: dict[str, Any] | None = None) -> "Catalogue":
        entries = json.loads((SCHEMAS / f"{provider}.json").read_text("utf-8"))
        entries.update(extra or {})
        return cls({name: Model.model_validate(entry) for name, entry in entries.items()})

    def get(self, name: str) -> Model | None:
        return self.models.get(name)

    def by_version(self, version: str) -> str | None:
        """The name of the model that has this (hexadecimal) version."""
        for name, model in self.models.items():
            if model.version is not None and model.version == version:
                return name
        return None
