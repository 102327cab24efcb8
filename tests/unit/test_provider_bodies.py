"""What the providers' JSON means: every example payload, and shapes nobody promised."""

import json
from pathlib import Path
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
    Outcome,
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
    "replicate_prediction_data_removed": AskProvider(),
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


@pytest.mark.parametrize(
    ("outcome", "began"),
    [
        (replicate.outcome({"status": "canceled", "started_at": "2025-11-25T10:00:00.210Z"}), True),
        (replicate.outcome({"status": "canceled", "started_at": None}), False),
        (replicate.outcome({"status": "canceled"}), False),
        (replicate.outcome({"status": "aborted", "started_at": None}), False),
        # fal does not say.
        (fal.delivery({"status": "ERROR", "payload": {"type": "client_cancelled"}}).outcome, True),
        (fal.delivery({"status": "ERROR", "payload": {"type": "request_timeout"}}).outcome, False),
    ],
)
def test_what_ran_until_it_was_canceled_may_be_billed(outcome: Outcome, began: bool) -> None:
    assert isinstance(outcome, Failed)
    assert outcome.failure.may_be_paid is began


def test_pictures_that_pass_the_checker_are_kept() -> None:
    """Four were asked for and paid; one is blanked."""
    body = {
        "images": [{"url": f"https://v3.fal.media/{n}.png"} for n in range(3)],
        "has_nsfw_concepts": [False, True, False],
    }
    kept = ("https://v3.fal.media/0.png", "https://v3.fal.media/2.png")
    assert fal.result(body) == Succeeded(kept, blanked=1)
    for flags in ([True] * 3, [True], [False, True]):
        # All blanked; or nobody can tell which.
        blocked = fal.result({**body, "has_nsfw_concepts": flags})
        assert isinstance(blocked, Failed)
        assert blocked.failure.kind is FailureKind.BLOCKED


ERRORS: dict[str, Any] = {
    "fal_422_validation": (FailureKind.INVALID_INPUT, "value_error.missing", Rejected),
    "fal_429_concurrency": (FailureKind.THROTTLED, "concurrent_requests_limit", NotCreated),
    # After a POST its job may exist all the same.
    "fal_504_request_error": (FailureKind.TIMEOUT, "request_timeout", OutcomeUnknown),
    "replicate_422_problem": (FailureKind.INVALID_INPUT, "422", Rejected),
    "replicate_429": (FailureKind.THROTTLED, "429", NotCreated),
}
STATUSES_OF_JOBS: dict[str, Any] = {
    "fal_status_in_queue": None,
    "fal_status_completed": None,
    "fal_status_completed_failed": (FailureKind.TIMEOUT, "request_timeout"),
}
# What only a client sees: tests/unit/test_provider_clients.py.
OF_CLIENTS = {
    *("fal_submit_response_docs", "fal_submit_response_webhook_docs"),
    *("fal_submit_response_observed_nested_endpoint", "fal_cancel_responses"),
    "replicate_file_response",
}
# Said nothing about a prediction.
OF_OTHERS = {
    *("fal_meta_webhook_ip_ranges", "fal_pricing_api_response"),
    *("replicate_webhook_secret_response", "fal_webhook_signature_test_vector"),
    "replicate_webhook_signature_test_vector",
}


def test_every_example_is_looked_at() -> None:
    looked_at = [DELIVERIES, ERRORS, STATUSES_OF_JOBS, OF_CLIENTS, OF_OTHERS, {"fal_result_image"}]
    names = [name for group in looked_at for name in group]
    assert sorted(names) == sorted(path.stem for path in PROVIDERS.glob("*.json"))
    clients = Path(__file__).with_name("test_provider_clients.py").read_text(encoding="utf-8")
    assert all(name in clients for name in OF_CLIENTS)


@pytest.mark.parametrize("name", ERRORS)
def test_what_an_error_example_means(name: str) -> None:
    kind, code, answered = ERRORS[name]
    document = json.loads((PROVIDERS / f"{name}.json").read_text(encoding="utf-8"))
    status, body = document["http_status"], document["body"]
    failure = fal.failure if name.startswith("fal") else replicate.failure
    found = failure(status, body)
    assert (found.kind, found.provider_code) == (kind, code)
    answer = failed_submission(NotOk(status, {}, json.dumps(body).encode()), failure)
    assert isinstance(answer, answered)
    if isinstance(answer, NotCreated | Rejected):
        assert answer.failure == found


def test_only_replicates_own_answer_says_that_a_picture_is_gone() -> None:
    """Its webhook saying so makes us ask; what it answers then is the last word."""
    body = example("replicate_prediction_data_removed")
    told = replicate.outcome(body)
    assert isinstance(told, Failed)
    assert (told.failure.kind, told.failure.provider_code) == (
        FailureKind.LOST_RESULT, "data_removed",
    )  # fmt: skip


@pytest.mark.parametrize("name", STATUSES_OF_JOBS)
def test_what_a_status_example_tells(name: str) -> None:
    found = fal.told_by_status(example(name))
    assert (found and (found.kind, found.provider_code)) == STATUSES_OF_JOBS[name]


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


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (None, FailureKind.UNAVAILABLE),
        ({"detail": "x"}, FailureKind.UNAVAILABLE),
        ({"detail": "x", "error_type": "bad_request"}, FailureKind.INVALID_INPUT),
        ({"detail": [{"type": "one_of", "loc": ["body"], "msg": "x"}]}, FailureKind.INVALID_INPUT),
    ],
)
def test_an_error_webhook_without_its_sentence_goes_by_its_type(
    payload: Any, kind: FailureKind
) -> None:
    body = {"request_id": "a", "status": "ERROR", "payload": payload}
    found = fal.delivery(body).outcome
    assert isinstance(found, Failed)
    assert found.failure.kind is kind


# Every row of the facts about both providers' errors.
FAL_TYPES = {
    FailureKind.UNAVAILABLE: [
        *("internal_server_error", "downstream_service_error", "downstream_service_unavailable"),
        *("runner_scheduling_failure", "runner_connection_timeout", "runner_disconnected"),
        *("runner_connection_refused", "runner_connection_error", "runner_incomplete_response"),
        *("runner_server_error", "internal_error", "client_disconnected"),
    ],
    FailureKind.TIMEOUT: ["generation_timeout", "request_timeout", "startup_timeout"],
    FailureKind.BLOCKED: ["content_policy_violation"],
    FailureKind.UNKNOWN: ["no_media_generated"],
    FailureKind.BAD_REFERENCE: [
        *("image_too_small", "image_too_large", "image_load_error", "face_detection_error"),
        *("file_too_large", "unsupported_image_format"),
    ],
    FailureKind.REFERENCE_NOT_FETCHED: ["file_download_error"],
    FailureKind.INVALID_INPUT: [
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of"),
        *("sequence_too_short", "sequence_too_long", "one_of", "feature_not_supported"),
        *("value_error.missing", "value_error.jsondecode", "type_error.object", "bad_request"),
    ],
    FailureKind.CANCELED: ["client_cancelled"],
    FailureKind.THROTTLED: ["concurrent_requests_limit"],
}


@pytest.mark.parametrize("status", [400, 422, 499, 500, 504])
@pytest.mark.parametrize(
    ("kind", "code"), [(kind, code) for kind, codes in FAL_TYPES.items() for code in codes]
)
def test_fals_types_decide_whatever_the_status_and_the_words(
    kind: FailureKind, code: str, status: int
) -> None:
    listed = {"detail": [{"loc": ["body", "prompt"], "msg": "rate limit nsfw", "type": code}]}
    flat = {"detail": "content policy violation, rate limit", "error_type": code}
    for body in (listed, flat):
        found = fal.failure(status, body)
        assert (found.kind, found.provider_code) == (kind, code)


REFUSALS = [
    (401, FailureKind.WRONG_KEY, FailureKind.WRONG_KEY),
    (402, FailureKind.NO_CREDIT, FailureKind.NO_CREDIT),
    (403, FailureKind.ACCOUNT, FailureKind.WRONG_KEY),
    (404, FailureKind.INVALID_INPUT, FailureKind.INVALID_INPUT),
    (413, FailureKind.INVALID_INPUT, FailureKind.INVALID_INPUT),
    (422, FailureKind.INVALID_INPUT, FailureKind.INVALID_INPUT),
]


@pytest.mark.parametrize(("status", "at_fal", "at_replicate"), REFUSALS)
def test_refusals_by_status(status: int, at_fal: FailureKind, at_replicate: FailureKind) -> None:
    """A text, or an unknown type, changes nothing."""
    for parse, kind in ((fal.failure, at_fal), (replicate.failure, at_replicate)):
        for body in (b"", b'{"detail": "nsfw, throttled"}', b'{"detail": [{"type": "new"}]}'):
            answer = failed_submission(NotOk(status, {}, body), parse)
            assert isinstance(answer, Rejected)
            assert answer.failure.kind is kind


@pytest.mark.parametrize(
    ("status", "kind"), [(429, FailureKind.THROTTLED), (503, FailureKind.UNAVAILABLE)]
)
def test_why_nothing_was_created(status: int, kind: FailureKind) -> None:
    for parse in (fal.failure, replicate.failure):
        answer = failed_submission(NotOk(status, {}, b'{"detail": "not now"}'), parse)
        assert isinstance(answer, NotCreated)
        assert answer.failure.kind is kind
        assert "not now" in answer.failure.detail
    assert isinstance(
        never := failed_submission(NeverSent("ConnectError"), fal.failure), NotCreated
    )
    assert never.failure.kind is FailureKind.UNAVAILABLE


@pytest.mark.parametrize("flags", [[True], [False, True]])
def test_a_blanked_picture_is_blocked(flags: list[bool]) -> None:
    payload = {"images": [{"url": "https://x/black.png"}], "has_nsfw_concepts": flags}
    found = fal.result(payload)
    assert isinstance(found, Failed)
    assert found.failure.kind is FailureKind.BLOCKED
    unflagged = {**payload, "has_nsfw_concepts": [False]}
    assert fal.result(unflagged) == Succeeded(("https://x/black.png",))


def test_a_success_without_a_picture_was_paid_for() -> None:
    for found in (
        fal.result({"images": []}),
        fal.result({}),
        replicate.outcome({"status": "succeeded", "output": None}),
        replicate.outcome({"status": "succeeded", "output": []}),
    ):
        assert isinstance(found, Failed)
        assert found.failure.kind is FailureKind.LOST_RESULT


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ("The input or output was flagged as sensitive. (E005)", FailureKind.BLOCKED, "E005"),
        ("Something else (E005)", FailureKind.BLOCKED, "E005"),
        ("NSFW content detected.", FailureKind.BLOCKED, "NSFW"),
        ("Something broke (E102)", FailureKind.UNKNOWN, "E102"),
        ("CUDA out of memory, rate limit, 429", FailureKind.UNKNOWN, None),
        (None, FailureKind.UNKNOWN, None),
    ],
)
def test_replicates_failed_predictions(error: Any, kind: FailureKind, code: str | None) -> None:
    found = replicate.outcome({"status": "failed", "error": error})
    assert isinstance(found, Failed)
    assert (found.failure.kind, found.failure.provider_code) == (kind, code)


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
