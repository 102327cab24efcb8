"""What a run costs by the simulator's own account."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any

from pydantic import BaseModel, ConfigDict

MEGAPIXEL = 1024 * 1024
MAX_BILLED_MEGAPIXELS = 4
NOTHING = Decimal(0)


def megapixels(size: tuple[int, int]) -> int:
    """Whole megapixels billed for one image: rounded up, at least 1, at most 4."""
    return min(MAX_BILLED_MEGAPIXELS, max(1, ceil(size[0] * size[1] / MEGAPIXEL)))


class Price(BaseModel):
    """The parts that a run's price in USD is the sum of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_run: Decimal = NOTHING
    per_image: Decimal = NOTHING
    per_output_megapixel: Decimal = NOTHING
    per_megapixel: Decimal = NOTHING
    """Inputs and outputs are counted alike, each rounded up by itself."""
    first_megapixel: Decimal = NOTHING
    further_megapixel: Decimal = NOTHING
    per_image_by: dict[str, dict[str, Decimal | None]] = {}
    """By the value of an input field; null where nobody publishes it."""


@dataclass(frozen=True)
class Bill:
    units: int
    """fal's X-Fal-Billable-Units: megapixels where they are the unit, else pictures."""
    amount: Decimal | None


NO_BILL = Bill(0, NOTHING)


def bill(
    price: Price | None,
    filled: dict[str, Any],
    outputs: list[tuple[int, int]],
    inputs: list[tuple[int, int]],
) -> Bill:
    """For pictures of these sizes; the amount is None if the price is not known."""
    if price is None:
        return Bill(len(outputs), None)
    made = sum(megapixels(size) for size in outputs)
    every = made + sum(megapixels(size) for size in inputs)
    amount = (
        price.per_run
        + price.per_image * len(outputs)
        + price.per_output_megapixel * made
        + price.per_megapixel * every
        + price.first_megapixel
        + price.further_megapixel * max(0, every - 1)
    )
    for field, prices in price.per_image_by.items():
        each = prices.get(filled[field])
        if each is None:
            return Bill(len(outputs), None)
        amount += each * len(outputs)
    if price.per_megapixel or price.first_megapixel:
        return Bill(every, amount)
    return Bill(made if price.per_output_megapixel else len(outputs), amount)
