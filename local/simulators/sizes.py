"""Which size the picture gets: presets, objects, ratios and resolutions to pixels."""

import re
from math import ceil, floor, sqrt
from typing import Any

from local.simulators.catalogue import Model
from local.simulators.pricing import MEGAPIXEL

type Pixels = tuple[int, int]

PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
AUTO = {"auto": MEGAPIXEL, "auto_2K": 4 * MEGAPIXEL, "auto_4K": 16 * MEGAPIXEL}
STEP = 32
SIDES = re.compile(r"(\d+)x(\d+)")
RATIO = re.compile(r"(\d+):(\d+)")


def picture_size(model: Model, filled: dict[str, Any], references: list[Pixels]) -> Pixels:
    """The size of the picture for this input; `references` are the sizes of the images."""
    width, height = _asked(model, filled, references[0] if references else None)
    pixels, ratio = width * height, width / height
    if pixels < model.size.min_pixels:
        return _fit(ratio, model.size.min_pixels, ceil)
    if pixels > model.size.max_pixels:
        return _fit(ratio, model.size.max_pixels)
    return width, height


def _asked(model: Model, filled: dict[str, Any], first: Pixels | None) -> Pixels:
    if "image_size" in model.input:
        return _from_image_size(filled["image_size"], first)
    if "aspect_ratio" not in model.input or "custom" in (
        filled["aspect_ratio"],
        filled.get("size"),
    ):
        return int(filled.get("width") or 1024), int(filled.get("height") or 1024)
    sides = SIDES.fullmatch(str(filled.get("resolution")))
    if sides is not None:
        return int(sides[1]), int(sides[2])
    ratio = RATIO.fullmatch(str(filled["aspect_ratio"]))
    if first is not None and (ratio is None or model.size.follows_image):
        return _fit(first[0] / first[1], _area(filled, first))
    return _fit(int(ratio[1]) / int(ratio[2]) if ratio else 1.0, _area(filled, first))


def _from_image_size(size: Any, first: Pixels | None) -> Pixels:
    """A preset, an object, as the first picture in some area, or (null) just as that."""
    if isinstance(size, dict):
        return int(size["width"]), int(size["height"])
    if size in PRESETS:
        return PRESETS[size]
    width, height = first or (1024, 768)
    return (width, height) if size is None else _fit(width / height, AUTO[size])


def _area(filled: dict[str, Any], first: Pixels | None) -> float:
    """`1 MP`, `2K`, `0.25`, `match_input_image`; one megapixel if nothing is said."""
    asked = filled.get("resolution") or filled.get("size") or filled.get("megapixels")
    if asked == "match_input_image" and first is not None:
        return first[0] * first[1]
    number = re.match(r"[\d.]+", str(asked))
    if number is None:
        return MEGAPIXEL
    if str(asked).endswith("K"):
        return float(number[0]) ** 2 * MEGAPIXEL
    return float(number[0]) * MEGAPIXEL


def _fit(ratio: float, area: float, whole: Any = floor) -> Pixels:
    """Sides of this ratio in about this area, in whole steps: at most it, with ceil at least."""
    height = sqrt(area / ratio)
    return (
        max(STEP, int(whole(round(height * ratio / STEP, 6))) * STEP),
        max(STEP, int(whole(round(height / STEP, 6))) * STEP),
    )
