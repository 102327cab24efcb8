"""Make the file of an export. Whoever does it twice writes the same file in the same place."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from storyhook.domain.export import (
    KEPT,
    LEASE,
    MAX_ATTEMPTS,
    RETRY,
    Export,
    ExportStatus,
    content_of,
    file_name,
)
from storyhook.domain.manifest import manifest

if TYPE_CHECKING:
    from storyhook.domain.files import StoredFile
    from storyhook.ports import Clock
    from storyhook.ports.exports import ExportFiles, Exports, Render
    from storyhook.usecases.assemble import ReadStoryboard

CHANGED = "The storyboard was changed before its file was made; ask for the export again."
GIVEN_UP = f"The file could not be made in {MAX_ATTEMPTS} attempts; ask for the export again."


@dataclass(frozen=True)
class MakeExport:
    exports: Exports
    files: ExportFiles
    read_storyboard: ReadStoryboard
    render: Render
    clock: Clock
    folder: Path
    """Where files are made before they are stored."""

    def __call__(self, export_id: str) -> Export | None:
        """How it stands now; None if there is nothing to do, or somebody else is at it."""
        now = self.clock()
        found = self.exports.get(export_id)
        if found is None or found.status.over:
            return None
        if found.status is ExportStatus.RUNNING and found.due_at and found.due_at > now:
            return None
        begun = self.exports.begin(found, now + LEASE)
        if begun is None:
            return None
        if begun.attempts > MAX_ATTEMPTS:
            return self._end(begun, error=GIVEN_UP)
        try:
            return self._make(begun)
        except Exception:  # Whatever it is, it is raised again; the reconciler sends it once more.
            self.exports.release(begun, self.clock() + RETRY)
            raise

    def _make(self, begun: Export) -> Export:
        board, states = self.read_storyboard(begun.tenant, begun.storyboard_id)
        if content_of(board, states, begun.format, begun.options) != begun.content:
            return self._end(begun, error=CHANGED)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            target = Path(folder) / f"export.{begun.format.extension}"
            self.render(manifest(board, states), begun, self.files.get, target)
            stored = self.files.put_file(
                begun.key,
                target,
                begun.format.content_type,
                file_name(board.title, begun.format),
            )
        return self._end(begun, file=stored)

    def _end(
        self, begun: Export, file: StoredFile | None = None, error: str | None = None
    ) -> Export:
        now = self.clock()
        ended = replace(
            begun,
            status=ExportStatus.SUCCEEDED if file else ExportStatus.FAILED,
            file=file,
            error=error,
            completed_at=now,
            expires_at=now + KEPT,
            due_at=None,
        )
        self.exports.finish(begun, ended)
        return ended
