"""The submissions queue: send each prediction to its provider."""

import json
from typing import Any

from storyhook import wiring
from storyhook.logs import handled


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the messages that must come again; their wait is set as visibility time-out."""
    submit, queue = wiring.submit()
    again = []
    for record in event["Records"]:
        message = json.loads(record["body"])
        wait = submit.from_queue(message["prediction_id"], message.get("task_token"))
        handled("submitted", prediction_id=message["prediction_id"], retry_in_seconds=wait)
        if wait is not None:
            queue.defer(record["receiptHandle"], wait)
            again.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": again}
