"""Exports as the API shows them."""

from typing import Any

from storyhook.domain.errors import ExportFailed
from storyhook.domain.export import Export
from storyhook.domain.views import Sign, timestamp

Json = dict[str, Any]


def export(row: Export, sign: Sign) -> Json:
    """`file` when it is there, `error` when it will not come; neither while it is being made."""
    return {
        "id": row.id,
        "status": row.status.value,
        "storyboard_id": row.storyboard_id,
        "format": row.format.value,
        "options": dict(row.options),
        "file": _file(row, sign),
        "error": {
            "type": f"/problems/{ExportFailed.slug}",
            "title": ExportFailed.title,
            "detail": row.error,
        }
        if row.error
        else None,
        "urls": {
            "self": f"/storyboards/{row.storyboard_id}/exports/{row.id}",
            "storyboard": f"/storyboards/{row.storyboard_id}",
        },
        "created_at": timestamp(row.created_at),
        "completed_at": timestamp(row.completed_at),
        "expires_at": timestamp(row.expires_at) if row.file else None,
    }


def _file(row: Export, sign: Sign) -> Json | None:
    if row.file is None:
        return None
    url, expires_at = sign(row.file.key)
    return {
        "url": url,
        "expires_at": timestamp(expires_at),
        "content_type": row.file.content_type,
        "bytes": row.file.size_bytes,
        "sha256": row.file.sha256,
    }
