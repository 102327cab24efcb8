"""Between dataclasses and DynamoDB items. Nested values are stored as JSON text.

Each stored field has a codec: (to attribute value, from attribute value).
"""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

Item = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Codec:
    encode: Callable[[Any], dict[str, Any]]
    decode: Callable[[dict[str, Any]], Any]


def _to_json(value: Any) -> str:
    return json.dumps(value, default=_plain, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"cannot store {type(value).__name__}")


TEXT = Codec(lambda v: {"S": v.value if isinstance(v, Enum) else v}, lambda a: a["S"])
INTEGER = Codec(lambda v: {"N": str(v)}, lambda a: int(a["N"]))
BOOLEAN = Codec(lambda v: {"BOOL": v}, lambda a: a["BOOL"])
FLOAT = Codec(lambda v: {"N": repr(float(v))}, lambda a: float(a["N"]))
MONEY = Codec(lambda v: {"S": str(v)}, lambda a: Decimal(a["S"]))
# One width for all, so that texts sort as times do.
TIME = Codec(
    lambda v: {"S": v.isoformat(timespec="microseconds")}, lambda a: datetime.fromisoformat(a["S"])
)

# Whole seconds, as DynamoDB's time to live reads them.
EPOCH = Codec(
    lambda v: {"N": str(int(v.timestamp()))}, lambda a: datetime.fromtimestamp(int(a["N"]), UTC)
)
PACKED_TEXT = Codec(
    lambda v: {"B": zlib.compress(v.encode())}, lambda a: zlib.decompress(a["B"]).decode()
)


def json_of(build: Callable[[Any], Any]) -> Codec:
    """JSON text, rebuilt by `build`."""
    return Codec(lambda v: {"S": _to_json(v)}, lambda a: build(json.loads(a["S"])))


def packed_json(build: Callable[[Any], Any] = dict) -> Codec:
    """Compressed JSON, for large values that each write of the row pays for again."""
    return Codec(
        lambda v: {"B": zlib.compress(_to_json(v).encode())},
        lambda a: build(json.loads(zlib.decompress(a["B"]))),
    )


def enum_of(kind: type[Enum]) -> Codec:
    return Codec(TEXT.encode, lambda a: kind(a["S"]))


@dataclass(frozen=True)
class Mapper[Row]:
    """Items of one dataclass. Fields without a codec of their own are text; None is left out."""

    kind: type[Row]
    codecs: Mapping[str, Codec]

    def codec(self, name: str) -> Codec:
        return self.codecs.get(name, TEXT)

    def encode(self, values: Mapping[str, Any]) -> Item:
        return {
            name: self.codec(name).encode(value)
            for name, value in values.items()
            if value is not None
        }

    def to_item(self, row: Row) -> Item:
        return self.encode({field.name: getattr(row, field.name) for field in fields(self.kind)})  # type: ignore[arg-type]

    def from_item(self, item: Item) -> Row:
        present = {f.name for f in fields(self.kind)} & item.keys()  # type: ignore[arg-type]
        values = {name: self.codec(name).decode(item[name]) for name in present}
        required = {
            f.name: None
            for f in fields(self.kind)  # type: ignore[arg-type]
            if f.name not in present and _has_no_default(f)
        }
        return self.kind(**required, **values)


def _has_no_default(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
