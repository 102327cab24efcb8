from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from storyhook_client.answers import Export
from storyhook_client.downloads import download_file
from storyhook_client.errors import BadDownload, api_error
from storyhook_client.resources.base import LONGEST_WAIT_SECONDS, Page, Resource, last, part


class Exports(Resource):
    """Finished boards as files, which are made in the background and kept for a month."""

    def create(self, storyboard_id: str, format: str, **options: object) -> Export:  # noqa: A002 - the API's own word
        """Ask for it; the same board, format and options are the same export. None is left out."""
        given = {name: value for name, value in options.items() if value is not None}
        body = {"format": format, **given}
        return Export.of(self.transport.post(_path(storyboard_id), body, repeatable=True))

    def get(self, storyboard_id: str, export_id: str, *, wait_seconds: int = 0) -> Export:
        path = f"{_path(storyboard_id)}/{part(export_id)}"
        return Export.of(self.transport.get(path, wait_seconds=wait_seconds))

    def list(self, storyboard_id: str, *, limit: int | None = None) -> Iterator[Export]:
        """All of a board; `limit` is of a page."""
        return self._all(Export, _path(storyboard_id), limit=limit)

    def page(
        self, storyboard_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[Export]:
        return self._page(Export, _path(storyboard_id), limit=limit, cursor=cursor)

    def wait(self, export: Export, *, timeout_seconds: float = 900) -> Export:
        """How it ended, failures included; raises NotFinished."""
        if export.is_over:
            return export
        return last(
            self._snapshots(
                lambda wait: self.get(export.storyboard_id, export.id, wait_seconds=wait),
                LONGEST_WAIT_SECONDS,
                timeout_seconds,
            )
        )

    def download(self, export: Export, path: Path) -> Path:
        """Its file, checked; raises ExportFailed, or BadDownload where it does not come."""
        if export.error is not None:
            raise api_error(HTTPStatus.UNPROCESSABLE_ENTITY, export.error.to_json(), None)
        if export.file is None:
            raise BadDownload(f"{export.id} has no file; it is {export.status}")
        return download_file(self.transport.files, export.file, path)


def _path(storyboard_id: str) -> str:
    return f"/storyboards/{part(storyboard_id)}/exports"
