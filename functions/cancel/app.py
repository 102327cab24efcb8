"""POST /predictions/{id}/cancel and /storyboards/{id}/cancel: with us, and at the provider."""

import json
from typing import Any

from storyhook import wiring
from storyhook.domain import views
from storyhook.domain.access import Scope
from storyhook.domain.errors import StoryhookError
from storyhook.domain.prediction import Status
from storyhook.domain.storyboard import BoardStatus
from storyhook.http import problems
from storyhook.http.events import caller, parse, require
from storyhook.http.reading import MAX_ANSWER_BYTES, known
from storyhook.http.requests import NothingBody
from storyhook.logs import handled

# API Gateway waits for 30 s; a long board leaves the rest to the reconciler.
_RESERVE_MILLISECONDS = 12_000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """200 when it is known how it ended, 202 while it is not; the thing as GET answers it."""
    try:
        require(Scope.WRITE, event)
        parse(NothingBody, event, optional=True)
        with wiring.aws_or_busy():
            settled, body = _cancel(event, context)
    except StoryhookError as error:
        handled("refused", problem=error.slug, detail=error.detail)
        return problems.response(error)
    handled("asked to cancel", **event["pathParameters"], status=body["status"], settled=settled)
    return {
        "statusCode": 200 if settled else 202,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
    }


def _cancel(event: dict[str, Any], context: Any) -> tuple[bool, dict[str, Any]]:
    """Whether it is known how it ended, and how it stands."""
    cancel, images = wiring.cancel()
    path, tenant = event["pathParameters"], caller(event).tenant
    if "prediction_id" in path:
        row = cancel.prediction(tenant, known("prediction", path["prediction_id"]))
        settled = row.status.terminal or row.status is Status.STORING
        return settled, views.prediction(row, images.sign)
    board, states = cancel.storyboard(
        tenant,
        known("storyboard", path["storyboard_id"]),
        lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS,
    )
    shown = views.fitting(views.storyboard(board, states, images.sign), MAX_ANSWER_BYTES)
    return board.status is not BoardStatus.RUNNING, shown
