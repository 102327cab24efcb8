from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from storyhook_client.answers import Character, Reference, Sheet, SheetEstimate, StaleBoard
from storyhook_client.downloads import fetch_url
from storyhook_client.errors import BadDownload
from storyhook_client.resources.base import Body, Page, Resource, part

_PATH = "/characters"


class Characters(Resource):
    """Persons, places (`kind` location) and things (prop)."""

    def create(self, body: Body) -> Character:
        """A new one, or the next version of the one with this id."""
        return Character.of(self.transport.create(_PATH, body))

    def get(self, character_id: str, *, version: int | None = None) -> Character:
        """The newest version, or that one."""
        return Character.of(self.transport.get(_one(character_id), {"version": version}))

    def list(self, *, kind: str | None = None, limit: int | None = None) -> Iterator[Character]:
        """`kind`: character, location or prop; `limit` is of a page."""
        return self._all(Character, _PATH, kind=kind, limit=limit)

    def versions(self, character_id: str, *, limit: int | None = None) -> Iterator[Character]:
        return self._all(Character, f"{_one(character_id)}/versions", limit=limit)

    def stale(self, character_id: str, *, limit: int | None = None) -> Iterator[StaleBoard]:
        """The boards that were planned with an older version, and what renewing them costs."""
        return self._all(StaleBoard, f"{_one(character_id)}/stale", limit=limit)

    def page(self, *, limit: int | None = None, cursor: str | None = None) -> Page[Character]:
        return self._page(Character, _PATH, limit=limit, cursor=cursor)

    def update(self, character_id: str, changes: Mapping[str, Any]) -> Character:
        """The next version, with these fields changed."""
        return Character.of(self.transport.patch(_one(character_id), changes))

    def add_reference(self, character_id: str, body: Body) -> Character:
        """The next version, with one more reference image."""
        return Character.of(self.transport.create(f"{_one(character_id)}/references", body))

    def remove_reference(self, character_id: str, reference_id: str) -> Character:
        """The next version, without it."""
        path = f"{_one(character_id)}/references/{part(reference_id)}"
        return Character.of(self.transport.delete(path))

    def picture(self, reference: Reference) -> bytes:
        """A reference's image, from an answer of less than an hour ago; raises BadDownload."""
        if reference.url is None:
            raise BadDownload(f"{reference.id} has no picture; it is {reference.status}")
        return fetch_url(self.transport.files, reference.url)

    def delete(self, character_id: str) -> None:
        """Refused while a board that is running needs it."""
        self.transport.delete(_one(character_id))

    def sheet(self, character_id: str, body: Body) -> Sheet:
        """Makes the views that are missing, each a prediction like any other.

        What you approve becomes a reference: `add_reference(id, {"prediction": …})`.
        """
        return Sheet.of(self.transport.create(f"{_one(character_id)}/sheet", body))

    def estimate_sheet(self, character_id: str, body: Body) -> SheetEstimate:
        """What `sheet` would send and cost; nothing is written or paid."""
        return SheetEstimate.of(self.transport.plan(f"{_one(character_id)}/sheet", body))


def _one(character_id: str) -> str:
    return f"{_PATH}/{part(character_id)}"
