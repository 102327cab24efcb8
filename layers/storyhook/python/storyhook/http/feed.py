"""A board's feed as it is answered, and the cursor that says what a reader was told."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from storyhook.domain import views
from storyhook.domain.feed import Told
from storyhook.domain.prediction import Prediction
from storyhook.domain.storyboard import SceneState
from storyhook.http.cursors import cursor_of, not_a_cursor, read_cursor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storyhook.domain.feed import Event
    from storyhook.domain.storyboard import Storyboard
    from storyhook.domain.views import Json, Sign

AFTER = "after"
# 1,000 scenes with all their predictions are far less.
_MAX_BYTES = 64 * 1024
_MAX_MASK = 1 << 64


def told_by(event: Mapping[str, Any], board: Storyboard) -> Told:
    """What `after` says; nothing without it. Raises InvalidRequest."""
    value = read_cursor(event, AFTER)
    if value is None:
        return Told((0,) * board.scene_count)
    try:
        *masks, board_told = json.loads(zlib.decompressobj().decompress(value, _MAX_BYTES))
    except (zlib.error, ValueError, TypeError, RecursionError) as error:
        raise not_a_cursor(AFTER) from error
    numbers = all(type(mask) is int and 0 <= mask < _MAX_MASK for mask in masks)
    if not numbers or len(masks) != board.scene_count:
        raise not_a_cursor(AFTER)
    return Told(tuple(masks), bool(board_told))


def page(
    event: Mapping[str, Any],
    board: Storyboard,
    told: Told,
    happened: Sequence[Event],
    sign: Sign,
) -> Json:
    items = []
    for each in happened:
        told = told.and_(each)
        items.append(
            {
                "sequence": told.count,
                "type": each.type,
                "at": views.timestamp(each.at),
                "data": _data(board.id, each, sign),
            }
        )
    value = zlib.compress(json.dumps([*told.scenes, told.board], separators=(",", ":")).encode())
    return {"items": items, "next": cursor_of(event, value)}


def _data(board_id: str, event: Event, sign: Sign) -> Json:
    match event.subject:
        case Prediction() as row:
            return views.prediction(row, sign)
        case SceneState() as state:
            return views.scene_of(board_id, state, sign)
        case board:
            return views.storyboard_summary(board)
