"""The callbacks queue: deliver each to its customer."""

import json
from typing import Any

from storyhook import wiring
from storyhook.logs import handled


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    deliver = wiring.callback()
    for record in event["Records"]:
        message = json.loads(record["body"])
        row = deliver(message["callback_id"], message["turn"])
        last = row.attempts[-1] if row and row.attempts else None
        handled(
            "callback attempted",
            callback_id=message["callback_id"],
            status=row and row.status.value,
            status_code=last and last.status_code,
            error=last and last.error,
        )
    return {"batchItemFailures": []}
