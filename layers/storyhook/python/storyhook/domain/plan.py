"""What would be sent for a scene: prompt, ordered references, payload, seed and price. Pure data.

The same input gives the same plan, and a scene's plan does not depend on other scenes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storyhook.domain import prompt as prompts
from storyhook.domain import references as refs
from storyhook.domain.catalogue import Catalogue, Model
from storyhook.domain.errors import FieldError, InvalidOption, InvalidRequest
from storyhook.domain.pricing import Price
from storyhook.domain.story import MAX_PROMPT_CHARACTERS, MAX_SEED, Character, Look, Scene

# In a stored payload a reference stands as this URL; the real one is signed when it is sent.
REFERENCE_SCHEME = "reference://"

_SCENE_SEED_STEP = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """One prediction, ready to be sent. `payload` holds `reference://` URLs."""

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
    warnings: tuple[str, ...]


def scene_seed(base: int, position: int, candidate: int = 1) -> int:
    """The seed of a scene's candidate (both counted from 1), by rule from the board's seed."""
    return (base + (position - 1) * _SCENE_SEED_STEP + candidate - 1) % (MAX_SEED + 1)


def route(catalogue: Catalogue, name: str, *, has_references: bool) -> Model:
    """The model asked for, or its family's text model when there is nothing to show it."""
    model = catalogue.find(name)
    if has_references and model.references.kind == "none":
        raise InvalidRequest(
            f"{model.id} takes no references, so it cannot keep characters; "
            "choose a model with references, or leave the characters out."
        )
    if not has_references and model.references.required:
        if model.text_model is None:
            raise InvalidRequest(
                f"{model.id} needs a reference image; name a character that has one."
            )
        return catalogue.find(model.text_model)
    return model


def plan_scene(
    catalogue: Catalogue,
    model_name: str,
    scene: Scene,
    cast: Sequence[Character],
    look: Look,
    *,
    seed: int | None,
) -> Plan:
    """The plan of one picture. `cast` are the characters on stage, in the scene's order."""
    model = route(catalogue, model_name, has_references=any(c.references for c in cast))
    model.check_options(scene.options)
    selection = refs.select(
        scene,
        cast,
        maximum=model.references.max,
        max_total_megapixels=model.references.max_total_megapixels,
    )
    text = prompts.compile_prompt(scene, cast, selection.placed, look)
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise InvalidRequest(
            f"The prompt of {scene.id} has {len(text)} characters, {MAX_PROMPT_CHARACTERS} are "
            "allowed; shorten the description, the setting or the characters."
        )
    if look.aspect_ratio not in model.size.ratios:
        detail = (
            f"{model.id} draws no {look.aspect_ratio}; it draws {', '.join(model.size.ratios)}."
        )
        raise InvalidOption(detail, (FieldError("aspect_ratio", detail),))
    pixels = model.size.ratios[look.aspect_ratio]
    sizes = [(place.reference.width, place.reference.height) for place in selection.placed]
    sent_seed = seed if model.seed_field else None
    return Plan(
        model=model.id,
        provider=model.provider,
        endpoint=model.endpoint,
        prompt=text,
        seed=sent_seed,
        aspect_ratio=look.aspect_ratio,
        references=selection.placed,
        left_out=selection.left_out,
        payload=_payload(model, text, sent_seed, look.aspect_ratio, selection, scene.options),
        price=model.price.price([pixels], sizes),
        warnings=(*_warnings(selection), *_faceless(cast, model)),
    )


def _payload(
    model: Model,
    text: str,
    seed: int | None,
    aspect_ratio: str,
    selection: refs.Selection,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    payload: dict[str, Any] = {model.prompt_field: text, **model.fixed}
    if model.size.form == "pixels":
        width, height = model.size.ratios[aspect_ratio]
        payload[model.size.field] = {"width": width, "height": height}
    else:
        payload[model.size.field] = aspect_ratio
    if model.format:
        payload[model.format.field] = model.format.default
    if model.seed_field and seed is not None:
        payload[model.seed_field] = seed
    if selection.placed and model.references.field:
        urls = [REFERENCE_SCHEME + place.reference.id for place in selection.placed]
        payload[model.references.field] = urls if model.references.kind == "several" else urls[0]
    return payload | dict(options)


def _faceless(cast: Sequence[Character], model: Model) -> Iterator[str]:
    for character in cast:
        if not character.references:
            yield (
                f"{character.id} has no reference image, so nothing keeps the same face; give one "
                f"with POST /characters. Drawn from words by {model.id}."
            )


def with_urls(payload: Any, urls: Mapping[str, str]) -> Any:
    """`payload` with each string that is exactly a key of `urls` replaced by its URL.

    Keys are whole `reference://<id>` values, so that a prompt which begins alike stays a prompt.
    """
    if isinstance(payload, str):
        return urls.get(payload, payload)
    if isinstance(payload, Mapping):
        return {name: with_urls(value, urls) for name, value in payload.items()}
    if isinstance(payload, list | tuple):
        return [with_urls(value, urls) for value in payload]
    return payload


def _warnings(selection: refs.Selection) -> tuple[str, ...]:
    shown = {place.character for place in selection.placed}
    unseen = {left.character for left in selection.left_out} - shown
    return tuple(
        f"{character} is drawn from words alone: no reference fits the model's limit."
        for character in sorted(unseen)
    )
