"""How many predictions a key asked for in each minute: a counter that goes by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from storyhook.aws.codec import EPOCH, INTEGER
from storyhook.aws.table import Table, key

_KEPT = timedelta(minutes=10)


@dataclass(frozen=True)
class RateTable:
    table: Table

    def take(self, key_id: str, count: int, limit: int, now: datetime) -> bool:
        client = self.table.client
        try:
            # Sent twice, by a client that got no answer, it counts twice: fewer, never more.
            client.update_item(
                TableName=self.table.name,
                Key=key(f"RATE#{key_id}", f"{now:%Y-%m-%dT%H:%M}"),
                UpdateExpression="SET expires_at = :expires ADD #count :count",
                ConditionExpression="attribute_not_exists(#count) OR #count <= :room",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues={
                    ":count": INTEGER.encode(count),
                    ":room": INTEGER.encode(limit - count),
                    ":expires": EPOCH.encode(now + _KEPT),
                },
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True
