"""The routes of the library: characters, their versions, references, sheets, and uploads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import library_views
from storyhook.domain.errors import FieldError, InvalidRequest
from storyhook.domain.library import is_older
from storyhook.domain.story import KINDS
from storyhook.http.character_bodies import (
    CharacterBody,
    CharacterChangeBody,
    ReferenceBody,
    SheetBody,
    UploadBody,
)
from storyhook.http.cursors import cursor_of, not_a_cursor
from storyhook.http.events import caller, parse, wants_dry_run
from storyhook.http.idempotency import asked_once
from storyhook.http.raw import query_of
from storyhook.http.reading import Reply, known, listed, paging, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storyhook.domain.access import Page
    from storyhook.domain.idempotency import Origin
    from storyhook.domain.library import StaleBoard, UploadForm
    from storyhook.domain.story import Character
    from storyhook.http.etags import Reads
    from storyhook.http.reading import Handler
    from storyhook.ports import Images
    from storyhook.ports.library import Characters
    from storyhook.usecases.characters import (
        DeleteCharacter,
        EditCharacter,
        ReadCharacter,
        SaveCharacter,
    )
    from storyhook.usecases.once import Once
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
    once: Once
    reads: Reads

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
        request = parse(CharacterBody, event, once=True).to_request()
        tenant = caller(event).tenant
        made = self.once(
            caller(event),
            asked_once(event),
            lambda origin: self.save.made(tenant, request.id, origin),
            lambda _: self.save(tenant, request),
            lambda saved, origin: is_older(saved[0], origin),
        )
        row, is_new = made.thing
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return Reply(status, self._changed(event, row), made.replayed)

    def list_characters(self, event: Event) -> Reply:
        """With `kind`, others of the `limit` that were looked at are left out."""
        limit, cursor = paging(event, ("kind",))
        kind = query_of(event).get("kind")
        if kind is not None and kind not in KINDS:
            detail = f"kind is one of {', '.join(KINDS)}."
            raise InvalidRequest(detail, (FieldError("kind", detail),))
        page = self.characters.list(caller(event).tenant, limit, cursor)
        rows = [row for row in page.items if kind in (None, row.kind)]
        return self._page(event, page, rows)

    def get_character(self, event: Event, character_id: str) -> Reply:
        refuse_unknown(event, ("version",))
        text = query_of(event).get("version")
        if text is not None and not _VERSION.fullmatch(text):
            detail = "version is a whole number from 1."
            raise InvalidRequest(detail, (FieldError("version", detail),))
        row = self.read(
            caller(event).tenant, known("character", character_id), int(text) if text else None
        )
        return self.reads(event, partial(library_views.character, row))

    def patch_character(self, event: Event, character_id: str) -> Reply:
        body = parse(CharacterChangeBody, event)
        row = self.edit.fields(
            caller(event).tenant, known("character", character_id), body.changes, body.version
        )
        return Reply(HTTPStatus.OK, self._changed(event, row))

    def delete_character(self, event: Event, character_id: str) -> Reply:
        refuse_unknown(event)
        self.delete(caller(event).tenant, known("character", character_id))
        return Reply(HTTPStatus.NO_CONTENT, {})

    def list_versions(self, event: Event, character_id: str) -> Reply:
        limit, cursor = paging(event)
        if cursor is not None and not _VERSION.fullmatch(cursor):
            raise not_a_cursor("cursor")
        tenant, name = caller(event).tenant, known("character", character_id)
        page = self.read.versions(tenant, name, limit, cursor)
        return self._page(event, page, page.items)

    def list_stale(self, event: Event, character_id: str) -> Reply:
        page = self.stale(caller(event).tenant, known("character", character_id), *paging(event))
        return Reply(HTTPStatus.OK, _stale(event, page))

    def post_reference(self, event: Event, character_id: str) -> Reply:
        request = parse(ReferenceBody, event, once=True).to_request()
        tenant, name = caller(event).tenant, known("character", character_id)
        made = self.once(
            caller(event),
            asked_once(event),
            lambda origin: self.edit.added(tenant, name, origin),
            lambda _: self.edit.add_reference(tenant, name, request),
            lambda saved, origin: is_older(saved[0], origin),
        )
        row, added = made.thing
        status = HTTPStatus.CREATED if added else HTTPStatus.OK
        return Reply(status, self._changed(event, row), made.replayed)

    def delete_reference(self, event: Event, character_id: str, reference_id: str) -> Reply:
        refuse_unknown(event)
        row = self.edit.remove_reference(
            caller(event).tenant,
            known("character", character_id),
            known("reference", reference_id),
        )
        return Reply(HTTPStatus.OK, self._changed(event, row))

    def post_sheet(self, event: Event, character_id: str) -> Reply:
        body = parse(SheetBody, event, query=("dry_run",), once=True, optional=True)
        key, name = caller(event), known("character", character_id)
        request, asked = body.to_request(), asked_once(event)
        if wants_dry_run(event):
            plan = self.sheet.plan(key.tenant, name, request)
            plans = [library_views.sheet_plan(*planned) for planned in plan.plans]
            shown = library_views.sheet(plan.character, plan.role, plans, plan.cost, plan.warnings)
            return Reply(HTTPStatus.OK, {"dry_run": True, **shown})
        made = self.once(
            key,
            asked,
            lambda origin: self.sheet.made(key.tenant, name, origin),
            lambda origin: self.sheet.accept(key, name, request, origin),
        )
        sheet = made.thing
        items = [library_views.sheet_prediction(row, self.images.sign) for row in sheet.rows]
        shown = library_views.sheet(sheet.character, sheet.role, items, sheet.cost, sheet.warnings)
        # Of a repetition whatever is left to be sent is the reconciler's.
        then = None if made.replayed else partial(self.sheet.send, sheet.rows)
        return Reply(HTTPStatus.ACCEPTED, shown, made.replayed, then=then)

    def post_upload(self, event: Event) -> Reply:
        body = parse(UploadBody, event, once=True)

        def form(origin: Origin) -> UploadForm:
            """Nothing is written: a form follows from its origin."""
            return self.upload(caller(event).tenant, body.content_type, body.bytes, origin)

        made = self.once(caller(event), asked_once(event), form, form)
        return Reply(HTTPStatus.CREATED, library_views.upload(made.thing), made.replayed)

    def _page(self, event: Event, page: Page[Character], rows: Sequence[Character]) -> Reply:
        return self.reads(
            event,
            lambda sign: listed(event, page, [library_views.character(row, sign) for row in rows]),
        )

    def _changed(self, event: Event, row: Character) -> Json:
        """With the scenes that the change, or one before, has left behind."""
        page = self.stale(row.tenant, row.id, _STALE_SHOWN)
        shown = library_views.character(row, self.images.sign)
        # Its cursor is one of the list's.
        base = event["rawPath"].partition("/characters")[0]
        of_list = {**event, "rawPath": base + shown["urls"]["stale"]}
        return {**shown, "stale": _stale(of_list, page)}


def _stale(event: Event, page: Page[StaleBoard]) -> Json:
    """`event` is one that asks for the list."""
    cursor = cursor_of(event, page.cursor.encode()) if page.cursor else None
    return {**library_views.stale(page), "next_cursor": cursor}
