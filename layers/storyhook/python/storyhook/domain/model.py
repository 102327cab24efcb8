"""A model of the catalogue: what it takes, in which form, and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from math import sqrt
from typing import Any

from storyhook.domain.errors import FieldError, InvalidOption
from storyhook.domain.options import Option
from storyhook.domain.pricing import PriceRule, Size

# How long a provider may take for one picture, queue included, before it is told to stop.
_DEADLINE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """How a model takes references.

    `kind`: several (named by their numbers), one (a picture that is edited), identity (one face),
    ip_adapter (one adapter each), start (a starting picture, which keeps no person) or none.
    `descriptor`: full, or outfit_only where words about the face would fight the picture.
    """

    kind: str = "none"
    max: int = 0
    field: str | None = None
    required: bool = False
    as_list: bool = False
    start_field: str | None = None
    adapter: Mapping[str, str] = dataclass_field(default_factory=dict)
    max_total_megapixels: int | None = None
    descriptor: str = "full"
    note: str = ""

    @property
    def max_people(self) -> int:
        """How many characters can be told apart by their references."""
        return self.max if self.kind in ("several", "ip_adapter") else min(1, self.max)


@dataclass(frozen=True, slots=True)
class SizeRule:
    """`form`: pixels (an object), ratio (a text) or sides (two fields).

    `ratios` maps an aspect ratio to the (width, height) that the model then draws at one MP.
    """

    form: str
    field: str
    ratios: Mapping[str, Size]

    def inputs(self, aspect_ratio: str) -> dict[str, Any]:
        width, height = self.ratios[aspect_ratio]
        match self.form:
            case "pixels":
                return {self.field: {"width": width, "height": height}}
            case "sides":
                names = self.field.split()
                return {names[0]: width, names[1]: height}
            case _:
                return {self.field: aspect_ratio}


@dataclass(frozen=True, slots=True)
class ResolutionRule:
    """A field that says how many megapixels are drawn, by name."""

    field: str
    megapixels: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """A catalogue entry. Durations in seconds."""

    id: str
    provider: str
    endpoint: str
    family: str
    size: SizeRule
    output: str
    price: PriceRule
    typical_seconds: int
    consistency: str
    best_for: str
    aliases: tuple[str, ...] = ()
    alias_notes: Mapping[str, str] = dataclass_field(default_factory=dict)
    text_model: str | None = None
    edit_model: str | None = None
    twin: str | None = None
    references: ReferenceRule = dataclass_field(default_factory=ReferenceRule)
    resolution: ResolutionRule | None = None
    count_field: str | None = None
    formats: tuple[str, ...] = ()
    seed_field: str | None = None
    fixed: Mapping[str, Any] = dataclass_field(default_factory=dict)
    options: Mapping[str, Option] = dataclass_field(default_factory=dict)
    ignored_options: Mapping[str, str] = dataclass_field(default_factory=dict)
    deadline_seconds: int = _DEADLINE_SECONDS
    note: str = ""
    prompt_field: str = "prompt"

    def accept(self, name: str, value: Any, *, with_references: bool) -> Any:
        """An option's value as it is sent; raises InvalidOption for what does not fit."""
        option = self.options.get(name)
        if option is None:
            known = ", ".join(sorted(self.options)) or "none"
            raise _invalid(name, f"{self.id} takes no option {name!r}; it takes {known}.")
        try:
            return option.accept(value, with_references=with_references)
        except ValueError as error:
            detail = f"Option {name!r} of {self.id} is {option.expectation()}."
            raise _invalid(name, detail) from error

    @property
    def names(self) -> tuple[str, ...]:
        return (self.id, *self.aliases, *self.alias_notes)

    def drawn(self, inputs: Mapping[str, Any], aspect_ratio: str) -> list[Size]:
        """The sizes of the pictures that this payload asks for, as far as they can be known."""
        width, height = self.size.ratios[aspect_ratio]
        asked = inputs.get(self.size.field)
        if self.size.form == "pixels" and isinstance(asked, Mapping):
            width, height = asked["width"], asked["height"]
        if self.resolution:
            factor = sqrt(self.resolution.megapixels[inputs[self.resolution.field]])
            width, height = round(width * factor), round(height * factor)
        count = inputs.get(self.count_field, 1) if self.count_field else 1
        return [(width, height)] * count


def _invalid(name: str, detail: str) -> InvalidOption:
    return InvalidOption(detail, (FieldError(f"options.{name}", detail),))
