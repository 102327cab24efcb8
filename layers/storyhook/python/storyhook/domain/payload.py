"""The body that a model gets, in its own wire form, and what stands in it for a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from storyhook.domain.errors import FieldError, InvalidOption

if TYPE_CHECKING:
    # Whoever sends a payload needs `with_urls` alone, and not the planner.
    from storyhook.domain.model import Model
    from storyhook.domain.references import PlacedReference
    from storyhook.domain.story import Character

# In a stored payload a reference stands as this URL; the real one is made when it is sent.
REFERENCE_SCHEME = "reference://"

# One adapter holds a face best at 0.7; several share the picture, so each gets less.
_SCALE_OF_ONE, _SCALE_OF_SEVERAL = 0.7, 0.55
_SCALE, _MASKS, _THRESHOLD = "ip_adapter_scale", "ip_adapter_masks", "ip_adapter_mask_threshold"


def build_payload(
    model: Model,
    prompt: str,
    seed: int | None,
    aspect_ratio: str,
    placed: Sequence[PlacedReference],
    cast: Sequence[Character],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """`options` have been accepted by the model; they win over its defaults."""
    payload: dict[str, Any] = {model.prompt_field: prompt} if model.prompt_field else {}
    payload |= model.fixed
    payload |= model.size.inputs(aspect_ratio)
    payload |= {
        name: option.default for name, option in model.options.items() if option.default is not None
    }
    if model.seed_field and seed is not None:
        payload[model.seed_field] = seed
    payload |= options
    if model.references.kind == "ip_adapter":
        return payload | _adapters(model, placed, cast, payload)
    if placed and model.references.field:
        urls = [_url(place) for place in placed]
        as_list = model.references.kind == "several" or model.references.as_list
        payload[model.references.field] = urls if as_list else urls[0]
    return payload


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


def _url(place: PlacedReference) -> str:
    return REFERENCE_SCHEME + place.reference.id


def _adapters(
    model: Model,
    placed: Sequence[PlacedReference],
    cast: Sequence[Character],
    payload: dict[str, Any],
) -> dict[str, Any]:
    """An adapter for each person; a location, else the first person, is the starting picture.

    The options of adapters are no inputs of the endpoint: they are taken out of `payload`.
    """
    people = {character.id for character in cast if character.is_person}
    shown = [place for place in placed if place.character in people]
    start = next((place for place in placed if place.character not in people), None) or placed[0]
    masks = payload.pop(_MASKS, {})
    threshold = payload.pop(_THRESHOLD, None)
    scale = payload.pop(_SCALE, _SCALE_OF_ONE if len(shown) == 1 else _SCALE_OF_SEVERAL)
    strangers = sorted(set(masks) - {place.character for place in shown})
    if strangers:
        detail = f"{strangers[0]!r} has no adapter in this scene; name characters on stage."
        raise InvalidOption(detail, (FieldError(f"options.{_MASKS}.{strangers[0]}", detail),))
    items = []
    for place in shown:
        item = {**model.references.adapter, "image_url": _url(place), "scale": scale}
        if place.character in masks:
            item["mask_image_url"] = masks[place.character]
            if threshold is not None:
                item["mask_threshold"] = threshold
        items.append(item)
    inputs: dict[str, Any] = {str(model.references.start_field): _url(start)}
    if items:
        inputs[str(model.references.field)] = items
    return inputs
