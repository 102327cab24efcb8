"""POST /predictions: accept one picture and create it at its provider, inside the request."""

import json
from http import HTTPStatus
from typing import Any

from storyhook import wiring
from storyhook.domain import plan_views, views
from storyhook.domain.access import Scope
from storyhook.domain.errors import StoryhookError
from storyhook.http import problems
from storyhook.http.events import parse, require, wants_dry_run
from storyhook.http.idempotency import asked_once
from storyhook.http.reading import Reply
from storyhook.http.requests import PredictionBody
from storyhook.logs import handled, logger


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    request_prediction, once, images = wiring.create_prediction()
    try:
        key = require(Scope.WRITE, event)
        body = parse(PredictionBody, event, query=("dry_run",), once=True)
        request, asked = body.to_request(), asked_once(event)
        if wants_dry_run(event):
            with wiring.aws_or_busy():
                planned = request_prediction.plan(key, request)
            handled("planned", model=planned.model)
            return _answer(Reply(HTTPStatus.OK, {"dry_run": True, **plan_views.plan(planned)}))
        with wiring.aws_or_busy():
            made = once(
                key,
                asked,
                request_prediction.made,
                lambda origin: request_prediction.accept(key, request, origin),
            )
    except StoryhookError as error:
        handled("refused", problem=error.slug, detail=error.detail)
        return problems.response(error)
    row = made.thing
    try:
        # Whoever accepted it sends it; if that one died, the reconciler looks after it.
        row = row if made.replayed else request_prediction.send(row)
    except Exception:  # noqa: BLE001 - logged; the row is accepted, and the reconciler's now
        logger().exception("not sent", extra={"prediction_id": row.id})
    handled("accepted", prediction_id=row.id, status=row.status.value, replayed=made.replayed)
    return _answer(Reply(HTTPStatus.ACCEPTED, views.prediction(row, images.sign), made.replayed))


def _answer(reply: Reply) -> dict[str, Any]:
    return {
        "statusCode": reply.status.value,
        "headers": {"content-type": "application/json", **reply.headers},
        "body": json.dumps(reply.body),
    }
