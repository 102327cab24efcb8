"""Rows of callback URLs that have failed since they last worked, one per tenant and URL."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from storyhook.aws.codec import INTEGER, TIME, Item, Mapper
from storyhook.aws.table import Table, key
from storyhook.domain.address import Address

_KIND = "ADDR"

MAPPER = Mapper(Address, {"failing_since": TIME, "failures": INTEGER, "disabled_at": TIME})


def _key(tenant: str, url: str) -> Item:
    # A URL may be longer than a key.
    return key(f"{_KIND}#{tenant}#{hashlib.sha256(url.encode()).hexdigest()}", _KIND)


@dataclass(frozen=True)
class AddressTable:
    table: Table

    def find(self, tenant: str, url: str) -> Address | None:
        item = self.table.get(_key(tenant, url))
        return MAPPER.from_item(item) if item else None

    def find_many(self, tenant: str, urls: Collection[str]) -> dict[str, Address]:
        keys = {_key(tenant, url)["pk"]["S"]: url for url in urls}
        items = self.table.get_many([key(pk, _KIND) for pk in keys])
        return {keys[item["pk"]["S"]]: MAPPER.from_item(item) for item in items}

    def failed(self, tenant: str, url: str, at: datetime) -> Address:
        item_key, first = _key(tenant, url), Address(at, 1)
        while True:
            item = self.table.update(item_key, MAPPER, {}, where={}, increment="failures")
            if item:
                return MAPPER.from_item(item)
            # The URL is kept for whoever reads the table; the key tells nobody.
            new = {**item_key, "url": {"S": url}, **MAPPER.to_item(first)}
            if self.table.put(new, new=True):
                return first

    def disable(self, tenant: str, url: str, at: datetime, reason: str) -> Address | None:
        changes = {"disabled_at": at, "reason": reason}
        item = self.table.update(_key(tenant, url), MAPPER, changes, where={"disabled_at": None})
        return MAPPER.from_item(item) if item else None

    def works(self, tenant: str, url: str) -> None:
        self.table.delete(_key(tenant, url))
