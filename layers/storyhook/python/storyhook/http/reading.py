"""What routes share: pages of lists, ids in paths, and the answer that comes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain.errors import FieldError, InvalidRequest, NotFound
from storyhook.http.cursors import cursor_of, not_a_cursor, read_cursor
from storyhook.http.raw import query_of

if TYPE_CHECKING:
    from storyhook.domain.access import Page

Event = dict[str, Any]
Json = dict[str, Any]

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100
_MAX_WAIT_SECONDS = 20
# Lambda answers at most 6 MB.
MAX_ANSWER_BYTES = 5_500_000
# Of things in paths, and of those that callers name themselves.
ID_PATTERN = "[A-Za-z0-9_-]{1,64}"
_ID = re.compile(ID_PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """`then`: what is left to do once the answer is certain; if it fails, others make up for it."""

    status: HTTPStatus
    body: Json
    replayed: bool = False
    etag: str | None = None
    then: Callable[[], None] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Creates say where the thing is and whether it was made before; reads, its tag."""
        created = self.status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED)
        given = {
            "Location": self.body["urls"]["self"] if created and "urls" in self.body else None,
            "Idempotency-Replayed": "true" if self.replayed else None,
            "ETag": self.etag,
        }
        return {name: value for name, value in given.items() if value is not None}


Handler = Callable[..., Reply]


def refuse_unknown(event: Mapping[str, Any], query: Collection[str] = ()) -> None:
    """`query` names the parameters that the route reads: what would be ignored is refused."""
    refuse([name for name in query_of(event) if name not in query])


def refuse(unknown: Sequence[str]) -> None:
    """Raises for parameters or headers that a route would ignore, if there are any."""
    if unknown:
        raise InvalidRequest(
            f"This route does not know {unknown[0]!r} yet; leave it out.",
            tuple(FieldError(name, "not known here") for name in unknown),
        )


def paging(event: Event, filters: Collection[str] = ()) -> tuple[int, str | None]:
    """`limit`, and the id that the cursor stands for; all a list takes, but for its `filters`."""
    refuse_unknown(event, ("limit", "cursor", *filters))
    limit, cursor = limit_of(event), read_cursor(event, "cursor")
    if cursor is None:
        return limit, None
    last = cursor.decode("ascii", "replace")
    if not _ID.fullmatch(last):
        raise not_a_cursor("cursor")
    return limit, last


def limit_of(event: Event) -> int:
    return _whole_number(event, "limit", 1, _MAX_LIMIT, _DEFAULT_LIMIT)


def wait_of(event: Event) -> int:
    """Seconds to wait for what is not so yet. API Gateway gives an answer up after 30."""
    return _whole_number(event, "wait", 0, _MAX_WAIT_SECONDS, 0)


def _whole_number(event: Event, name: str, least: int, most: int, usual: int) -> int:
    text = query_of(event).get(name, str(usual))
    if not (re.fullmatch("[0-9]{1,3}", text) and least <= int(text) <= most):
        raise InvalidRequest(
            f"{name} is a whole number from {least} to {most}.",
            (FieldError(name, f"from {least} to {most}"),),
        )
    return int(text)


def known(kind: str, text: str) -> str:
    """An id from a path, if it can be one at all."""
    if not _ID.fullmatch(text):
        raise NotFound(f"There is no {kind} {text[:80]!r}.")
    return text


def listed(event: Event, page: Page[Any], items: list[Json]) -> Json:
    """A page, or as much of its beginning as can be answered; the next one goes on from there."""
    last = page.cursor
    while len(items) > 1 and len(json.dumps(items)) > MAX_ANSWER_BYTES:
        items = items[: len(items) // 2]
        last = items[-1]["id"]
    cursor = cursor_of(event, last.encode()) if last else None
    return {"items": items, "next_cursor": cursor}
