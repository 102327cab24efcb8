"""The routes of API keys: make, show and revoke them. For keys with the scope admin."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import key_views
from storyhook.http.events import caller, parse
from storyhook.http.idempotency import asked_once
from storyhook.http.key_bodies import KeyBody
from storyhook.http.reading import Reply, known, listed, paging, refuse_unknown

if TYPE_CHECKING:
    from storyhook.http.reading import Handler
    from storyhook.ports import Clock
    from storyhook.usecases.keys import ManageKeys
    from storyhook.usecases.once import Once

Event = dict[str, Any]


@dataclass(frozen=True)
class KeyRoutes:
    keys: ManageKeys
    once: Once
    clock: Clock

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {
            ("POST", "/keys"): self.post_key,
            ("GET", "/keys"): self.list_keys,
            ("GET", "/keys/<key_id>"): self.get_key,
            ("DELETE", "/keys/<key_id>"): self.delete_key,
        }

    def post_key(self, event: Event) -> Reply:
        """A repetition answers without the secrets: they are shown once."""
        body = parse(KeyBody, event, once=True)
        wanted = body.to_request(self.clock())
        made = self.once(
            caller(event),
            asked_once(event),
            self.keys.made,
            lambda origin: self.keys.create(caller(event), wanted, origin),
        )
        issued, budget, new = made.thing
        shown = key_views.issued(issued, budget, self.clock())
        secrets = {
            "secret": new.secret if new else None,
            "callback_secret": new.callback_secret if new else None,
        }
        return Reply(HTTPStatus.CREATED, {**shown, **secrets}, made.replayed)

    def list_keys(self, event: Event) -> Reply:
        page = self.keys.list(caller(event).tenant, *paging(event))
        now = self.clock()
        items = [key_views.issued(*entry, now) for entry in page.items]
        return Reply(HTTPStatus.OK, listed(event, page, items))

    def get_key(self, event: Event, key_id: str) -> Reply:
        refuse_unknown(event)
        entry = self.keys.get(caller(event).tenant, known("API key", key_id))
        return Reply(HTTPStatus.OK, key_views.issued(*entry, self.clock()))

    def delete_key(self, event: Event, key_id: str) -> Reply:
        refuse_unknown(event)
        self.keys.revoke(caller(event).tenant, known("API key", key_id))
        return Reply(HTTPStatus.NO_CONTENT, {})
