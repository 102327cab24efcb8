"""Rows of Idempotency-Keys. They go by DynamoDB's time to live, which may be days late."""

import hashlib
from dataclasses import dataclass, fields

from storyhook.aws.codec import EPOCH, TIME, Item, Mapper
from storyhook.aws.table import Table, key
from storyhook.domain.access import ApiKey
from storyhook.domain.idempotency import Claim

_KIND = "ONCE"

MAPPER = Mapper(Claim, {"at": TIME, "lease_until": TIME, "expires_at": EPOCH})


def _key(tenant: str, key_id: str, name: str) -> Item:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return key(f"{_KIND}#{tenant}#{key_id}#{digest}", _KIND)


@dataclass(frozen=True)
class ClaimTable:
    table: Table

    def claim(self, claim: Claim) -> bool:
        item = {**_key(claim.tenant, claim.key_id, claim.key), **MAPPER.to_item(claim)}
        return self.table.put(item, new=True)

    def held(self, caller: ApiKey, key: str) -> Claim | None:
        item = self.table.get(_key(caller.tenant, caller.id, key))
        return MAPPER.from_item(item) if item else None

    def hand_over(self, seen: Claim, claim: Claim) -> bool:
        changes = {field.name: getattr(claim, field.name) for field in fields(Claim)}
        where = {"holder": seen.holder}
        item_key = _key(seen.tenant, seen.key_id, seen.key)
        return self.table.update(item_key, MAPPER, changes, where=where) is not None
