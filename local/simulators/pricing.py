"""What a run costs by the simulator's own account."""

from decimal import Decimal
from math import ceil

from pydantic import BaseModel, ConfigDict

MEGAPIXEL = 1024 * 1024
MAX_BILLED_MEGAPIXELS = 4


def megapixels(size: tuple[int, int]) -> int:
    """Whole megapixels billed for one image: rounded up, at least 1, at most 4."""
    return min(MAX_BILLED_MEGAPIXELS, max(1, ceil(size[0] * size[1] / MEGAPIXEL)))


class Price(BaseModel):
    """Either a first and a further megapixel, or a run and each megapixel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_run: Decimal = Decimal(0)
    per_megapixel: Decimal = Decimal(0)
    first_megapixel: Decimal = Decimal(0)
    further_megapixel: Decimal = Decimal(0)

    def of(self, billed_megapixels: int) -> Decimal:
        """The price of one run in USD; inputs and output are counted alike."""
        further = max(0, billed_megapixels - 1)
        return (
            self.per_run
            + self.per_megapixel * billed_megapixels
            + self.first_megapixel
            + self.further_megapixel * further
        )
