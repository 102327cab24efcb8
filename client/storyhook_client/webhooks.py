"""Callbacks as they arrive: verified by the rules of Standard Webhooks, then typed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping

from storyhook_client.answers import Event
from storyhook_client.errors import BadWebhook, UnexpectedAnswer

TOLERANCE_SECONDS = 5 * 60
_PREFIX = "whsec_"


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    clock: Callable[[], float] = time.time,
) -> Event:
    """The event, if it was signed with this `whsec_…` less than five minutes ago.

    `body` is what came, before any parsing. Raises BadWebhook: answer 401 then.
    """
    names = {name.lower(): value for name, value in headers.items()}
    try:
        identity, stamp = names["webhook-id"], names["webhook-timestamp"]
        signatures = names["webhook-signature"].split(" ")
    except KeyError as error:
        raise BadWebhook(f"the header {error.args[0]} is missing") from error
    if not (stamp.isascii() and stamp.isdigit()):
        raise BadWebhook("the timestamp is not a number")
    if abs(clock() - int(stamp)) > TOLERANCE_SECONDS:
        raise BadWebhook("the timestamp is too far from now")
    signed = f"{identity}.{stamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256))
    if not any(hmac.compare_digest(expected, given.encode()) for given in signatures):
        raise BadWebhook("the signature is not right")
    return _event(body)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise BadWebhook("the secret is not a whsec_… secret") from error


def _event(body: bytes) -> Event:
    try:
        return Event.of(json.loads(body))
    except (ValueError, UnexpectedAnswer) as error:
        raise BadWebhook("the body is not an event") from error
