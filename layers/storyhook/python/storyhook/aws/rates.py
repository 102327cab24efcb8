"""How many predictions a key asked for in each minute: a counter that goes by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storyhook.aws.codec import EPOCH, INTEGER, Item
from storyhook.aws.table import Table, key
from storyhook.domain.budget import Rate

_KEPT = timedelta(minutes=10)


def _key(key_id: str, at: datetime) -> Item:
    return key(f"RATE#{key_id}", f"{at:%Y-%m-%dT%H:%M}")


def taking(rate: Rate) -> dict[str, Any]:
    """The write, for a transaction, that counts them if the minute has so many left."""
    return {
        "Update": {
            "Key": _key(rate.key_id, rate.at),
            "UpdateExpression": "SET expires_at = :expires ADD #count :count",
            "ConditionExpression": "attribute_not_exists(#count) OR #count <= :room",
            "ExpressionAttributeNames": {"#count": "count"},
            "ExpressionAttributeValues": {
                ":count": INTEGER.encode(rate.count),
                ":room": INTEGER.encode(rate.limit - rate.count),
                ":expires": EPOCH.encode(rate.at + _KEPT),
            },
        }
    }


@dataclass(frozen=True)
class RateTable:
    table: Table

    def used(self, key_id: str, at: datetime) -> int:
        item = self.table.get(_key(key_id, at))
        return INTEGER.decode(item["count"]) if item else 0
