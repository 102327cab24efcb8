"""An export: a board as one file, made in the background and kept for a while.

Its id follows from what it is made of, so that the same wish finds the same file.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from storyhook.domain.files import StoredFile
from storyhook.domain.ids import ENTROPY_BYTES, new_id
from storyhook.domain.manifest import digest, manifest
from storyhook.domain.storyboard import SceneState, Storyboard

KIND = "exp"
# Part of every id: another look is another file. Raise it when the files of a format change.
RENDERING = 1
MAX_ATTEMPTS = 3
# Longer than the function may run (template.yaml): who has held it for so long is dead.
LEASE = timedelta(minutes=11)
# How long its message may lie in the queue before it is taken for lost.
QUEUE_PATIENCE = timedelta(minutes=5)
# When an attempt that failed is followed by the next.
RETRY = timedelta(minutes=1)
# A day less than S3 keeps the file (template.yaml).
KEPT = timedelta(days=29)


class Format(StrEnum):
    CONTACT_SHEET = "contact_sheet"
    PDF = "pdf"
    CBZ = "cbz"
    EPUB = "epub"
    CSV = "csv"
    ZIP = "zip"
    VISTORYBENCH = "vistorybench"

    @property
    def extension(self) -> str:
        return _FILES[self][0]

    @property
    def content_type(self) -> str:
        return _FILES[self][1]


_FILES = {
    Format.CONTACT_SHEET: ("png", "image/png"),
    Format.PDF: ("pdf", "application/pdf"),
    Format.CBZ: ("cbz", "application/vnd.comicbook+zip"),
    Format.EPUB: ("epub", "application/epub+zip"),
    Format.CSV: ("csv", "text/csv; charset=utf-8"),
    Format.ZIP: ("zip", "application/zip"),
    Format.VISTORYBENCH: ("zip", "application/zip"),
}


class ExportStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        return self in (ExportStatus.SUCCEEDED, ExportStatus.FAILED)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """`notes` and `page` are of PDF and EPUB, the rest of ViStoryBench's folders."""

    notes: bool = True
    page: str = "a4"
    method: str = "storyhook"
    mode: str | None = None
    language: str = "en"
    story: str | None = None


# Of each format the options that change its file; the others take none.
OPTIONS: Mapping[Format, tuple[str, ...]] = {
    Format.PDF: ("notes", "page"),
    Format.EPUB: ("notes",),
    Format.VISTORYBENCH: ("method", "mode", "language", "story"),
}


@dataclass(frozen=True, slots=True)
class Export:
    """`content`: the digest of what its file is made of. `attempts`: how often it was begun.

    From `expires_at` on it is as if not there.
    """

    id: str
    tenant: str
    storyboard_id: str
    format: Format
    options: Mapping[str, Any]
    content: str
    status: ExportStatus
    created_at: datetime
    expires_at: datetime
    due_at: datetime | None
    attempts: int = 0
    file: StoredFile | None = None
    error: str | None = None
    completed_at: datetime | None = None
    key_id: str | None = None

    @property
    def key(self) -> str:
        """Where its file lies: always in the same place, however often it is made."""
        name = f"{self.storyboard_id}/{self.id}.{self.format.extension}"
        return f"exports/{self.tenant}/{name}"


def content_of(
    board: Storyboard, states: Sequence[SceneState], form: Format, options: Mapping[str, Any]
) -> str:
    """What stands for all that the file is made of: another digest, another file."""
    asked = (board.tenant, form.value, dict(options), RENDERING)
    return digest(manifest(board, states), *asked).hex()


def export_id(content: str, changed_at: datetime) -> str:
    """Always the same for the same content; sorts by when the board became so."""
    return new_id(KIND, changed_at, bytes.fromhex(content)[:ENTROPY_BYTES])


def options_of(form: Format, options: ExportOptions) -> dict[str, Any]:
    """Those that count for the format: others would make the same file twice."""
    return {name: getattr(options, name) for name in OPTIONS.get(form, ())}


def file_name(title: str, form: Format) -> str:
    """A name to save the file under, of ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:60].strip("-")
    return f"{words or 'storyboard'}.{form.extension}"
