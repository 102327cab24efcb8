"""The callbacks queue: deliver each to its customer."""

import json
from typing import Any
from urllib.parse import urlsplit

from storyhook import wiring
from storyhook.logs import counted, handled, logger

# What a try has come to, by the callback's status after it.
_METRICS = {
    "delivered": "CallbacksDelivered",
    "pending": "CallbackTriesFailed",
    "failed": "CallbacksFailed",
}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the messages that must come again: one that fails takes no other along."""
    deliver = wiring.callback()
    again = []
    for record in event["Records"]:
        try:
            _deliver(deliver, **json.loads(record["body"]))
        except Exception:  # noqa: BLE001 - logged, and it comes again; the others must not
            logger().exception("not attempted", extra={"message_id": record["messageId"]})
            again.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": again}


def _deliver(deliver: Any, callback_id: str, turn: int) -> None:
    tried = deliver(callback_id, turn)
    if tried is None:
        handled("callback attempted", callback_id=callback_id)
        return
    row = tried.callback
    last = row.attempts[-1] if row.attempts else None
    handled(
        "callback attempted",
        callback_id=callback_id,
        status=row.status.value,
        status_code=last and last.status_code,
        error=row.error or (last and last.error),
        **counted({_METRICS[row.status.value]: 1}),
    )
    if tried.disabled:
        # Only the host: a URL may hold secrets of the customer's.
        logger().warning(
            "callback address disabled",
            extra={
                "callback_id": callback_id,
                "tenant": row.tenant,
                "host": urlsplit(row.url).hostname,
                "reason": tried.disabled.reason,
                **counted({"AddressesDisabled": 1}),
            },
        )
