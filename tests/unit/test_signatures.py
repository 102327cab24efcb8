"""Both signature schemes: the published vectors, every mutation of them, and key rotation."""

import base64
import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from storyhook.domain.errors import BadSignature, DownloadFailed, SettingsError, StaleSignature
from storyhook.domain.outcome import AskProvider, Succeeded
from storyhook.ports import WebhookReader
from storyhook.providers.fal.jwks import Jwks
from storyhook.providers.fal.webhook import FalWebhook
from storyhook.providers.replicate.webhook import ReplicateWebhook
from storyhook.providers.signatures import (
    standard_webhooks_signature,
    verify_ed25519,
    verify_standard_webhooks,
)
from tests.fixtures import signing
from tests.fixtures.clock import NOW, SIGNED_AT

FAL, REPLICATE = signing.vector("fal"), signing.vector("replicate")
OTHER_SEED = "11" * 32
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of 24 by!").decode()


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@dataclasses.dataclass
class Known:
    """Secrets that somebody has; `news` come when they are looked for."""

    secrets: tuple[str, ...] = (signing.REPLICATE_SECRET,)
    news: tuple[str, ...] = ()
    looked: int = 0

    def all(self) -> tuple[str, ...]:
        return self.secrets

    def refresh(self) -> bool:
        self.looked += 1
        self.secrets, changed = (self.news, True) if self.news else (self.secrets, False)
        return changed


def reader(provider: str) -> WebhookReader:
    if provider == "fal":
        return FalWebhook(Jwks(lambda: signing.FAL_JWKS), signing.FAL_USER)
    return ReplicateWebhook(Known())


@dataclasses.dataclass
class Message:
    """A vector, about to be changed."""

    provider: str
    headers: dict[str, str]
    body: bytes
    now: datetime = NOW

    def read(self) -> Any:
        return reader(self.provider).read(self.headers, self.body, self.now)

    @property
    def signature(self) -> str:
        return "x-fal-webhook-signature" if self.provider == "fal" else "webhook-signature"

    @property
    def timestamp(self) -> str:
        return "x-fal-webhook-timestamp" if self.provider == "fal" else "webhook-timestamp"

    @property
    def message_id(self) -> str:
        return "x-fal-webhook-request-id" if self.provider == "fal" else "webhook-id"


def message(provider: str) -> Message:
    vector = signing.vector(provider)
    return Message(provider, lower(vector["headers"]), vector["body_utf8"].encode())


BOTH = pytest.mark.parametrize("provider", ["fal", "replicate"])


@BOTH
def test_the_vector_verifies(provider: str) -> None:
    assert message(provider).read().provider_id in FAL["body_utf8"] + REPLICATE["body_utf8"]


def test_our_signers_make_the_vectors() -> None:
    assert signing.fal(FAL["body_utf8"].encode()).items() >= lower(FAL["headers"]).items()
    signed = signing.replicate(REPLICATE["body_utf8"].encode())
    assert signed.items() >= lower(REPLICATE["headers"]).items()


def _flip_body(m: Message) -> None:
    m.body = bytes([m.body[0] ^ 1]) + m.body[1:]


def _dump_again(m: Message) -> None:
    m.body = m.body.replace(b":", b": ")


def _empty_body(m: Message) -> None:
    m.body = b""


def _flip_signature(m: Message) -> None:
    old = m.headers[m.signature]
    at = 10
    m.headers[m.signature] = old[:at] + ("0" if old[at] != "0" else "1") + old[at + 1 :]


def _short_signature(m: Message) -> None:
    m.headers[m.signature] = m.headers[m.signature][:-2]


def _not_encoded(m: Message) -> None:
    m.headers[m.signature] = "v1,é not base64 or hex ü"


def _odd_signature(m: Message) -> None:
    m.headers[m.signature] = "v1," + "\ud800" * 3


def _empty_signature(m: Message) -> None:
    m.headers[m.signature] = ""


def _other_id(m: Message) -> None:
    m.headers[m.message_id] += "x"


def _odd_id(m: Message) -> None:
    m.headers[m.message_id] = "\udfff"


def _other_time(m: Message) -> None:
    m.headers[m.timestamp] = str(int(SIGNED_AT.timestamp()) + 1)


def _word_as_time(m: Message) -> None:
    m.headers[m.timestamp] = "yesterday"


def _float_as_time(m: Message) -> None:
    m.headers[m.timestamp] += ".0"


def _negative_time(m: Message) -> None:
    m.headers[m.timestamp] = "-" + m.headers[m.timestamp]


def _huge_time(m: Message) -> None:
    m.headers[m.timestamp] = "9" * 5000


def _arabic_digits(m: Message) -> None:
    m.headers[m.timestamp] = "١٧٦٧٢٢٥٦٠٠"


def _other_key(m: Message) -> None:
    if m.provider == "fal":
        m.headers = signing.fal(m.body, seed_hex=OTHER_SEED)
    else:
        m.headers = signing.replicate(m.body, secret=OTHER_SECRET)


def _of_the_other_provider(m: Message) -> None:
    m.headers = (signing.replicate if m.provider == "fal" else signing.fal)(m.body)


MUTATIONS: list[Callable[[Message], None]] = [
    _flip_body,
    _dump_again,
    _empty_body,
    _flip_signature,
    _short_signature,
    _not_encoded,
    _odd_signature,
    _empty_signature,
    _other_id,
    _odd_id,
    _other_time,
    _word_as_time,
    _float_as_time,
    _negative_time,
    _huge_time,
    _arabic_digits,
    _other_key,
    _of_the_other_provider,
]


@BOTH
@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda function: function.__name__)
def test_a_changed_message_is_refused(provider: str, mutate: Callable[[Message], None]) -> None:
    changed = message(provider)
    mutate(changed)
    with pytest.raises(BadSignature) as caught:
        changed.read()
    assert not isinstance(caught.value, StaleSignature)
    assert signing.REPLICATE_SECRET not in str(caught.value)


@BOTH
def test_each_header_must_be_there(provider: str) -> None:
    for name in lower(signing.vector(provider)["headers"]):
        changed = message(provider)
        del changed.headers[name]
        with pytest.raises(BadSignature, match=name):
            changed.read()


@BOTH
@pytest.mark.parametrize(
    ("seconds", "stale"),
    [(-301, True), (-300, False), (0, False), (300, False), (301, True), (10**6, True)],
)
def test_the_tolerance_is_five_minutes_both_ways(provider: str, seconds: int, stale: bool) -> None:
    late = message(provider)
    late.now = SIGNED_AT + timedelta(seconds=seconds)
    if stale:
        with pytest.raises(StaleSignature):
            late.read()
    else:
        assert late.read().provider_id


def test_the_fal_vectors_own_moments() -> None:
    def at(seconds: int) -> Any:
        moment = datetime.fromtimestamp(seconds, UTC)
        return dataclasses.replace(message("fal"), now=moment).read()

    assert isinstance(at(FAL["now_ok"]).outcome, Succeeded)
    with pytest.raises(StaleSignature):
        at(FAL["now_stale"])


@BOTH
def test_a_stale_forgery_is_a_forgery(provider: str) -> None:
    forged = message(provider)
    _flip_body(forged)
    forged.now = SIGNED_AT + timedelta(days=1)
    with pytest.raises(BadSignature) as caught:
        forged.read()
    assert not isinstance(caught.value, StaleSignature)


@given(st.dictionaries(st.sampled_from(list(lower(FAL["headers"]))), st.text()), st.binary())
def test_fal_refuses_whatever_is_sent(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(BadSignature):
        reader("fal").read(headers, body, NOW)


@given(st.dictionaries(st.sampled_from(list(lower(REPLICATE["headers"]))), st.text()), st.binary())
def test_replicate_refuses_whatever_is_sent(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(BadSignature):
        reader("replicate").read(headers, body, NOW)


@given(st.text())
def test_an_ed25519_signature_that_is_none_is_just_not_valid(text: str) -> None:
    assert verify_ed25519(b"message", text, [b"\0" * 32, b"\xff" * 32]) is False


# --- several signatures, several keys ---


@pytest.mark.parametrize(
    ("header", "valid"),
    [
        ("v1,AAAA {good}", True),
        ("{good} v1,AAAA", True),
        ("v1a,AAAA {good}", True),
        ("v2,{bare}", False),
        ("v1a,{bare}", False),
        ("{bare}", False),
        ("V1,{bare}", False),
        (" ", False),
    ],
)
def test_which_entries_of_the_header_count(header: str, valid: bool) -> None:
    good = REPLICATE["headers"]["webhook-signature"]
    changed = message("replicate")
    changed.headers["webhook-signature"] = header.format(good=good, bare=good.partition(",")[2])
    if valid:
        assert changed.read().provider_id == "gm3qorzdhgbfurvjtvhg6dckhu"
    else:
        with pytest.raises(BadSignature):
            changed.read()


def test_an_old_and_a_new_secret_are_both_good() -> None:
    signed = message("replicate")
    secrets = [OTHER_SECRET, REPLICATE["secret"]]
    verify_standard_webhooks(signed.headers, signed.body, secrets, NOW)
    with pytest.raises(BadSignature):
        verify_standard_webhooks(signed.headers, signed.body, [], NOW)


def test_a_new_secret_is_looked_for_when_none_at_hand_signed() -> None:
    signed = message("replicate")
    known = Known((OTHER_SECRET,), news=(REPLICATE["secret"], OTHER_SECRET))
    assert ReplicateWebhook(known).read(signed.headers, signed.body, NOW).provider_id
    assert ReplicateWebhook(known).read(signed.headers, signed.body, NOW).provider_id
    assert known.looked == 1


def test_a_request_that_is_no_signed_one_makes_nobody_look() -> None:
    signed = message("replicate")
    signed.headers["webhook-signature"] = "v2,x"
    known = Known()
    with pytest.raises(BadSignature):
        ReplicateWebhook(known).read(signed.headers, signed.body, NOW)
    assert known.looked == 0


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_!!!", "plain text"])
def test_a_bad_secret_is_a_setting_to_mend_and_never_valid(secret: str) -> None:
    signed = message("replicate")
    with pytest.raises(SettingsError) as caught:
        verify_standard_webhooks(signed.headers, signed.body, [secret], NOW)
    assert secret in ("", "whsec_") or secret not in caught.value.detail


def test_an_official_library_agrees_with_us() -> None:
    body = b'{"type": "x"}'
    signature = standard_webhooks_signature(REPLICATE["secret"], "msg_1", 1767225600, body)
    library = Webhook(REPLICATE["secret"])
    moment = datetime.fromtimestamp(1767225600, UTC)
    assert library.sign("msg_1", moment, body.decode()) == signature


def _jwks(*keys: str) -> bytes:
    entries = [{"kty": "OKP", "crv": "Ed25519", "x": key} for key in keys]
    return json.dumps({"keys": entries}).encode()


GOOD_X = FAL["jwks"]["keys"][0]["x"]
WRONG_X = base64.urlsafe_b64encode(b"\x07" * 32).decode().rstrip("=")


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        (_jwks(GOOD_X), True),
        (_jwks(GOOD_X + "="), True),
        (_jwks(WRONG_X, GOOD_X), True),
        (b'{"keys": [{"x": "%s"}]}' % GOOD_X.encode(), True),
        (b'{"keys": [{"kty": "RSA", "n": "1"}, {"kid": "a", "x": "%s"}]}' % GOOD_X.encode(), True),
        (_jwks(WRONG_X), False),
        (_jwks(WRONG_X, "AAAA", GOOD_X), True),
    ],
)
def test_any_key_of_the_set_may_have_signed(document: bytes, valid: bool) -> None:
    signed = message("fal")
    webhook = FalWebhook(Jwks(lambda: document))
    if valid:
        assert webhook.read(signed.headers, signed.body, NOW).provider_id
    else:
        with pytest.raises(BadSignature):
            webhook.read(signed.headers, signed.body, NOW)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"keys": 5}',
        b'{"keys": [5]}',
        b'{"keys": [{"x": 5}]}',
        b"\xff",
    ],
)
def test_a_key_set_that_is_none_asks_to_come_again(document: bytes) -> None:
    signed = message("fal")
    with pytest.raises(DownloadFailed):
        FalWebhook(Jwks(lambda: document)).read(signed.headers, signed.body, NOW)


class KeyServer:
    def __init__(self, *documents: bytes | None) -> None:
        self.documents = list(documents)
        self.fetched = 0

    def __call__(self) -> bytes:
        self.fetched += 1
        document = self.documents.pop(0) if len(self.documents) > 1 else self.documents[0]
        if document is None:
            raise DownloadFailed("down", retryable=True)
        return document


def test_keys_are_fetched_once_a_day() -> None:
    server = KeyServer(_jwks(GOOD_X))
    jwks = Jwks(server)
    for hours in (0, 1, 23.9):
        jwks.keys(NOW + timedelta(hours=hours))
    assert server.fetched == 1
    jwks.keys(NOW + timedelta(hours=24.1))
    assert server.fetched == 2


def test_a_rotated_key_is_found_once_a_minute_has_passed() -> None:
    server = KeyServer(_jwks(WRONG_X), _jwks(GOOD_X))
    webhook, signed = FalWebhook(Jwks(server)), message("fal")
    with pytest.raises(BadSignature):
        webhook.read(signed.headers, signed.body, NOW)
    later = NOW + timedelta(seconds=61)
    assert webhook.read(signed.headers, signed.body, later).provider_id
    assert server.fetched == 2


def test_a_flood_of_forgeries_costs_one_fetch_a_minute() -> None:
    server = KeyServer(_jwks(GOOD_X))
    webhook, forged = FalWebhook(Jwks(server)), message("fal")
    _flip_body(forged)
    for second in range(120):
        with pytest.raises(BadSignature):
            webhook.read(forged.headers, forged.body, NOW + timedelta(seconds=second))
    assert server.fetched == 2


def test_the_old_keys_stay_when_the_key_server_is_down() -> None:
    server = KeyServer(_jwks(GOOD_X), None)
    webhook, signed = FalWebhook(Jwks(server)), message("fal")
    webhook.read(signed.headers, signed.body, NOW)
    tomorrow = NOW + timedelta(hours=25)
    late = signing.fal(signed.body, at=tomorrow)
    assert webhook.read(late, signed.body, tomorrow).provider_id


@BOTH
@pytest.mark.parametrize(
    "body", [b"", b"not json", b"\xff\xfe", b"null", b"[]", b"5", b"[" * 10_000, b"\xef\xbb\xbf{}"]
)
def test_a_signed_body_that_says_nothing_makes_us_ask(provider: str, body: bytes) -> None:
    headers = signing.SIGNERS[provider](body)
    assert reader(provider).read(headers, body, NOW).outcome == AskProvider()
