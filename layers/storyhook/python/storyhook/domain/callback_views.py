"""Callbacks as the API shows them: the delivery log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from storyhook.domain.callback import CallbackStatus
from storyhook.domain.views import timestamp

if TYPE_CHECKING:
    from storyhook.domain.address import Address
    from storyhook.domain.callback import Attempt, Callback

Json = dict[str, Any]


def callback(row: Callback, where: Address | None) -> Json:
    """One line of the log, with every try; `where` is the row of its address, if it has one."""
    pending = row.status is CallbackStatus.PENDING
    return {
        "id": row.id,
        "type": row.event,
        "subject": row.subject_id,
        "storyboard_id": row.storyboard_id,
        "sequence": row.sequence,
        "url": row.url,
        "address": address(where),
        "status": row.status.value,
        "error": row.error,
        "attempts": [attempt(each) for each in row.attempts],
        "next_attempt_at": timestamp(row.next_at) if pending else None,
        "urls": {"self": f"/callbacks/{row.id}", "replay": f"/callbacks/{row.id}/replay"},
        "created_at": timestamp(row.created_at),
        "expires_at": timestamp(row.expires_at),
    }


def with_payload(row: Callback, where: Address | None) -> Json:
    """The same with the event as it is sent."""
    return {**callback(row, where), "payload": json.loads(row.body)}


def attempt(row: Attempt) -> Json:
    return {
        "at": timestamp(row.at),
        "status_code": row.status_code,
        "error": row.error,
        "duration_seconds": row.duration_seconds,
        "response": row.response,
    }


def address(row: Address | None) -> Json:
    if row is None:
        return {"status": "active", "since": None, "reason": None}
    if row.disabled_at:
        since, status = row.disabled_at, "disabled"
    else:
        since, status = row.failing_since, "failing"
    return {"status": status, "since": timestamp(since), "reason": row.reason}
