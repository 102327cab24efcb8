"""POST /webhooks/{provider}/{token}: verify what a provider sends, and settle."""

from typing import Any

from storyhook import wiring
from storyhook.domain.errors import BadSignature, StoryhookError
from storyhook.http import problems
from storyhook.http.raw import raw_body
from storyhook.logs import counted, handled


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """200 whatever it changed; 401, 404 and 413 as told; 5xx only when coming again would help."""
    path = event["pathParameters"]
    headers = {name.lower(): value for name, value in event["headers"].items()}
    try:
        row = wiring.webhook()(path["provider"], path["token"], headers, raw_body(event))
    except StoryhookError as error:
        handled(
            "refused",
            problem=error.slug,
            detail=error.detail,
            provider=path["provider"],
            **(counted({"WebhooksForged": 1}) if isinstance(error, BadSignature) else {}),
        )
        return problems.response(error)
    handled("settled", prediction_id=row.id, storyboard_id=row.storyboard_id)
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{}"}
