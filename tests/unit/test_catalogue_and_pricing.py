"""Models are data; prices are the facts' own examples."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyhook.domain import catalogue
from storyhook.domain.errors import InvalidOption, SettingsError, UnknownModel
from storyhook.domain.plan import plan_scene
from storyhook.domain.pricing import MEGAPIXEL, PriceRule, add, as_text, megapixels
from storyhook.domain.story import Look
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
    rule = PriceRule.parse({"rule": "gpu_time", "as_of": None, "grade": "S"})
    assert rule.price([MP], []).total is None
    assert add([Decimal(1), None]) is None
    assert add([]) == Decimal(0)
    assert as_text(None) is None
    assert as_text(Decimal("0.045")) == "0.0450"


def test_other_rules() -> None:
    def price(rule: dict[str, Any]) -> Decimal | None:
        return PriceRule.parse({"as_of": None, "grade": "S", **rule}).price([MP, MP], [MP]).total

    assert price({"rule": "image", "image": "0.04"}) == Decimal("0.08")
    assert price({"rule": "megapixel", "megapixel": "0.01"}) == Decimal("0.02")
    counted = {"rule": "megapixel", "megapixel": "0.01", "counts_references": True}
    assert price(counted) == Decimal("0.03")


# --- the catalogue ---


def test_every_entry_is_whole() -> None:
    for model in MODELS.models.values():
        assert model.provider in ("fal", "replicate")
        for name in (model.id, model.endpoint, *model.aliases):
            assert MODELS.find(name) is model
        for related in (model.text_model, model.twin):
            assert related is None or related in MODELS.models
        assert {"1:1", "16:9"} <= set(model.size.ratios)
        for width, height in model.size.ratios.values():
            assert width % model.size.multiple_of == height % model.size.multiple_of == 0
            assert megapixels((width, height)) == 1
        assert bool(model.references.max) == bool(model.references.field)
        assert model.price.price([MP], [MP]).total
        assert 0 < model.typical_seconds < model.deadline_seconds


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(UnknownModel) as caught:
        MODELS.find("midjourney")
    assert "'midjourney'" in caught.value.detail
    assert all(name in caught.value.detail for name in MODELS.models)


ENTRY = """
["{id}"]
provider = "fal"
endpoint = "fal-ai/new"
aliases = {aliases}
family = "new"
references = {{ kind = "one", field = "image_url", max = 1 }}
size = {{ form = "ratio", field = "aspect_ratio", ratios = {{ "1:1" = [1024, 1024] }} }}
output = "images"
price = {{ rule = "image", image = "0.04", as_of = 2026-11-22, grade = "S" }}
typical_seconds = 5
deadline_seconds = 100
consistency = "Good"
best_for = "Tests"
["{id}".options]
steps = {{ integers = [1, 50] }}
strength = {{ numbers = [0, 1.5] }}
mode = {{ values = ["fast", "fine"] }}
tile = {{ boolean = true }}
"""


def added(name: str = "new", aliases: str = "[]") -> str:
    return ENTRY.format(id=name, aliases=aliases)


def test_a_model_is_added_with_data_alone() -> None:
    models = catalogue.load(added(aliases='["also-new"]'))
    model = models.find("also-new")
    assert (model.id, model.endpoint, model.references.max) == ("new", "fal-ai/new", 1)
    assert model.price.price([MP], []).total == Decimal("0.04")
    scene = makers.scene(options={"steps": 50, "strength": 0.5, "mode": "fine", "tile": False})
    plan = plan_scene(models, "new", scene, [makers.character()], Look(aspect_ratio="1:1"), seed=1)
    assert plan.payload["image_url"] == "reference://ref_elena_0"
    assert plan.payload["steps"] == 50
    assert plan.seed is None, "it takes no seed"
    assert "seed" not in plan.payload


@pytest.mark.parametrize(
    "text", [added("a", '["b"]') + added("b"), added("a", '["x"]') + added("b", '["x"]')]
)
def test_two_models_of_one_name_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="Two models"):
        catalogue.load(text)


@pytest.mark.parametrize(
    "options",
    [
        {"nope": 1},
        {"steps": 0},
        {"steps": 51},
        {"steps": 1.0},
        {"steps": "5"},
        {"steps": True},
        {"steps": None},
        {"strength": 1.51},
        {"strength": -0.1},
        {"strength": float("inf")},
        {"strength": 10**400},
        {"strength": "1"},
        {"strength": False},
        {"mode": "FAST"},
        {"mode": 1},
        {"mode": ["fast"]},
        {"mode": {"a": 1}},
        {"tile": 1},
        {"tile": "true"},
        {"image_url": "https://evil.example"},
        {"prompt": "another"},
    ],
)
def test_an_option_that_does_not_fit_is_refused(options: dict[str, Any]) -> None:
    model = catalogue.load(added()).find("new")
    with pytest.raises(InvalidOption) as caught:
        model.check_options(options)
    [error] = caught.value.errors
    assert error.path == f"options.{next(iter(options))}"
    assert "new" in caught.value.detail


def test_every_limit_is_told_in_words() -> None:
    options = catalogue.load(added()).find("new").options
    assert {name: rule.expectation() for name, rule in options.items()} == {
        "steps": "a whole number from 1 to 50",
        "strength": "a number from 0 to 1.5",
        "mode": 'one of "fast", "fine"',
        "tile": "true or false",
    }


def test_the_output_format_is_an_option() -> None:
    model = MODELS.find(EDIT)
    model.check_options({"output_format": "jpeg", "safety_tolerance": "2"})
    with pytest.raises(InvalidOption):
        model.check_options({"output_format": "webp"})
    MODELS.find(REPLICATE).check_options({"output_format": "webp", "safety_tolerance": 2})
