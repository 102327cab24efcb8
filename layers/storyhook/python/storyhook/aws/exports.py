"""Export rows. Those that are forgotten go by DynamoDB's time to live, which may be days late."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storyhook.aws.codec import EPOCH, INTEGER, TIME, Item, Mapper, enum_of, json_of
from storyhook.aws.table import Table, due_shard, key, listed
from storyhook.domain.access import Page
from storyhook.domain.export import Export, ExportStatus, Format
from storyhook.domain.files import StoredFile

_KIND = "EXP"

MAPPER = Mapper(
    Export,
    {
        "format": enum_of(Format),
        "options": json_of(dict),
        "status": enum_of(ExportStatus),
        "created_at": TIME,
        "expires_at": EPOCH,
        "due_at": TIME,
        "attempts": INTEGER,
        "file": json_of(lambda data: StoredFile(**data)),
        "completed_at": TIME,
    },
)


def _key(export_id: str) -> Item:
    return key(f"{_KIND}#{export_id}", _KIND)


def _listed(tenant: str, storyboard_id: str, export_id: str) -> Item:
    return listed(tenant, f"{_KIND}#{storyboard_id}", export_id)


def _item(export: Export) -> Item:
    return {
        **_key(export.id),
        **due_shard(export.id),
        **_listed(export.tenant, export.storyboard_id, export.id),
        **MAPPER.to_item(export),
    }


@dataclass(frozen=True)
class ExportTable:
    table: Table

    def get(self, export_id: str) -> Export | None:
        item = self.table.get(_key(export_id))
        return MAPPER.from_item(item) if item else None

    def add(self, export: Export) -> bool:
        return self.table.put(_item(export), new=True)

    def start_again(self, seen: Export, export: Export) -> bool:
        where = {"status": seen.status, "attempts": seen.attempts, "created_at": seen.created_at}
        return self.table.put_in_place(_item(export), MAPPER, where)

    def list(self, tenant: str, storyboard_id: str, limit: int, cursor: str | None) -> Page[Export]:
        last = {**_key(cursor), **_listed(tenant, storyboard_id, cursor)} if cursor else None
        page = self.table.page(tenant, f"{_KIND}#{storyboard_id}", limit, last)
        return Page(tuple(MAPPER.from_item(item) for item in page.items), page.cursor)

    def begin(self, seen: Export, until: datetime) -> Export | None:
        changes = {"status": ExportStatus.RUNNING, "due_at": until}
        return self._update(seen, changes, increment="attempts")

    def release(self, seen: Export, until: datetime) -> bool:
        changes = {"status": ExportStatus.QUEUED, "due_at": until}
        return self._update(seen, changes) is not None

    def finish(self, begun: Export, ended: Export) -> bool:
        names = ("status", "file", "error", "completed_at", "expires_at", "due_at")
        return self._update(begun, {name: getattr(ended, name) for name in names}) is not None

    def _update(
        self, seen: Export, changes: dict[str, Any], increment: str | None = None
    ) -> Export | None:
        """Only what is as it was `seen`: each attempt has a number and a due time of its own."""
        where = {"status": seen.status, "attempts": seen.attempts, "due_at": seen.due_at}
        item = self.table.update(_key(seen.id), MAPPER, changes, where=where, increment=increment)
        return MAPPER.from_item(item) if item else None
