"""Exports: a board as a file."""

from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

from storyhook.domain.export import ExportStatus, Format
from tools.openapi.answers.base import Path, Time, Url, Urls


class ExportFile(TypedDict):
    url: Annotated[Url, Field(description="Works until `expires_at`; read again for a fresh one.")]
    expires_at: Time
    content_type: str
    bytes: int
    sha256: str


class ExportError(TypedDict):
    type: Literal["/problems/export-failed"]
    title: str
    detail: str


class ExportUrls(Urls):
    storyboard: Path


class Export(TypedDict):
    id: Annotated[str, Field(description="The same for the same board, format and options.")]
    status: ExportStatus
    storyboard_id: str
    format: Format
    options: Annotated[dict[str, Any], Field(description="Those that the format takes.")]
    file: Annotated[ExportFile | None, Field(description="When it is there.")]
    error: Annotated[ExportError | None, Field(description="When it will not come.")]
    urls: ExportUrls
    created_at: Time
    completed_at: Time | None
    expires_at: Annotated[Time | None, Field(description="Until then the file is kept.")]
