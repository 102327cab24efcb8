"""Which pictures a model is shown for a scene, in which order, and why; and what was left out.

Only characters on stage. Every character's best reference comes before anyone's second, so that
a small model limit costs angles, not people. What does not fit is recorded, never dropped silently.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storyhook.domain.pricing import MEGAPIXEL, megapixels
from storyhook.domain.story import Character, Reference, Scene

_ROLE_RANK = {
    "face": 0,
    "full_body": 1,
    "place": 1,
    "object": 1,
    "outfit": 2,
    "pose": 3,
    "style": 4,
}
_ANGLE_RANK = {"front": 0, "three_quarter": 1, "profile": 2, "back": 3}


@dataclass(frozen=True, slots=True)
class PlacedReference:
    """A reference at its `position` in the list that the model gets, counted from 1."""

    position: int
    character: str
    reference: Reference
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    character: str
    reference: Reference
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    placed: tuple[PlacedReference, ...]
    left_out: tuple[LeftOut, ...]


def select(
    scene: Scene,
    cast: Sequence[Character],
    *,
    maximum: int,
    max_total_megapixels: int | None = None,
) -> Selection:
    """The references of `cast` (on stage, in the scene's order) that fit the model's limits."""
    placed: list[PlacedReference] = []
    left_out: list[LeftOut] = []
    pixels_used = 0
    for round_, character, reference in _in_rounds(cast):
        billed = megapixels((reference.width, reference.height)) * MEGAPIXEL
        if len(placed) >= maximum:
            why = f"the model takes {maximum} references"
        elif max_total_megapixels and pixels_used + billed > max_total_megapixels * MEGAPIXEL:
            why = f"the model takes {max_total_megapixels} megapixels of references in all"
        else:
            pixels_used += billed
            why = (
                f"main reference of {character.name}, who is in {scene.id}"
                if round_ == 0
                else f"another view of {character.name} ({reference.angle})"
            )
            placed.append(PlacedReference(len(placed) + 1, character.id, reference, why))
            continue
        left_out.append(LeftOut(character.id, reference, why))
    return Selection(tuple(placed), tuple(left_out))


def _in_rounds(cast: Sequence[Character]) -> Iterable[tuple[int, Character, Reference]]:
    ranked = [(character, sorted(character.references, key=_rank)) for character in cast]
    rounds = max((len(references) for _, references in ranked), default=0)
    for round_ in range(rounds):
        for character, references in ranked:
            if round_ < len(references):
                yield round_, character, references[round_]


def _rank(reference: Reference) -> tuple[int, int, str]:
    return _ROLE_RANK[reference.role], _ANGLE_RANK[reference.angle], reference.id
