"""The routes of exports: a board as a file, asked for, looked at, listed."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import export_views
from storyhook.domain.export import ExportStatus
from storyhook.http.events import caller, parse
from storyhook.http.export_bodies import ExportBody
from storyhook.http.reading import Reply, known, listed, paging, refuse_unknown, wait_of

if TYPE_CHECKING:
    from storyhook.domain.export import Export
    from storyhook.http.etags import Reads
    from storyhook.http.reading import Handler
    from storyhook.ports import Images
    from storyhook.usecases.exports import ReadExports, RequestExport
    from storyhook.usecases.wait import Wait

Event = dict[str, Any]


@dataclass(frozen=True)
class ExportRoutes:
    request: RequestExport
    read: ReadExports
    images: Images
    reads: Reads
    wait: Wait

    def routes(self) -> dict[tuple[str, str], Handler]:
        here = "/storyboards/<storyboard_id>/exports"
        return {
            ("POST", here): self.create_export,
            ("GET", here): self.list_exports,
            ("GET", f"{here}/<export_id>"): self.get_export,
        }

    def create_export(self, event: Event, storyboard_id: str) -> Reply:
        """200 if the file is there, 202 while it is being made."""
        body = parse(ExportBody, event)
        row, begun = self.request(
            caller(event), known("storyboard", storyboard_id), body.format, body.to_options()
        )
        there = row.status is ExportStatus.SUCCEEDED
        return Reply(
            HTTPStatus.OK if there else HTTPStatus.ACCEPTED,
            export_views.export(row, self.images.sign),
            then=(lambda: self.request.send(row)) if begun else None,
        )

    def list_exports(self, event: Event, storyboard_id: str) -> Reply:
        limit, cursor = paging(event)
        storyboard_id = known("storyboard", storyboard_id)
        page = self.read.list(caller(event).tenant, storyboard_id, limit, cursor)
        return self.reads(
            event,
            lambda sign: listed(
                event, page, [export_views.export(row, sign) for row in page.items]
            ),
        )

    def get_export(self, event: Event, storyboard_id: str, export_id: str) -> Reply:
        refuse_unknown(event, ("wait",))
        seconds, tenant = wait_of(event), caller(event).tenant
        storyboard_id = known("storyboard", storyboard_id)
        export_id = known("export", export_id)

        def enough(row: Export) -> bool:
            return row.status.over or self.reads.is_news(
                event, lambda sign: export_views.export(row, sign)
            )

        row = self.wait(lambda: self.read.get(tenant, storyboard_id, export_id), enough, seconds)
        return self.reads(event, lambda sign: export_views.export(row, sign))
