"""Which size the picture gets: presets, objects, ratios and resolutions to pixels."""

from math import sqrt
from typing import Any

from local.simulators.catalogue import Model
from local.simulators.pricing import MEGAPIXEL

PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
MAX_PIXELS = 4 * MEGAPIXEL
STEP = 32


def picture_size(
    model: Model, given: dict[str, Any], references: list[tuple[int, int]]
) -> tuple[int, int]:
    """The size of the picture for this input; `references` are the sizes of the images."""
    if model.size.form == "image_size":
        return _bounded(_from_image_size(given.get("image_size", model.size.default), references))
    if model.size.form == "width_height":
        return _bounded((int(given.get("width", 1024)), int(given.get("height", 1024))))
    ratio = given.get("aspect_ratio", model.size.default)
    if ratio == "custom":
        return _bounded((int(given.get("width", 1024)), int(given.get("height", 1024))))
    area = _area(given.get("resolution", "1 MP"), references)
    if ratio == "match_input_image":
        ratio = f"{references[0][0]}:{references[0][1]}" if references else "1:1"
    width, height = (int(part) for part in ratio.split(":"))
    return _fit(width / height, area)


def _from_image_size(size: Any, references: list[tuple[int, int]]) -> tuple[int, int]:
    if isinstance(size, dict):
        return int(size["width"]), int(size["height"])
    if size == "auto":  # as the first reference, brought to about one megapixel
        first = references[0] if references else (1024, 768)
        return _fit(first[0] / first[1], MEGAPIXEL)
    return PRESETS[size]


def _area(resolution: str, references: list[tuple[int, int]]) -> float:
    if resolution == "match_input_image":
        return references[0][0] * references[0][1] if references else MEGAPIXEL
    return float(resolution.split()[0]) * MEGAPIXEL


def _fit(ratio: float, area: float) -> tuple[int, int]:
    """Sides of this ratio in at most this area, rounded down to whole steps."""
    height = sqrt(area / ratio)
    return (max(STEP, int(height * ratio) // STEP * STEP), max(STEP, int(height) // STEP * STEP))


def _bounded(size: tuple[int, int]) -> tuple[int, int]:
    """Above 4 MP the picture is reduced, as the FLUX.2 family does."""
    if size[0] * size[1] <= MAX_PIXELS:
        return size
    return _fit(size[0] / size[1], MAX_PIXELS)
