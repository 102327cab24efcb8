"""Refusals that only the running model can make: they depend on the pictures themselves."""

from decimal import Decimal
from typing import Any

from local.simulators.catalogue import Model
from local.simulators.pricing import MEGAPIXEL


def picture_count(filled: dict[str, Any]) -> int:
    """How many pictures this input asks for."""
    count = int(filled.get("num_images") or filled.get("num_outputs") or 1)
    if filled.get("sequential_image_generation", "auto") == "auto":
        count *= int(filled.get("max_images") or 1)
    return count


def broken_limit(model: Model, filled: dict[str, Any], inputs: list[tuple[int, int]]) -> str | None:
    """Why the model gives up on this input, or None; `inputs` are the sizes of the pictures."""
    limits = model.limits
    total = Decimal(sum(width * height for width, height in inputs)) / MEGAPIXEL
    if limits.input_megapixels is not None and total > limits.input_megapixels:
        at_most = f"the limit is {limits.input_megapixels} MP"
        return f"Total size of the input images is {total:.1f} MP; {at_most}."
    for name, maximum in limits.with_image.items():
        if inputs and filled[name] > maximum:
            return f"{name} must be at most {maximum:g} when an input image is given."
    count = len(inputs) + picture_count(filled)
    if limits.pictures_in_and_out is not None and count > limits.pictures_in_and_out:
        at_most = f"the limit is {limits.pictures_in_and_out}"
        return f"Input images and generated images are {count} together; {at_most}."
    return None
