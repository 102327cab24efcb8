"""POST /predictions: accept one picture and create it at its provider, inside the request."""

import json
from typing import Any

from storyhook import wiring
from storyhook.domain import plan_views, views
from storyhook.domain.access import Scope
from storyhook.domain.errors import StoryhookError
from storyhook.http import problems
from storyhook.http.events import parse, require, wants_dry_run
from storyhook.http.requests import PredictionBody
from storyhook.logs import handled, logger


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    request_prediction, images = wiring.create_prediction()
    try:
        key = require(Scope.WRITE, event)
        request = parse(PredictionBody, event, query=("dry_run",)).to_request()
        if wants_dry_run(event):
            planned = request_prediction.plan(key, request)
            handled("planned", model=planned.model)
            return _answer(200, {"dry_run": True, **plan_views.plan(planned)})
        row = request_prediction.accept(key, request)
    except StoryhookError as error:
        handled("refused", problem=error.slug, detail=error.detail)
        return problems.response(error)
    try:
        row = request_prediction.send(row)
    except Exception:  # noqa: BLE001 - logged; the row is accepted, and the reconciler's now
        logger().exception("not sent", extra={"prediction_id": row.id})
    handled("accepted", prediction_id=row.id, status=row.status.value)
    body = views.prediction(row, images.sign)
    return _answer(202, body, location=body["urls"]["self"])


def _answer(status: int, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **headers},
        "body": json.dumps(body),
    }
