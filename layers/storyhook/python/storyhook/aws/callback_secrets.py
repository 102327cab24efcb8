"""Which version of its callback secret an API key is at. The secrets themselves are nowhere."""

from dataclasses import dataclass

from storyhook.aws.codec import INTEGER, TIME, Item, Mapper
from storyhook.aws.table import Table, key
from storyhook.domain.callback_secret import SecretVersion

_KIND = "SIGN"

MAPPER = Mapper(SecretVersion, {"version": INTEGER, "previous_until": TIME})


def _key(key_id: str) -> Item:
    return key(f"{_KIND}#{key_id}", _KIND)


@dataclass(frozen=True)
class SecretVersionTable:
    table: Table

    def get(self, key_id: str) -> SecretVersion:
        item = self.table.get(_key(key_id))
        return MAPPER.from_item(item) if item else SecretVersion()

    def replace(self, key_id: str, seen: SecretVersion, new: SecretVersion) -> bool:
        if seen == SecretVersion():
            return self.table.put({**_key(key_id), **MAPPER.to_item(new)}, new=True)
        changes = {"version": new.version, "previous_until": new.previous_until}
        where = {"version": seen.version}
        return self.table.update(_key(key_id), MAPPER, changes, where=where) is not None
