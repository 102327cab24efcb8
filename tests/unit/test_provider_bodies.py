"""What the providers' JSON means: every example payload, and shapes nobody promised."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyhook.domain.outcome import (
    AskProvider,
    Delivery,
    Failed,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Pending,
    Rejected,
    Succeeded,
)
from storyhook.providers.base import failed_submission
from storyhook.providers.fal import outcome as fal
from storyhook.providers.replicate import outcome as replicate
from storyhook.providers.transport import NeverSent, NoAnswer, NotOk
from tests.fixtures.signing import PROVIDERS, example

REPLICATE_URL = "https://replicate.delivery/xezq/"
DELIVERIES: dict[str, Any] = {
    "fal_webhook_ok": Succeeded(("https://url.to/image.png",), 196619188014358660),
    "fal_webhook_flux2pro_edit_ok": Succeeded(
        ("https://v3b.fal.media/files/b/panda/abc_output.jpeg",), 1234567
    ),
    "fal_webhook_payload_error": AskProvider(),
    "fal_webhook_error": (FailureKind.INVALID_INPUT, "value_error.missing"),
    "fal_webhook_content_policy_error": (FailureKind.BLOCKED, "content_policy_violation"),
    "fal_webhook_flux2turbo_edit_nsfw_ok": (FailureKind.BLOCKED, "has_nsfw_concepts"),
    "replicate_webhook_starting_docs": Pending(),
    "replicate_create_response_official_model": Pending(),
    "replicate_prediction_succeeded_docs": Succeeded(("hello Alice",), None, 0.012683),
    "replicate_webhook_succeeded_string_output": Succeeded(
        (REPLICATE_URL + "EXuyWm6qQuK9J19lUCtc9sbO4k2RyHwoOP6GoYMCpeyM4a2KA/tmpzd16m4x2.webp",),
        None,
        9.1,
    ),
    "replicate_webhook_succeeded_list_output": Succeeded(
        (REPLICATE_URL + "aaa/out-0.webp",), None, 3.1
    ),
    "replicate_webhook_failed_nsfw_e005": (FailureKind.BLOCKED, "E005"),
    "replicate_webhook_failed_nsfw_cog": (FailureKind.BLOCKED, "NSFW"),
    "replicate_webhook_canceled": (FailureKind.CANCELED, None),
    "replicate_prediction_aborted": (FailureKind.TIMEOUT, "aborted"),
    "replicate_prediction_data_removed": (FailureKind.LOST_RESULT, "data_removed"),
}


@pytest.mark.parametrize("name", DELIVERIES)
def test_what_an_example_means(name: str) -> None:
    body = example(name)
    parse = fal.delivery if name.startswith("fal") else replicate.delivery
    found = parse(body)
    assert found.provider_id == (body.get("request_id") or body.get("id"))
    expected = DELIVERIES[name]
    if isinstance(expected, tuple):
        assert isinstance(found.outcome, Failed)
        failure = found.outcome.failure
        assert (failure.kind, failure.provider_code) == expected
        assert failure.detail
    else:
        assert found.outcome == expected


def test_every_webhook_example_is_looked_at() -> None:
    webhooks = {path.stem for path in PROVIDERS.glob("*_webhook_*.json")}
    other = {"fal_meta_webhook_ip_ranges", "replicate_webhook_secret_response"}
    vectors = {f"{name}_webhook_signature_test_vector" for name in ("fal", "replicate")}
    submit = {"fal_submit_response_webhook_docs"}
    assert webhooks - other - vectors - submit <= set(DELIVERIES)


def test_fals_result_is_read_as_its_webhook() -> None:
    assert fal.result(example("fal_result_image")) == Succeeded(
        ("https://v3.fal.media/files/rabbit/abc123.png",), 42
    )
    assert fal.result({"image": {"url": "https://x/y.png"}}) == Succeeded(("https://x/y.png",))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
STATUSES = st.sampled_from(["OK", "ERROR", "succeeded", "failed", "canceled", "starting", "", None])
BODIES = JSON | st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("id", "request_id", "payload", "output", "error", "detail", "metrics", "data_removed"),
            JSON,
        ),
        "status": STATUSES | JSON,
        "payload": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("images", "image", "seed", "has_nsfw_concepts", "detail"), JSON
            ),
        )
        | JSON,
    },
)


@pytest.mark.parametrize("parse", [fal.delivery, replicate.delivery])
@given(body=BODIES)
def test_no_body_is_too_strange(parse: Any, body: Any) -> None:
    found = parse(body)
    assert isinstance(found, Delivery)
    if isinstance(found.outcome, Succeeded):
        assert found.outcome.image_urls
        assert all(isinstance(url, str) for url in found.outcome.image_urls)
        assert found.outcome.seed is None or isinstance(found.outcome.seed, int)


@pytest.mark.parametrize("failure", [fal.failure, replicate.failure])
@given(status=st.integers(100, 599), body=BODIES)
def test_no_error_is_too_strange(failure: Any, status: int, body: Any) -> None:
    assert failure(status, body).detail


def test_an_error_webhook_without_its_sentence_is_the_providers_fault() -> None:
    found = fal.delivery({"request_id": "a", "status": "ERROR"}).outcome
    assert isinstance(found, Failed)
    assert found.failure.kind is FailureKind.UNAVAILABLE
    assert found.failure.retryable


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (401, FailureKind.CONFIG, False),
        (402, FailureKind.CONFIG, False),
        (403, FailureKind.CONFIG, False),
        (404, FailureKind.INVALID_INPUT, False),
        (422, FailureKind.INVALID_INPUT, False),
    ],
)
def test_refusals_by_status(status: int, kind: FailureKind, retryable: bool) -> None:
    for failure in (fal.failure, replicate.failure):
        answer = failed_submission(NotOk(status, {}, b'{"detail": "no"}'), failure)
        assert isinstance(answer, Rejected)
        assert (answer.failure.kind, answer.failure.retryable) == (kind, retryable)


@pytest.mark.parametrize(
    "code", ["runner_scheduling_failure", "runner_disconnected", "internal_error"]
)
def test_fals_infrastructure_is_worth_another_try(code: str) -> None:
    assert fal.failure(503, {"detail": "x", "error_type": code}).kind is FailureKind.UNAVAILABLE


def test_fals_timeout_example() -> None:
    found = fal.failure(504, example("fal_504_request_error"))
    assert (found.kind, found.provider_code) == (FailureKind.TIMEOUT, "request_timeout")


@pytest.mark.parametrize("status", [408, 409, 500, 502, 504, 524])
def test_answers_after_which_the_job_may_exist(status: int) -> None:
    assert isinstance(failed_submission(NotOk(status, {}, b""), fal.failure), OutcomeUnknown)


def test_no_connection_and_no_answer_are_different_things() -> None:
    assert isinstance(failed_submission(NeverSent("ConnectError"), fal.failure), NotCreated)
    assert isinstance(failed_submission(NoAnswer("ReadTimeout"), fal.failure), OutcomeUnknown)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, b"{}", 7.0),
        ({"retry-after": "7"}, b'{"retry_after": 3}', 7.0),
        ({}, b'{"retry_after": 2.5}', 2.5),
        ({}, b'{"detail": "Request was throttled. Your rate limit resets in ~30s."}', 30.0),
        ({}, b'{"detail": "Request was throttled. Expected available in 1 second."}', 1.0),
        ({}, b'{"detail": "wait"}', None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"", None),
        ({"retry-after": "-5"}, b"not json", None),
        ({}, b'{"retry_after": -1}', None),
        ({}, b"[]", None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], body: bytes, seconds: float | None) -> None:
    for status in (429, 503):
        answer = failed_submission(NotOk(status, headers, body), replicate.failure)
        assert isinstance(answer, NotCreated)
        assert answer.retry_after_seconds == seconds
