"""A plan as it is stored with its prediction, and as it is shown."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from storyhook.domain import views
from storyhook.domain.fallback import StoredPlan
from storyhook.domain.plan import Plan
from storyhook.domain.pricing import Price, add, as_text
from storyhook.domain.prompt import TEMPLATE_VERSION
from storyhook.domain.requests import StoryboardRequest

Json = dict[str, Any]


def price_lines(price: Price) -> list[Json]:
    return [
        {
            "what": line.what,
            "quantity": float(line.quantity)
            if isinstance(line.quantity, Decimal)
            else line.quantity,
            "unit_price": as_text(line.unit_price),
            "amount": as_text(line.amount),
        }
        for line in price.lines
    ]


def plan(planned: Plan) -> Json:
    """A plan as `?dry_run=true` answers it: nothing of it is written or paid."""
    return {
        "model": planned.model,
        "provider": planned.provider,
        "endpoint": planned.endpoint,
        **views.public_input(plan_input(planned)),
        "cost": {"estimated": as_text(planned.price.total)},
        "warnings": list(planned.warnings),
    }


def board_plan(
    request: StoryboardRequest,
    seed: int,
    plans: Sequence[Plan],
    fallbacks: Sequence[Sequence[Plan]],
    warnings: Sequence[str],
) -> Json:
    """A board's plan, scene by scene, each with the plans of its fallbacks.

    `known` is the sum of the prices that are known; fallbacks are not in the sums.
    """
    counts = [request.candidates_of(scene) for scene in request.scenes]
    totals = [p.price.total for p, count in zip(plans, counts, strict=True) for _ in range(count)]
    return {
        "dry_run": True,
        "title": request.title,
        "seed": seed,
        "scenes": [
            {
                "id": scene.id,
                "position": scene.position,
                "caption": scene.caption,
                "characters": list(scene.characters),
                "candidates": count,
                **plan(planned),
                "fallbacks": [plan(other) for other in others],
            }
            for scene, count, planned, others in zip(
                request.scenes, counts, plans, fallbacks, strict=True
            )
        ],
        "cost": {
            "estimated": as_text(add(totals)),
            "known": as_text(add(total for total in totals if total is not None)),
        },
        "warnings": list(warnings),
    }


_SHORTENED = "The plan is too long to be shown whole; plan fewer scenes at once to see all of each."


def fitting(data: Json, max_bytes: int) -> Json:
    """A board's plan in at most `max_bytes` of JSON: what each scene would be told stays longest.

    First the fallbacks' payloads go, then all but their models and costs, then the payloads.
    """
    shorten: list[Callable[[Json], Json]] = [
        lambda scene: scene | {"fallbacks": [_without_payload(f) for f in scene["fallbacks"]]},
        lambda scene: scene | {"fallbacks": [_brief(f) for f in scene["fallbacks"]]},
        _without_payload,
    ]
    if len(json.dumps(data)) <= max_bytes:
        return data
    data = {**data, "warnings": [*data["warnings"], _SHORTENED]}
    for shorter in shorten:
        data = {**data, "scenes": [shorter(scene) for scene in data["scenes"]]}
        if len(json.dumps(data)) <= max_bytes:
            return data
    return views.fitting(data, max_bytes)


def _without_payload(planned: Json) -> Json:
    return {name: value for name, value in planned.items() if name != "payload"}


def _brief(planned: Json) -> Json:
    return {name: planned[name] for name in ("model", "provider", "cost")}


def stored(plan: Plan) -> StoredPlan:
    """The plan as predictions are made of it, at once or as a scene's fallback."""
    return StoredPlan(
        model=plan.model,
        provider=plan.provider,
        endpoint=plan.endpoint,
        input=plan_input(plan),
        seed=plan.seed,
        cost_estimated=plan.price.total,
        deadline_seconds=plan.deadline_seconds,
        seed_field=plan.seed_field,
    )


def plan_input(plan: Plan) -> Json:
    """The plan as a prediction stores and shows it under `input`; `key` names the S3 object."""
    return {
        "prompt": plan.prompt,
        "seed": plan.seed,
        "aspect_ratio": plan.aspect_ratio,
        "character_versions": dict(plan.character_versions),
        "references": [
            {
                "position": place.position,
                "character": place.character,
                "role": place.reference.role,
                "angle": place.reference.angle,
                "reference_id": place.reference.id,
                "why": place.why,
                "key": place.reference.key,
                "width": place.reference.width,
                "height": place.reference.height,
            }
            for place in plan.references
        ],
        "left_out": [
            {
                "character": left.character,
                "role": left.reference.role,
                "angle": left.reference.angle,
                "reference_id": left.reference.id,
                "why": left.why,
            }
            for left in plan.left_out
        ],
        "price": price_lines(plan.price),
        "template": TEMPLATE_VERSION,
        "payload": dict(plan.payload),
    }
