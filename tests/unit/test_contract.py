"""What we send against the providers' schemas, which the simulators keep apart from the catalogue.

Both were written from the providers' documentation, neither from the other.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from local.simulators.catalogue import Catalogue
from local.simulators.validation import check_input
from storyhook.domain.errors import ReferencesNotTaken
from storyhook.domain.options import (
    Boolean,
    Choice,
    Integer,
    Items,
    Number,
    Pixels,
    Rule,
    Text,
    Url,
    UrlByCharacter,
)
from storyhook.domain.payload import with_urls
from storyhook.domain.plan import Plan, plan_scene
from storyhook.domain.story import Look
from tests.fixtures import makers

PROVIDERS = {name: Catalogue.load(name) for name in ("fal", "replicate")}
# Entries of a user's own are not here: the simulated providers have no schema of them.
MODELS = sorted(makers.MODELS.models)
MASK = "https://example.com/mask.png"


def plan(name: str, people: int, ratio: str = "1:1", **values: Any) -> Plan | None:
    """The plan with so many characters; None where that is refused."""
    cast = [makers.character(f"person-{n}") for n in range(people)]
    scene = makers.scene(characters=tuple(c.id for c in cast), **values)
    try:
        return plan_scene(makers.MODELS, name, scene, cast, Look(aspect_ratio=ratio), seed=5)
    except ReferencesNotTaken:
        return None


def refused(planned: Plan) -> list[Any]:
    """What the provider's schema says against the payload."""
    urls = {
        f"reference://{place.reference.id}": f"https://bucket.example/{place.reference.id}"
        for place in planned.references
    }
    payload = with_urls(planned.payload, urls)
    catalogue = PROVIDERS[planned.provider]
    name, _, version = planned.endpoint.partition(":")
    model = catalogue.get(catalogue.by_version(version) or "" if version else name)
    assert model is not None, f"{planned.provider} has no {planned.endpoint}"
    return check_input(model, payload, refuse_unknown=True)


@pytest.mark.parametrize("name", MODELS)
def test_every_ratio_and_number_of_references_is_taken(name: str) -> None:
    model = makers.MODELS.models[name]
    made = 0
    for people in (0, 1, 2, model.references.max, model.references.max + 1):
        for ratio in model.size.ratios:
            planned = plan(name, people, ratio)
            if planned is not None:
                made += 1
                assert refused(planned) == []
    assert made


@pytest.mark.parametrize("name", MODELS)
def test_every_limit_that_we_allow_is_the_providers_too(name: str) -> None:
    model = makers.MODELS.models[name]
    tried = 0
    for option_name, option in model.options.items():
        for value in samples(option.rule):
            above = option.max_with_references is not None and value > option.max_with_references
            people = min(1, model.references.max) if not above else 0
            planned = plan(name, people, options={option_name: value})
            assert planned is not None
            assert refused(planned) == [], f"{option_name} = {value}"
            tried += 1
    assert tried


def samples(rule: Rule) -> Iterator[Any]:
    """Values at the limits of a rule."""
    match rule:
        case Choice(values):
            yield from values
        case Integer(least, most):
            yield from (least, most)
        case Number(least, most):
            yield from (float(least), float(most))
        case Boolean():
            yield from (True, False)
        case Text(most):
            yield from ("a", "a" * most)
        case Url():
            yield MASK
        case UrlByCharacter():
            yield {"person-0": MASK}
        case Items(fields, _, most):
            item = {name: next(samples(field)) for name, field in fields.items()}
            yield from ([item], [item] * most)
        case Pixels(sides, _, presets):
            yield from presets
            yield from ({"width": w, "height": h} for w in sides for h in sides)
        case _:
            raise AssertionError(f"no samples for {rule}")
