"""Characters, locations and props with their reference images, and uploads of such images."""

from __future__ import annotations

from pydantic import Field

from storyhook_client.answers.base import Answer, Moment, Urls


class Reference(Answer):
    id: str
    role: str | None = None
    angle: str | None = None
    status: str | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    url: str | None = None


class Character(Answer):
    id: str
    name: str = ""
    kind: str = "character"
    description: str = ""
    outfit: str | None = None
    version: int | None = None
    references: tuple[Reference, ...] = ()
    urls: Urls = Urls()
    created_at: Moment | None = None
    updated_at: Moment | None = None


class Upload(Answer):
    """Where a file may be sent, once: a form of `fields` with the file last, to `url`."""

    id: str
    url: str
    fields: dict[str, str] = Field(default_factory=dict)
    expires_at: Moment | None = None
    max_bytes: int | None = None
