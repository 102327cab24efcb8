"""The words a model is told. The seed's form, with each person tied to the number of an image.

The same descriptor is used word for word in every scene; only `overrides` change the outfit.
"""

from collections.abc import Sequence

from storyhook.domain.references import PlacedReference
from storyhook.domain.story import Character, Look, Scene

TEMPLATE_VERSION = "seed-1"
QUALITY = "High quality, detailed illustration."


def compile_prompt(
    scene: Scene, cast: Sequence[Character], placed: Sequence[PlacedReference], look: Look
) -> str:
    """The scene as one prompt; "image N" is position N of `placed`."""
    sentences = [_sentence(scene.description)]
    people = [_clause(character, scene, placed) for character in cast]
    if people:
        sentences.append(f"Characters: {'; '.join(people)}.")
    if scene.setting:
        sentences.append(f"Setting: {_sentence(scene.setting)}")
    if scene.light:
        sentences.append(f"Light: {_sentence(scene.light)}")
    camera = ", ".join(part for part in (scene.shot and f"{scene.shot} shot", scene.camera) if part)
    if camera:
        sentences.append(f"Camera: {_sentence(camera)}")
    if look.style:
        sentences.append(f"Style: {_sentence(look.style)}")
    if look.palette:
        sentences.append(f"Palette: {', '.join(look.palette)}.")
    sentences.append(QUALITY)
    return " ".join(sentences)


def _clause(character: Character, scene: Scene, placed: Sequence[PlacedReference]) -> str:
    noun = {"character": "person", "location": "place", "prop": "object"}[character.kind]
    numbers = [str(place.position) for place in placed if place.character == character.id]
    if not numbers:
        label = character.name
    elif len(numbers) == 1:
        label = f"{character.name} ({noun} from image {numbers[0]})"
    else:
        label = f"{character.name} ({noun} from images {' and '.join(numbers)})"
    outfit = scene.overrides.get(character.id, {}).get("outfit", character.outfit)
    wearing = f", wearing {outfit}" if outfit else ""
    return f"{label}: {character.description}{wearing}"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
