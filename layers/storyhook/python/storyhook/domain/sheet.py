"""A character sheet: one picture for each angle that a character has no reference of yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storyhook.domain.errors import FieldError, InvalidRequest
from storyhook.domain.story import ANGLES, MAIN_ROLES, Character, Look, Scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storyhook.domain.model import Model

# A place seen from the side is another place, to a model; a thing has no half profile.
_ANGLES = {
    "character": ANGLES,
    "location": ("front", "three_quarter", "back"),
    "prop": ("front", "profile", "back"),
}
ROLES = ("face", "full_body")

_SEEN = {
    "character": {
        "front": "seen from the front, looking into the camera",
        "three_quarter": "seen in a three-quarter view, turned half to the left",
        "profile": "seen in profile, turned to the left",
        "back": "seen from behind, facing away from the camera",
    },
    "location": {
        "front": "seen straight on from its entrance",
        "three_quarter": "seen from a corner, so that two sides show",
        "profile": "seen along its left side",
        "back": "seen from the opposite end, looking back to the entrance",
    },
    "prop": {
        "front": "seen straight on from the front",
        "three_quarter": "seen in a three-quarter view from slightly above",
        "profile": "seen from its left side",
        "back": "seen from behind, showing its back",
    },
}
_FRAMES = {
    "full_body": "standing upright and relaxed, the whole body from head to feet in the frame",
    "face": "head and shoulders filling the frame, calm expression, the face unobstructed",
    "place": "empty and quiet, the whole place in the frame",
    "object": "alone, whole and centred",
}
# Those first that suit the subject; a model draws some of them only.
_RATIOS = {
    "full_body": ("3:4", "2:3", "9:16", "1:1"),
    "face": ("1:1", "4:5", "3:4"),
    "place": ("16:9", "3:2", "4:3", "1:1"),
    "object": ("1:1", "4:3", "3:4"),
}
_PLAIN = "plain light grey studio background"


def role_of(character: Character, asked: str | None) -> str:
    """What the sheet shows: for a person what was asked, else the role of their first view.

    Raises InvalidRequest for a role that the kind does not have.
    """
    if character.is_person:
        had = [reference.role for reference in character.references if reference.role in ROLES]
        return asked or (had[0] if had else "full_body")
    if asked:
        detail = f"{character.id} is a {character.kind}, so leave role out."
        raise InvalidRequest(detail, (FieldError("role", detail),))
    return MAIN_ROLES[character.kind]


def angles_of(character: Character, role: str, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The angles to make, in the usual order; raises InvalidRequest if none is missing."""
    if asked:
        return tuple(angle for angle in ANGLES if angle in asked)
    there = {ref.angle for ref in character.references if ref.role == role}
    missing = tuple(angle for angle in _ANGLES[character.kind] if angle not in there)
    if not missing:
        detail = f"{character.id} has every angle of its {role}; name the angles to make anew."
        raise InvalidRequest(detail, (FieldError("angles", detail),))
    return missing


def scene_of(character: Character, role: str, angle: str) -> Scene:
    """The picture of one angle, as a scene of its own with nobody else in it."""
    seen = _SEEN[character.kind][angle]
    person = character.is_person
    return Scene(
        id=f"{role}-{angle}",
        position=1,
        description=f"One single picture of {character.name}, {_FRAMES[role]}, {seen}",
        characters=(character.id,),
        setting=None if character.kind == "location" else _PLAIN,
        shot={"full_body": "full", "face": "close-up"}.get(role) if person else None,
        light="soft, even light" if character.kind == "location" else "soft, even studio light",
        crowd=False,
    )


def look_of(character: Character, role: str, style: str | None, model: Model) -> Look:
    """With a picture to go by, its own style is kept."""
    fits = [ratio for ratio in _RATIOS[role] if ratio in model.size.ratios]
    if style is None and character.references:
        style = f"the same medium, rendering and colours as the picture of {character.name}"
    return Look(style=style, aspect_ratio=fits[0] if fits else next(iter(model.size.ratios)))
