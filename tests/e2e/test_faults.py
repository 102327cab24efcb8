"""What can go wrong at a provider: nothing is lost, nothing paid twice, one never hurts others."""

import httpx
import pytest
from standardwebhooks import Webhook

from local.cloud import LocalCloud
from tests.e2e.support import Caller, Customer, Json, Simulator, until

pytestmark = pytest.mark.usefixtures("cast")


@pytest.fixture(scope="module", autouse=True)
def _faults(fal: Simulator, replicate: Simulator) -> None:
    """Faults by the words of a prompt, so that tests do not disturb one another."""
    rules = [
        {"match_prompt": "[moderation]", "fault": "moderation"},
        {"match_prompt": "[fail]", "fault": "fail"},
        {"match_prompt": "[drop]", "fault": "drop"},
        {"match_prompt": "[double]", "fault": "double"},
        {"match_prompt": "[lost answer]", "fault": "lost_answer"},
        {"match_prompt": "[early]", "fault": "early_webhook"},
        {"match_prompt": "[forged]", "fault": "bad_signature"},
        {"match_prompt": "[throttled]", "fault": "http_429", "times": 1},
        {"match_prompt": "[down]", "fault": "http_5xx", "times": 1},
        {"match_prompt": "[null]", "fault": "null_payload"},
    ]
    for simulator in (fal, replicate):
        simulator.configure(rules=rules, retry_after=1)


@pytest.fixture(scope="module", params=["flux-2-pro", "rep-flux2-pro"])
def model(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module", autouse=True)
def lost(_faults: None, caller: Caller) -> dict[str, Json]:
    """Boards whose webhooks are all dropped; begun first, since finding them takes a minute."""
    scenes = [{"description": f"[drop] Elena walks, {n}", "characters": ["elena"]} for n in (1, 2)]
    return {
        model: caller.post("/storyboards", {"model": model, "scenes": scenes}).json()
        for model in ("flux-2-pro", "rep-flux2-pro")
    }


def _simulator(model: str, fal: Simulator, replicate: Simulator) -> Simulator:
    return replicate if model.startswith("rep-") else fal


def test_failed_and_blocked_scenes_do_not_take_the_others_down(model: str, caller: Caller) -> None:
    scenes = [
        {"description": "Elena waits", "characters": ["elena"]},
        {"description": "[moderation] Elena waits", "characters": ["elena"]},
        {"description": "[fail] Elena waits", "characters": ["elena"]},
    ]
    answer = caller.post("/storyboards", {"model": model, "scenes": scenes})

    done = caller.finished(answer.headers["location"])

    assert done["status"] == "partial"
    assert done["progress"] == {
        "total": 3, "succeeded": 1, "failed": 1, "blocked": 1, "running": 0
    }  # fmt: skip
    good, blocked, failed = done["scenes"]
    assert good["image"]
    assert good["error"] is None
    assert blocked["status"] == "blocked"
    assert blocked["error"]["type"] == "/problems/blocked-by-moderation"
    assert not blocked["error"]["retryable"]
    assert failed["status"] == "failed"
    assert failed["error"]["detail"]
    assert failed["error"]["retryable"]


def test_a_board_without_one_picture_has_failed_and_says_so(
    model: str, caller: Caller, customer: Customer, secret: str
) -> None:
    path = f"/failed/{model}"
    scenes = [{"description": "[fail] Elena waits", "characters": ["elena"]}] * 2
    answer = caller.post(
        "/storyboards", {"model": model, "scenes": scenes, "callback_url": customer.url(path)}
    )

    assert caller.finished(answer.headers["location"])["status"] == "failed"

    [callback] = customer.wait_for(path)
    assert Webhook(secret).verify(callback.body, callback.headers)["data"]["status"] == "failed"


def test_a_throttled_or_absent_provider_gets_the_prediction_from_the_queue(
    model: str, caller: Caller, fal: Simulator, replicate: Simulator
) -> None:
    for fault in ("throttled", "down"):
        prompt = f"[{fault}] Elena waits, {model}"
        answer = caller.post(
            "/predictions", {"model": model, "prompt": prompt, "characters": ["elena"]}
        )
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "queued"

        done = caller.finished(answer.headers["location"])

        assert done["status"] == "succeeded", done
        assert len(_simulator(model, fal, replicate).jobs(prompt)) == 1


@pytest.mark.parametrize("fault", ["double", "lost answer", "early"])
def test_one_job_and_one_effect_whatever_happens_to_the_messages(
    fault: str, model: str, caller: Caller, customer: Customer, fal: Simulator, replicate: Simulator
) -> None:
    prompt = f"[{fault}] Elena waits, {model}"
    path = f"/{fault.replace(' ', '-')}/{model}"
    answer = caller.post(
        "/predictions",
        {
            "model": model,
            "prompt": prompt,
            "characters": ["elena"],
            "callback_url": customer.url(path),
        },
    )
    assert answer.status_code == 202, answer.text

    assert caller.finished(answer.headers["location"])["status"] == "succeeded"
    customer.wait_for(path)
    simulator = _simulator(model, fal, replicate)
    httpx.get(f"{simulator.url}/_control/idle", timeout=40).raise_for_status()
    assert len(simulator.jobs(prompt)) == 1, "one submit is one POST"
    assert len(customer.at(path)) == 1, "one event, however often the webhook came"


def test_forged_signatures_change_nothing(cloud: LocalCloud, model: str, caller: Caller) -> None:
    answer = caller.post(
        "/predictions",
        {"model": model, "prompt": "[forged] Elena", "characters": ["elena"]},
    ).json()
    simulator = Simulator(cloud.replicate_url if model.startswith("rep-") else cloud.fal_url)
    [job] = until(
        lambda: [j for j in simulator.jobs("[forged]") if j["id"] == answer["provider_id"]],
        lambda jobs: bool(jobs and any(d["status_code"] for d in _completed(jobs[0]))),
        30,
        "a refused delivery",
    )
    assert {delivery["status_code"] for delivery in _completed(job)} == {401}
    assert caller.get(answer["urls"]["self"]).json()["status"] == "running"


def test_a_stranger_at_the_webhook_url_is_turned_away(cloud: LocalCloud, caller: Caller) -> None:
    row = caller.get("/predictions", params={"limit": 1}).json()["items"][0]
    before = _table(cloud)
    for provider in ("fal", "replicate", "nobody"):
        for token in (row["id"] + "." + "A" * 22, row["id"], "x", "%2e%2e", "a" * 3000):
            url = f"{cloud.api_url}/webhooks/{provider}/{token}"
            answer = httpx.post(url, json={"id": row["provider_id"], "status": "succeeded"})
            assert answer.status_code in (401, 404), (url, answer.text)
    big = httpx.post(f"{cloud.api_url}/webhooks/fal/x", content=b"x" * (1024 * 1024 + 1))
    assert big.status_code == 413
    assert _table(cloud) == before


def test_an_ok_without_payload_is_asked_for(caller: Caller) -> None:
    """fal says OK, the job was billed, and the result has to be fetched."""
    answer = caller.post(
        "/predictions", {"model": "flux-2-pro", "prompt": "[null] Elena", "characters": ["elena"]}
    )
    assert caller.finished(answer.headers["location"], 150)["status"] == "succeeded"


def test_callbacks_come_again_after_a_refusal(
    caller: Caller, customer: Customer, secret: str
) -> None:
    customer.answers["/flaky"] = [500]
    answer = caller.post(
        "/predictions",
        {"model": "flux-2-pro", "prompt": "a road", "callback_url": customer.url("/flaky")},
    )
    assert answer.status_code == 202, answer.text

    first, second = customer.wait_for("/flaky", count=2, seconds=60)

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    for each in (first, second):
        Webhook(secret).verify(each.body, each.headers)


def test_lost_webhooks_are_found_by_asking(
    model: str, lost: dict[str, Json], caller: Caller, fal: Simulator, replicate: Simulator
) -> None:
    done = caller.finished(lost[model]["urls"]["self"], seconds=240)

    assert done["status"] == "succeeded", done
    jobs = _simulator(model, fal, replicate).jobs("[drop]")
    assert len(jobs) == 2, "found, not made again"
    assert all(not _completed(job) for job in jobs), "the simulator delivered nothing"


def _completed(job: Json) -> list[Json]:
    return [each for each in job["deliveries"] if each["event"] == "completed"]


def _table(cloud: LocalCloud) -> list[Json]:
    pages = (
        cloud.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=cloud.outputs["TableName"], ConsistentRead=True)
    )
    rows = [row for page in pages for row in page["Items"]]
    return sorted(rows, key=lambda row: (row["pk"]["S"], row["sk"]["S"]))
