"""The routes of callbacks: the delivery log, sending again, and the secret that signs them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import callback_views
from storyhook.domain.callback import CallbackStatus
from storyhook.domain.errors import FieldError, InvalidRequest
from storyhook.domain.views import timestamp
from storyhook.http.events import caller, parse
from storyhook.http.raw import query_of
from storyhook.http.reading import Reply, known, listed, paging, refuse_unknown
from storyhook.http.requests import NothingBody, RotationBody

if TYPE_CHECKING:
    from storyhook.http.reading import Handler
    from storyhook.usecases.callback_secrets import CallbackSecrets, ShownSecret
    from storyhook.usecases.callbacks import CallbackLog, Replay

Event = dict[str, Any]

_SUBJECT = re.compile(r"(pred|sb)_[A-Za-z0-9]{1,40}", re.ASCII)
_FILTERS = ("status", "subject")


@dataclass(frozen=True)
class CallbackRoutes:
    log: CallbackLog
    replay: Replay
    secrets: CallbackSecrets

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {
            ("GET", "/callbacks"): self.list_callbacks,
            ("GET", "/callbacks/<callback_id>"): self.get_callback,
            ("POST", "/callbacks/<callback_id>/replay"): self.replay_callback,
            ("GET", "/callback-secret"): self.get_callback_secret,
            ("POST", "/callback-secret/rotate"): self.rotate_callback_secret,
        }

    def list_callbacks(self, event: Event) -> Reply:
        limit, cursor = paging(event, _FILTERS)
        status, subject = _filters(event)
        page = self.log.list(caller(event).tenant, limit, cursor, status, subject)
        items = [callback_views.callback(*entry) for entry in page.items]
        return Reply(HTTPStatus.OK, listed(event, page, items))

    def get_callback(self, event: Event, callback_id: str) -> Reply:
        refuse_unknown(event)
        entry = self.log.get(caller(event).tenant, known("callback", callback_id))
        return Reply(HTTPStatus.OK, callback_views.with_payload(*entry))

    def replay_callback(self, event: Event, callback_id: str) -> Reply:
        parse(NothingBody, event, optional=True)
        entry = self.replay(caller(event).tenant, known("callback", callback_id))
        return Reply(HTTPStatus.ACCEPTED, callback_views.callback(*entry))

    def get_callback_secret(self, event: Event) -> Reply:
        refuse_unknown(event)
        return _secret(self.secrets.read(caller(event).id))

    def rotate_callback_secret(self, event: Event) -> Reply:
        body = parse(RotationBody, event, optional=True)
        return _secret(self.secrets.rotate(caller(event).id, force=body.force))


def _filters(event: Event) -> tuple[CallbackStatus | None, str | None]:
    query = query_of(event)
    errors = []
    status, subject = (query.get(name) for name in _FILTERS)
    if status is not None and status not in list(CallbackStatus):
        errors.append(FieldError("status", f"one of {', '.join(CallbackStatus)}"))
    if subject is not None and not _SUBJECT.fullmatch(subject):
        errors.append(FieldError("subject", "the id of a prediction or of a storyboard"))
    if errors:
        raise InvalidRequest(
            "GET /callbacks takes status and subject; mend what errors lists.",
            tuple(errors),
        )
    return CallbackStatus(status) if status else None, subject


def _secret(shown: ShownSecret) -> Reply:
    return Reply(
        HTTPStatus.OK,
        {
            "secret": shown.secret,
            "version": shown.version,
            "previous_expires_at": timestamp(shown.previous_expires_at),
        },
    )
