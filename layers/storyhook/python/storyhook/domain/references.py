"""Which pictures a model is shown for a scene, in which order, and why; and what was left out.

Only characters on stage. The order is also the order in which things are kept when a model takes
few: the main view of each person, outfits, locations, props, further views, style. Everyone's best
reference comes before anyone's second; what does not fit is recorded, never dropped silently.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from storyhook.domain.model import ReferenceRule
from storyhook.domain.pricing import MEGAPIXEL, megapixels
from storyhook.domain.story import ANGLES, ROLES, Character, Reference, Scene

# What a scene's shot and camera say when they ask for another view than the front of the face.
# Whole phrases: a "blurred background" is no view of a back.
_WIDE = re.compile(r"\b(wide|full|long|establishing)\b", re.IGNORECASE)
_ANGLE_PHRASES = {
    "back": re.compile(r"\b(from (the )?(behind|back)|(back|rear) view)\b", re.IGNORECASE),
    "profile": re.compile(r"\b(profile|side view|from the side)\b", re.IGNORECASE),
    "three_quarter": re.compile(r"\b(three[- ]quarters?|over[- ]the[- ]shoulder)\b", re.IGNORECASE),
}


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


@dataclass(frozen=True, slots=True)
class _Wish:
    """A reference that the scene would like to show, or `refused` with the reason why not."""

    character: Character
    reference: Reference
    why: str
    refused: bool = False


def select(scene: Scene, cast: Sequence[Character], rule: ReferenceRule) -> Selection:
    """The references of `cast` (on stage, in the scene's order) that fit the model's rule."""
    placed: list[PlacedReference] = []
    left_out: list[LeftOut] = []
    pixels_used = 0
    for wish in _wishes(scene, cast, rule):
        billed = megapixels((wish.reference.width, wish.reference.height)) * MEGAPIXEL
        most = rule.max_total_megapixels
        if wish.refused:
            why = wish.why
        elif len(placed) >= rule.max:
            why = f"the model takes {rule.max or 'no'} reference{'s' * (rule.max != 1)}"
        elif most and pixels_used + billed > most * MEGAPIXEL:
            why = f"the model takes {most} megapixels of references in all"
        else:
            pixels_used += billed
            position = len(placed) + 1
            placed.append(PlacedReference(position, wish.character.id, wish.reference, wish.why))
            continue
        left_out.append(LeftOut(wish.character.id, wish.reference, why))
    return Selection(tuple(placed), tuple(left_out))


def _wishes(scene: Scene, cast: Sequence[Character], rule: ReferenceRule) -> Iterator[_Wish]:
    """All references on stage, those first that the scene needs most."""
    views = _View(scene)
    ranked = [(character, sorted(character.references, key=views.rank)) for character in cast]
    with_any = [(character, references) for character, references in ranked if references]
    people = [pair for pair in with_any if pair[0].is_person]
    places = [pair for pair in with_any if pair[0].kind == "location"]
    props = [pair for pair in with_any if pair[0].kind == "prop"]
    rest = [(character, references[1:]) for character, references in with_any]

    for character, references in people:
        yield _Wish(character, references[0], views.why_main(character, references[0]))
    if rule.kind == "ip_adapter":
        yield from _beside_adapters(scene, places, props, rest, start_needed=not people)
        return
    for character, reference in _in_rounds(rest, lambda ref: ref.role == "outfit"):
        if character.id in scene.overrides:
            why = f"{scene.id} changes the outfit of {character.name}"
            yield _Wish(character, reference, why, refused=True)
        else:
            yield _Wish(character, reference, f"outfit of {character.name}")
    for character, references in (*places, *props):
        yield _Wish(character, references[0], views.why_main(character, references[0]))
    for character, reference in _in_rounds(rest, lambda ref: ref.role not in ("outfit", "style")):
        what = "pose" if reference.role == "pose" else f"another view ({reference.angle})"
        yield _Wish(character, reference, f"{what} of {character.name}")
    for character, reference in _in_rounds(rest, lambda ref: ref.role == "style"):
        yield _Wish(character, reference, f"style of {character.name}")


type _Ranked = Sequence[tuple[Character, Sequence[Reference]]]


def _beside_adapters(
    scene: Scene, places: _Ranked, props: _Ranked, rest: _Ranked, *, start_needed: bool
) -> Iterator[_Wish]:
    """An adapter copies what it is shown: one view of each person, and a picture to start from.

    That is a location; without people and locations it is the first prop.
    """
    starts = [*places, *props] if start_needed else places
    for index, (character, references) in enumerate(starts):
        why = f"starting picture: the {character.kind} of {scene.id}"
        if index:
            why = "the model starts from one picture"
        yield _Wish(character, references[0], why, refused=index > 0)
    for character, references in () if start_needed else props:
        yield _Wish(character, references[0], "adapters are for people", refused=True)
    for character, references in rest:
        for reference in references:
            yield _Wish(character, reference, "one adapter for each person", refused=True)


def _in_rounds(
    ranked: _Ranked, wanted: Callable[[Reference], bool]
) -> Iterable[tuple[Character, Reference]]:
    """Everyone's first such reference, then everyone's second, and so on."""
    chosen = [(character, [r for r in references if wanted(r)]) for character, references in ranked]
    rounds = max((len(references) for _, references in chosen), default=0)
    for round_ in range(rounds):
        for character, references in chosen:
            if round_ < len(references):
                yield character, references[round_]


class _View:
    """Which views suit the scene: a wide shot wants the whole body, "from behind" the back."""

    def __init__(self, scene: Scene) -> None:
        words = f"{scene.shot or ''} {scene.camera or ''}"
        self._wide = bool(_WIDE.search(words))
        angles = [angle for angle, phrase in _ANGLE_PHRASES.items() if phrase.search(words)]
        self._angles = tuple(dict.fromkeys([*angles, *ANGLES]))
        self._asked = bool(angles)
        # The first of two that are the same counts.
        self._roles = ("full_body", *ROLES) if self._wide else ROLES

    def rank(self, reference: Reference) -> tuple[int, int]:
        """Among equals the order of the character's list stays: ids are drawn by lot."""
        return self._roles.index(reference.role), self._angles.index(reference.angle)

    def why_main(self, character: Character, reference: Reference) -> str:
        if not character.is_person:
            return f"main reference of {character.name}, a {character.kind} of the scene"
        why = f"main reference of {character.name}, who is on stage"
        if self._wide and reference.role == "full_body":
            return f"{why}; the whole body for a wide shot"
        if self._asked and reference.angle == self._angles[0]:
            return f"{why}; the view that the camera asks for"
        return why
