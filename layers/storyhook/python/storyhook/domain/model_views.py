"""The catalogue as GET /models shows it."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from storyhook.domain.model import Model
from storyhook.domain.pricing import Price, as_text

Json = dict[str, Any]

_REFERENCE_SIZE = (1024, 1024)
_UNKNOWN_LAST = Decimal("Infinity")
_CONSISTENCY = ("Excellent", "Very Good", "Good", "Fair")

SORTS: dict[str, Callable[[Model], Any]] = {
    "price": lambda model: _amount(example(model)),
    "speed": lambda model: model.typical_seconds,
    "consistency": lambda model: (*_CONSISTENCY, model.consistency).index(model.consistency),
}


def models(entries: Iterable[Model], sort: str | None = None) -> list[Json]:
    """Sorted by what one picture costs, how long it takes or how well faces are kept."""
    ordered = sorted(entries, key=SORTS[sort]) if sort else list(entries)
    return [model(entry) for entry in ordered]


def example(entry: Model) -> Price:
    """One picture of the first ratio, from one reference of 1 MP where the model takes any."""
    ratio = next(iter(entry.size.ratios))
    inputs: dict[str, Any] = {name: option.default for name, option in entry.options.items()}
    references = [_REFERENCE_SIZE] * min(1, entry.references.max)
    return entry.price.price(
        entry.drawn(inputs, ratio),
        references,
        inputs,
        entry.typical_seconds,
    )


def model(entry: Model) -> Json:
    price, rule = entry.price, entry.references
    return {
        "id": entry.id,
        "aliases": [*entry.aliases, *entry.alias_notes],
        "alias_notes": dict(entry.alias_notes),
        "provider": entry.provider,
        "endpoint": entry.endpoint,
        "family": entry.family,
        "text_model": entry.text_model,
        "edit_model": entry.edit_model,
        "twin": entry.twin,
        "references": {
            "kind": rule.kind,
            "max": rule.max,
            "required": rule.required,
            "max_total_megapixels": rule.max_total_megapixels,
        },
        "aspect_ratios": list(entry.size.ratios),
        "formats": list(entry.formats),
        "seed": entry.seed_field is not None,
        "output": entry.output,
        "options": {name: option.expectation() for name, option in entry.options.items()},
        "defaults": {
            name: option.default
            for name, option in entry.options.items()
            if option.default is not None
        },
        "price": {
            "rule": price.rule,
            "unit_price": {name: as_text(amount) for name, amount in price.unit_prices.items()},
            "as_of": price.as_of.isoformat(),
            "grade": price.grade,
            "example": {
                "what": f"one picture from {min(1, rule.max)} reference(s) of 1 MP",
                "cost": as_text(example(entry).total),
            },
        },
        "typical_seconds": entry.typical_seconds,
        "consistency": entry.consistency,
        "best_for": entry.best_for,
        "note": entry.note,
    }


def _amount(price: Price) -> Decimal:
    return _UNKNOWN_LAST if price.total is None else price.total
