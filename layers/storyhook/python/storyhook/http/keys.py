"""The routes of API keys: make, show and revoke them. For keys with the scope admin."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import key_views
from storyhook.http.events import caller, parse
from storyhook.http.key_bodies import KeyBody
from storyhook.http.reading import Reply, known, listing, paging, refuse_unknown

if TYPE_CHECKING:
    from storyhook.http.reading import Handler
    from storyhook.ports import Clock
    from storyhook.usecases.keys import ManageKeys

Event = dict[str, Any]


@dataclass(frozen=True)
class KeyRoutes:
    keys: ManageKeys
    clock: Clock

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {
            ("POST", "/keys"): self.post_key,
            ("GET", "/keys"): self.list_keys,
            ("GET", "/keys/<key_id>"): self.get_key,
            ("DELETE", "/keys/<key_id>"): self.delete_key,
        }

    def post_key(self, event: Event) -> Reply:
        wanted = parse(KeyBody, event).to_request(self.clock())
        made = self.keys.create(caller(event), wanted)
        shown = key_views.issued(made.issued, None, self.clock())
        secrets = {"secret": made.secret, "callback_secret": made.callback_secret}
        return Reply(HTTPStatus.CREATED, {**shown, **secrets})

    def list_keys(self, event: Event) -> Reply:
        page = self.keys.list(caller(event).tenant, *paging(event))
        now = self.clock()
        items = [key_views.issued(*entry, now) for entry in page.items]
        return listing(page, items)

    def get_key(self, event: Event, key_id: str) -> Reply:
        refuse_unknown(event)
        entry = self.keys.get(caller(event).tenant, known("API key", key_id))
        return Reply(HTTPStatus.OK, key_views.issued(*entry, self.clock()))

    def delete_key(self, event: Event, key_id: str) -> Reply:
        refuse_unknown(event)
        self.keys.revoke(caller(event).tenant, known("API key", key_id))
        return Reply(HTTPStatus.NO_CONTENT, {})
