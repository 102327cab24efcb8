"""Character rows, one partition each: the newest version, older ones, and the boards that use it.

An older version is written before the newest takes its place: it never changes, so that may be
done twice, and a death in between leaves nothing to mend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storyhook.aws import uses
from storyhook.aws.codec import INTEGER, TIME, Item, Mapper, json_of
from storyhook.aws.table import Table, key, listed
from storyhook.aws.uses import KIND, character_pk
from storyhook.domain.access import Page
from storyhook.domain.story import Character, Reference
from storyhook.domain.storyboard import Use

MAPPER = Mapper(
    Character,
    {
        "references": json_of(lambda data: tuple(Reference(**ref) for ref in data)),
        "version": INTEGER,
        "created_at": TIME,
        "updated_at": TIME,
        "first_version": INTEGER,
        "deleted_at": TIME,
    },
)
_OLD = "V#"


def _key(tenant: str, character_id: str) -> Item:
    return key(character_pk(tenant, character_id), KIND)


def _old_key(tenant: str, character_id: str, version: int) -> Item:
    return key(character_pk(tenant, character_id), f"{_OLD}{version:06}")


@dataclass(frozen=True)
class CharacterTable:
    table: Table

    def get(self, tenant: str, character_id: str) -> Character | None:
        found = self.latest(tenant, character_id)
        return found if found and found.deleted_at is None else None

    def get_many(self, tenant: str, character_ids: Sequence[str]) -> dict[str, Character]:
        items = self.table.get_many([_key(tenant, row_id) for row_id in character_ids])
        rows = [MAPPER.from_item(item) for item in items]
        return {row.id: row for row in rows if row.deleted_at is None}

    def latest(self, tenant: str, character_id: str) -> Character | None:
        item = self.table.get(_key(tenant, character_id))
        return MAPPER.from_item(item) if item else None

    def version(self, tenant: str, character_id: str, version: int) -> Character | None:
        newest = self.latest(tenant, character_id)
        if newest is None or newest.version == version:
            return newest
        item = self.table.get(_old_key(tenant, character_id, version))
        return MAPPER.from_item(item) if item else None

    def versions(
        self, tenant: str, character_id: str, limit: int, cursor: str | None
    ) -> Page[Character]:
        newest = self.latest(tenant, character_id)
        if newest is None:
            return Page((), None)
        if cursor is None and limit == 1:
            return Page((newest,), str(newest.version))
        before = f"{_OLD}{int(cursor or newest.version):06}"
        first = () if cursor else (newest,)
        pk = character_pk(tenant, character_id)
        older = self.table.children_page(pk, _OLD, limit - len(first), before)
        rows = (*first, *map(MAPPER.from_item, older.items))
        return Page(rows, str(rows[-1].version) if older.cursor else None)

    def replace(self, character: Character, seen: Character | None) -> bool:
        item = {**_key(character.tenant, character.id), **MAPPER.to_item(character)}
        if character.deleted_at is None:
            item |= listed(character.tenant, KIND, character.id)
        if seen is None:
            written = self.table.put(item, new=True)
        else:
            if character.version > seen.version:
                old = _old_key(seen.tenant, seen.id, seen.version)
                self.table.put({**old, **MAPPER.to_item(seen)})
            where: dict[str, Any] = {"version": seen.version, "deleted_at": seen.deleted_at}
            written = self.table.put_in_place(item, MAPPER, where)
        # Or by us: the AWS client repeats a write of unknown outcome.
        return written or self.latest(character.tenant, character.id) == character

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[Character]:
        last = {**_key(tenant, cursor), **listed(tenant, KIND, cursor)} if cursor else None
        page = self.table.page(tenant, KIND, limit, last, newest_first=False)
        rows = [MAPPER.from_item(item) for item in page.items]
        # The index may still have one that was deleted a moment ago.
        return Page(tuple(row for row in rows if row.deleted_at is None), page.cursor)

    def uses(self, tenant: str, character_id: str, limit: int, cursor: str | None) -> Page[Use]:
        before = uses.PREFIX + cursor if cursor else None
        page = self.table.children_page(
            character_pk(tenant, character_id), uses.PREFIX, limit, before
        )
        found = tuple(uses.MAPPER.from_item(item) for item in page.items)
        return Page(found, page.cursor and page.cursor.removeprefix(uses.PREFIX))
