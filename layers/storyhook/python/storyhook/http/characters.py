"""The routes of the library: characters, their versions, references, sheets, and uploads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import library_views
from storyhook.domain.errors import FieldError, InvalidRequest
from storyhook.domain.story import KINDS
from storyhook.http.bodies import (
    CharacterBody,
    CharacterChangeBody,
    ReferenceBody,
    SheetBody,
    UploadBody,
)
from storyhook.http.events import caller, parse, wants_dry_run
from storyhook.http.reading import Reply, known, listing, paging, refuse_unknown

if TYPE_CHECKING:
    from storyhook.domain.story import Character
    from storyhook.http.reading import Handler
    from storyhook.ports import Images
    from storyhook.ports.library import Characters
    from storyhook.usecases.characters import (
        DeleteCharacter,
        EditCharacter,
        ReadCharacter,
        SaveCharacter,
    )
    from storyhook.usecases.pictures import OpenUpload
    from storyhook.usecases.sheets import MakeSheet
    from storyhook.usecases.stale import Stale

Event = dict[str, Any]
Json = dict[str, Any]

_VERSION = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
# With the answer to a change; `urls.stale` has all.
_STALE_SHOWN = 10


@dataclass(frozen=True)
class CharacterRoutes:
    characters: Characters
    images: Images
    save: SaveCharacter
    edit: EditCharacter
    delete: DeleteCharacter
    read: ReadCharacter
    stale: Stale
    sheet: MakeSheet
    upload: OpenUpload

    def routes(self) -> dict[tuple[str, str], Handler]:
        one = "/characters/<character_id>"
        return {
            ("POST", "/characters"): self.post_character,
            ("GET", "/characters"): self.list_characters,
            ("GET", one): self.get_character,
            ("PATCH", one): self.patch_character,
            ("DELETE", one): self.delete_character,
            ("GET", f"{one}/versions"): self.list_versions,
            ("GET", f"{one}/stale"): self.list_stale,
            ("POST", f"{one}/references"): self.post_reference,
            ("DELETE", f"{one}/references/<reference_id>"): self.delete_reference,
            ("POST", f"{one}/sheet"): self.post_sheet,
            ("POST", "/uploads"): self.post_upload,
        }

    def post_character(self, event: Event) -> Reply:
        body = parse(CharacterBody, event)
        saved = self.save(caller(event).tenant, body.to_request())
        status = HTTPStatus.CREATED if saved.is_new else HTTPStatus.OK
        return Reply(status, self._changed(saved.character))

    def list_characters(self, event: Event) -> Reply:
        """With `kind`, others of the `limit` that were looked at are left out."""
        limit, cursor = paging(event, ("kind",))
        kind = (event.get("queryStringParameters") or {}).get("kind")
        if kind is not None and kind not in KINDS:
            detail = f"kind is one of {', '.join(KINDS)}."
            raise InvalidRequest(detail, (FieldError("kind", detail),))
        page = self.characters.list(caller(event).tenant, limit, cursor)
        rows = [row for row in page.items if kind in (None, row.kind)]
        return listing(page, [self._shown(row) for row in rows])

    def get_character(self, event: Event, character_id: str) -> Reply:
        refuse_unknown(event, ("version",))
        text = (event.get("queryStringParameters") or {}).get("version")
        if text is not None and not _VERSION.fullmatch(text):
            detail = "version is a whole number from 1."
            raise InvalidRequest(detail, (FieldError("version", detail),))
        row = self.read(
            caller(event).tenant, known("character", character_id), int(text) if text else None
        )
        return Reply(HTTPStatus.OK, self._shown(row))

    def patch_character(self, event: Event, character_id: str) -> Reply:
        body = parse(CharacterChangeBody, event)
        row = self.edit.fields(
            caller(event).tenant, known("character", character_id), body.changes, body.version
        )
        return Reply(HTTPStatus.OK, self._changed(row))

    def delete_character(self, event: Event, character_id: str) -> Reply:
        refuse_unknown(event)
        self.delete(caller(event).tenant, known("character", character_id))
        return Reply(HTTPStatus.NO_CONTENT, {})

    def list_versions(self, event: Event, character_id: str) -> Reply:
        limit, cursor = paging(event)
        if cursor is not None and not _VERSION.fullmatch(cursor):
            raise InvalidRequest(
                "cursor is the next_cursor of the page before.",
                (FieldError("cursor", "not valid"),),
            )
        tenant, name = caller(event).tenant, known("character", character_id)
        page = self.read.versions(tenant, name, limit, cursor)
        return listing(page, [self._shown(row) for row in page.items])

    def list_stale(self, event: Event, character_id: str) -> Reply:
        page = self.stale(caller(event).tenant, known("character", character_id), *paging(event))
        return Reply(HTTPStatus.OK, library_views.stale(page))

    def post_reference(self, event: Event, character_id: str) -> Reply:
        body = parse(ReferenceBody, event)
        row, added = self.edit.add_reference(
            caller(event).tenant, known("character", character_id), body.to_request()
        )
        return Reply(HTTPStatus.CREATED if added else HTTPStatus.OK, self._changed(row))

    def delete_reference(self, event: Event, character_id: str, reference_id: str) -> Reply:
        refuse_unknown(event)
        row = self.edit.remove_reference(
            caller(event).tenant,
            known("character", character_id),
            known("reference", reference_id),
        )
        return Reply(HTTPStatus.OK, self._changed(row))

    def post_sheet(self, event: Event, character_id: str) -> Reply:
        body = parse(SheetBody, event, query=("dry_run",), optional=True)
        key, name = caller(event), known("character", character_id)
        if wants_dry_run(event):
            sheet = self.sheet.plan(key.tenant, name, body.to_request())
            plans = [library_views.sheet_plan(*planned) for planned in sheet.plans]
            shown = library_views.sheet(
                sheet.character, sheet.role, plans, sheet.cost, sheet.warnings
            )
            return Reply(HTTPStatus.OK, {"dry_run": True, **shown})
        sheet, rows = self.sheet.accept(key, name, body.to_request())
        items = [
            library_views.sheet_prediction(angle, row, self.images.sign)
            for (angle, _), row in zip(sheet.plans, rows, strict=True)
        ]
        shown = library_views.sheet(sheet.character, sheet.role, items, sheet.cost, sheet.warnings)
        return Reply(HTTPStatus.ACCEPTED, shown, partial(self.sheet.send, rows))

    def post_upload(self, event: Event) -> Reply:
        body = parse(UploadBody, event)
        form = self.upload(caller(event).tenant, body.content_type, body.bytes)
        return Reply(HTTPStatus.CREATED, library_views.upload(form))

    def _shown(self, row: Character) -> Json:
        return library_views.character(row, self.images.sign)

    def _changed(self, row: Character) -> Json:
        """With the scenes that the change, or one before, has left behind."""
        page = self.stale(row.tenant, row.id, _STALE_SHOWN)
        return {**self._shown(row), "stale": library_views.stale(page)}
