"""Virtual time: what happens when, and functions that run, die, and run in each other's middle."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from storyhook.domain.errors import StoryhookError
from tests.fixtures.clock import Clock
from tests.fixtures.interruptions import Death
from tests.reliability.faults import Faults

MINUTE = timedelta(minutes=1)
# A second function runs in the middle of a first one only while that may still be alive.
_ALONGSIDE = timedelta(seconds=20)
_DEEPEST = 2
# What AWS and the rows' conditions may answer. Anything else is a mistake, and ends the campaign.
_EXPECTED = (ClientError, BotoCoreError, StoryhookError, FileExistsError, TimeoutError)

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Timeline:
    clock: Clock
    faults: Faults
    random: random.Random
    sweep: Callable[[], None] = lambda: None
    """The reconciler's run. It runs each minute in which something is due; else it does nothing."""
    _events: list[tuple[datetime, int, Callable[[], object]]] = field(default_factory=list)
    _due: dict[str, datetime] = field(default_factory=dict)
    _by_due: list[tuple[datetime, str]] = field(default_factory=list)
    _swept: datetime = _NEVER
    _number: Any = field(default_factory=itertools.count)

    def at(self, when: datetime, work: Callable[[], object]) -> None:
        heapq.heappush(self._events, (when, next(self._number), work))

    def after(self, seconds: float, work: Callable[[], object]) -> None:
        self.at(self.clock() + timedelta(seconds=seconds), work)

    def soon(self, least: float, most: float, work: Callable[[], object]) -> None:
        self.after(self.random.uniform(least, most), work)

    def due(self, key: tuple[str, str], item: dict[str, Any] | None) -> None:
        """A row was written: when the reconciler has to look after it, if ever."""
        if "due_at" in (item or {}):
            assert item
            when = datetime.fromisoformat(item["due_at"]["S"])
            self._due[key[0]] = when
            heapq.heappush(self._by_due, (when, key[0]))
        elif key[1] in ("PRED", "SB", "CB"):
            self._due.pop(key[0], None)

    def run(self, longest: timedelta) -> None:
        """Until nothing is left to happen, or for so long."""
        end = self.clock() + longest
        while (now := self._next()) is not None and now < end:
            self.clock.now = max(self.clock.now, now)
            if self._events and self._events[0][0] <= now:
                heapq.heappop(self._events)[2]()
            else:
                self._swept = now
                self.sweep()

    def function(self, work: Callable[[], Any]) -> tuple[bool, Any]:
        """Run a function as Lambda does: (True, its result), or (False, why it has none)."""
        self.faults.depth += 1
        try:
            return True, work()
        except (Death, *_EXPECTED) as error:
            return False, error
        except ExceptionGroup as group:
            _, others = group.split(_EXPECTED)
            if others:
                raise
            return False, group
        finally:
            self.faults.depth -= 1

    def alongside(self) -> None:
        """Let what comes next happen now, in the middle of the function that runs."""
        if not self._events or self.faults.depth > _DEEPEST:
            return
        if self._events[0][0] > self.clock() + _ALONGSIDE:
            return
        when, _, work = heapq.heappop(self._events)
        self.clock.now = max(self.clock.now, when)
        work()

    def _next(self) -> datetime | None:
        while self._by_due and self._due.get(self._by_due[0][1]) != self._by_due[0][0]:
            heapq.heappop(self._by_due)
        times = [self._events[0][0]] if self._events else []
        if self._by_due:
            times.append(max(_next_minute(self._by_due[0][0]), self._swept + MINUTE))
        return min(times, default=None)


def _next_minute(when: datetime) -> datetime:
    whole = when.replace(second=0, microsecond=0)
    return whole if whole == when else whole + MINUTE
