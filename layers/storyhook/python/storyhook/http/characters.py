"""The routes of the library: characters, their versions and their references."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import views
from storyhook.http.events import caller, parse
from storyhook.http.reading import Reply, known, listing, paging, refuse_unknown
from storyhook.http.requests import CharacterBody

if TYPE_CHECKING:
    from storyhook.http.reading import Handler
    from storyhook.ports import Characters, Images
    from storyhook.usecases.characters import ReadCharacter, SaveCharacter

Event = dict[str, Any]


@dataclass(frozen=True)
class CharacterRoutes:
    characters: Characters
    images: Images
    save: SaveCharacter
    read: ReadCharacter

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {
            ("POST", "/characters"): self.post_character,
            ("GET", "/characters"): self.list_characters,
            ("GET", "/characters/<character_id>"): self.get_character,
        }

    def post_character(self, event: Event) -> Reply:
        body = parse(CharacterBody, event)
        row = self.save(caller(event).tenant, body.to_request())
        created = row.version == 1
        shown = views.character(row, self.images.sign)
        return Reply(HTTPStatus.CREATED if created else HTTPStatus.OK, shown)

    def get_character(self, event: Event, character_id: str) -> Reply:
        refuse_unknown(event)
        row = self.read(caller(event).tenant, known("character", character_id))
        return Reply(HTTPStatus.OK, views.character(row, self.images.sign))

    def list_characters(self, event: Event) -> Reply:
        page = self.characters.list(caller(event).tenant, *paging(event))
        return listing(page, [views.character(row, self.images.sign) for row in page.items])
