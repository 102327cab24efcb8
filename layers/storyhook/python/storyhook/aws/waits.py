"""Places of reads that are held back, over all functions at once: a row for each that is taken.

A place is free again when its reader is answered, or when its time is over: whoever died there
keeps it for no longer than they would have waited.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.aws.codec import TIME, Mapper
from storyhook.aws.table import key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from storyhook.aws.table import Table
    from storyhook.ports import Random

_PK = "WAITS"
_PLACE = "PLACE#"


@dataclass(frozen=True, slots=True)
class _Place:
    until: datetime


_MAPPER = Mapper(_Place, {"until": TIME})


@dataclass(frozen=True)
class PlaceTable:
    """`count` is how many places there are."""

    table: Table
    count: int
    random: Random

    @contextmanager
    def held(self, now: datetime, until: datetime) -> Iterator[bool]:
        place = self._take(now, until)
        try:
            yield place is not None
        finally:
            if place is not None:
                self.table.delete_same(key(_PK, place), "until", TIME.encode(until))

    def _take(self, now: datetime, until: datetime) -> str | None:
        """One of the free ones; None if there is none, or somebody was faster.

        At random, so that those who come together do not want the same one.
        """
        rows = self.table.children(_PK, _PLACE)
        seen = {row["sk"]["S"]: _MAPPER.from_item(row).until for row in rows}
        names = (f"{_PLACE}{number:04}" for number in range(self.count))
        free = [name for name in names if name not in seen or seen[name] <= now]
        if not free:
            return None
        name = free[int(self.random() * len(free))]
        item = {**key(_PK, name), **_MAPPER.to_item(_Place(until))}
        if name in seen:
            taken = self.table.put_in_place(item, _MAPPER, {"until": seen[name]})
        else:
            taken = self.table.put(item, new=True)
        return name if taken else None
