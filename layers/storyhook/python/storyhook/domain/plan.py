"""What would be sent for a scene: prompt, ordered references, payload, seed and price. Pure data.

The same input gives the same plan, and a scene's plan does not depend on other scenes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storyhook.domain import prompt as prompts
from storyhook.domain import references as refs
from storyhook.domain.catalogue import Catalogue
from storyhook.domain.errors import (
    FieldError,
    InvalidOption,
    InvalidRequest,
    ReferencesNotTaken,
)
from storyhook.domain.model import Model
from storyhook.domain.payload import build_payload
from storyhook.domain.pricing import Price, megapixels
from storyhook.domain.story import DESCRIBE, MAX_PROMPT_CHARACTERS, Character, Look, Scene

_MAX_SUGGESTIONS = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """One prediction, ready to be sent. `payload` holds `reference://` URLs.

    `character_versions`: who is on stage, by id the version that was planned with.
    """

    model: str
    provider: str
    endpoint: str
    prompt: str
    seed: int | None
    aspect_ratio: str
    references: tuple[refs.PlacedReference, ...]
    left_out: tuple[refs.LeftOut, ...]
    payload: Mapping[str, Any]
    price: Price
    deadline_seconds: int
    warnings: tuple[str, ...]
    character_versions: Mapping[str, int]
    seed_field: str | None = None
    """The field of `payload` that holds the seed."""


def plan_scene(
    catalogue: Catalogue,
    model_name: str,
    scene: Scene,
    cast: Sequence[Character],
    look: Look,
    *,
    seed: int | None,
    lenient: bool = False,
) -> Plan:
    """The plan of one picture. `cast` are the characters on stage, in the scene's order.

    Raises a StoryhookError that says what the model does not take. With `lenient` (a fallback
    model, for which the scene was not written), options and an aspect ratio that the model lacks
    are left out with a warning.
    """
    asked = catalogue.find(model_name)
    model = _route(catalogue, asked, scene, cast)
    selection = refs.select(scene, cast, model.references)
    options, dropped = _options(asked, model, scene, bool(selection.placed), lenient=lenient)
    text = prompts.compile_prompt(scene, cast, selection.placed, look, model.references)
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise InvalidRequest(
            f"The prompt of {scene.id} has {len(text)} characters, {MAX_PROMPT_CHARACTERS} are "
            "allowed; shorten the description, the setting or the characters."
        )
    ratio, other_ratio = _aspect_ratio(asked, model, look.aspect_ratio, lenient=lenient)
    sent_seed = seed if model.seed_field else None
    payload = build_payload(model, text, sent_seed, ratio, selection.placed, cast, options)
    price = model.price.price(
        model.drawn(payload, ratio),
        [(place.reference.width, place.reference.height) for place in selection.placed],
        payload,
        model.typical_seconds,
    )
    return Plan(
        model=model.id,
        provider=model.provider,
        endpoint=model.endpoint,
        prompt=text,
        seed=sent_seed,
        aspect_ratio=ratio,
        references=selection.placed,
        left_out=selection.left_out,
        payload=payload,
        price=price,
        deadline_seconds=model.deadline_seconds,
        warnings=(
            *_about_the_model(catalogue, model_name, asked, model, selection),
            *_about_characters(catalogue, model, cast, selection),
            *dropped,
            *other_ratio,
        ),
        character_versions={character.id: character.version for character in cast},
        seed_field=model.seed_field if sent_seed is not None else None,
    )


def _route(catalogue: Catalogue, asked: Model, scene: Scene, cast: Sequence[Character]) -> Model:
    """The model asked for, or the one of its family for scenes with or without references."""
    shown = [character for character in cast if character.references]
    people = [character for character in shown if character.is_person]
    model = asked
    if shown and asked.references.kind == "none" and asked.edit_model:
        model = catalogue.find(asked.edit_model)
    elif not shown and asked.references.required:
        if asked.text_model is None:
            raise _not_taken(f"{asked.id} needs a reference image; name a character that has one.")
        return catalogue.find(asked.text_model)
    if scene.without_references == DESCRIBE:
        return model
    if shown and model.references.kind == "none":
        names = ", ".join(character.id for character in shown)
        raise _not_taken(
            f"{model.id} takes no references, so it cannot keep {names}; "
            f"{_take_instead(catalogue, model, len(people))}"
        )
    if len(people) > 1 and model.references.max_people == 1:
        names = ", ".join(character.id for character in people)
        raise _not_taken(
            f"{model.id} can be shown one character, and {names} are on stage; "
            f"{_take_instead(catalogue, model, len(people))}"
        )
    return model


def _take_instead(catalogue: Catalogue, model: Model, people: int) -> str:
    models = ", ".join(catalogue.keepers(max(1, people), model.provider)[:_MAX_SUGGESTIONS])
    return (
        f"take a model that keeps them ({models}), or set without_references to "
        f'"{DESCRIBE}" to have them drawn from words.'
    )


def _not_taken(detail: str) -> ReferencesNotTaken:
    return ReferencesNotTaken(detail, (FieldError("characters", detail),))


def _options(
    asked: Model, model: Model, scene: Scene, with_references: bool, *, lenient: bool
) -> tuple[dict[str, Any], list[str]]:
    """The scene's options as `model` takes them, and why any was left out."""
    accepted: dict[str, Any] = {}
    warnings = []
    for name, value in scene.options.items():
        why = model.ignored_options.get(name) or asked.ignored_options.get(name)
        if why:
            warnings.append(f"Option {name!r} is left out: {why}.")
            continue
        try:
            accepted[name] = model.accept(name, value, with_references=with_references)
        except InvalidOption as error:
            if not lenient:
                # The model that was asked for must take it; its text model need not.
                asked.accept(name, value, with_references=with_references)
            warnings.append(f"{error.detail} It is left out.")
    return accepted, warnings


def _aspect_ratio(
    asked: Model, model: Model, wanted: str, *, lenient: bool
) -> tuple[str, list[str]]:
    if wanted in model.size.ratios:
        return wanted, []
    detail = f"{model.id} draws no {wanted}; it draws {', '.join(model.size.ratios)}."
    if not lenient and (model is asked or wanted not in asked.size.ratios):
        raise InvalidOption(detail, (FieldError("aspect_ratio", detail),))
    nearest = min(model.size.ratios, key=lambda ratio: abs(_value(ratio) - _value(wanted)))
    return nearest, [f"{detail} {nearest} is taken."]


def _value(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return int(width) / max(1, int(height))


def _about_the_model(
    catalogue: Catalogue, name: str, asked: Model, model: Model, selection: refs.Selection
) -> Iterator[str]:
    note = catalogue.alias_note(name)
    if note:
        yield note
    if model.family != asked.family:
        yield f"{asked.id} needs a reference; scenes without one are drawn by {model.id}."
    if model.references.note and selection.placed:
        yield model.references.note
    large = [p for p in selection.placed if megapixels((p.reference.width, p.reference.height)) > 1]
    if large and model.price.counts_references:
        yield "References larger than 1 MP cost more for every scene; shrink them to 1 MP."


def _about_characters(
    catalogue: Catalogue, model: Model, cast: Sequence[Character], selection: refs.Selection
) -> Iterator[str]:
    shown = {place.character for place in selection.placed}
    for character in cast:
        if not character.references:
            yield (
                f"{character.id} has no reference image, so nothing keeps the same face; give one "
                f"with POST /characters. Drawn from words by {model.id}."
            )
        elif character.id not in shown and model.references.kind == "none":
            yield f"{character.id} is drawn from words alone: {model.id} takes no references."
        elif character.id not in shown:
            larger = [m for m in catalogue.keepers(len(cast), model.provider) if m != model.id]
            advice = f"; {larger[0]} takes more" if larger else ""
            yield (
                f"{character.id} is drawn from words alone: no reference fits "
                f"the limit of {model.id}{advice}."
            )
