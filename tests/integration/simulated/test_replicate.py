"""The simulated Replicate, seen through the official client and real webhooks."""

import base64
from typing import Any

import httpx
import pytest
from replicate.client import Client as ReplicateClient
from replicate.exceptions import ReplicateError
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret
from standardwebhooks import Webhook, WebhookVerificationError

from tests.integration.simulated.support import (
    PRO,
    Receiver,
    Sim,
    picture,
    portraits,
    rep_post,
)


def test_replicate_client_creates_and_waits(
    rep: Sim, rep_sdk: ReplicateClient, receiver: Receiver
) -> None:
    given = {
        "prompt": "Elena and Marco in a tavern",
        "input_images": portraits(receiver, 1, 2),
        "aspect_ratio": "16:9",
        "seed": 7,
    }
    created = rep_sdk.models.predictions.create(model=PRO, input=given)
    assert (created.status, created.version) == ("starting", "hidden")
    created.wait()
    assert isinstance(created.output, str)
    image = picture(created.output)
    assert (image.format, image.size) == ("WEBP", (1344, 768))
    assert created.metrics is not None
    assert created.metrics["predict_time"] >= 10
    (job,) = rep.jobs
    assert (job["price"], job["reference_count"], job["seed"]) == ("0.060", 2, 7)


def test_replicate_client_creates_by_version_lists_and_cancels(
    rep: Sim, rep_sdk: ReplicateClient
) -> None:
    rep.set(slots=0)
    first = rep_sdk.predictions.create(version=PRO, input={"prompt": "one"})
    second = rep_sdk.predictions.create(version=PRO, input={"prompt": "two"})
    assert [each.id for each in rep_sdk.predictions.list().results] == [second.id, first.id]
    first.cancel()
    assert first.status == "canceled"
    assert rep_sdk.predictions.get(second.id).status == "starting"
    rep.set(slots=1)
    second.wait()
    assert second.status == "succeeded"
    second.cancel()
    assert second.status == "succeeded"  # it had ended


def test_replicate_list_has_pages(rep: Sim, rep_sdk: ReplicateClient) -> None:
    rep.set(slots=0)
    for _ in range(101):
        rep_post(rep)
    page = rep_sdk.predictions.list()
    assert len(page.results) == 100
    assert page.next is not None
    last = rep_sdk.predictions.list(page.next)
    assert [each.id for each in last.results] == [rep.jobs[0]["id"]]


def test_replicate_webhooks_verify_by_both_libraries(
    rep: Sim, rep_sdk: ReplicateClient, receiver: Receiver
) -> None:
    created = rep_sdk.predictions.create(
        version=PRO,
        input={"prompt": "a castle", "output_format": "png"},
        webhook=receiver.hook("castle"),
        webhook_events_filter=["completed"],
    )
    (final,) = receiver.final("castle")
    rep.settle()
    assert [event.json["status"] for event in receiver.got] == ["starting", "succeeded"]
    secret = rep_sdk.webhooks.default.secret()
    for event in receiver.got:
        Webhook(secret.key).verify(event.body, event.headers)
        Webhooks.validate(headers=event.headers, body=event.body.decode(), secret=secret)
    ours = WebhookSigningSecret(key="whsec_" + base64.b64encode(b"x" * 24).decode())
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(headers=final.headers, body=final.body.decode(), secret=ours)
    fetched = rep.http.get(f"/v1/predictions/{created.id}").json()
    assert final.json == fetched  # the bare object, no envelope
    assert fetched["webhook"] == receiver.hook("castle")
    assert fetched["webhook_events_filter"] == ["completed"]


def test_replicate_events_by_filter(rep: Sim, receiver: Receiver) -> None:
    rep.set(start_events=False)
    rep_post(rep, webhook=receiver.hook("plain"))
    rep.settle()
    assert [event.json["status"] for event in receiver.got] == ["processing", "succeeded"]
    assert receiver.got[0].json["output"] == receiver.got[1].json["output"]


def test_replicate_old_signature_may_come_first(rep: Sim, receiver: Receiver) -> None:
    rep.set(old_signature_first=True)
    rep_post(rep, webhook=receiver.hook("two"))
    (event,) = receiver.final("two")
    assert len(event.headers["webhook-signature"].split(" ")) == 2
    Webhook(rep.http.get("/v1/webhooks/default/secret").json()["key"]).verify(
        event.body, event.headers
    )


def test_replicate_retries_only_the_final_webhook(rep: Sim, receiver: Receiver) -> None:
    receiver.answers += [500, 500]  # the start event, then the first try of the final one
    rep_post(rep, webhook=receiver.hook("again"), webhook_events_filter=["completed"])
    finals = receiver.final("again", 2)
    rep.settle()
    assert [event.json["status"] for event in receiver.got].count("starting") == 1
    assert len({event.headers["webhook-id"] for event in finals}) == 1


def test_replicate_gives_up_after_about_a_minute(rep: Sim, receiver: Receiver) -> None:
    rep.set(speed=1000, start_events=False)
    receiver.answers += [500] * 50
    rep_post(rep, webhook=receiver.hook("down"), webhook_events_filter=["completed"])
    rep.settle()
    assert len(receiver.got) == 7  # the last about 60 s after completion


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "- input: prompt is required"),
        ({"prompt": 5}, "- input.prompt: Invalid type. Expected: string, given: integer"),
        ({"prompt": "x", "seed": "7"},
         "- input.seed: Invalid type. Expected: integer, given: string"),
        ({"prompt": "x", "safety_tolerance": 6},
         "- input.safety_tolerance: Must be less than or equal to 5"),
        ({"prompt": "x", "safety_tolerance": "2"}, "Expected: integer, given: string"),
        ({"prompt": "x", "output_format": "jpeg"}, "- input.output_format: input.output_format"),
        ({"prompt": "x", "width": 1001}, "- input.width: Must be a multiple of 16"),
        ({"prompt": "x", "num_outputs": 2},
         "- input: Additional property num_outputs is not allowed"),
        ({"prompt": "x", "input_images": [f"http://127.0.0.1:1/{n}.png" for n in range(9)]},
         "- input.input_images: Array must have at most 8 items"),
    ],
)  # fmt: skip
def test_replicate_refuses_wrong_input(
    rep: Sim, rep_sdk: ReplicateClient, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ReplicateError) as caught:
        rep_sdk.predictions.create(version=PRO, input=given)
    assert caught.value.status == 422
    assert caught.value.title == "Input validation failed"
    assert words in (caught.value.detail or "")
    assert rep.jobs == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metadata": {"job": 1}}, "Additional property metadata is not allowed"),
        ({"webhook": "http://hooks.example.com/x"}, "webhook: Must be a valid HTTPS URL"),
        ({"webhook_events_filter": ["done"]}, "webhook_events_filter"),
        ({"version": None}, "version is required"),
        ({"version": "lucataco/flux-dev-lora"}, "specified version does not exist"),
        ({"version": "0" * 64}, "specified version does not exist"),
    ],
)
def test_replicate_refuses_wrong_requests(rep: Sim, change: dict[str, Any], words: str) -> None:
    answer = rep_post(rep, **change)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_replicate_refuses_strangers_and_unknown_things(rep: Sim) -> None:
    assert rep.http.get("/v1/predictions/nope").status_code == 404
    body = {"input": {"prompt": "x"}}
    assert rep.http.post("/v1/models/no/such/predictions", json=body).status_code == 404
    rep.http.headers["Authorization"] = "Bearer wrong"
    answer = rep_post(rep)
    assert (answer.status_code, answer.json()["title"]) == (401, "Unauthenticated")


def test_replicate_community_models_need_their_version(rep: Sim) -> None:
    entry = {
        "typical_seconds": 5, "output": "list", "official": False, "version": "ab" * 32,
        "price": {"per_run": "0.010"},
        "input": {
            "prompt": {"type": "string", "required": True},
            "width": {"type": "integer"}, "height": {"type": "integer"},
            "output_format": {"type": "string", "default": "png"},
        },
    }  # fmt: skip
    rep.set(models={"someone/thing": entry})
    given = {"prompt": "x", "width": 320, "height": 256}
    assert rep_post(rep, version="someone/thing", input=given).status_code == 422
    for version in ("ab" * 32, f"someone/thing:{'ab' * 32}"):
        created = rep_post(rep, version=version, input=given).json()
        rep.until(created["id"], "succeeded")
        output = rep.http.get(f"/v1/predictions/{created['id']}").json()["output"]
        assert picture(output[0]).size == (320, 256)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("moderation", "flagged as sensitive. Please try again with different inputs. (E005)"),
        ("nsfw_flag", "NSFW content detected"),
        ("fail", "Prediction interrupted; please retry (code: PA)"),
    ],
)
def test_replicate_failures_in_their_real_form(
    rep: Sim, receiver: Receiver, fault: str, words: str
) -> None:
    rep.set(rules=[{"match_prompt": "forest", "fault": fault}])
    rep_post(rep, webhook=receiver.hook("bad"))
    (event,) = receiver.final("bad")
    assert (event.json["status"], event.json["output"]) == ("failed", None)
    assert words in event.json["error"]


def test_replicate_tells_of_a_reference_it_cannot_download(rep: Sim, receiver: Receiver) -> None:
    given = {"prompt": "x", "input_images": [f"{receiver.url}/refs/missing"]}
    rep_post(rep, input=given, webhook=receiver.hook("ref"))
    error = receiver.final("ref")[0].json["error"]
    assert error.startswith("Failed to download input file")
    assert "404" in error


def test_replicate_deadlines_abort_or_cancel(rep: Sim, receiver: Receiver) -> None:
    rep.set(slots=0)
    body = {"version": PRO, "input": {"prompt": "x"}, "webhook": receiver.hook("late")}
    headers = {"Cancel-After": "5s"}
    early = rep.http.post("/v1/predictions", json=body, headers=headers).json()
    rep.until(early["id"], "aborted")
    rep.settle()
    assert rep.http.get(f"/v1/predictions/{early['id']}").json()["status"] == "aborted"
    assert [event.json["status"] for event in receiver.got] == ["starting"]
    rep.set(slots=1)
    late = rep.http.post("/v1/predictions", json=body, headers=headers).json()
    assert late["deadline"]
    assert receiver.final("late")[0].json["status"] == "canceled"


def test_replicate_removes_data_and_files(rep: Sim, rep_sdk: ReplicateClient) -> None:
    created = rep_sdk.predictions.create(version=PRO, input={"prompt": "x"})
    created.wait()
    rep.set(retention_seconds=0.001)
    after = rep.http.get(f"/v1/predictions/{created.id}").json()
    assert (after["data_removed"], after["output"], after["input"]) == (True, None, {})
    assert after["status"] == "succeeded"
    assert isinstance(created.output, str)
    assert httpx.get(created.output).status_code == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "Your rate limit resets in ~30s."),
        ({"throttle_wording": "expected", "retry_after": 1}, "Expected available in 1 second"),
    ],
)
def test_replicate_throttles_in_both_wordings(rep: Sim, change: dict[str, Any], words: str) -> None:
    rep.set(**change, faults={"http_429": 1})
    answer = rep_post(rep)
    assert answer.status_code == 429
    assert words in answer.json()["detail"]
    assert answer.headers.get("Retry-After") == (None if not change else "1")


def test_replicate_prefer_wait(rep: Sim) -> None:
    headers = {"Prefer": "wait=10"}
    body = {"version": PRO, "input": {"prompt": "x"}}
    done = rep.http.post("/v1/predictions", json=body, headers=headers)
    assert (done.status_code, done.json()["status"]) == (201, "succeeded")
    rep.set(slots=0)
    headers = {"Prefer": "wait=1"}
    assert rep.http.post("/v1/predictions", json=body, headers=headers).status_code == 202


def test_replicate_faults_on_the_way(rep: Sim, receiver: Receiver) -> None:
    rep.set(
        start_events=False,
        rules=[
            {"match_prompt": "twice", "fault": "double"},
            {"match_prompt": "stale", "fault": "stale_timestamp"},
            {"match_prompt": "forged", "fault": "bad_signature"},
        ],
    )
    secret = Webhook(rep.http.get("/v1/webhooks/default/secret").json()["key"])
    for name in ("twice", "stale", "forged"):
        rep_post(
            rep, input={"prompt": name}, webhook=receiver.hook(name),
            webhook_events_filter=["completed"],
        )  # fmt: skip
    rep.settle()
    assert len({event.headers["webhook-id"] for event in receiver.final("twice", 2)}) == 1
    for name, words in (("stale", "too old"), ("forged", "No matching")):
        (event,) = receiver.final(name)
        with pytest.raises(WebhookVerificationError, match=words):
            secret.verify(event.body, event.headers)


def test_replicate_start_event_may_come_after_the_end(rep: Sim, receiver: Receiver) -> None:
    rep.set(faults={"reorder": 1}, reorder_max_seconds=10_000)
    rep_post(rep, webhook=receiver.hook("order"), webhook_events_filter=["completed"])
    rep.settle()
    assert [event.json["status"] for event in receiver.got] == ["succeeded", "starting"]
