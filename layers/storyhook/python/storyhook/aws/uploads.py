"""What was uploaded to providers: one row per object of our bucket and provider."""

from dataclasses import dataclass
from datetime import datetime

from storyhook.aws.codec import EPOCH, Item, Mapper
from storyhook.aws.table import Table, key
from storyhook.domain.upload import Upload

_KIND = "UP"

MAPPER = Mapper(Upload, {"expires_at": EPOCH})


def _key(provider: str, object_key: str) -> Item:
    return key(f"{_KIND}#{provider}#{object_key}", _KIND)


@dataclass(frozen=True)
class UploadTable:
    table: Table

    def find(self, provider: str, key: str) -> Upload | None:
        item = self.table.get(_key(provider, key))
        return MAPPER.from_item(item) if item else None

    def claim(self, provider: str, key: str, seen: Upload | None, until: datetime) -> bool:
        ours, item_key = Upload(None, until), _key(provider, key)
        if seen is None:
            return self.table.put({**item_key, **MAPPER.to_item(ours)}, new=True)
        where = {"expires_at": seen.expires_at}
        changes = {"url": ours.url, "expires_at": ours.expires_at}
        return self.table.update(item_key, MAPPER, changes, where=where) is not None

    def record(self, provider: str, key: str, upload: Upload) -> None:
        self.table.put({**_key(provider, key), **MAPPER.to_item(upload)})
