"""The simulated fal, seen through the official client and real webhooks."""

import io
import time
from typing import Any

import fal_client
import fal_client.client
import httpx
import pytest
from nacl.exceptions import BadSignatureError
from PIL import Image

from tests.integration.simulated.support import (
    EDIT,
    SPEED,
    TEXT,
    WIDE,
    Receiver,
    Sim,
    edit,
    fal_post,
    jwks,
    picture,
    portraits,
    seconds,
    text,
    verify_fal,
)

# --- fal: the official client --------------------------------------------------------------


def test_fal_client_submits_polls_and_fetches(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    fal.set(latency_seconds=30)
    handle = fal_sdk.submit(EDIT, edit(receiver))
    # The root app without the sub-path, as real answers show for nested endpoint ids.
    assert handle.response_url == f"{fal.url}/fal-ai/flux-2-pro/requests/{handle.request_id}"
    seen = {type(each).__name__ for each in handle.iter_events(interval=0.01)}
    assert "Completed" in seen
    assert "InProgress" in seen
    result = handle.get()
    assert result["seed"] == 7
    assert set(result["images"][0]) == {"url", "content_type"}
    image = picture(result["images"][0]["url"])
    assert (image.format, image.size) == ("PNG", (672, 384))
    assert fal_sdk.result(EDIT, handle.request_id) == result
    (job,) = fal.jobs
    assert (job["id"], job["reference_count"]) == (handle.request_id, 2)
    assert job["price"] == "0.060"  # 0.03 + 0.015 for each of two small references
    raw = fal.http.get(handle.response_url)
    assert raw.headers["X-Fal-Billable-Units"] == "3"


def test_fal_status_carries_logs_and_metrics(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    handle = fal_sdk.submit(TEXT, text())
    handle.get()
    status = handle.status(with_logs=True)
    assert isinstance(status, fal_client.Completed)
    assert status.error is None
    assert status.logs
    assert status.metrics["inference_time"] >= 10  # the provider's own seconds


def test_fal_client_cancels_a_queued_job(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    fal.set(slots=0)
    first = fal_sdk.submit(TEXT, text(), webhook_url=receiver.hook("first"))
    second = fal_sdk.submit(TEXT, text())
    assert first.status() == fal_client.Queued(position=0)
    assert second.status() == fal_client.Queued(position=1)
    first.cancel()
    assert receiver.final("first")[0].json["error"] == "Invalid status code: 499"
    status = first.status()
    assert isinstance(status, fal_client.Completed)
    assert status.error_type == "client_cancelled"
    assert fal.http.put(first.cancel_url).json() == {"status": "ALREADY_COMPLETED"}
    assert fal.http.put(first.cancel_url).status_code == 400
    unknown = first.cancel_url.replace(first.request_id, "no-such-id")
    assert fal.http.put(unknown).json() == {"status": "NOT_FOUND"}
    fal.set(slots=1)
    assert second.get()["images"]


def test_fal_slots_let_jobs_wait_their_turn(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    fal.set(slots=1)
    handles = [fal_sdk.submit(TEXT, text(seed=seed)) for seed in range(3)]
    for handle in handles:
        handle.get()
    times = [(job["started_at"], job["completed_at"]) for job in fal.jobs]
    assert times[0][1] <= times[1][0] <= times[1][1] <= times[2][0]


def test_fal_start_deadline_and_queue_limit(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    fal.set(slots=0)
    handle = fal_sdk.submit(TEXT, text(), start_timeout=10)
    fal.until(handle.request_id, "timeout")
    answer = fal.http.get(handle.response_url)
    assert answer.status_code == 504
    assert answer.json() == {"detail": "Request timed out", "error_type": "request_timeout"}
    assert answer.headers["X-Fal-Request-Timeout-Type"] == "user"
    fal_sdk.submit(TEXT, text())
    refused = fal.http.post(f"/{TEXT}?fal_max_queue_length=1", json=text())
    assert refused.status_code == 429


@pytest.mark.parametrize(
    ("endpoint", "key", "status"),
    [(TEXT, "Key wrong", 401), (TEXT, "Bearer sim-fal-key", 401), ("fal-ai/nope", None, 404)],
)
def test_fal_refuses_strangers_and_unknown_endpoints(
    fal: Sim, endpoint: str, key: str | None, status: int
) -> None:
    headers = {} if key is None else {"Authorization": key}
    answer = fal.http.post(f"/{endpoint}", json=text(), headers=headers)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert fal.jobs == []


def test_fal_serves_no_status_below_the_sub_path(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    handle = fal_sdk.submit(EDIT, edit(receiver))
    assert fal.http.get(f"/{EDIT}/requests/{handle.request_id}/status").status_code == 405
    assert fal.http.get(f"/fal-ai/other/requests/{handle.request_id}/status").status_code == 404


@pytest.mark.parametrize(
    ("change", "kind", "loc"),
    [
        ({"image_urls": [f"http://127.0.0.1:1/{n}.png" for n in range(10)]},
         "sequence_too_long", ["body", "image_urls"]),
        ({"image_urls": []}, "sequence_too_short", ["body", "image_urls"]),
        ({"image_urls": None}, "value_error.missing", ["body", "image_urls"]),
        ({"image_urls": ["http://127.0.0.1:1/a.png", 5]},
         "type_error.string", ["body", "image_urls", 1]),
        ({"prompt": None}, "value_error.missing", ["body", "prompt"]),
        ({"seed": "12"}, "type_error.integer", ["body", "seed"]),
        ({"seed": True}, "type_error.integer", ["body", "seed"]),
        ({"safety_tolerance": 2}, "type_error.string", ["body", "safety_tolerance"]),
        ({"safety_tolerance": "6"}, "one_of", ["body", "safety_tolerance"]),
        ({"output_format": "webp"}, "one_of", ["body", "output_format"]),
        ({"image_size": {"width": 1024}}, "value_error.missing", ["body", "image_size", "height"]),
        ({"image_size": "huge"}, "one_of", ["body", "image_size"]),
        ({"num_images": 4}, "value_error.extra", ["body", "num_images"]),
    ],
)  # fmt: skip
def test_fal_takes_wrong_input_and_fails_later(
    fal: Sim, receiver: Receiver, change: dict[str, Any], kind: str, loc: list[Any]
) -> None:
    submitted = fal_post(fal, EDIT, edit(receiver, **change), receiver.hook("wrong"))
    assert submitted.status_code == 200
    (event,) = receiver.final("wrong")
    assert event.json["status"] == "ERROR"
    assert event.json["error"] == "Invalid status code: 422"
    (detail,) = event.json["payload"]["detail"]
    assert (detail["type"], detail["loc"]) == (kind, loc)
    answer = fal.http.get(submitted.json()["response_url"])
    assert answer.status_code == 422
    assert answer.json() == event.json["payload"]
    assert answer.headers["X-Fal-Retryable"] == "false"


def test_fal_client_raises_for_a_failed_job(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    handle = fal_sdk.submit(TEXT, {"image_size": WIDE})
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get()
    assert caught.value.status_code == 422


def test_fal_ignores_unknown_inputs_when_told(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    fal.set(unknown_inputs="ignore")
    assert fal_sdk.submit(TEXT, text(webhookUrl="https://x.example")).get()["images"]


def test_fal_client_retries_a_throttled_post_by_itself(
    fal: Sim, fal_sdk: fal_client.SyncClient
) -> None:
    """The trap of the official client; here it is harmless, as nothing was created."""
    fal.set(rules=[{"match_prompt": "harbour", "fault": "http_429", "times": 2}])
    fal_sdk.submit(TEXT, text())
    assert fal.state["requests"]["POST submit"] == 3
    assert fal.state["count"] == 1


# --- fal: webhooks ---------------------------------------------------------------------------


def test_fal_webhook_is_signed_by_one_of_the_keys(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    handle = fal_sdk.submit(EDIT, edit(receiver), webhook_url=receiver.hook("ok"))
    (event,) = receiver.final("ok")
    keys = jwks(fal)
    assert len(keys["keys"]) == 2
    assert all(len(key["x"]) == 43 for key in keys["keys"])  # unpadded
    verify_fal(event, keys)
    with pytest.raises(BadSignatureError):
        verify_fal(event, {"keys": keys["keys"][:1]})
    assert event.path == "/hooks/ok?token=abc"
    assert event.headers["x-fal-webhook-request-id"] == handle.request_id
    assert event.json["request_id"] == handle.request_id
    assert event.json["status"] == "OK"
    assert event.json["payload"] == handle.get()


def test_fal_keys_rotate_and_may_be_padded(fal: Sim, receiver: Receiver) -> None:
    before = jwks(fal)
    fal.http.post("/_control/rotate-keys")
    fal.set(jwks_padded=True, jwks_kid=True)
    after = jwks(fal)
    assert all(key["x"].endswith("=") and key["kid"] for key in after["keys"])
    fal_post(fal, TEXT, text(), receiver.hook("rotated"))
    (event,) = receiver.final("rotated")
    verify_fal(event, after)
    with pytest.raises(BadSignatureError):
        verify_fal(event, before)


def test_fal_retries_until_it_is_taken(fal: Sim, receiver: Receiver) -> None:
    receiver.answers += [500, 401]
    fal_post(fal, TEXT, text(), receiver.hook("retry"))
    events = receiver.final("retry", 3)
    fal.settle()
    assert len({event.body for event in events}) == 1
    for event in events:
        verify_fal(event, jwks(fal))
    (job,) = fal.jobs
    assert [each["status_code"] for each in job["deliveries"]] == [500, 401, 200]


def test_fal_does_not_follow_a_redirect(fal: Sim, receiver: Receiver) -> None:
    receiver.answers += [302]
    fal_post(fal, TEXT, text(), receiver.hook("moved"))
    receiver.final("moved")
    fal.settle()
    assert [event.path for event in receiver.got] == ["/hooks/moved?token=abc"]


def test_fal_sends_nothing_to_a_plain_http_address_elsewhere(fal: Sim) -> None:
    fal_post(fal, TEXT, text(), "http://hooks.example.com/x")
    fal.settle()
    (delivery,) = fal.jobs[0]["deliveries"]
    assert delivery["error"].startswith("not delivered")


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [("moderation", 422, "content_policy_violation"), ("fail", 503, "runner_disconnected")],
)
def test_fal_failures_in_their_real_form(
    fal: Sim,
    fal_sdk: fal_client.SyncClient,
    receiver: Receiver,
    fault: str,
    status: int,
    kind: str,
) -> None:
    fal.set(rules=[{"match_prompt": "market", "fault": fault}])
    handle = fal_sdk.submit(EDIT, edit(receiver), webhook_url=receiver.hook("bad"))
    (event,) = receiver.final("bad")
    assert event.json["error"] == f"Invalid status code: {status}"
    state = handle.status()
    assert isinstance(state, fal_client.Completed)
    assert state.error_type == kind
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        fal_sdk.result(EDIT, handle.request_id)
    assert caught.value.status_code == status
    body = event.json["payload"]
    assert kind in (body.get("error_type"), body["detail"][0]["type"] if fault != "fail" else None)
    assert fal.jobs[0]["price"] == "0"


def test_fal_detail_may_be_a_string(fal: Sim, receiver: Receiver) -> None:
    fal.faults(moderation=1, detail_string=1)
    fal_post(fal, TEXT, text(), receiver.hook("string"))
    payload = receiver.final("string")[0].json["payload"]
    assert payload == {"detail": "The content was flagged by a content checker."}


@pytest.mark.parametrize(
    ("name", "kind"), [("missing", "file_download_error"), ("cut3.png", "image_load_error")]
)
def test_fal_names_the_reference_that_is_bad(
    fal: Sim, receiver: Receiver, name: str, kind: str
) -> None:
    urls = [*portraits(receiver, 1), f"{receiver.url}/refs/{name}"]
    fal_post(fal, EDIT, edit(receiver, image_urls=urls), receiver.hook("ref"))
    (detail,) = receiver.final("ref")[0].json["payload"]["detail"]
    assert (detail["type"], detail["loc"]) == (kind, ["body", "image_urls", 1])


def test_fal_nsfw_flag_comes_with_a_black_picture(fal: Sim, receiver: Receiver) -> None:
    fal.faults(nsfw_flag=1)
    fal_post(fal, TEXT, text(output_format="png"), receiver.hook("nsfw"))
    payload = receiver.final("nsfw")[0].json["payload"]
    assert payload["has_nsfw_concepts"] == [True]
    assert picture(payload["images"][0]["url"]).getbbox() is None


def test_fal_null_payload_is_a_success_to_be_fetched(
    fal: Sim, fal_sdk: fal_client.SyncClient, receiver: Receiver
) -> None:
    fal.faults(null_payload=1)
    handle = fal_sdk.submit(TEXT, text(), webhook_url=receiver.hook("null"))
    (event,) = receiver.final("null")
    assert (event.json["status"], event.json["payload"]) == ("OK", None)
    assert event.json["payload_error"]
    assert handle.get()["images"]


def test_fal_results_expire(fal: Sim, fal_sdk: fal_client.SyncClient) -> None:
    handle = fal_sdk.submit(TEXT, text())
    url = handle.get()["images"][0]["url"]
    fal.set(retention_seconds=0.001)
    assert fal.http.get(handle.response_url).status_code == 404
    assert picture(url).size == (672, 384)  # files live longer than results


def test_fal_result_is_not_there_before_its_time(fal: Sim) -> None:
    fal.faults(stuck=1)
    answer = fal_post(fal, TEXT, text()).json()
    fal.until(answer["request_id"], "running")
    assert fal.http.get(answer["response_url"]).status_code == 400
    assert fal.http.get(answer["status_url"]).json()["status"] == "IN_PROGRESS"
    assert fal.http.put(answer["cancel_url"]).status_code == 202
    fal.until(answer["request_id"], "canceled")


# --- faults on the way -----------------------------------------------------------------------


def test_dropped_and_doubled_webhooks(fal: Sim, receiver: Receiver) -> None:
    fal.set(
        rules=[
            {"match_prompt": "never", "fault": "drop"},
            {"match_prompt": "twice", "fault": "double"},
        ]
    )
    fal_post(fal, TEXT, text(prompt="never told"), receiver.hook("never"))
    fal_post(fal, TEXT, text(prompt="told twice"), receiver.hook("twice"))
    fal.settle()
    assert [each.path.split("?")[0] for each in receiver.got] == ["/hooks/twice"] * 2
    assert [job["status"] for job in fal.jobs] == ["succeeded", "succeeded"]


def test_delayed_and_reordered_webhooks(fal: Sim, receiver: Receiver) -> None:
    fal.set(
        slots=1,
        delay_seconds=60.0,
        rules=[
            {"match_prompt": "delayed", "fault": "delay"},
            {"match_prompt": "held back", "fault": "reorder"},
        ],
        reorder_max_seconds=10_000,
    )
    for name in ("delayed", "held back", "third"):
        fal_post(fal, TEXT, text(prompt=name), receiver.hook(name.replace(" ", "-")))
    fal.settle()
    order = [event.path.split("?")[0].removeprefix("/hooks/") for event in receiver.got]
    assert order.index("third") < order.index("held-back")
    delayed = fal.jobs[0]
    (event,) = receiver.final("delayed")
    assert event.at - seconds(delayed["completed_at"]) >= 60 / SPEED * 0.95


@pytest.mark.parametrize(
    ("fault", "status"), [("http_429", 429), ("http_5xx", 503), ("refuse_auth", 402)]
)
def test_fal_refusals_at_submit_create_nothing(fal: Sim, fault: str, status: int) -> None:
    fal.set(retry_after=3, refuse_auth_status=402, faults={fault: 1})
    answer = fal_post(fal, TEXT, text())
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == (None if status == 402 else "3")
    assert fal.jobs == []
    fal.set(retry_after=None)
    assert "Retry-After" not in fal_post(fal, TEXT, text()).headers


def test_fal_answer_may_be_lost_though_the_job_runs(fal: Sim, receiver: Receiver) -> None:
    fal.faults(lost_answer=1)
    with pytest.raises(httpx.RemoteProtocolError):
        fal_post(fal, TEXT, text(), receiver.hook("lost"))
    assert receiver.final("lost")[0].json["request_id"] == fal.jobs[0]["id"]
    fal.set(lost_answer_status=502)
    assert fal_post(fal, TEXT, text()).status_code == 502
    assert fal.state["count"] == 2


def test_fal_webhook_may_come_before_the_answer(fal: Sim, receiver: Receiver) -> None:
    fal.faults(early_webhook=1)
    answer = fal_post(fal, TEXT, text(), receiver.hook("early"))
    assert [event.json["request_id"] for event in receiver.got] == [answer.json()["request_id"]]


@pytest.mark.parametrize("kind", ["truncated", "garbage", "html", "empty", "missing"])
def test_broken_pictures(fal: Sim, receiver: Receiver, kind: str) -> None:
    fal.set(broken_image_kind=kind, faults={"broken_image": 1})
    fal_post(fal, TEXT, text(), receiver.hook("broken"))
    url = receiver.final("broken")[0].json["payload"]["images"][0]["url"]
    answer = httpx.get(url)
    assert answer.status_code == (404 if kind == "missing" else 200)
    with pytest.raises(OSError, match=r"truncated|cannot identify"):
        Image.open(io.BytesIO(answer.content)).load()


def test_fal_stale_and_bad_signatures(fal: Sim, receiver: Receiver) -> None:
    fal.set(
        rules=[
            {"match_prompt": "stale", "fault": "stale_timestamp"},
            {"match_prompt": "forged", "fault": "bad_signature"},
        ]
    )
    fal_post(fal, TEXT, text(prompt="stale"), receiver.hook("stale"))
    fal_post(fal, TEXT, text(prompt="forged"), receiver.hook("forged"))
    (stale,) = receiver.final("stale")
    verify_fal(stale, jwks(fal), now=time.time() - 600)
    with pytest.raises(AssertionError, match="stale"):
        verify_fal(stale, jwks(fal))
    (forged,) = receiver.final("forged")
    with pytest.raises(BadSignatureError):
        verify_fal(forged, jwks(fal))


def test_fault_probabilities_hit_the_same_jobs_each_time(fal: Sim) -> None:
    def blocked() -> list[str]:
        fal.set(faults={"moderation": 0.5}, seed=3)
        for number in range(12):
            fal_post(fal, TEXT, text(prompt=f"scene {number}"))
        fal.settle()
        hit = [job["prompt"] for job in fal.jobs if job["status"] == "moderation"]
        fal.http.post("/_control/reset")
        return hit

    first = blocked()
    assert 0 < len(first) < 12
    assert blocked() == first
