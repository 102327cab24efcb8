"""What routes share: pages of lists, ids in paths, and the answer that comes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain.errors import FieldError, InvalidRequest, NotFound

if TYPE_CHECKING:
    from storyhook.domain.access import Page

Event = dict[str, Any]
Json = dict[str, Any]

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100
# Lambda answers at most 6 MB.
MAX_ANSWER_BYTES = 5_500_000
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    status: HTTPStatus
    body: Json
    replayed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """Creates say where the thing is, and whether an earlier request made it."""
        created = self.status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED)
        location = {"Location": self.body["urls"]["self"]} if created else {}
        return location | ({"Idempotency-Replayed": "true"} if self.replayed else {})


Handler = Callable[..., Reply]


def refuse_unknown(event: Mapping[str, Any], query: Collection[str] = ()) -> None:
    """`query` names the parameters that the route reads: what would be ignored is refused."""
    refuse([name for name in event.get("queryStringParameters") or {} if name not in query])


def refuse(unknown: Sequence[str]) -> None:
    """Raises for parameters or headers that a route would ignore, if there are any."""
    if unknown:
        raise InvalidRequest(
            f"This route does not know {unknown[0]!r} yet; leave it out.",
            tuple(FieldError(name, "not known here") for name in unknown),
        )


def paging(event: Event, filters: Collection[str] = ()) -> tuple[int, str | None]:
    """`limit` and `cursor`; the only parameters of a list, but for its `filters`."""
    refuse_unknown(event, ("limit", "cursor", *filters))
    query = event.get("queryStringParameters") or {}
    limit = query.get("limit", str(_DEFAULT_LIMIT))
    if not (re.fullmatch("[0-9]{1,3}", limit) and 1 <= int(limit) <= _MAX_LIMIT):
        raise InvalidRequest(
            f"limit is a whole number from 1 to {_MAX_LIMIT}.",
            (FieldError("limit", f"from 1 to {_MAX_LIMIT}"),),
        )
    cursor = query.get("cursor")
    if cursor is not None and not _ID.fullmatch(cursor):
        raise InvalidRequest(
            "cursor is the next_cursor of the page before.", (FieldError("cursor", "not valid"),)
        )
    return int(limit), cursor


def known(kind: str, text: str) -> str:
    """An id from a path, if it can be one at all."""
    if not _ID.fullmatch(text):
        raise NotFound(f"There is no {kind} {text[:80]!r}.")
    return text


def listing(page: Page[Any], items: list[Json]) -> Reply:
    """A page, or as much of its beginning as can be answered; the next one goes on from there."""
    cursor = page.cursor
    while len(items) > 1 and len(json.dumps(items)) > MAX_ANSWER_BYTES:
        items = items[: len(items) // 2]
        cursor = items[-1]["id"]
    return Reply(HTTPStatus.OK, {"items": items, "next_cursor": cursor})
