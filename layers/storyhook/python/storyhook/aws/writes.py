"""Requests of conditional writes, to be made alone or in a transaction."""

from collections.abc import Mapping
from typing import Any

from storyhook.aws.codec import Codec, Item, Mapper


def new_item(item: Item) -> dict[str, Any]:
    """Write it only if there is none yet."""
    return {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def replacing(item: Item, mapper: Mapper[Any], where: Mapping[str, Any]) -> dict[str, Any]:
    """The request of `Table.put_in_place`."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    conditions = _conditions(mapper, where, names, values)
    return {"Item": item, "ConditionExpression": conditions, **_named(names, values)}


def updating(
    item_key: Item,
    mapper: Mapper[Any],
    changes: Mapping[str, Any],
    *,
    where: Mapping[str, Any],
    increment: str | None = None,
) -> dict[str, Any]:
    """The request of `Table.update`, alone or in a transaction."""
    names, values = {"#pk": "pk"}, {}
    sets, removes = [], []
    for field, value in changes.items():
        names[f"#{field}"] = field
        if value is None:
            removes.append(f"#{field}")
        else:
            values[f":{field}"] = mapper.codec(field).encode(value)
            sets.append(f"#{field} = :{field}")
    there = "attribute_exists(#pk)"
    conditions = f"{there} AND {_conditions(mapper, where, names, values)}" if where else there
    expression = []
    if sets:
        expression.append("SET " + ", ".join(sets))
    if removes:
        expression.append("REMOVE " + ", ".join(removes))
    if increment:
        names[f"#{increment}"] = increment
        values[":one"] = {"N": "1"}
        expression.append(f"ADD #{increment} :one")
    return {
        "Key": item_key,
        "UpdateExpression": " ".join(expression),
        "ConditionExpression": conditions,
        **_named(names, values),
    }


def _named(names: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB refuses values that are given, and empty."""
    given = {"ExpressionAttributeValues": values} if values else {}
    return {"ExpressionAttributeNames": names, **given}


def _conditions(
    mapper: Mapper[Any], where: Mapping[str, Any], names: dict[str, str], values: dict[str, Any]
) -> str:
    """What the fields must be, as in `Table.update`; adds to the names and values that it uses."""
    names |= {f"#{field}": field for field in where}
    return " AND ".join(
        _condition(field, wanted, mapper.codec(field), values) for field, wanted in where.items()
    )


def _condition(field: str, wanted: Any, codec: Codec, values: dict[str, Any]) -> str:
    if wanted is None:
        return f"attribute_not_exists(#{field})"
    if isinstance(wanted, frozenset):
        names = []
        for index, value in enumerate(sorted(wanted)):
            values[f":{field}_is_{index}"] = codec.encode(value)
            names.append(f":{field}_is_{index}")
        return f"#{field} IN ({', '.join(names)})"
    values[f":{field}_is"] = codec.encode(wanted)
    return f"#{field} = :{field}_is"
