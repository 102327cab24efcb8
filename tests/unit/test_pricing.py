"""Models are data; prices are the facts' own examples."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyhook.domain.pricing import MEGAPIXEL, PriceRule, add, as_text, megapixels
from tests.fixtures import makers

MODELS = makers.MODELS
MP = (1024, 1024)
FOUR_MP = (2048, 2048)


@pytest.mark.parametrize(
    ("size", "billed"),
    [
        ((1, 1), 1),
        ((1024, 1024), 1),
        ((1344, 768), 1),
        ((1025, 1024), 2),
        ((1920, 1080), 2),
        ((1536, 2048), 3),
        ((2048, 2048), 4),
        ((8000, 8000), 4),
    ],
)
def test_a_picture_is_billed_in_whole_megapixels(size: tuple[int, int], billed: int) -> None:
    assert megapixels(size) == billed


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_one_to_four_megapixels_never_less_than_drawn(width: int, height: int) -> None:
    billed = megapixels((width, height))
    assert 1 <= billed <= 4
    assert billed == 4 or (billed - 1) * MEGAPIXEL < max(width * height, 1) <= billed * MEGAPIXEL


EDIT, TEXT, REPLICATE = "fal-flux2-pro-edit", "fal-flux2-pro", "rep-flux2-pro"
EXAMPLES: list[tuple[str, tuple[int, int], list[tuple[int, int]], str]] = [
    # providers.md, section 12: "1024² + one 1-MP ref = $0.045", the same at both
    (EDIT, MP, [MP], "0.0450"),
    (REPLICATE, MP, [MP], "0.0450"),
    # section 14: without references 1024² = $0.03 and 1920×1080 = $0.045
    (TEXT, MP, [], "0.0300"),
    (TEXT, (1920, 1080), [], "0.0450"),
    (REPLICATE, MP, [], "0.0300"),
    (EDIT, MP, [MP, MP], "0.0600"),
    (REPLICATE, MP, [MP, MP], "0.0600"),
    # section 12: five references of 4 MP cost $0.30 with the first one's megapixel, not $0.075
    (EDIT, MP, [MP] * 5, "0.1050"),
    (EDIT, MP, [FOUR_MP] * 5, "0.3300"),
    (REPLICATE, MP, [FOUR_MP] * 5, "0.3300"),
]


@pytest.mark.parametrize(("model", "drawn", "given_", "total"), EXAMPLES)
def test_the_facts_worked_examples(
    model: str, drawn: tuple[int, int], given_: list[tuple[int, int]], total: str
) -> None:
    price = MODELS.models[model].price.price([drawn], given_)
    assert as_text(price.total) == total
    assert sum(line.amount for line in price.lines) == price.total
    assert all(line.quantity > 0 for line in price.lines)


@given(st.lists(st.tuples(st.integers(1, 4000), st.integers(1, 4000)), max_size=8))
def test_the_twins_cost_the_same(references: list[tuple[int, int]]) -> None:
    totals = {MODELS.models[name].price.price([MP], references).total for name in (EDIT, REPLICATE)}
    assert len(totals) == 1


def test_an_unknown_price_is_unknown_not_nothing() -> None:
    rule = PriceRule.parse({"rule": "unknown", "as_of": "2026-11-22", "grade": "NF"})
    assert rule.price([MP], []).total is None
    assert add([Decimal(1), None]) is None
    assert add([]) == Decimal(0)
    assert as_text(None) is None
    assert as_text(Decimal("0.045")) == "0.0450"


def test_other_rules() -> None:
    def price(rule: dict[str, Any], **values: Any) -> Decimal | None:
        parsed = PriceRule.parse({"as_of": "2026-11-22", "grade": "S", **rule})
        return parsed.price([MP, MP], [MP], **values).total

    assert price({"rule": "image", "image": "0.04"}) == Decimal("0.08")
    assert price({"rule": "megapixel", "megapixel": "0.01"}) == Decimal("0.02")
    counted = {"rule": "megapixel", "megapixel": "0.01", "counts_references": True}
    assert price(counted) == Decimal("0.03")
    by_option = {"rule": "image_by_option", "option": "speed", "fast": "0.1"}
    assert price(by_option, inputs={"speed": "fast"}) == Decimal("0.2")
    assert price(by_option, inputs={"speed": "slow"}) is None
    assert price(by_option) is None
    by_second = {"rule": "second", "second": "0.001"}
    assert price(by_second, seconds=12.5) == Decimal("0.0125")
    assert price(by_second) is None
