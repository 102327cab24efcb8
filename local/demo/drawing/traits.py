"""What a description says of a person's looks; what it leaves open is chosen by their id."""

import hashlib
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

from local.demo.drawing.brush import Colour

HAIR: Mapping[str, Colour] = {
    "red": (178, 58, 30), "ginger": (198, 88, 36), "auburn": (136, 48, 30),
    "copper": (188, 84, 44), "black": (38, 34, 44), "dark": (52, 38, 36),
    "brown": (98, 60, 38), "chestnut": (116, 62, 36), "blonde": (226, 182, 98),
    "blond": (226, 182, 98), "golden": (222, 168, 72), "fair": (230, 194, 128),
    "white": (232, 232, 236), "silver": (192, 198, 208), "grey": (150, 152, 160),
    "gray": (150, 152, 160), "blue": (58, 102, 178), "pink": (224, 122, 160),
    "green": (70, 132, 92), "purple": (112, 74, 152),
}  # fmt: skip
EYES: Mapping[str, Colour] = {
    "green": (66, 150, 84), "blue": (66, 130, 200), "brown": (116, 72, 40),
    "dark": (66, 44, 34), "black": (48, 38, 38), "hazel": (142, 104, 52),
    "grey": (126, 140, 152), "gray": (126, 140, 152), "amber": (204, 138, 44),
    "golden": (210, 156, 52), "violet": (126, 88, 176),
}  # fmt: skip
CLOTH: Mapping[str, Colour] = {
    "brown": (122, 76, 44), "blue": (46, 86, 158), "red": (168, 48, 48),
    "green": (56, 112, 74), "black": (48, 46, 58), "white": (232, 228, 218),
    "grey": (126, 130, 142), "gray": (126, 130, 142), "purple": (104, 66, 140),
    "violet": (116, 80, 158), "yellow": (220, 174, 66), "golden": (210, 162, 62),
    "gold": (210, 162, 62), "silver": (176, 184, 196), "orange": (212, 118, 48),
    "pink": (218, 128, 152), "crimson": (150, 30, 52), "teal": (36, 120, 124),
    "navy": (36, 50, 96), "tan": (190, 150, 102), "leather": (112, 70, 42),
}  # fmt: skip
SKIN: Mapping[str, Colour] = {
    "pale": (250, 222, 204), "fair": (246, 212, 190), "freckled": (246, 210, 184),
    "light": (240, 202, 174), "tanned": (208, 156, 116), "olive": (206, 164, 124),
    "bronze": (184, 128, 88), "brown": (150, 98, 68), "dark": (108, 70, 52),
    "black": (92, 60, 48),
}  # fmt: skip
GARMENTS: Mapping[str, str] = {
    "jacket": "jacket coat blazer vest waistcoat",
    "robe": "robe robes gown kimono tunic toga",
    "cloak": "cloak cape mantle hooded shawl poncho",
    "armour": "armour armor mail breastplate knight",
    "dress": "dress blouse",
    "shirt": "shirt sweater jumper hoodie uniform overalls apron suit",
}
LENGTHS: Mapping[str, str] = {
    "bald": "bald shaved hairless",
    "long": "long flowing waist-length braid braids braided",
    "middle": "shoulder-length bob chin-length",
    "short": "short cropped close-cropped spiky pixie",
}
OLD = "old elderly aged ancient grandmother grandfather grandma grandpa crone"
YOUNG = "boy girl child kid toddler"
FEMALE = (
    "woman women girl lady she her female queen princess mother sister daughter witch aunt "
    "grandmother grandma heroine sorceress priestess duchess"
)
MALE = (
    "man men boy gentleman he his him male king prince father brother son wizard uncle "
    "grandfather grandpa monk lord duke"
)


@dataclass(frozen=True)
class Traits:
    hair: Colour
    length: str
    """bald, short, middle or long"""
    curly: bool
    eyes: Colour
    skin: Colour
    female: bool
    old: bool
    child: bool
    tall: bool
    beard: bool
    long_beard: bool
    moustache: bool
    glasses: bool
    freckles: bool
    scar: bool
    garment: str
    """a key of GARMENTS"""
    cloth: Colour
    leather: bool
    dice: random.Random


def read_traits(character_id: str, description: str, outfit: str = "") -> Traits:
    """The same words and id always give the same person."""
    digest = hashlib.sha256(f"{character_id}\n{description}\n{outfit}".encode()).digest()
    dice = random.Random(int.from_bytes(digest[:8], "big"))
    text = f"{description}. {outfit}".lower()
    wear = _clothing(text, outfit.lower())
    female, male = _first(text, FEMALE), _first(text, MALE)
    beard = _has(text, "beard bearded")
    woman = female < male if female != male else not beard and dice.random() < 0.5
    old, child = _has(text, OLD), _has(text, YOUNG)
    hair_words = _near(text, r"hair(?:ed)?|braids?|curls")
    beard_words = _near(text, "beard")
    hair_default = ("silver", "white") if old else ("brown", "black", "blonde", "auburn")
    hair_name = _colour_name(hair_words or beard_words, HAIR) or dice.choice(hair_default)
    if re.search(r"\b(redhead|red-haired)\b", text):
        hair_name = "red"
    skin_default = ("fair", "light", "tanned", "brown") if hair_name not in _RED else ("fair",)
    skin = _colour_name(_near(text, r"skin(?:ned)?|complexion"), SKIN) or dice.choice(skin_default)
    eyes = _colour_name(_near(text, r"eyes?|eyed"), EYES) or dice.choice(tuple(EYES))
    garment = next((kind for kind, words in GARMENTS.items() if _has(wear, words)), "")
    cloth = _colour_name(wear, CLOTH) or dice.choice(("blue", "green", "crimson", "teal", "purple"))
    return Traits(
        hair=HAIR[hair_name],
        length=_length(text, hair_words) or ("long" if woman else "short"),
        curly=_has(text, "curly curls curled frizzy wavy"),
        eyes=EYES[eyes],
        skin=SKIN["pale" if _has(text, "pale freckled") else skin],
        female=woman,
        old=old,
        child=child,
        tall=_has(text, "tall giant big burly broad"),
        beard=beard,
        long_beard=_has(beard_words, "long"),
        moustache=beard or _has(text, "moustache mustache"),
        glasses=_has(text, "glasses spectacles"),
        freckles=_has(text, "freckles freckled") or (hair_name in _RED and not old),
        scar=_has(text, "scar scarred"),
        garment=garment or dice.choice(("shirt", "cloak", "jacket")),
        cloth=CLOTH[cloth],
        leather=_has(wear, "leather"),
        dice=dice,
    )


_RED = frozenset({"red", "ginger", "auburn", "copper"})


def _clothing(text: str, outfit: str) -> str:
    """The words about clothes: the outfit, else what follows `wearing` or `in`."""
    if outfit:
        return outfit
    worn = re.search(r"\b(?:wearing|wears|dressed in|clad in|in an?)\b(.*)", text)
    if worn:
        return worn.group(1)
    garments = "|".join(word for words in GARMENTS.values() for word in words.split())
    return _near(text, rf"(?:{garments})s?")


def _near(text: str, noun: str) -> str:
    """The up to five words before the noun, within its part of the sentence."""
    found = re.search(rf"((?:[\w-]+[\s-]+){{0,5}})\b(?:{noun})\b", text)
    return found.group(0) if found else ""


def _colour_name(words: str, colours: Mapping[str, Colour]) -> str | None:
    """The colour closest to the noun, which comes last; a garment's first one."""
    names = [word for word in re.findall(r"[a-z]+", words) if word in colours]
    if colours is CLOTH:
        return names[0] if names else None
    return names[-1] if names else None


def _length(text: str, hair_words: str) -> str | None:
    for length, words in LENGTHS.items():
        if _has(text if length == "bald" else hair_words, words):
            return length
    return None


def _has(text: str, words: str) -> bool:
    return _first(text, words) < len(text)


def _first(text: str, words: str) -> int:
    """Where the first of the words stands; the text's length if none does."""
    found = re.search(rf"\b(?:{'|'.join(words.split())})\b", text)
    return found.start() if found else len(text)
