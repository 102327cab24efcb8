"""Character rows, one partition each."""

from collections.abc import Sequence
from dataclasses import dataclass

from storyhook.aws.codec import INTEGER, TIME, Item, Mapper, json_of
from storyhook.aws.table import Table, key, listed
from storyhook.domain.access import Page
from storyhook.domain.story import Character, Reference

_KIND = "CHAR"

MAPPER = Mapper(
    Character,
    {
        "references": json_of(lambda data: tuple(Reference(**ref) for ref in data)),
        "version": INTEGER,
        "created_at": TIME,
        "updated_at": TIME,
    },
)


def _key(tenant: str, character_id: str) -> Item:
    return key(f"{_KIND}#{tenant}#{character_id}", _KIND)


@dataclass(frozen=True)
class CharacterTable:
    table: Table

    def put(self, character: Character) -> None:
        self.table.put(
            {
                **_key(character.tenant, character.id),
                **listed(character.tenant, _KIND, character.id),
                **MAPPER.to_item(character),
            }
        )

    def get(self, tenant: str, character_id: str) -> Character | None:
        item = self.table.get(_key(tenant, character_id))
        return MAPPER.from_item(item) if item else None

    def get_many(self, tenant: str, character_ids: Sequence[str]) -> dict[str, Character]:
        items = self.table.get_many([_key(tenant, row_id) for row_id in character_ids])
        rows = [MAPPER.from_item(item) for item in items]
        return {row.id: row for row in rows}

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[Character]:
        last = {**_key(tenant, cursor), **listed(tenant, _KIND, cursor)} if cursor else None
        page = self.table.page(tenant, _KIND, limit, last, newest_first=False)
        return Page(tuple(MAPPER.from_item(item) for item in page.items), page.cursor)
