"""What a picture costs, in USD as Decimal. An unknown price is None, never 0.

The FLUX.2 family bills every picture, drawn or given, in whole megapixels of 1024 x 1024, at least
one and at most four each (facts of 2026-11; each rule carries `as_of` and `grade`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

MEGAPIXEL = 1024 * 1024
_MAX_BILLED_MEGAPIXELS = 4
_CENT_HUNDREDTH = Decimal("0.0001")

# What each rule needs; `image_by_option` has an amount for each value of its option.
_AMOUNTS: Mapping[str, tuple[str, ...]] = {
    "first_megapixel": ("first", "further"),
    "run_and_megapixels": ("run", "megapixel"),
    "megapixel": ("megapixel",),
    "image": ("image",),
    "image_by_option": (),
    "second": ("second",),
    "unknown": (),
}

Size = tuple[int, int]


def megapixels(size: Size) -> int:
    """Billed megapixels of one picture of (width, height) pixels."""
    width, height = size
    return min(_MAX_BILLED_MEGAPIXELS, max(1, -(-width * height // MEGAPIXEL)))


@dataclass(frozen=True, slots=True)
class PriceLine:
    what: str
    quantity: int | Decimal
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class Price:
    """`total` is None when it is not known."""

    lines: tuple[PriceLine, ...]
    total: Decimal | None


UNKNOWN = Price((), None)


@dataclass(frozen=True, slots=True)
class PriceRule:
    """`rule`: first_megapixel, run_and_megapixels, megapixel, image, image_by_option (the price of
    the value of `option`), second (of the provider's computing time) or unknown.
    """

    rule: str
    as_of: date
    grade: str
    unit_prices: Mapping[str, Decimal]
    counts_references: bool = False
    option: str | None = None

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> "PriceRule":
        """An entry of the catalogue; raises KeyError or ValueError for what is wrong in it."""
        values = dict(entry)
        rule = cls(
            rule=values.pop("rule"),
            # A date in TOML, a text in JSON.
            as_of=date.fromisoformat(str(values.pop("as_of"))),
            grade=values.pop("grade"),
            counts_references=values.pop("counts_references", False),
            option=values.pop("option", None),
            unit_prices={name: _amount(amount) for name, amount in values.items()},
        )
        if rule.rule not in _AMOUNTS:
            raise ValueError(f"price.rule is one of {', '.join(_AMOUNTS)}")
        missing = [name for name in _AMOUNTS[rule.rule] if name not in rule.unit_prices]
        if missing:
            raise ValueError(f"price needs {' and '.join(missing)}")
        if (rule.option is not None) != (rule.rule == "image_by_option"):
            raise ValueError("price.option and the rule image_by_option need each other")
        return rule

    def price(
        self,
        images: Iterable[Size],
        references: Iterable[Size] = (),
        inputs: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> Price:
        """The price of drawing `images` from `references`, line by line.

        `inputs` is the payload, for prices that depend on an option; `seconds` the provider's
        computing time, for prices that depend on that.
        """
        drawn = list(images)
        given = list(references) if self.counts_references else []
        total_megapixels = sum(megapixels(size) for size in [*drawn, *given])
        unit = self.unit_prices
        match self.rule:
            case "first_megapixel":
                lines = [
                    PriceLine("first megapixel", 1, unit["first"]),
                    PriceLine("further megapixel", total_megapixels - 1, unit["further"]),
                ]
            case "run_and_megapixels":
                lines = [
                    PriceLine("run", 1, unit["run"]),
                    PriceLine("megapixel", total_megapixels, unit["megapixel"]),
                ]
            case "image":
                lines = [PriceLine("image", len(drawn), unit["image"])]
            case "megapixel":
                lines = [PriceLine("megapixel", total_megapixels, unit["megapixel"])]
            case "image_by_option":
                value = str((inputs or {}).get(self.option or ""))
                if value not in unit:
                    return UNKNOWN
                lines = [PriceLine(f"image at {self.option} {value}", len(drawn), unit[value])]
            case "second" if seconds is not None:
                quantity = Decimal(str(round(seconds, 3)))
                lines = [PriceLine("second", quantity, unit["second"])]
            case _:
                return UNKNOWN
        kept = tuple(line for line in lines if line.quantity)
        return Price(kept, sum((line.amount for line in kept), Decimal(0)))


def _amount(text: Any) -> Decimal:
    """A float would bring its rounding along."""
    try:
        if isinstance(text, str):
            return Decimal(text)
    except InvalidOperation:
        pass
    raise ValueError(f'an amount of USD is a text such as "0.04", not {text!r}')


def add(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum, or None as soon as one amount is unknown."""
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def as_text(amount: Decimal | None) -> str | None:
    """USD as the API writes it: four decimals, or None."""
    return None if amount is None else str(amount.quantize(_CENT_HUNDREDTH))
