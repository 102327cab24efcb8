"""The submissions queue: send each prediction to its provider."""

import json
from typing import Any

from storyhook import wiring
from storyhook.logs import handled, logger


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the messages that must come again; their wait is set as visibility time-out."""
    submit, queue = wiring.submit()
    again = []
    for record in event["Records"]:
        prediction_id = None
        try:
            message = json.loads(record["body"])
            prediction_id = message["prediction_id"]
            wait = submit.from_queue(prediction_id, message.get("task_token"))
            if wait is not None:
                queue.defer(record["receiptHandle"], wait)
        except Exception:  # noqa: BLE001 - logged, and it comes again; the others must not
            logger().exception("not submitted", extra={"prediction_id": prediction_id})
            wait = 0.0
        handled("submitted", prediction_id=prediction_id, retry_in_seconds=wait)
        if wait is not None:
            again.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": again}
