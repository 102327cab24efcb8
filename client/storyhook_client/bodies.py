"""The fields of requests by name: for those who write them, and for `did you mean`."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, TypedDict

_INDEX = re.compile(r"\[\d+\]")


class ReferenceBody(TypedDict, total=False):
    """One of `url`, `upload`, `prediction` (ids) and, in a board file, `file` (a path)."""

    url: str
    upload: str
    prediction: str
    file: str
    role: str
    angle: str


class CharacterBody(TypedDict, total=False):
    id: str
    name: str
    description: str
    outfit: str
    kind: str
    references: list[ReferenceBody]
    reference_image_url: str


class OverrideBody(TypedDict, total=False):
    outfit: str


class SceneBody(TypedDict, total=False):
    id: str
    description: str
    characters: list[str]
    setting: str
    shot: str
    camera: str
    light: str
    caption: str
    overrides: dict[str, OverrideBody]
    model: str
    seed: int
    options: dict[str, Any]
    crowd: bool
    without_references: str
    fallback_models: list[str]
    fallback_on_block: bool
    queue_timeout_seconds: int
    candidates: int


class StoryboardBody(TypedDict, total=False):
    title: str
    model: str
    seed: int
    seed_mode: str
    style: str
    palette: list[str]
    aspect_ratio: str
    options: dict[str, Any]
    without_references: str
    fallback_models: list[str]
    fallback_on_block: bool
    queue_timeout_seconds: int
    candidates: int
    max_paid_attempts: int
    max_cost: str
    callback_url: str
    callback_events: list[str]
    characters: list[CharacterBody]
    scenes: list[SceneBody]


class PredictionBody(TypedDict, total=False):
    model: str
    prompt: str
    characters: list[str]
    aspect_ratio: str
    style: str
    seed: int
    options: dict[str, Any]
    crowd: bool
    without_references: str
    max_paid_attempts: int
    max_cost: str
    callback_url: str
    callback_events: list[str]


# Where in a board a field stands -> the fields that there are.
_FIELDS: dict[str, tuple[str, ...]] = {
    "": tuple(StoryboardBody.__annotations__),
    "characters": tuple(CharacterBody.__annotations__),
    "characters.references": tuple(ReferenceBody.__annotations__),
    "scenes": tuple(SceneBody.__annotations__),
}


def field_meant(path: str) -> str | None:
    """The field of a board that somebody who wrote `scenes[2].camra` may have meant."""
    place, _, name = _INDEX.sub("", path).rpartition(".")
    known = _FIELDS.get(place, ())
    near = [] if name in known else get_close_matches(name, known, 1)
    return near[0] if near else None
