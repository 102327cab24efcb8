"""Twelve changes to a signed webhook, for each provider, at the function's own door.

All are 401, and nothing is written, sent, fetched or stored.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from storyhook.aws import clients
from storyhook.domain.prediction import Status
from tests.fixtures import events, functions, signing
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import SECRETS, Cloud
from tests.fixtures.functions import Stage

Headers = dict[str, str]
Change = Callable[[str, Headers, bytes], tuple[Headers, bytes]]
OTHER_SEED, OTHER_SECRET = "11" * 32, "whsec_" + "bm90IHRoZSBzZWNyZXQgb2YgdGhpcyBhY2M="
NAMES = {
    "fal": ("x-fal-webhook-request-id", "x-fal-webhook-timestamp", "x-fal-webhook-signature"),
    "replicate": ("webhook-id", "webhook-timestamp", "webhook-signature"),
}


def _header(index: int, change: Callable[[str], str | None]) -> Change:
    """Change the id (0), the timestamp (1) or the signature (2)."""

    def changed(provider: str, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
        name = NAMES[provider][index]
        value = change(headers[name])
        rest = {key: kept for key, kept in headers.items() if key != name}
        return (rest if value is None else {**rest, name: value}), body

    return changed


def _body(change: Callable[[bytes], bytes]) -> Change:
    return lambda _provider, headers, body: (headers, change(body))


def _wrong_key(provider: str, _headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    wrong: dict[str, str] = (
        {"seed_hex": OTHER_SEED} if provider == "fal" else {"secret": OTHER_SECRET}
    )
    return signing.SIGNERS[provider](body, **wrong), body


def _only_other_versions(provider: str, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """`v1a` alone (an asymmetric scheme that is not ours); fal's as base64 instead of hex."""
    name = NAMES[provider][2]
    other = headers[name].replace("v1,", "v1a,") if provider == "replicate" else "ab" * 63 + "zz"
    return {**headers, name: other}, body


CHANGES: dict[str, Change] = {
    "one bit of the body": _body(lambda body: bytes([body[0] ^ 1]) + body[1:]),
    "the body dumped again": _body(lambda body: json.dumps(json.loads(body), indent=1).encode()),
    "a body of another picture": _body(lambda body: body.replace(b"https://", b"https://x.")),
    "no body": _body(lambda _: b""),
    "no signature": _header(2, lambda _: None),
    "an empty signature": _header(2, lambda _: ""),
    "one character of the signature": _header(
        2, lambda text: text[:9] + ("0" if text[9] != "0" else "1") + text[10:]
    ),
    "a signature of another version": _only_other_versions,
    "another key": _wrong_key,
    "another id": _header(0, lambda text: text + ".x"),
    "a later timestamp": _header(1, lambda text: str(int(text) + 1)),
    "a timestamp that is no number": _header(1, lambda text: text + ".0"),
}


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        yield stage


def _event(provider: str, headers: Headers, body: bytes) -> dict[str, Any]:
    name = "fal_ok" if provider == "fal" else "replicate_succeeded"
    event: dict[str, Any] = json.loads(
        (events.FOLDER / f"webhook/{name}.json").read_text(encoding="utf-8")
    )
    return {**event, "headers": headers, "body": body.decode(), "isBase64Encoded": False}


def _signed(provider: str) -> tuple[Headers, bytes]:
    name = "fal_ok" if provider == "fal" else "replicate_succeeded"
    event = json.loads((events.FOLDER / f"webhook/{name}.json").read_text(encoding="utf-8"))
    body: bytes = event["body"].encode()
    return signing.SIGNERS[provider](body), body


def test_there_are_twelve() -> None:
    assert len(CHANGES) == 12


@pytest.mark.parametrize("provider", ["fal", "replicate"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_webhook_is_401_and_nothing_is_written(
    stage: Stage, provider: str, change: str
) -> None:
    stage.seed(provider, callback_url=events.CALLBACK_URL)
    headers, body = _signed(provider)
    before, asked = stage.cloud.state(), len(stage.web.requests)

    answer = stage.run("webhook", _event(provider, *CHANGES[change](provider, headers, body)))

    assert answer["statusCode"] == 401
    assert json.loads(answer["body"])["type"] == "/problems/bad-signature"
    assert stage.cloud.state() == before
    fetched = {url for _, url, _, _ in stage.web.requests[asked:]}
    assert fetched <= {"https://rest.fal.ai/.well-known/jwks.json"}, "the keys, and no picture"

    assert stage.run("webhook", _event(provider, headers, body))["statusCode"] == 200
    assert stage.prediction(provider).status is Status.SUCCEEDED, "unchanged, it counts"


@pytest.mark.parametrize("provider", ["fal", "replicate"])
@pytest.mark.parametrize(
    ("seconds", "trusted"), [(-301, False), (-300, True), (300, True), (301, False)]
)
def test_the_body_is_trusted_within_five_minutes_either_way(
    stage: Stage, provider: str, seconds: int, trusted: bool
) -> None:
    """Beyond, a genuine signature is no forgery, but its body is not believed: we ask instead."""
    row = stage.seed(provider, due_at=stage.clock() + timedelta(minutes=9))
    _, body = _signed(provider)
    headers = signing.SIGNERS[provider](body, at=stage.clock() + timedelta(seconds=seconds))
    assert stage.run("webhook", _event(provider, headers, body))["statusCode"] == 200
    now = stage.prediction(provider)
    if trusted:
        assert now.status is Status.SUCCEEDED
    else:
        assert (now.status, now.due_at) == (row.status, stage.clock())
        assert stage.cloud.objects() == {}


def test_a_flood_at_a_door_without_a_secret_looks_for_it_once(stage: Stage) -> None:
    """A stack that uses fal alone; SSM answers all of it together only so often."""
    clients.client("ssm").delete_parameter(Name=f"{SECRETS}/replicate-webhook-secret")
    stage.seed("replicate")
    for _ in range(20):
        answer = stage.run("webhook", _event("replicate", *_signed("replicate")))
        assert answer["statusCode"] == 503
    assert len(stage.cloud.operations("GetParameter")) == 1
