"""Several rows written as one: all or none."""

from collections.abc import Sequence

from storyhook.aws.codec import Item
from storyhook.aws.table import CONDITION_FAILED, Table


def put_all(table: Table, items: Sequence[Item]) -> bool:
    """Write a few new items (100 at most); False if one of them was there already."""
    puts = [
        {
            "Put": {
                "TableName": table.name,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
        for item in items
    ]
    try:
        table.client.transact_write_items(TransactItems=puts)
    except table.client.exceptions.TransactionCanceledException as error:
        reasons = {reason["Code"] for reason in error.response["CancellationReasons"]}
        if CONDITION_FAILED in reasons:
            return False
        raise
    return True
