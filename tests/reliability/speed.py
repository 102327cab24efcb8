"""moto at speed, with the same answers: a campaign makes a quarter of a million calls to it.

moto sorts the whole table for each query, looks for all ten members of each attribute value, and
copies the table for each write of a transaction. Here a query sees only the items that may match
it, a value is looked at for what it has, and a transaction copies the items that it writes.
"""

import copy
import inspect
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_transact: Any = DynamoDBBackend.transact_write_items
_query: Any = Table.query
_structure: Any = BaseJSONSerializer._serialize_type_structure
_signature = inspect.signature(_query)


def _narrowed(table: Any, *args: Any, **values: Any) -> Any:
    asked = _signature.bind(table, *args, **values).arguments
    if asked.get("index_name"):
        keys = [part["AttributeName"] for part in table.get_index(asked["index_name"]).schema]
        items = [item for place in table.items.values() for item in place.values()]
        items = [item for item in items if all(name in item.attrs for name in keys)]
    else:
        items = list(table.items.get(asked["hash_key"], {}).values())
    with mock.patch.object(table, "all_items", return_value=items):
        return _query(table, *args, **values)


def _transaction(backend: Any, transact_items: list[dict[str, Any]]) -> Any:
    places = [next(iter(entry.values())) for entry in transact_items]
    keys = [place.get("Key") or place["Item"] for place in places]
    touched = [(DynamoType(key["pk"]), DynamoType(key["sk"])) for key in keys]

    def kept(table: Any, _memo: Any) -> Any:
        """The table as it is now, for going back to when a condition does not hold."""
        twin = copy.copy(table)
        rows = {pk: dict(by_sort) for pk, by_sort in table.items.items()}
        for pk, sk in touched:
            if sk in rows.get(pk, {}):
                rows[pk][sk] = copy.deepcopy(rows[pk][sk])
        twin.items = defaultdict(dict, rows)
        return twin

    with mock.patch.object(Table, "__deepcopy__", kept, create=True):
        return _transact(backend, transact_items)


def _present(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    if shape.name != "AttributeValue" or not isinstance(value, dict):
        _structure(serializer, serialized, value, shape, key)
        return
    wrapper: dict[str, Any] = {}
    for name, member in value.items():
        serializer._serialize(wrapper, member, shape.members[name], name)
    serialized[key] = wrapper


@contextmanager
def quick_moto() -> Iterator[None]:
    with (
        mock.patch.object(Table, "query", _narrowed),
        mock.patch.object(DynamoDBBackend, "transact_write_items", _transaction),
        mock.patch.object(BaseJSONSerializer, "_serialize_type_structure", _present),
    ):
        yield
