"""The library as the API shows it: characters, what is stale, upload forms, sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storyhook.domain import plan_views, views
from storyhook.domain.library import stale_cost
from storyhook.domain.pricing import as_text
from storyhook.domain.views import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from storyhook.domain.access import Page
    from storyhook.domain.library import StaleBoard, UploadForm
    from storyhook.domain.plan import Plan
    from storyhook.domain.prediction import Prediction
    from storyhook.domain.story import Character
    from storyhook.domain.views import Json, Sign


def character(row: Character, sign: Sign) -> Json:
    path = f"/characters/{row.id}"
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "description": row.description,
        "outfit": row.outfit,
        "version": row.version,
        "references": [
            {
                "id": ref.id,
                "role": ref.role,
                "angle": ref.angle,
                "status": ref.status,
                "width": ref.width,
                "height": ref.height,
                "sha256": ref.sha256,
                "url": sign(ref.key)[0],
            }
            for ref in row.references
        ],
        "urls": {"self": path, "versions": f"{path}/versions", "stale": f"{path}/stale"},
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
        "deleted_at": timestamp(row.deleted_at),
    }


def stale(page: Page[StaleBoard]) -> Json:
    """`cost` is that of the boards in `items`."""
    return {
        "items": [
            {
                "storyboard_id": board.storyboard_id,
                "title": board.title,
                "scenes": [
                    {
                        "id": scene.id,
                        "position": scene.position,
                        "version": scene.version,
                        "cost": as_text(scene.cost),
                    }
                    for scene in board.scenes
                ],
                "cost": as_text(board.cost),
            }
            for board in page.items
        ],
        "cost": as_text(stale_cost(page.items)),
    }


def upload(form: UploadForm) -> Json:
    return {
        "id": form.id,
        "url": form.url,
        "fields": dict(form.fields),
        "expires_at": timestamp(form.expires_at),
        "max_bytes": form.max_bytes,
    }


def sheet(
    row: Character,
    role: str,
    items: Sequence[Json],
    cost: Decimal | None,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """`items`: a prediction, or in a dry run a plan, for each angle."""
    return {
        "character": row.id,
        "version": row.version,
        "role": role,
        "items": list(items),
        "cost": {"estimated": as_text(cost)},
        "warnings": list(warnings),
    }


def sheet_plan(angle: str, planned: Plan) -> Json:
    return {"angle": angle, **plan_views.plan(planned)}


def sheet_prediction(row: Prediction, sign: Sign) -> Json:
    return {"angle": row.input["sheet"]["angle"], **views.prediction(row, sign)}
