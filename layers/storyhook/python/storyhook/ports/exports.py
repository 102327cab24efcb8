"""What the use cases of exports ask for; see `ports` for the rest."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from storyhook.domain.access import Page
from storyhook.domain.export import Export
from storyhook.domain.files import StoredFile


class Exports(Protocol):
    """Every write is conditional: a method that may lose a race returns None or False."""

    def get(self, export_id: str) -> Export | None: ...

    def add(self, export: Export) -> bool:
        """False if it is there already."""

    def start_again(self, seen: Export, export: Export) -> bool:
        """Write `export` over one that is over or has expired, unless it moved since `seen`."""

    def list(self, tenant: str, storyboard_id: str, limit: int, cursor: str | None) -> Page[Export]:
        """Newest first."""

    def begin(self, seen: Export, until: datetime) -> Export | None:
        """Take it up for one more attempt, unless somebody else has since it was `seen`."""

    def release(self, seen: Export, until: datetime) -> bool:
        """Back to the queue, and due then; False if somebody has moved it since it was `seen`."""

    def finish(self, begun: Export, ended: Export) -> bool:
        """Write how this attempt ended; False if it was taken over meanwhile."""


class ExportQueue(Protocol):
    def enqueue(self, export_id: str) -> None: ...


class ExportFiles(Protocol):
    """Our private bucket, for files that are too large to be held in memory."""

    def get(self, key: str) -> bytes: ...

    def put_file(self, key: str, path: Path, content_type: str, name: str) -> StoredFile:
        """Store the file; whoever downloads it is told to save it as `name`."""


class Render(Protocol):
    def __call__(
        self,
        manifest: Mapping[str, Any],
        export: Export,
        read: Callable[[str], bytes],
        target: Path,
    ) -> None:
        """Write the export's file to `target`; `read` gives a picture by its key, one at a time."""
