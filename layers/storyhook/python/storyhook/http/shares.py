"""The routes of shared links: make one for a board, list them, revoke one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StrictInt

from storyhook.domain import share_views
from storyhook.domain.share import DEFAULT_SECONDS, MAX_SECONDS, MIN_SECONDS
from storyhook.http.events import caller, parse
from storyhook.http.fields import Body
from storyhook.http.idempotency import asked_once
from storyhook.http.reading import Reply, known, listed, paging, refuse_unknown

if TYPE_CHECKING:
    from storyhook.http.reading import Handler
    from storyhook.usecases.once import Once
    from storyhook.usecases.shares import ManageShares

Event = dict[str, Any]


class ShareBody(Body):
    expires_in_seconds: Annotated[StrictInt, Field(ge=MIN_SECONDS, le=MAX_SECONDS)] = (
        DEFAULT_SECONDS
    )


@dataclass(frozen=True)
class ShareRoutes:
    """`api_url`: where this API is, for the links."""

    shares: ManageShares
    once: Once
    api_url: str

    def routes(self) -> dict[tuple[str, str], Handler]:
        one = "/storyboards/<storyboard_id>"
        return {
            ("POST", f"{one}/share"): self.post_share,
            ("GET", f"{one}/shares"): self.list_shares,
            ("DELETE", f"{one}/shares/<share_id>"): self.delete_share,
        }

    def post_share(self, event: Event, storyboard_id: str) -> Reply:
        """A repetition answers without the link and its secret: they are shown once."""
        body = parse(ShareBody, event, optional=True, once=True)
        lifetime = timedelta(seconds=body.expires_in_seconds)
        tenant, board_id = caller(event).tenant, known("storyboard", storyboard_id)
        made = self.once(
            caller(event),
            asked_once(event),
            lambda origin: self.shares.made(board_id, origin),
            lambda origin: self.shares.create(tenant, board_id, lifetime, origin),
        )
        share, secret = made.thing
        link = {
            "url": self.api_url + share_views.page_path(board_id, secret) if secret else None,
            "secret": secret,
        }
        return Reply(HTTPStatus.CREATED, {**share_views.share(share), **link}, made.replayed)

    def list_shares(self, event: Event, storyboard_id: str) -> Reply:
        limit, cursor = paging(event)
        page = self.shares.list(
            caller(event).tenant, known("storyboard", storyboard_id), limit, cursor
        )
        items = [share_views.share(row) for row in page.items]
        return Reply(HTTPStatus.OK, listed(event, page, items))

    def delete_share(self, event: Event, storyboard_id: str, share_id: str) -> Reply:
        refuse_unknown(event)
        self.shares.revoke(
            caller(event).tenant, known("storyboard", storyboard_id), known("share", share_id)
        )
        return Reply(HTTPStatus.NO_CONTENT, {})
