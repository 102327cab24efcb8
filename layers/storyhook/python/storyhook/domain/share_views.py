"""A shared link as the API shows it; its secret is shown once, by whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storyhook.domain.views import timestamp

if TYPE_CHECKING:
    from storyhook.domain.share import Share


def share(row: Share) -> dict[str, Any]:
    return {
        "id": row.id,
        "storyboard_id": row.storyboard_id,
        "created_at": timestamp(row.created_at),
        "expires_at": timestamp(row.expires_at),
        "revoked_at": timestamp(row.revoked_at),
    }


def page_path(storyboard_id: str, secret: str) -> str:
    """Of the board's page. No log and no Referer has what stands behind `#`."""
    return f"/storyboards/{storyboard_id}/view#share={secret}"
