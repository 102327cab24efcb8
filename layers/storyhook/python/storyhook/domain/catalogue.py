"""The models that can be asked for, read from `models.toml` and `own-models.toml`.

An entry is data: adding a model needs no code unless its wire form is new
(docs/adding-a-model.md).
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from storyhook.domain.errors import FieldError, SettingsError, UnknownModel
from storyhook.domain.model import Model, ReferenceRule, ResolutionRule, SizeRule
from storyhook.domain.pricing import PriceRule, Size

SOURCES = ("models.toml", "own-models.toml")
# What `sam build` makes of them: reading it takes 1 ms of a cold start, not 9.
BUILT = "models.json"

_PROVIDERS = ("fal", "replicate")
_KINDS = ("several", "one", "identity", "ip_adapter", "start", "none")
_FORMS = ("pixels", "ratio", "sides")
_STEP = 16
_MAX_NEAR = 3
_DEFAULT_SIDES = (256, 2048)


@dataclass(frozen=True)
class Catalogue:
    models: Mapping[str, Model]
    _names: Mapping[str, str] = field(repr=False)

    def find(self, name: str) -> Model:
        """The model with this id or alias, in any spelling of case and spaces; or UnknownModel."""
        model_id = self._names.get(_plain(name))
        if model_id is None:
            from difflib import get_close_matches  # here: a start needs it not

            near = get_close_matches(_plain(name), self._names, _MAX_NEAR)
            meant = f"; did you mean {' or '.join(near)}?" if near else "."
            detail = (
                f"There is no model {name!r}{meant} GET /models lists all {len(self.models)}; "
                "an entry in own-models.toml adds one (docs/adding-a-model.md)."
            )
            raise UnknownModel(detail, (FieldError("model", detail),))
        return self.models[model_id]

    def alias_note(self, name: str) -> str | None:
        """What to know about a name that the provider itself does not have."""
        return self.find(name).alias_notes.get(_plain(name))

    def keepers(self, people: int, provider: str) -> list[str]:
        """Ids of models that tell so many characters apart by their references.

        Those of `provider` come first: its key is there.
        """
        keep = [
            m
            for m in self.models.values()
            if m.references.max_people >= people and m.references.kind != "start"
        ]
        return [m.id for m in sorted(keep, key=lambda m: m.provider != provider)]


@cache
def load() -> Catalogue:
    """The catalogue that ships with Storyhook, and the entries of the user's own."""
    here = Path(__file__)
    built = here.with_name(BUILT)
    if built.exists():
        return build([json.loads(built.read_text(encoding="utf-8"))], checked=True)
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


def build(documents: Iterable[Mapping[str, Any]], *, checked: bool = False) -> Catalogue:
    """The catalogue of these documents; raises SettingsError that names the entry at fault.

    With `checked` (the layer's build has done it) options are read when they are first needed.
    """
    whole = merge(documents)
    models: dict[str, Model] = {}
    for model_id, entry in whole["models"].items():
        try:
            models[model_id] = _model(model_id, entry, whole)
            if not checked:
                _ = models[model_id].options
        except KeyError as error:
            raise SettingsError(f"[models.{model_id}] in the catalogue lacks {error}.") from error
        except (TypeError, ValueError) as error:
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
    rules = dict(values.pop("options", {}))
    size, sides = _size(values.pop("size"), shared)
    if size.form == "pixels":
        presets = _presets(sides, shared)
        rules[size.field] = {"pixels": presets, "sides": sides, "step": _STEP}
    resolution = None
    if "resolution" in values:
        rule = values.pop("resolution")
        resolution = ResolutionRule(rule["field"], rule["megapixels"])
        names = list(rule["megapixels"])
        rules[resolution.field] = {"values": names, "default": rule["default"]}
    formats: tuple[str, ...] = ()
    if "format" in values:
        rule = values.pop("format")
        formats = tuple(rule["values"])
        rules[rule["field"]] = {"values": rule["values"], "default": rule["default"]}
    count_field = None
    if "count" in values:
        rule = values.pop("count")
        count_field = rule["field"]
        rules[count_field] = {"integers": [1, rule["max"]], "default": 1}
    price = PriceRule.parse(values.pop("price"))
    if price.option is not None and price.option not in rules:
        raise ValueError(f"price.option is {price.option!r}, which the model does not take")
    return Model(
        id=model_id,
        references=_references(values.pop("references", {})),
        size=size,
        resolution=resolution,
        formats=formats,
        count_field=count_field,
        rules=rules,
        price=price,
        aliases=tuple(values.pop("aliases", ())),
        **values,
    )


def _references(rule: Mapping[str, Any]) -> ReferenceRule:
    references = ReferenceRule(**rule)
    if references.kind not in _KINDS:
        raise ValueError(f"references.kind is one of {', '.join(_KINDS)}")
    if references.kind != "none" and not (references.field and references.max):
        raise ValueError("references need a field and a max")
    return references


def _size(rule: Mapping[str, Any], shared: Mapping[str, Any]) -> tuple[SizeRule, tuple[int, int]]:
    given = rule["ratios"]
    if rule["form"] not in _FORMS:
        raise ValueError(f"size.form is one of {', '.join(_FORMS)}")
    if not given:
        raise ValueError("size.ratios is empty")
    if not isinstance(given, Mapping):
        unknown = [name for name in given if name not in shared["pixels"]]
        if unknown:
            raise ValueError(f"size.ratios has {unknown[0]!r}, which is not in [pixels]")
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
