"""Boards as files."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from storyhook_client.answers.base import Answer, Moment, Urls
from storyhook_client.answers.pictures import OPEN, Problem


class ExportFile(Answer):
    """`url` works until `expires_at`; reading the export again gives a fresh one."""

    url: str
    expires_at: Moment | None = None
    content_type: str = "application/octet-stream"
    bytes: int | None = None
    sha256: str | None = None


class Export(Answer):
    """`file` when it is there, `error` when it will not come. Kept until `expires_at`."""

    id: str
    status: str
    storyboard_id: str
    format: str
    options: dict[str, Any] = Field(default_factory=dict)
    file: ExportFile | None = None
    error: Problem | None = None
    urls: Urls = Urls()
    created_at: Moment | None = None
    completed_at: Moment | None = None
    expires_at: Moment | None = None

    @property
    def is_over(self) -> bool:
        return self.status not in OPEN
