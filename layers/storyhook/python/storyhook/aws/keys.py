"""API keys, found by the SHA-256 of their secret; the secret itself is nowhere."""

from dataclasses import dataclass

from storyhook.aws.table import Table, key
from storyhook.domain.access import ApiKey


@dataclass(frozen=True)
class KeyTable:
    table: Table

    def find(self, sha256: str) -> ApiKey | None:
        item = self.table.get(key(f"KEY#{sha256}", "KEY"))
        if item is None or "revoked_at" in item:
            return None
        return ApiKey(id=item["key_id"]["S"], tenant=item["tenant"]["S"])
