"""ETags: what a reader has already is not sent again.

A tag is of the content, so it is weak: presigned URLs differ at each read and are left out. In
their place stands the window of time in which they are signed, so that who is told "not modified"
has URLs that are no older than a window.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.http.raw import headers_of
from storyhook.http.reading import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from storyhook.domain.views import Json, Sign
    from storyhook.ports import Clock, Images

    type Show = Callable[[Sign], Json]

_DIGEST_BYTES = 15


def tag_of(body: Json) -> str:
    digest = hashlib.sha256(json.dumps(body).encode()).digest()[:_DIGEST_BYTES]
    return f'W/"{base64.urlsafe_b64encode(digest).decode()}"'


def is_known(event: Mapping[str, Any], tag: str) -> bool:
    """Whether If-None-Match names the tag; weakly compared, as RFC 9110 has it."""
    header = headers_of(event).get("if-none-match", "")
    names = {name.strip().removeprefix("W/") for name in header.split(",")}
    return "*" in names or tag.removeprefix("W/") in names


def is_conditional(event: Mapping[str, Any]) -> bool:
    return "if-none-match" in headers_of(event)


def conditional(event: Mapping[str, Any], reply: Reply) -> Reply:
    """The reply to a read, with its tag; without its body, if the reader has that."""
    if event["requestContext"]["http"]["method"] != "GET" or reply.status is not HTTPStatus.OK:
        return reply
    tag = reply.etag or tag_of(reply.body)
    if is_known(event, tag):
        return Reply(HTTPStatus.NOT_MODIFIED, {}, etag=tag)
    return Reply(reply.status, reply.body, etag=tag)


@dataclass(frozen=True)
class Reads:
    """Answers reads of what has pictures in it. `window` is at most half of what a URL lives."""

    images: Images
    clock: Clock
    window: timedelta

    def __call__(self, event: Mapping[str, Any], show: Show) -> Reply:
        """Nothing is signed for somebody who has it already."""
        tag = self.tag(show)
        if is_known(event, tag):
            return Reply(HTTPStatus.NOT_MODIFIED, {}, etag=tag)
        return Reply(HTTPStatus.OK, show(self.images.sign), etag=tag)

    def is_news(self, event: Mapping[str, Any], show: Show) -> bool:
        """Whether it is not what the reader says that they have; False if they say nothing."""
        return is_conditional(event) and not is_known(event, self.tag(show))

    def tag(self, show: Show) -> str:
        window = int(self.clock().timestamp() // self.window.total_seconds())
        return tag_of(show(lambda key: (f"{key} {window}", datetime.fromtimestamp(0, UTC))))
