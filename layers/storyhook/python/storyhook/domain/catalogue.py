"""The models that can be asked for, read from `models.toml` and `own-models.toml`.

An entry is data: adding a model needs no code unless its wire form is new
(docs/adding-a-model.md).
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

from storyhook.domain.errors import FieldError, InvalidOption, SettingsError, UnknownModel
from storyhook.domain.options import Choice, Integer, Option, Pixels, Size
from storyhook.domain.options import parse as parse_option
from storyhook.domain.pricing import PriceRule

SOURCES = ("models.toml", "own-models.toml")
# What `sam build` makes of them: reading it takes 1 ms of a cold start, not 9.
BUILT = "models.json"

_PROVIDERS = ("fal", "replicate")
_KINDS = ("several", "one", "identity", "ip_adapter", "start", "none")
_STEP = 16
_DEFAULT_SIDES = (256, 2048)
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


@dataclass(frozen=True)
class Catalogue:
    models: Mapping[str, Model]
    _names: Mapping[str, str] = dataclass_field(repr=False)

    def find(self, name: str) -> Model:
        """The model with this id or alias, in any spelling of case and spaces; or UnknownModel."""
        model_id = self._names.get(_plain(name))
        if model_id is None:
            detail = (
                f"There is no model {name!r}; GET /models lists them: {', '.join(self.models)}. "
                "An entry in own-models.toml adds one (docs/adding-a-model.md)."
            )
            raise UnknownModel(detail, (FieldError("model", detail),))
        return self.models[model_id]

    def alias_note(self, name: str) -> str | None:
        """What to know about a name that the provider itself does not have."""
        return self.find(name).alias_notes.get(_plain(name))

    def keepers(self, people: int) -> list[str]:
        """Ids of models that tell so many characters apart by their references."""
        return [m.id for m in self.models.values() if m.references.max_people >= people]


@cache
def load() -> Catalogue:
    """The catalogue that ships with Storyhook, and the entries of the user's own."""
    here = Path(__file__)
    built = here.with_name(BUILT)
    if built.exists():
        return build([json.loads(built.read_text(encoding="utf-8"))])
    return build(read(here.with_name(name)) for name in SOURCES)


def read(path: Path) -> dict[str, Any]:
    """A file of the catalogue's form; raises SettingsError with the place of a mistake."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}") from error


def merge(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The documents as one; raises SettingsError when two have a model of one id."""
    whole: dict[str, Any] = {"pixels": {}, "presets": {}, "models": {}}
    for document in documents:
        for name, table in document.items():
            if name not in whole:
                raise SettingsError(
                    f"The catalogue has no [{name}]; a model's entry is [models.<id>]."
                )
            for key, value in table.items():
                if name == "models" and key in whole[name]:
                    raise SettingsError(f"Two models are called {key!r}; choose another id.")
                whole[name][key] = value
    return whole


def build(documents: Iterable[Mapping[str, Any]]) -> Catalogue:
    """The catalogue of these documents; raises SettingsError that names the entry at fault."""
    whole = merge(documents)
    models: dict[str, Model] = {}
    for model_id, entry in whole["models"].items():
        try:
            models[model_id] = _model(model_id, entry, whole)
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(f"[models.{model_id}] in the catalogue: {error}.") from error
    names: dict[str, str] = {}
    for model in models.values():
        for name in dict.fromkeys(_plain(name) for name in (*model.names, model.endpoint)):
            if names.setdefault(name, model.id) != model.id:
                raise SettingsError(f"Two models are called {name!r}: {names[name]}, {model.id}.")
        for related in (model.text_model, model.edit_model, model.twin):
            if related is not None and related not in models:
                raise SettingsError(f"[models.{model.id}] names {related!r}, which is not there.")
    return Catalogue(models, names)


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "-")


def _model(model_id: str, entry: Mapping[str, Any], shared: Mapping[str, Any]) -> Model:
    values = dict(entry)
    if values["provider"] not in _PROVIDERS:
        raise ValueError(f"provider is one of {', '.join(_PROVIDERS)}")
    options = {name: parse_option(rule) for name, rule in values.pop("options", {}).items()}
    size, sides = _size(values.pop("size"), shared)
    if size.form == "pixels":
        options[size.field] = Option(Pixels(sides, _STEP, _presets(sides, shared)))
    resolution = None
    if "resolution" in values:
        rule = values.pop("resolution")
        resolution = ResolutionRule(rule["field"], rule["megapixels"])
        options[resolution.field] = Option(Choice(tuple(rule["megapixels"])), rule["default"])
    formats: tuple[str, ...] = ()
    if "format" in values:
        rule = values.pop("format")
        formats = tuple(rule["values"])
        options[rule["field"]] = Option(Choice(formats), rule["default"])
    count_field = None
    if "count" in values:
        rule = values.pop("count")
        count_field = rule["field"]
        options[rule["field"]] = Option(Integer(1, rule["max"]), default=1)
    references = ReferenceRule(**values.pop("references", {}))
    if references.kind not in _KINDS:
        raise ValueError(f"references.kind is one of {', '.join(_KINDS)}")
    return Model(
        id=model_id,
        references=references,
        size=size,
        resolution=resolution,
        formats=formats,
        count_field=count_field,
        options=options,
        price=PriceRule.parse(values.pop("price")),
        aliases=tuple(values.pop("aliases", ())),
        **values,
    )


def _size(rule: Mapping[str, Any], shared: Mapping[str, Any]) -> tuple[SizeRule, tuple[int, int]]:
    given = rule["ratios"]
    if not isinstance(given, Mapping):
        given = {name: shared["pixels"][name] for name in given}
    sides = rule.get("sides", _DEFAULT_SIDES)
    ratios = {name: (width, height) for name, (width, height) in given.items()}
    return SizeRule(rule["form"], rule["field"], ratios), (sides[0], sides[1])


def _presets(sides: tuple[int, int], shared: Mapping[str, Any]) -> dict[str, Size]:
    return {
        name: (width, height)
        for name, (width, height) in shared["presets"].items()
        if sides[0] <= min(width, height) and max(width, height) <= sides[1]
    }
