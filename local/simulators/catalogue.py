"""The models a simulator knows: one entry each in schemas/<provider>/*.json."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from local.simulators.pricing import MEGAPIXEL, Price

SCHEMAS = Path(__file__).parent / "schemas"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Field(Strict):
    """One input field: its type and what the provider's schema says of its values."""

    type: Literal["string", "integer", "number", "boolean", "array", "size", "object"]
    format: Literal["uri"] | None = None
    items: "Field | None" = None
    """What an array holds; None = anything."""
    fields: "dict[str, Field] | None" = None
    """What an object holds; None = anything."""
    required: bool = False
    default: Any = None
    enum: list[str | int] | None = None
    """For a size: the presets."""
    minimum: float | None = None
    maximum: float | None = None
    """For a size: of each side."""
    multiple_of: int | None = None
    min_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None


class Images(Strict):
    """A field that takes pictures: `image_urls`, or `ip_adapters[].image_url` inside a list."""

    field: str
    first: int | None = None
    last: int | None = None
    """The model silently keeps only the first or the last so many of a list."""
    drawn: bool = True
    """Masks are read, but nobody in the picture looks like them."""
    max_bytes: int | None = None


class Size(Strict):
    follows_image: bool = False
    """With a picture given, its ratio wins over the one asked for."""
    min_pixels: int = 0
    max_pixels: int = 4 * MEGAPIXEL
    """Smaller pictures are scaled up and larger ones down, silently."""


class Limits(Strict):
    """What a list of fields cannot say: found out when the model runs (see limits.py)."""

    input_megapixels: Decimal | None = None
    with_image: dict[str, float] = {}
    """Lower maxima of fields for jobs with an input picture."""
    pictures_in_and_out: int | None = None


class Model(Strict):
    note: str = ""
    """What the sources do not say and we chose."""
    typical_seconds: float
    output: Literal["images", "image", "string", "list"]
    reports_nsfw: bool = False
    """fal's open models report a safety hit as a flag beside a black picture."""
    reports_seed: bool = True
    description: bool = False
    """The model writes a sentence about its picture."""
    format: str = "png"
    """Of models that have no `output_format`."""
    official: bool = True
    """Replicate: official models are named owner/name, community ones need the version."""
    version: str | None = None
    images: tuple[Images, ...] = ()
    size: Size = Size()
    limits: Limits = Limits()
    price: Price | None
    """None: nobody publishes it."""
    input: dict[str, Field]

    def filled(self, given: dict[str, Any]) -> dict[str, Any]:
        """The input with the defaults of everything that was left out or null."""
        defaults = {name: rules.default for name, rules in self.input.items()}
        return defaults | {name: value for name, value in given.items() if value is not None}


class Catalogue:
    def __init__(self, models: dict[str, Model]) -> None:
        self.models = models

    @classmethod
    def load(cls, provider: str, extra: dict[str, Any] | None = None) -> "Catalogue":
        entries: dict[str, Any] = {}
        for path in sorted((SCHEMAS / provider).glob("*.json")):
            entries.update(json.loads(path.read_text("utf-8")))
        models = dict(_resolved(entries | (extra or {})))
        return cls({name: Model.model_validate(entry) for name, entry in models.items()})

    def get(self, name: str) -> Model | None:
        return self.models.get(name)

    def by_version(self, version: str) -> str | None:
        """The name of the model that has this (hexadecimal) version."""
        for name, model in self.models.items():
            if model.version is not None and model.version == version:
                return name
        return None


def _resolved(entries: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """`"like": name` takes over another entry; input fields are merged, null takes one out."""
    for name, entry in entries.items():
        whole = entry
        while isinstance(whole, dict) and "like" in whole:
            base = entries[whole["like"]]
            merged = {**base.get("input", {}), **whole.get("input", {})}
            own = {key: value for key, value in whole.items() if key != "like"}
            whole = {**base, **own, "input": merged}
        if isinstance(whole, dict) and isinstance(whole.get("input"), dict):
            kept = {key: rules for key, rules in whole["input"].items() if rules is not None}
            whole = {**whole, "input": kept}
        yield name, whole
