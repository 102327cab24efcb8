"""The words a model is told: one form for every scene, each person tied to the number of an image.

The same descriptor is used word for word in every scene; only `overrides` change the outfit. The
numbers come from the list of references that is sent, so that words and pictures cannot drift.
"""

import re
from collections.abc import Iterator, Sequence

from storyhook.domain.model import ReferenceRule
from storyhook.domain.references import PlacedReference
from storyhook.domain.story import Character, Look, Scene

TEMPLATE_VERSION = "story-2"
QUALITY = "High quality, detailed illustration."

_NOUNS = {"character": "person", "location": "place", "prop": "object"}
# What a reference shows, where it is not the person, place or object itself.
_PARTS = {"outfit": "outfit", "pose": "pose"}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Words after which a head count would be wrong: others than the characters may be seen.
_CROWD = re.compile(
    r"\b(crowd\w*|busy|bustling|people|audience|passers?-?by|villagers|townsfolk|soldiers|army|"
    r"guests|onlookers|spectators|festival|parade|market\w*|customers|children|everyone|group|"
    r"others|strangers)\b",
    re.IGNORECASE,
)
# What says already that it is a shot.
_SHOT = re.compile(r"(\b(shot|view|angle)|close[- ]?up)$", re.IGNORECASE)
_SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)


def compile_prompt(
    scene: Scene,
    cast: Sequence[Character],
    placed: Sequence[PlacedReference],
    look: Look,
    rule: ReferenceRule,
) -> str:
    """The scene as one prompt; "image N" is position N of `placed`."""
    return " ".join([*_story(scene, cast, placed, rule), *_looks(scene, placed, look, rule)])


def _story(
    scene: Scene,
    cast: Sequence[Character],
    placed: Sequence[PlacedReference],
    rule: ReferenceRule,
) -> Iterator[str]:
    """What happens, and who and what is there."""
    yield _sentence(scene.description)
    for title, kind in (("Characters", "character"), ("Place", "location"), ("Objects", "prop")):
        clauses = [_clause(c, scene, placed, rule) for c in cast if c.kind == kind]
        if clauses:
            yield f"{title}: {'; '.join(clauses)}."
    people = [character.name for character in cast if character.is_person]
    if len(people) > 1 and not _SIDES.search(scene.description):
        # The cheapest protection against swapped faces.
        yield f"From left to right: {', '.join(people)}."
    if people and not _crowded(scene):
        yield _head_count(len(people))
    if scene.setting:
        yield f"Setting: {_sentence(scene.setting)}"


def _looks(
    scene: Scene, placed: Sequence[PlacedReference], look: Look, rule: ReferenceRule
) -> Iterator[str]:
    """Light, camera and style."""
    if scene.light:
        yield f"Light: {_sentence(scene.light)}"
    camera = ", ".join(part for part in (_shot(scene.shot), scene.camera) if part)
    if camera:
        yield f"Camera: {_sentence(camera)}"
    styles = [place.position for place in placed if place.reference.role == "style"]
    if rule.kind == "several" and styles:
        yield f"Style as in {_images(styles)}."
    if look.style:
        yield f"Style: {_sentence(look.style)}"
    if look.palette:
        yield f"Palette: {', '.join(look.palette)}."
    if not look.style:
        # A board's own style says it better, and may be no illustration.
        yield QUALITY


def _clause(
    character: Character, scene: Scene, placed: Sequence[PlacedReference], rule: ReferenceRule
) -> str:
    mine = [place for place in placed if place.character == character.id]
    label = character.name
    if mine and rule.kind == "several":
        label += f" ({_from_images(character, mine)})"
    elif mine and rule.kind == "one":
        label += f" (the {_NOUNS[character.kind]} in the picture)"
    outfit = scene.overrides.get(character.id, {}).get("outfit", character.outfit)
    parts = [_phrase(character.description)]
    if mine and rule.descriptor == "outfit_only":
        # Words about the face would pull it away from the picture's.
        parts = []
    if outfit:
        parts.append(f"wearing {_phrase(outfit)}")
    return f"{label}: {', '.join(parts)}" if parts else label


def _from_images(character: Character, mine: Sequence[PlacedReference]) -> str:
    """For example "person from images 1 and 4, outfit from image 3"."""
    by_part: dict[str, list[int]] = {}
    for place in mine:
        if place.reference.role != "style":
            part = _PARTS.get(place.reference.role, _NOUNS[character.kind])
            by_part.setdefault(part, []).append(place.position)
    if not by_part:
        return f"style from {_images([place.position for place in mine])}"
    return ", ".join(f"{part} from {_images(numbers)}" for part, numbers in by_part.items())


def _images(numbers: Sequence[int]) -> str:
    texts = [str(number) for number in numbers]
    if len(texts) == 1:
        return f"image {texts[0]}"
    return f"images {', '.join(texts[:-1])} and {texts[-1]}"


def _crowded(scene: Scene) -> bool:
    if scene.crowd is not None:
        return scene.crowd
    return bool(_CROWD.search(f"{scene.description} {scene.setting or ''}"))


def _head_count(count: int) -> str:
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    noun = "person" if count == 1 else "people"
    return f"Exactly {number} {noun}, no one else in the frame."


def _shot(shot: str | None) -> str | None:
    """ "wide" and "wide shot" are both what people write, "close-up" too."""
    return f"{shot} shot" if shot and not _SHOT.search(shot) else shot


def _phrase(text: str) -> str:
    """A description that is written as a sentence, as a part of a longer one."""
    return text.strip().removesuffix(".")


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
