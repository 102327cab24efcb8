"""What a board's export is made of: plain data, and the same for as long as the board is.

It is also the provenance that is handed out with the pictures: how each came about, and at what
price. It holds no URL and no time of reading, so that its hash says whether anything has changed.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from storyhook.domain.prediction import Prediction
from storyhook.domain.pricing import as_text
from storyhook.domain.storyboard import SceneState, Storyboard, actual_cost
from storyhook.domain.views import timestamp

Json = dict[str, Any]

VERSION = 1
# What a reference is stored as: references/<tenant>/<SHA-256>.<extension>.
_CONTENT = re.compile(r"([0-9a-f]{64})\.\w+$")
_ASKED = ("setting", "shot", "camera", "light")


def manifest(board: Storyboard, states: Sequence[SceneState]) -> Json:
    """The board with its scenes in order; of one without a `picture`, `error` says why."""
    return {
        "manifest_version": VERSION,
        "storyboard_id": board.id,
        "title": board.title,
        "status": board.status.value,
        "model": board.model,
        "look": dict(board.look or {}),
        "character_versions": dict(board.character_versions or {}),
        "cost": _cost(board.cost_estimated, actual_cost(states)),
        "created_at": timestamp(board.created_at),
        "completed_at": timestamp(board.completed_at),
        "scenes": [_scene(state) for state in states],
    }


def changed_at(board: Storyboard, states: Sequence[SceneState]) -> datetime:
    """When a finished board became as it is: it ended, or another picture was chosen."""
    ends = [board.completed_at, *(state.completed_at for state in states)]
    ends += [state.scene.choice.at for state in states if state.scene.choice]
    return max((end for end in ends if end), default=board.created_at)


def digest(content: Json, *more: object) -> bytes:
    """32 bytes that stand for the content and whatever else it is made with."""
    text = json.dumps([content, *more], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def _scene(state: SceneState) -> Json:
    scene, row = state.scene, state.representative
    asked = scene.details or {}
    failure = row.failure if state.chosen is None else None
    return {
        "id": scene.id,
        "position": scene.position,
        "status": state.status,
        "caption": scene.caption,
        "description": scene.description,
        **{name: asked.get(name) for name in _ASKED},
        "characters": list(scene.characters),
        "candidates": [each.id for each in state.predictions],
        "picture": _picture(state.chosen) if state.chosen else None,
        "error": {"title": failure.rule.title, "detail": failure.detail} if failure else None,
    }


def _picture(row: Prediction) -> Json:
    image = row.images[0]
    return {
        "key": image.key,
        "content_type": image.content_type,
        "width": image.width,
        "height": image.height,
        "bytes": image.size_bytes,
        "sha256": image.sha256,
        "prediction_id": row.id,
        "model": row.model,
        "provider": row.provider,
        "endpoint": row.endpoint,
        "provider_id": row.handle.provider_id if row.handle else None,
        "prompt": row.input["prompt"],
        "seed": row.seed if row.seed_returned is None else row.seed_returned,
        "references": [_reference(each) for each in row.input["references"]],
        "cost": _cost(row.cost_estimated, row.cost_actual),
        "created_at": timestamp(row.created_at),
        "completed_at": timestamp(row.completed_at),
    }


def _reference(placed: Json) -> Json:
    found = _CONTENT.search(placed.get("key") or "")
    named = ("position", "character", "role", "angle", "reference_id")
    return {
        **{name: placed.get(name) for name in named},
        "sha256": found[1] if found else None,
    }


def _cost(estimated: Any, actual: Any) -> Json:
    return {"estimated": as_text(estimated), "actual": as_text(actual), "currency": "USD"}
