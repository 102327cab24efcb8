"""Domain objects as the API and the callbacks show them (docs: the HTTP contract).

Pure: `sign` makes a URL for an S3 key, and says until when it works.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from storyhook.domain.prediction import Status
from storyhook.domain.pricing import as_text
from storyhook.domain.storyboard import actual_cost, canceled, progress

if TYPE_CHECKING:
    from decimal import Decimal

    from storyhook.domain.images import StoredImage
    from storyhook.domain.outcome import Failure
    from storyhook.domain.prediction import Prediction
    from storyhook.domain.storyboard import BoardScene, SceneState, Storyboard

Json = dict[str, Any]
Sign = Callable[[str], tuple[str, datetime]]


def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds."""
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def image(stored: StoredImage, sign: Sign) -> Json:
    url, expires_at = sign(stored.key)
    return {
        "url": url,
        "expires_at": timestamp(expires_at),
        "content_type": stored.content_type,
        "width": stored.width,
        "height": stored.height,
        "bytes": stored.size_bytes,
        "sha256": stored.sha256,
    }


def error(failure: Failure | None) -> Json | None:
    if failure is None:
        return None
    return {
        "type": f"/problems/{failure.kind.value}",
        "title": failure.rule.title,
        "detail": failure.detail,
        "retryable": failure.rule.retryable,
        "provider_code": failure.provider_code,
    }


_INTERNAL_REFERENCE_FIELDS = frozenset({"key", "width", "height"})


def public_input(stored: Mapping[str, Any]) -> Json:
    references = [
        {name: value for name, value in ref.items() if name not in _INTERNAL_REFERENCE_FIELDS}
        for ref in stored["references"]
    ]
    return {**stored, "references": references}


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None


def metrics(prediction: Prediction) -> Json:
    """Seconds: queued with us, at the provider, copying the picture, and in all."""
    p = prediction
    return {
        "queue_seconds": _seconds(p.created_at, p.submitted_at),
        "provider_seconds": p.provider_seconds
        if p.provider_seconds is not None
        else _seconds(p.submitted_at, p.storing_at),
        "store_seconds": _seconds(p.storing_at, p.completed_at),
        "total_seconds": _seconds(p.created_at, p.completed_at),
    }


def _cost(estimated: Decimal | None, actual: Decimal | None) -> Json:
    return {"estimated": as_text(estimated), "actual": as_text(actual)}


def _limited_cost(estimated: Decimal | None, actual: Decimal | None, most: Decimal | None) -> Json:
    return {**_cost(estimated, actual), "max": as_text(most)}


def _cancellation(row: Prediction) -> Json | None:
    """Whether it was asked to be canceled, and whether that came before a picture was made."""
    if row.cancel_requested_at is None:
        return None
    return {
        "requested_at": timestamp(row.cancel_requested_at),
        "in_time": row.canceled_in_time,
    }


def _urls(path: str) -> Json:
    return {"self": path, "cancel": f"{path}/cancel"}


def _board_urls(board: Storyboard) -> Json:
    path = f"/storyboards/{board.id}"
    return {**_urls(path), "events": f"{path}/events"}


def prediction(row: Prediction, sign: Sign) -> Json:
    output = None
    if row.status is Status.SUCCEEDED:
        output = {
            "images": [image(stored, sign) for stored in row.images],
            "seed": row.seed if row.seed_returned is None else row.seed_returned,
        }
    return {
        "id": row.id,
        "status": row.status.public,
        "model": row.model,
        "provider": row.provider,
        "provider_id": row.handle.provider_id if row.handle else None,
        "input": public_input(row.input),
        "output": output,
        "error": error(row.failure),
        "cost": _limited_cost(row.cost_estimated, row.cost_actual, row.max_cost),
        "metrics": metrics(row),
        "storyboard_id": row.storyboard_id,
        "scene_id": row.scene_id,
        "candidate": row.candidate,
        "replaces": row.replaces,
        "replaced_by": row.replaced_by,
        "cancellation": _cancellation(row),
        "urls": _urls(f"/predictions/{row.id}"),
        "created_at": timestamp(row.created_at),
        "submitted_at": timestamp(row.submitted_at),
        "completed_at": timestamp(row.completed_at),
    }


def choice(scene: BoardScene) -> Json | None:
    """By whom and why its picture was chosen, and what was found of each candidate."""
    made = scene.choice
    if made is None:
        return None
    return {
        "by": made.by.value,
        "reasons": list(made.reasons),
        "flaws": dict(scene.checks) if scene.checks is not None else None,
        "at": timestamp(made.at),
    }


def scene(state: SceneState, sign: Sign) -> Json:
    row, shown = state.representative, state.chosen
    return {
        "id": state.scene.id,
        "position": state.scene.position,
        "status": state.status,
        "caption": state.scene.caption,
        "description": state.scene.description,
        "characters": list(state.scene.characters),
        "prompt": row.input["prompt"],
        "model": row.model,
        "seed": row.seed,
        "image": image(shown.images[0], sign) if shown else None,
        "chosen": shown.id if shown else None,
        "candidates": [candidate.id for candidate in state.predictions],
        "choice": choice(state.scene),
        "locked": state.scene.locked_at is not None,
        "fallbacks": list(state.fallbacks_left),
        "references": public_input(row.input)["references"],
        "left_out": row.input["left_out"],
        "cost": _cost(*state.costs),
        "metrics": metrics(row),
        "error": error(row.failure) if row.status.public == state.status else None,
        "cancellation": _cancellation(row),
    }


def scene_of(storyboard_id: str, state: SceneState, sign: Sign) -> Json:
    """A scene by itself: it says of which board."""
    urls = {"self": f"/storyboards/{storyboard_id}"}
    return {**scene(state, sign), "storyboard_id": storyboard_id, "urls": urls}


def storyboard(board: Storyboard, states: Sequence[SceneState], sign: Sign) -> Json:
    """`cancellation` counts the scenes that ended canceled; each scene says whether in time."""
    cost = _limited_cost(board.cost_estimated, actual_cost(states), board.max_cost)
    asked_at = board.cancel_requested_at
    return {
        "id": board.id,
        "title": board.title,
        "status": board.status.value,
        "progress": progress(states),
        "cost": cost,
        "character_versions": dict(board.character_versions or {}),
        "scenes": [scene(state, sign) for state in states],
        "warnings": list(board.warnings),
        "cancellation": {"requested_at": timestamp(asked_at), "canceled": canceled(states)}
        if asked_at
        else None,
        "urls": _board_urls(board),
        "created_at": timestamp(board.created_at),
        "completed_at": timestamp(board.completed_at),
    }


# What is kept of each scene of a long board: less and less, until the whole fits.
_WITHOUT_TEXTS = frozenset(
    {"id", "position", "status", "caption", "model", "seed", "image", "chosen", "candidates"}
    | {"cost", "error"}
)
_BARE = frozenset({"id", "status", "chosen"})


def fitting(data: Json, max_bytes: int) -> Json:
    """`data` with as much of each scene as fits into `max_bytes` of JSON; `urls.self` has all."""
    scenes = data.get("scenes", [])
    for kept in (_WITHOUT_TEXTS, _BARE):
        if not scenes or len(json.dumps(data)) <= max_bytes:
            break
        shortened = [{n: v for n, v in scene.items() if n in kept} for scene in scenes]
        data = {**data, "scenes": shortened}
    return data


def storyboard_summary(board: Storyboard) -> Json:
    """A board in a list: without its scenes."""
    return {
        "id": board.id,
        "title": board.title,
        "status": board.status.value,
        "scene_count": board.scene_count,
        "cost": {"estimated": as_text(board.cost_estimated)},
        "urls": _board_urls(board),
        "created_at": timestamp(board.created_at),
        "completed_at": timestamp(board.completed_at),
    }
