"""Shared links: a row in the board's partition, and one at the door that the secret's hash finds.

Both go by DynamoDB's time to live once they have expired.
"""

from dataclasses import dataclass
from datetime import datetime

from storyhook.aws.codec import EPOCH, TIME, Item, Mapper
from storyhook.aws.keys import door_key, door_row
from storyhook.aws.table import Table, key
from storyhook.aws.writes import new_item, updating
from storyhook.domain.access import ApiKey, Page, Scope
from storyhook.domain.share import Share

_PREFIX = "SHARE#"

MAPPER = Mapper(Share, {"created_at": TIME, "expires_at": EPOCH, "revoked_at": TIME})


def _pk(storyboard_id: str) -> str:
    return f"SB#{storyboard_id}"


def _key(storyboard_id: str, share_id: str) -> Item:
    return key(_pk(storyboard_id), _PREFIX + share_id)


@dataclass(frozen=True)
class ShareTable:
    table: Table

    def get(self, storyboard_id: str, share_id: str) -> Share | None:
        item = self.table.get(_key(storyboard_id, share_id))
        return MAPPER.from_item(item) if item else None

    def add(self, share: Share) -> None:
        item = MAPPER.to_item(share)
        lets_in = ApiKey(share.id, share.tenant, (Scope.VIEW,), share.storyboard_id)
        rows = [
            {**_key(share.storyboard_id, share.id), **item},
            {
                **door_row(share.sha256, lets_in, share.created_at, share.expires_at),
                "expires_at": item["expires_at"],
            },
        ]
        # Written already, it was by us: the AWS client repeats a write of unknown outcome.
        self.table.transact([new_item(row) for row in rows])

    def revoke(self, share: Share, now: datetime) -> None:
        places = (_key(share.storyboard_id, share.id), door_key(share.sha256))
        changes = {"revoked_at": now}
        updates = [updating(at, MAPPER, changes, where={"revoked_at": None}) for at in places]
        self.table.transact([{"Update": update} for update in updates])

    def list(self, storyboard_id: str, limit: int, cursor: str | None) -> Page[Share]:
        before = _PREFIX + cursor if cursor else None
        page = self.table.children_page(_pk(storyboard_id), _PREFIX, limit, before)
        found = tuple(MAPPER.from_item(item) for item in page.items)
        return Page(found, page.cursor and page.cursor.removeprefix(_PREFIX))
