"""The exports queue: make the file of each."""

import json
from typing import Any

from storyhook import wiring
from storyhook.logs import handled, logger


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the messages that must come again: one that fails takes no other along."""
    make = wiring.export()
    again = []
    for record in event["Records"]:
        export_id = None
        try:
            export_id = json.loads(record["body"])["export_id"]
            row = make(export_id)
        except Exception:  # noqa: BLE001 - logged, and it comes again; the others must not
            logger().exception("not exported", extra={"export_id": export_id})
            again.append({"itemIdentifier": record["messageId"]})
            continue
        handled(
            "exported",
            export_id=export_id,
            storyboard_id=row and row.storyboard_id,
            format=row and row.format.value,
            status=row and row.status.value,
            bytes=row and row.file and row.file.size_bytes,
        )
    return {"batchItemFailures": again}
