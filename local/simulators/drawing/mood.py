"""Reads light and place out of a prompt: the colours and the set of the panel."""

import hashlib
import random
import re
from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Light:
    """The colours of one time of day."""

    sky: tuple[Colour, Colour, Colour]
    """Top, middle and horizon."""
    lamp: Colour
    """Sun, moon or candle."""
    hills: tuple[Colour, Colour]
    """Far and near."""
    ground: Colour
    dark: bool = False
    """Lit windows, lanterns and stars."""


LIGHTS = {
    "day": Light(
        ((74, 144, 217), (134, 190, 235), (226, 241, 246)), (255, 246, 205),
        ((150, 183, 176), (62, 112, 84)), (104, 148, 84),
    ),
    "dawn": Light(
        ((96, 108, 176), (226, 148, 170), (255, 216, 178)), (255, 228, 190),
        ((170, 140, 168), (72, 78, 110)), (108, 112, 110),
    ),
    "sunset": Light(
        ((56, 44, 106), (214, 90, 96), (255, 190, 105)), (255, 222, 140),
        ((172, 88, 108), (62, 38, 72)), (84, 54, 66),
    ),
    "night": Light(
        ((10, 14, 42), (24, 34, 82), (68, 78, 134)), (238, 240, 255),
        ((46, 56, 104), (14, 18, 44)), (26, 30, 56), dark=True,
    ),
    "storm": Light(
        ((52, 60, 74), (98, 108, 122), (168, 174, 178)), (214, 220, 226),
        ((104, 114, 124), (44, 52, 60)), (66, 74, 74),
    ),
    "candle": Light(
        ((44, 22, 18), (96, 50, 28), (150, 86, 42)), (255, 202, 110),
        ((110, 62, 36), (40, 20, 16)), (92, 54, 30), dark=True,
    ),
}  # fmt: skip
LIGHT_WORDS = {
    "candle": "candle lantern firelight fireplace hearth torchlight",
    "sunset": "sunset dusk golden evening twilight",
    "dawn": "dawn sunrise morning",
    "night": "night midnight moon star",
    "storm": "storm rain thunder overcast fog grey",
    "day": "day noon sunny bright",
}
PLACE_WORDS = {
    "tavern": "tavern inn room kitchen library indoors hall cabin office cafe interior pub bar",
    "market": "market bazaar stall fair",
    "sea": "sea ocean harbor harbour ship beach lake river dock boat shore",
    "forest": "forest wood tree jungle park grove garden",
    "castle": "castle tower palace fortress keep",
    "mountain": "mountain snow peak winter ice cliff summit",
    "desert": "desert dune sand",
    "city": "city street village town alley rooftop house",
}
PLAIN_LIGHTS = ("day", "sunset", "dawn")
PLAIN_PLACES = ("hills", "mountain", "forest")


@dataclass(frozen=True)
class Mood:
    light: Light
    light_name: str
    place: str
    dice: random.Random

    @property
    def indoors(self) -> bool:
        return self.place == "tavern"


def read_mood(prompt: str, seed: int) -> Mood:
    """The same prompt and seed always give the same mood (and the same dice)."""
    digest = hashlib.sha256(f"{seed}\n{prompt}".encode()).digest()
    dice = random.Random(int.from_bytes(digest[:8], "big"))
    place = _first(PLACE_WORDS, prompt)
    light = _first(LIGHT_WORDS, prompt)
    if place is None:
        place = "tavern" if light == "candle" else dice.choice(PLAIN_PLACES)
    if light is None:
        light = "candle" if place == "tavern" else dice.choice(PLAIN_LIGHTS)
    return Mood(LIGHTS[light], light, place, dice)


def _first(words: dict[str, str], prompt: str) -> str | None:
    """The entry whose word stands first in the prompt."""
    found: list[tuple[int, str]] = []
    for name, choices in words.items():
        pattern = rf"\b(?:{'|'.join(choices.split())})(?:s|y|es|place|light)?\b"
        match = re.search(pattern, prompt, re.IGNORECASE)
        if match is not None:
            found.append((match.start(), name))
    return min(found)[1] if found else None


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` 0 is the first colour, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
