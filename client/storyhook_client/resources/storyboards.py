from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from storyhook_client.answers import (
    Event,
    News,
    Scene,
    Share,
    Storyboard,
    StoryboardPlan,
    StoryboardSummary,
)
from storyhook_client.downloads import Downloaded, download
from storyhook_client.resources.base import LONGEST_WAIT_SECONDS, Body, Page, Resource, last, part

_PATH = "/storyboards"
_END = "storyboard.completed"


class Storyboards(Resource):
    """Scenes side by side."""

    def create(self, body: Body) -> Storyboard:
        return Storyboard.of(self.transport.create(_PATH, body))

    def estimate(self, body: Body) -> StoryboardPlan:
        """Every scene's plan, and what all would cost; nothing is written or paid."""
        return StoryboardPlan.of(self.transport.plan(_PATH, body))

    def get(self, storyboard_id: str, *, wait_seconds: int = 0) -> Storyboard:
        path = f"{_PATH}/{part(storyboard_id)}"
        return Storyboard.of(self.transport.get(path, wait_seconds=wait_seconds))

    def list(self, *, limit: int | None = None) -> Iterator[StoryboardSummary]:
        """All, the newest first and without their scenes; `limit` is of a page."""
        return self._all(StoryboardSummary, _PATH, limit=limit)

    def page(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[StoryboardSummary]:
        return self._page(StoryboardSummary, _PATH, limit=limit, cursor=cursor)

    def cancel(self, storyboard_id: str) -> Storyboard:
        return Storyboard.of(self.transport.post(f"{_PATH}/{part(storyboard_id)}/cancel"))

    def select(self, storyboard_id: str, scene_id: str, prediction_id: str) -> Scene:
        """Take this candidate as the scene's picture."""
        path = f"{_scene(storyboard_id, scene_id)}/select"
        return Scene.of(self.transport.post(path, {"prediction": prediction_id}))

    def lock(self, storyboard_id: str, scene_id: str) -> Scene:
        """Keep the scene as it is."""
        return Scene.of(self.transport.post(f"{_scene(storyboard_id, scene_id)}/lock"))

    def unlock(self, storyboard_id: str, scene_id: str) -> Scene:
        return Scene.of(self.transport.post(f"{_scene(storyboard_id, scene_id)}/unlock"))

    def news(self, storyboard_id: str, *, after: str | None = None, wait_seconds: int = 0) -> News:
        """What has happened since `after`, the `next` of earlier news; waits if it is nothing."""
        path = f"{_PATH}/{part(storyboard_id)}/events"
        return News.of(self.transport.get(path, {"after": after}, wait_seconds=wait_seconds))

    def events(
        self, storyboard_id: str, *, after: str | None = None, timeout_seconds: float = 3600
    ) -> Iterator[Event]:
        """Each event as it happens, until the board is over; raises NotFinished."""

        def look(wait: int) -> _Looked:
            nonlocal after
            news = self.news(storyboard_id, after=after, wait_seconds=wait)
            after = news.next
            return _Looked(storyboard_id, news)

        for looked in self._snapshots(look, LONGEST_WAIT_SECONDS, timeout_seconds):
            yield from looked.news.items

    def watch(
        self, storyboard_id: str, *, timeout_seconds: float, step_seconds: int = 2
    ) -> Iterator[Storyboard]:
        """How it stands, every few seconds until it is over; raises NotFinished."""
        return self._snapshots(
            lambda wait: self.get(storyboard_id, wait_seconds=wait), step_seconds, timeout_seconds
        )

    def wait(self, storyboard_id: str, *, timeout_seconds: float = 3600) -> Storyboard:
        """How it ended, failures included; raises NotFinished."""
        return last(
            self.watch(
                storyboard_id, timeout_seconds=timeout_seconds, step_seconds=LONGEST_WAIT_SECONDS
            )
        )

    def share(self, storyboard_id: str, *, lifetime: timedelta | None = None) -> Share:
        """A link to the board's page, for a week unless told; `url` is shown this once."""
        body = {} if lifetime is None else {"expires_in_seconds": int(lifetime.total_seconds())}
        return Share.of(self.transport.create(f"{_PATH}/{part(storyboard_id)}/share", body))

    def shares(self, storyboard_id: str, *, limit: int | None = None) -> Iterator[Share]:
        """The board's links, the newest first; those that have expired go after a while."""
        return self._all(Share, f"{_PATH}/{part(storyboard_id)}/shares", limit=limit)

    def revoke_share(self, storyboard_id: str, share_id: str) -> None:
        """The link shows nothing any more, from a minute later on."""
        self.transport.delete(f"{_PATH}/{part(storyboard_id)}/shares/{part(share_id)}")

    def download(self, board: Storyboard | str, folder: Path) -> Downloaded:
        """All pictures that are there and `board.json` into `folder`, which is made.

        URLs work for an hour: give the id of an older board. Raises BadDownload when a file
        cannot be written; a picture that does not come is among the answer's `problems`.
        """
        if isinstance(board, str):
            board = self.get(board)
        return download(self.transport.files, board, folder)


def _scene(storyboard_id: str, scene_id: str) -> str:
    return f"{_PATH}/{part(storyboard_id)}/scenes/{part(scene_id)}"


@dataclass(frozen=True)
class _Looked:
    """A look at a board's feed; it is over when it tells of the board's end."""

    id: str
    news: News

    @property
    def is_over(self) -> bool:
        return any(event.type == _END for event in self.news.items)
