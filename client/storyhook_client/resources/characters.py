from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from storyhook_client.answers import Character, Prediction, Reference
from storyhook_client.downloads import fetch_url
from storyhook_client.errors import BadDownload
from storyhook_client.resources.base import Body, Page, Resource, part

_PATH = "/characters"


class Characters(Resource):
    """Persons, places (`kind` location) and things (prop)."""

    def create(self, body: Body) -> Character:
        """A new one, or the next version of the one with this id."""
        return Character.of(self.transport.create(_PATH, body))

    def get(self, character_id: str) -> Character:
        return Character.of(self.transport.get(f"{_PATH}/{part(character_id)}"))

    def list(self, *, limit: int | None = None) -> Iterator[Character]:
        return self._all(Character, _PATH, limit=limit)

    def page(self, *, limit: int | None = None, cursor: str | None = None) -> Page[Character]:
        return self._page(Character, _PATH, limit=limit, cursor=cursor)

    def update(self, character_id: str, changes: Mapping[str, Any]) -> Character:
        """The next version, with these fields changed."""
        return Character.of(self.transport.patch(f"{_PATH}/{part(character_id)}", changes))

    def add_reference(self, character_id: str, body: Body) -> Character:
        """The next version, with one more reference image."""
        path = f"{_PATH}/{part(character_id)}/references"
        return Character.of(self.transport.create(path, body))

    def picture(self, reference: Reference) -> bytes:
        """A reference's image, from an answer of less than an hour ago; raises BadDownload."""
        if reference.url is None:
            raise BadDownload(f"{reference.id} has no picture; it is {reference.status}")
        return fetch_url(self.transport.files, reference.url)

    def delete(self, character_id: str) -> None:
        """Refused while a board that is running needs it."""
        self.transport.delete(f"{_PATH}/{part(character_id)}")

    def sheet(self, character_id: str, body: Body) -> tuple[Prediction, ...]:
        """Predictions of the views that are missing; each becomes a reference once approved."""
        answer = self.transport.create(f"{_PATH}/{part(character_id)}/sheet", body)
        return tuple(Prediction.of(item) for item in answer.get("predictions", ()))
