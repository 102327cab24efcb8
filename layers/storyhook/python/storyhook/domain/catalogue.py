"""The models that can be asked for, read from `models.toml`.

An entry is data: adding a model needs no code unless its wire form is new.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from storyhook.domain.errors import FieldError, InvalidOption, SettingsError, UnknownModel
from storyhook.domain.pricing import PriceRule


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """How a model takes references. `kind`: several, one, ip_adapter, identity or none."""

    kind: str
    max: int
    field: str | None = None
    required: bool = False
    max_total_megapixels: int | None = None


@dataclass(frozen=True, slots=True)
class SizeRule:
    """`ratios` maps an aspect ratio to the pixels (width, height) the model then draws."""

    form: str
    field: str
    ratios: Mapping[str, tuple[int, int]]
    multiple_of: int = 1


@dataclass(frozen=True, slots=True)
class FormatRule:
    field: str
    values: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True)
class OptionRule:
    """An input that callers may set: one of `values`, or an integer or number in a range."""

    values: tuple[str, ...] = ()
    integers: tuple[int, int] | None = None
    numbers: tuple[Decimal, Decimal] | None = None
    boolean: bool = False

    def expectation(self) -> str:
        """The limits as the refusal tells them."""
        if self.values:
            return "one of " + ", ".join(f'"{value}"' for value in self.values)
        if self.integers:
            return f"a whole number from {self.integers[0]} to {self.integers[1]}"
        if self.numbers:
            return f"a number from {self.numbers[0]} to {self.numbers[1]}"
        return "true or false"

    def allows(self, value: Any) -> bool:
        if isinstance(value, bool):
            return self.boolean
        if self.values:
            return isinstance(value, str) and value in self.values
        if self.integers:
            return isinstance(value, int) and self.integers[0] <= value <= self.integers[1]
        if self.numbers:
            return (
                isinstance(value, int | float)
                and self.numbers[0] <= Decimal(str(value)) <= (self.numbers[1])
            )
        return False


@dataclass(frozen=True, slots=True)
class Model:
    """A catalogue entry. Durations in seconds."""

    id: str
    provider: str
    endpoint: str
    aliases: tuple[str, ...]
    family: str
    text_model: str | None
    twin: str | None
    references: ReferenceRule
    size: SizeRule
    seed_field: str | None
    format: FormatRule | None
    fixed: Mapping[str, Any]
    options: Mapping[str, OptionRule]
    output: str
    price: PriceRule
    typical_seconds: int
    deadline_seconds: int
    consistency: str
    best_for: str
    note: str = ""
    prompt_field: str = "prompt"

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raises InvalidOption for an option the model lacks or a value outside its limits."""
        for name, value in options.items():
            if self.format and name == self.format.field:
                rule = OptionRule(values=self.format.values)
            elif name in self.options:
                rule = self.options[name]
            else:
                known = sorted([*self.options, *([self.format.field] if self.format else [])])
                raise _invalid_option(
                    name,
                    f"{self.id} takes no option {name!r}; it takes {', '.join(known) or 'none'}.",
                )
            if not rule.allows(value):
                raise _invalid_option(
                    name, f"Option {name!r} of {self.id} is {rule.expectation()}."
                )


def _invalid_option(name: str, detail: str) -> InvalidOption:
    return InvalidOption(detail, (FieldError(f"options.{name}", detail),))


@dataclass(frozen=True)
class Catalogue:
    models: Mapping[str, Model]
    _names: Mapping[str, str] = field(repr=False)

    def find(self, name: str) -> Model:
        """The model with this id or alias; raises UnknownModel."""
        model_id = self._names.get(name)
        if model_id is None:
            detail = (
                f"There is no model {name!r}; GET /models lists them: {', '.join(self.models)}."
            )
            raise UnknownModel(detail, (FieldError("model", detail),))
        return self.models[model_id]


@cache
def load(text: str | None = None) -> Catalogue:
    """The catalogue that ships with Storyhook, or the one in `text` (TOML)."""
    if text is None:
        text = Path(__file__).with_name("models.toml").read_text(encoding="utf-8")
    models = {model_id: _model(model_id, entry) for model_id, entry in tomllib.loads(text).items()}
    names: dict[str, str] = {}
    for model in models.values():
        for name in (model.id, *model.aliases):
            if name in names:
                raise SettingsError(f"Two models are called {name!r}: {names[name]}, {model.id}.")
            names[name] = model.id
    return Catalogue(models, names)


def _model(model_id: str, entry: Mapping[str, Any]) -> Model:
    values = dict(entry)
    size = dict(values.pop("size"))
    size["ratios"] = {name: (pixels[0], pixels[1]) for name, pixels in size["ratios"].items()}
    format_ = values.pop("format", None)
    return Model(
        id=model_id,
        aliases=tuple(values.pop("aliases", ())),
        references=ReferenceRule(**values.pop("references")),
        size=SizeRule(**size),
        format=FormatRule(**{**format_, "values": tuple(format_["values"])}) if format_ else None,
        fixed=values.pop("fixed", {}),
        options={name: _option(rule) for name, rule in values.pop("options", {}).items()},
        price=PriceRule.parse(values.pop("price")),
        text_model=values.pop("text_model", None),
        twin=values.pop("twin", None),
        seed_field=values.pop("seed_field", None),
        **values,
    )


def _option(rule: Mapping[str, Any]) -> OptionRule:
    integers, numbers = rule.get("integers"), rule.get("numbers")
    return OptionRule(
        values=tuple(rule.get("values", ())),
        integers=(integers[0], integers[1]) if integers else None,
        numbers=(Decimal(str(numbers[0])), Decimal(str(numbers[1]))) if numbers else None,
        boolean=rule.get("boolean", False),
    )
