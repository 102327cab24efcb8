"""API keys: a row that the SHA-256 of the secret finds, and one by id; both written together.

The secret itself is nowhere. Rows without scopes are of before there were scopes: they may all.
"""

from dataclasses import dataclass
from datetime import datetime

from storyhook.aws.codec import BOOLEAN, INTEGER, MONEY, TEXT, TIME, Item, Mapper, json_of
from storyhook.aws.table import Table, key, listed
from storyhook.aws.writes import new_item, updating
from storyhook.domain.access import ALL_SCOPES, ApiKey, Page, Scope
from storyhook.domain.keys import IssuedKey

_KIND = "APIKEY"

MAPPER = Mapper(
    IssuedKey,
    {
        "scopes": json_of(lambda names: tuple(map(Scope, names))),
        "predictions_per_minute": INTEGER,
        "max_cost_per_month": MONEY,
        "created_at": TIME,
        "valid_until": TIME,
        "revoked_at": TIME,
        "operator": BOOLEAN,
    },
)


def _key(key_id: str) -> Item:
    return key(f"{_KIND}#{key_id}", _KIND)


def door_key(sha256: str) -> Item:
    return key(f"KEY#{sha256}", "KEY")


def door_row(
    sha256: str, lets_in: ApiKey, created_at: datetime, valid_until: datetime | None
) -> Item:
    """What the hash of a secret finds: enough to let its holder in."""
    kept = {
        "tenant": TEXT.encode(lets_in.tenant),
        "scopes": MAPPER.codec("scopes").encode(lets_in.scopes),
        "created_at": TIME.encode(created_at),
        "valid_until": TIME.encode(valid_until) if valid_until else None,
        "storyboard_id": TEXT.encode(lets_in.storyboard_id) if lets_in.storyboard_id else None,
    }
    given = {name: value for name, value in kept.items() if value is not None}
    return {**door_key(sha256), "key_id": TEXT.encode(lets_in.id), **given}


@dataclass(frozen=True)
class KeyTable:
    table: Table

    def find(self, sha256: str, now: datetime) -> ApiKey | None:
        item = self.table.get(door_key(sha256))
        if item is None or "revoked_at" in item:
            return None
        if "valid_until" in item and TIME.decode(item["valid_until"]) <= now:
            return None
        scopes = MAPPER.codec("scopes").decode(item["scopes"]) if "scopes" in item else ALL_SCOPES
        board = item["storyboard_id"]["S"] if "storyboard_id" in item else None
        return ApiKey(item["key_id"]["S"], item["tenant"]["S"], scopes, board)

    def get(self, key_id: str) -> IssuedKey | None:
        item = self.table.get(_key(key_id))
        return MAPPER.from_item(item) if item else None

    def add(self, issued: IssuedKey) -> None:
        item = MAPPER.to_item(issued)
        lets_in = ApiKey(issued.id, issued.tenant, issued.scopes)
        rows = [
            {**_key(issued.id), **listed(issued.tenant, _KIND, issued.id), **item},
            door_row(issued.sha256, lets_in, issued.created_at, issued.valid_until),
        ]
        # Written already, it was by us: the AWS client repeats a write of unknown outcome.
        self.table.transact([new_item(row) for row in rows])

    def revoke(self, issued: IssuedKey, now: datetime) -> None:
        changes = {"revoked_at": now}
        places = (_key(issued.id), door_key(issued.sha256))
        updates = [updating(at, MAPPER, changes, where={"revoked_at": None}) for at in places]
        self.table.transact([{"Update": update} for update in updates])

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[IssuedKey]:
        last = {**_key(cursor), **listed(tenant, _KIND, cursor)} if cursor else None
        page = self.table.page(tenant, _KIND, limit, last)
        return Page(tuple(MAPPER.from_item(item) for item in page.items), page.cursor)
