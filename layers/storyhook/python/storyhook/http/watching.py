"""Reads of what changes by itself: predictions, boards, and what happened in a board.

They wait if they are asked to: until it is over, or, for a reader who names the ETag that they
have, until it is another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storyhook.domain import views
from storyhook.domain.access import owned
from storyhook.domain.errors import NotFound
from storyhook.domain.storyboard import BoardStatus
from storyhook.http import feed
from storyhook.http.etags import is_conditional
from storyhook.http.events import caller
from storyhook.http.reading import MAX_ANSWER_BYTES, known, limit_of, refuse_unknown, wait_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storyhook.domain.prediction import Prediction
    from storyhook.domain.storyboard import SceneState, Storyboard
    from storyhook.domain.views import Json, Sign
    from storyhook.http.etags import Reads
    from storyhook.http.reading import Handler, Reply
    from storyhook.ports import Predictions
    from storyhook.usecases.assemble import ReadStoryboard
    from storyhook.usecases.feed import ReadFeed
    from storyhook.usecases.wait import Wait

Event = dict[str, Any]


def board_shown(board: Storyboard, states: Sequence[SceneState], sign: Sign) -> Json:
    return views.fitting(views.storyboard(board, states, sign), MAX_ANSWER_BYTES)


def _seen(event: Event, text: str) -> str:
    """A board's id from a path, if the caller may look at it; raises NotFound."""
    storyboard_id = known("storyboard", text)
    if not caller(event).sees(storyboard_id):
        raise NotFound(f"There is no storyboard {storyboard_id!r}.")
    return storyboard_id


@dataclass(frozen=True)
class WatchRoutes:
    predictions: Predictions
    read_storyboard: ReadStoryboard
    read_feed: ReadFeed
    reads: Reads
    wait: Wait

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {
            ("GET", "/predictions/<prediction_id>"): self.get_prediction,
            ("GET", "/storyboards/<storyboard_id>"): self.get_storyboard,
            ("GET", "/storyboards/<storyboard_id>/events"): self.list_events,
        }

    def get_prediction(self, event: Event, prediction_id: str) -> Reply:
        refuse_unknown(event, ("wait",))
        seconds, key = wait_of(event), caller(event)
        prediction_id = known("prediction", prediction_id)

        def look() -> Prediction:
            found = self.predictions.get(prediction_id)
            seen = found if found and key.sees(found.storyboard_id) else None
            return owned(seen, key.tenant, f"prediction {prediction_id!r}")

        def enough(row: Prediction) -> bool:
            return row.status.terminal or self.reads.is_news(
                event, lambda sign: views.prediction(row, sign)
            )

        row = self.wait(look, enough, seconds)
        return self.reads(event, lambda sign: views.prediction(row, sign))

    def get_storyboard(self, event: Event, storyboard_id: str) -> Reply:
        refuse_unknown(event, ("wait",))
        seconds, tenant = wait_of(event), caller(event).tenant
        storyboard_id = _seen(event, storyboard_id)
        if is_conditional(event):
            # Its scenes are what changes: each look reads them.
            board = self.read_storyboard.board(tenant, storyboard_id)
            board, states = self.wait(
                lambda: self.read_storyboard(tenant, storyboard_id),
                lambda seen: (
                    seen[0].status is not BoardStatus.RUNNING
                    or self.reads.is_news(event, lambda sign: board_shown(*seen, sign))
                ),
                seconds,
                scenes=board.scene_count,
            )
        else:
            board = self.wait(
                lambda: self.read_storyboard.board(tenant, storyboard_id),
                lambda seen: seen.status is not BoardStatus.RUNNING,
                seconds,
            )
            states = self.read_storyboard.states(storyboard_id)
        return self.reads(event, lambda sign: board_shown(board, states, sign))

    def list_events(self, event: Event, storyboard_id: str) -> Reply:
        refuse_unknown(event, (feed.AFTER, "limit", "wait"))
        limit, seconds = limit_of(event), wait_of(event)
        storyboard_id = _seen(event, storyboard_id)
        board = self.read_storyboard.board(caller(event).tenant, storyboard_id)
        told = feed.told_by(event, board)
        happened = self.read_feed(board, told, seconds)[:limit]
        return self.reads(event, lambda sign: feed.page(event, board, told, happened, sign))
