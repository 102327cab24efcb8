"""The customer's side of callbacks: verify, answer at once, look at them later."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from storyhook_client import verify
from storyhook_client.errors import BadWebhook


@dataclass(frozen=True)
class Callback:
    id: str
    """The same however often it is delivered."""
    type: str
    subject_id: str
    data: dict[str, Any]


class Inbox:
    """Callbacks whose signature is right. Others are refused, and counted."""

    def __init__(self) -> None:
        self._secret: str | None = None
        self._received: dict[str, Callback] = {}
        self._changed = threading.Condition()
        self.refused = 0

    def expect(self, secret: str) -> None:
        """Nothing is accepted before the secret is known."""
        self._secret = secret

    def receive(self, headers: Mapping[str, str], body: bytes) -> HTTPStatus:
        """What to answer: 204, or 401 if it does not come from whom it should."""
        try:
            if self._secret is None:
                raise BadWebhook("no secret yet")
            event = verify(self._secret, headers, body)
            lower = {name.lower(): value for name, value in headers.items()}
            callback = Callback(lower["webhook-id"], event.type, event.data["id"], event.data)
        except (BadWebhook, KeyError):  # signed rightly, but about nothing that has an id
            with self._changed:
                self.refused += 1
            return HTTPStatus.UNAUTHORIZED
        with self._changed:
            self._received[callback.id] = callback
            self._changed.notify_all()
        return HTTPStatus.NO_CONTENT

    def wait_for(self, event: str, subject_id: str, seconds: float) -> Callback | None:
        """The callback about this subject as soon as it is there; None if it does not come."""

        def find() -> Callback | None:
            for callback in self._received.values():
                if (callback.type, callback.subject_id) == (event, subject_id):
                    return callback
            return None

        with self._changed:
            return self._changed.wait_for(find, seconds)
