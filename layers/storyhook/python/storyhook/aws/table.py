"""The one table: keys, conditional writes, pages, and the sparse index of what is due.

pk/sk       PRED#<id>/PRED   SB#<id>/SB, /SCENE#<nnnn> and /SHARE#<share's id>
            CHAR#<tenant>#<id>/CHAR, /V#<nnnnnn> and /SB#<board's id>
            CB#<id>/CB       ADDR#<tenant>#<sha256>/ADDR               SIGN#<key's id>/SIGN
            KEY#<sha256>/KEY and APIKEY#<key's id>/APIKEY              RATE#<key's id>/<minute>
            BUDGET#<key's id>#<month>/BUDGET and BUDGET#<board's id>/BUDGET
            EXP#<id>/EXP
            UP#<provider>#<object's key>/UP      ONCE#<tenant>#<key's id>#<sha256>/ONCE
            WAITS/PLACE#<nnnn>
index list  list_pk = <tenant>#<kind>, list_sk = id; of exports <tenant>#EXP#<board's id>
index due   due_shard, due_at: rows that owe something, and since when
expires_at  epoch seconds; DynamoDB removes the row some time after
"""

import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storyhook.aws.codec import TIME, Item, Mapper
from storyhook.aws.writes import new_item, replacing, updating
from storyhook.domain.access import Page

_DUE_SHARDS = 4
_BATCH_GET = 100
_BATCH_WRITE = 25
_MAX_BATCH_ROUNDS = 8
_MAX_CONFLICTS = 60
# Why one of a transaction's writes was not made.
_CONDITION_FAILED, _CONFLICT = "ConditionalCheckFailed", "TransactionConflict"


def key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def due_shard(row_id: str) -> Item:
    """Spreads due rows over a few index partitions, always the same one for a row."""
    return {"due_shard": {"S": str(zlib.crc32(row_id.encode()) % _DUE_SHARDS)}}


def listed(tenant: str, kind: str, row_id: str) -> Item:
    return {"list_pk": {"S": f"{tenant}#{kind}"}, "list_sk": {"S": row_id}}


@dataclass(frozen=True)
class Table:
    client: Any
    name: str

    def get(self, item_key: Item) -> Item | None:
        answer = self.client.get_item(TableName=self.name, Key=item_key, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found

    def put(self, item: Item, *, new: bool = False) -> bool:
        """Write the item; with `new`, only if there is none yet. Whether it was written."""
        wanted = new_item(item)["Put"] if new else {"Item": item}
        try:
            self.client.put_item(TableName=self.name, **wanted)
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def put_in_place(self, item: Item, mapper: Mapper[Any], where: Mapping[str, Any]) -> bool:
        """Write the whole item over one of which `where` holds, as for `update`; or False."""
        try:
            self.client.put_item(TableName=self.name, **replacing(item, mapper, where))
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def put_counted(self, item: Item, counter_key: Item, counter: str, seen: int) -> bool | None:
        """Write a new item and raise a counter of another from `seen`, both or neither.

        False if the item was there already; None if the counter has moved on.
        """
        names = {"#counter": counter}
        still = "#counter = :seen"
        if seen == 0:
            still = f"(attribute_not_exists(#counter) OR {still})"
        count = {
            "Key": counter_key,
            "UpdateExpression": "SET #counter = :next",
            "ConditionExpression": f"attribute_exists(pk) AND {still}",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":seen": {"N": str(seen)}, ":next": {"N": str(seen + 1)}},
        }
        new, unmoved = self.transact([new_item(item), {"Update": count}])
        if not new:
            return False
        return True if unmoved else None

    def transact(self, writes: Sequence[Mapping[str, Any]]) -> tuple[bool, ...]:
        """Make all writes or none: for each, whether its condition held; all True: they are made.

        Whoever writes one of the same rows at the same time is waited for.
        """
        named = [
            {kind: {"TableName": self.name, **write} for kind, write in w.items()} for w in writes
        ]
        for round_number in range(_MAX_CONFLICTS):
            try:
                self.client.transact_write_items(TransactItems=named)
            except self.client.exceptions.TransactionCanceledException as error:
                codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
                if not set(codes) <= {"None", _CONDITION_FAILED, _CONFLICT}:
                    raise
                if _CONDITION_FAILED in codes:
                    return tuple(code != _CONDITION_FAILED for code in codes)
            else:
                return (True,) * len(named)
            time.sleep(pause_seconds(str(writes[0]), round_number))
        raise TimeoutError("too many writes of the same rows at once")

    def delete(self, item_key: Item) -> None:
        self.client.delete_item(TableName=self.name, Key=item_key)

    def delete_same(self, item_key: Item, field: str, value: dict[str, Any]) -> None:
        """Delete the item if its field is still so; else do nothing."""
        with suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.delete_item(
                TableName=self.name,
                Key=item_key,
                ConditionExpression="#field = :value",
                ExpressionAttributeNames={"#field": field},
                ExpressionAttributeValues={":value": value},
            )

    def update(
        self,
        item_key: Item,
        mapper: Mapper[Any],
        changes: Mapping[str, Any],
        *,
        where: Mapping[str, Any],
        increment: str | None = None,
    ) -> Item | None:
        """Change fields where all of `where` holds; the new item, or None when it did not.

        A value in `where` is what the field must be; a frozenset is what it may be; None, absent.
        A change to None removes the field.
        """
        wanted = updating(item_key, mapper, changes, where=where, increment=increment)
        try:
            answer = self.client.update_item(TableName=self.name, ReturnValues="ALL_NEW", **wanted)
        except self.client.exceptions.ConditionalCheckFailedException:
            return None
        changed: Item = answer["Attributes"]
        return changed

    def get_many(self, keys: Sequence[Item]) -> list[Item]:
        """The items that exist, in no order."""
        found: list[Item] = []
        for start in range(0, len(keys), _BATCH_GET):
            wanted = {
                self.name: {"Keys": list(keys[start : start + _BATCH_GET]), "ConsistentRead": True}
            }
            for pause in _rounds():
                answer = self.client.batch_get_item(RequestItems=wanted)
                found.extend(answer["Responses"].get(self.name, []))
                wanted = answer.get("UnprocessedKeys") or {}
                if not wanted:
                    break
                time.sleep(pause)
            else:
                raise TimeoutError("DynamoDB left keys unread after several rounds")
        return found

    def put_many(self, items: Sequence[Item]) -> None:
        self._write_many([{"PutRequest": {"Item": item}} for item in items])

    def delete_many(self, keys: Sequence[Item]) -> None:
        self._write_many([{"DeleteRequest": {"Key": item_key}} for item_key in keys])

    def _write_many(self, requests: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(requests), _BATCH_WRITE):
            wanted = {self.name: list(requests[start : start + _BATCH_WRITE])}
            for pause in _rounds():
                wanted = self.client.batch_write_item(RequestItems=wanted).get("UnprocessedItems")
                if not wanted:
                    break
                time.sleep(pause)
            else:
                raise TimeoutError("DynamoDB left items unwritten after several rounds")

    def children(self, pk: str, sk_prefix: str) -> Iterable[Item]:
        """The items of a partition whose sort key starts so, in its order."""
        start: dict[str, Any] = {}
        while True:
            answer = self.client.query(
                TableName=self.name,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues={":pk": {"S": pk}, ":sk": {"S": sk_prefix}},
                ConsistentRead=True,
                **start,
            )
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def children_page(self, pk: str, sk_prefix: str, limit: int, before: str | None) -> Page[Item]:
        """Items of a partition, the greatest sort key first; `before` is the last page's cursor."""
        # The prefix itself is smaller than every key that has it, `~` behind it greater.
        most = before if before is not None else f"{sk_prefix}~"
        answer = self.client.query(
            TableName=self.name,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :least AND :most",
            ExpressionAttributeValues={
                ":pk": {"S": pk},
                ":least": {"S": sk_prefix},
                ":most": {"S": most},
            },
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": key(pk, before)} if before is not None else {}),
        )
        more = "LastEvaluatedKey" in answer
        cursor = answer["LastEvaluatedKey"]["sk"]["S"] if more else None
        return Page(tuple(answer["Items"]), cursor)

    def page(
        self, tenant: str, kind: str, limit: int, last: Item | None, *, newest_first: bool = True
    ) -> Page[Item]:
        """A page of whole items from the list index; `last` is the key of the item before it."""
        answer = self.client.query(
            TableName=self.name,
            IndexName="list",
            KeyConditionExpression="list_pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{tenant}#{kind}"}},
            ScanIndexForward=not newest_first,
            Limit=limit,
            **({"ExclusiveStartKey": last} if last else {}),
        )
        keys = [key(item["pk"]["S"], item["sk"]["S"]) for item in answer["Items"]]
        by_pk = {item["pk"]["S"]: item for item in self.get_many(keys)}
        items = tuple(by_pk[k["pk"]["S"]] for k in keys if k["pk"]["S"] in by_pk)
        more = "LastEvaluatedKey" in answer
        return Page(items, answer["LastEvaluatedKey"]["list_sk"]["S"] if more else None)

    def overdue(self, now: datetime, limit: int) -> Sequence[tuple[str, str, datetime]]:
        rows: list[tuple[datetime, str, str]] = []
        for shard in range(_DUE_SHARDS):
            answer = self.client.query(
                TableName=self.name,
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": {"S": str(shard)}, ":now": TIME.encode(now)},
                Limit=limit,
            )
            for item in answer["Items"]:
                kind, _, row_id = item["pk"]["S"].partition("#")
                rows.append((TIME.decode(item["due_at"]), kind, row_id))
        return [(kind, row_id, since) for since, kind, row_id in sorted(rows)]


def pause_seconds(name: str, round_number: int) -> float:
    """Seconds to wait before the next round, so that those who come together do not keep step."""
    spread = zlib.crc32(f"{name} {round_number}".encode()) % (5 + round_number)
    return 0.01 * (1 + spread)


def _rounds() -> Iterable[float]:
    return (0.05 * 2**n for n in range(_MAX_BATCH_ROUNDS))
