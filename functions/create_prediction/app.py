"""POST /predictions: accept one picture and create it at its provider, inside the request."""

import json
from typing import Any

from storyhook import wiring
from storyhook.domain import views
from storyhook.domain.errors import StoryhookError
from storyhook.http import problems
from storyhook.http.requests import PredictionBody, caller, parse
from storyhook.logs import handled


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    request_prediction, images = wiring.create_prediction()
    try:
        request = parse(PredictionBody, event).to_request()
        row = request_prediction(caller(event), request)
    except StoryhookError as error:
        handled("refused", problem=error.slug, detail=error.detail)
        return problems.response(error)
    handled("accepted", prediction_id=row.id, status=row.status.value)
    body = views.prediction(row, images.sign)
    return {
        "statusCode": 202,
        "headers": {"content-type": "application/json", "location": body["urls"]["self"]},
        "body": json.dumps(body),
    }
