"""What resources share: pages of lists, and waiting until something is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote

from storyhook_client.answers.base import Answer
from storyhook_client.errors import NotFinished
from storyhook_client.transport import Transport

Json = dict[str, Any]
Body = Mapping[str, Any]
A = TypeVar("A", bound=Answer)

LONGEST_WAIT_SECONDS = 20
"""The longest that the API holds an answer back."""
_SHORTEST_ROUND_SECONDS = 0.5


class Ends(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def is_over(self) -> bool: ...


E = TypeVar("E", bound=Ends)


@dataclass(frozen=True)
class Page(Generic[A]):
    items: tuple[A, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class Resource:
    transport: Transport

    def _page(self, kind: type[A], path: str, /, **query: object) -> Page[A]:
        answer = self.transport.get(path, query)
        items = tuple(kind.of(item) for item in answer.get("items", ()))
        return Page(items, answer.get("next_cursor"))

    def _all(self, kind: type[A], path: str, /, **query: object) -> Iterator[A]:
        """All pages' items, a page at a time. A page may be empty and have a next one."""
        cursor = None
        while True:
            page = self._page(kind, path, cursor=cursor, **query)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _snapshots(
        self, read: Callable[[int], E], step_seconds: int, seconds: float
    ) -> Iterator[E]:
        """The thing at least every `step_seconds` and when it is over, which ends it.

        Raises NotFinished if it is not over after `seconds`.
        """
        around = self.transport.around
        deadline = around.monotonic() + seconds
        while True:
            began = around.monotonic()
            left = max(0.0, deadline - began)
            shown = read(int(min(step_seconds, LONGEST_WAIT_SECONDS, left)))
            yield shown
            if shown.is_over:
                return
            if around.monotonic() >= deadline:
                raise NotFinished(f"{shown.id} is not over after {seconds:g} s", shown)
            # An answer that is not held back must not become a flood of questions.
            around.sleep(max(0.0, began + _SHORTEST_ROUND_SECONDS - around.monotonic()))


def part(text: str) -> str:
    """An id as a part of a path: whatever it holds, it stays one part."""
    return quote(text, safe="")


def last(things: Iterator[E]) -> E:
    """The last of at least one."""
    thing = next(things)
    for thing in things:  # noqa: B007 - the last one is wanted
        pass
    return thing
