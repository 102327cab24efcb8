"""Exports: ask for one, read one. `make_export` makes them, in a function of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.access import Page, owned
from storyhook.domain.errors import NotFound, StoryboardRunning
from storyhook.domain.export import (
    KEPT,
    QUEUE_PATIENCE,
    Export,
    ExportOptions,
    ExportStatus,
    Format,
    content_of,
    export_id,
    options_of,
)
from storyhook.domain.manifest import changed_at
from storyhook.domain.storyboard import BoardStatus

if TYPE_CHECKING:
    from storyhook.domain.access import ApiKey
    from storyhook.ports import Clock
    from storyhook.ports.exports import ExportQueue, Exports
    from storyhook.usecases.assemble import ReadStoryboard


@dataclass(frozen=True)
class RequestExport:
    exports: Exports
    queue: ExportQueue
    read_storyboard: ReadStoryboard
    clock: Clock

    def __call__(
        self, key: ApiKey, storyboard_id: str, form: Format, options: ExportOptions
    ) -> tuple[Export, bool]:
        """The export, and whether it was begun just now: then it is to be sent.

        The same wish finds the one that is there, whoever asks for it. Raises StoryboardRunning.
        """
        board, states = self.read_storyboard(key.tenant, storyboard_id)
        if board.status is BoardStatus.RUNNING or not all(state.over for state in states):
            raise StoryboardRunning(
                "A storyboard is exported when it is over: GET it with ?wait=20 until its status "
                "is no longer running, or cancel what is not wanted any more."
            )
        chosen, now = options_of(form, options), self.clock()
        content = content_of(board, states, form, chosen)
        wanted = Export(
            id=export_id(content, changed_at(board, states)),
            tenant=key.tenant,
            storyboard_id=board.id,
            format=form,
            options=chosen,
            content=content,
            status=ExportStatus.QUEUED,
            created_at=now,
            expires_at=now + KEPT,
            due_at=now + QUEUE_PATIENCE,
            key_id=key.id,
        )
        found = self.exports.get(wanted.id)
        if found is None:
            begun = self.exports.add(wanted)
        elif found.status is ExportStatus.FAILED or found.expires_at <= now:
            begun = self.exports.start_again(found, wanted)
        else:
            return found, False
        # Who lost the race is shown what the other one began.
        return (wanted, True) if begun else (self.exports.get(wanted.id) or wanted, False)

    def send(self, export: Export) -> None:
        """Should this fail, the row is due, and the reconciler sends it."""
        self.queue.enqueue(export.id)


@dataclass(frozen=True)
class ReadExports:
    exports: Exports
    read_storyboard: ReadStoryboard
    clock: Clock

    def get(self, tenant: str, storyboard_id: str, export_id: str) -> Export:
        """Raises NotFound, also for another's, another board's, and one whose file is gone."""
        what = f"export {export_id!r}"
        self.read_storyboard.board(tenant, storyboard_id)
        found = owned(self.exports.get(export_id), tenant, what)
        if found.storyboard_id != storyboard_id or found.expires_at <= self.clock():
            raise NotFound(f"There is no {what}.")
        return found

    def list(self, tenant: str, storyboard_id: str, limit: int, cursor: str | None) -> Page[Export]:
        """Those of the board whose files are there, the newest state of the board first."""
        self.read_storyboard.board(tenant, storyboard_id)
        page = self.exports.list(tenant, storyboard_id, limit, cursor)
        now = self.clock()
        return Page(tuple(e for e in page.items if e.expires_at > now), page.cursor)
