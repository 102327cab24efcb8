"""Canceling on the local cloud: in time and too late, one picture and whole boards."""

import time
from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from tests.e2e.support import Caller, Customer, Json, Simulator, until

pytestmark = pytest.mark.usefixtures("cast")

MODELS = ["flux-2-pro", "rep-flux2-pro"]


@pytest.fixture(scope="module", autouse=True)
def _faults(fal: Simulator, replicate: Simulator) -> Iterator[None]:
    """By the words of a prompt: a job without end, one that cannot be stopped, one not taken."""
    rules = [
        {"match_prompt": "[endless]", "fault": "stuck"},
        {"match_prompt": "[unstoppable]", "fault": "cancel_ignored"},
        {"match_prompt": "[busy]", "fault": "http_429"},
    ]
    for simulator in (fal, replicate):
        simulator.configure(rules=rules, retry_after=2)
    yield
    for simulator in (fal, replicate):
        simulator.configure(rules=[], retry_after=None)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def simulator(model: str, fal: Simulator, replicate: Simulator) -> Simulator:
    return replicate if model.startswith("rep-") else fal


def ask(caller: Caller, model: str, prompt: str, **asked: object) -> Json:
    body = {"model": model, "prompt": prompt, "characters": ["elena"], **asked}
    answer = caller.post("/predictions", body)
    assert answer.status_code == 202, answer.text
    accepted: Json = answer.json()
    return accepted


def cancel(caller: Caller, thing: Json) -> Json:
    """As its URL says, without a body; what the answer says is what GET says."""
    answer = caller.http.post(caller.cloud.api_url + thing["urls"]["cancel"])
    shown: Json = answer.json()
    known = shown["status"] not in ("queued", "running")
    assert answer.status_code == (200 if known else 202), answer.text
    return shown


def test_a_prediction_is_canceled_in_time(
    model: str, simulator: Simulator, caller: Caller, customer: Customer, secret: str
) -> None:
    prompt, path = f"[endless] Elena waits for {model}", f"/canceled/{model}"
    asked = ask(caller, model, prompt, callback_url=customer.url(path))
    assert asked["cancellation"] is None

    told = cancel(caller, asked)
    done = caller.finished(asked["urls"]["self"])

    assert told["cancellation"]["requested_at"] == done["cancellation"]["requested_at"]
    assert (done["status"], done["cancellation"]["in_time"]) == ("canceled", True)
    assert done["error"]["type"] == "/problems/canceled"
    assert (done["output"], done["cost"]["actual"]) == (None, None)
    [job] = simulator.jobs(prompt)
    assert (job["status"], job["price"]) == ("canceled", "0")
    [callback] = customer.wait_for(path)
    assert Webhook(secret).verify(callback.body, callback.headers)["data"] == done
    assert cancel(caller, asked) == done


def test_a_prediction_that_waits_is_never_sent(
    model: str, simulator: Simulator, caller: Caller
) -> None:
    prompt = f"[busy] Elena waits for {model}"
    asked = ask(caller, model, prompt)
    assert asked["status"] == "queued"

    told = cancel(caller, asked)

    assert (told["status"], told["cancellation"]["in_time"]) == ("canceled", True)
    time.sleep(4)  # Its message comes again.
    assert simulator.jobs(prompt) == []
    assert caller.get(asked["urls"]["self"]).json() == told


def test_a_picture_that_was_made_all_the_same_is_kept(
    model: str, simulator: Simulator, caller: Caller
) -> None:
    prompt = f"[unstoppable] Elena runs from {model}"
    asked = ask(caller, model, prompt)
    told = cancel(caller, asked)
    assert (told["status"], told["cancellation"]["in_time"]) == ("running", None)

    done = caller.finished(asked["urls"]["self"])

    assert (done["status"], done["cancellation"]["in_time"]) == ("succeeded", False)
    [image] = done["output"]["images"]
    assert caller.http.get(image["url"], headers={"authorization": ""}).status_code == 200
    assert done["cost"]["actual"]
    assert len(simulator.jobs(prompt)) == 1
    again = cancel(caller, asked)
    assert (again["status"], again["cancellation"]) == (done["status"], done["cancellation"])


@pytest.mark.parametrize("kind", ["predictions", "storyboards"])
def test_what_does_not_exist_cannot_be_canceled(kind: str, caller: Caller) -> None:
    answer = caller.http.post(f"{caller.cloud.api_url}/{kind}/nothing/cancel")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/not-found"
    strangers = caller.http.post(
        f"{caller.cloud.api_url}/{kind}/nothing/cancel", headers={"authorization": "Bearer shk_x"}
    )
    assert strangers.status_code == 403


def board(caller: Caller, model: str, prompts: list[str], callback_url: str) -> Json:
    scenes = [{"description": prompt, "characters": ["elena"]} for prompt in prompts]
    body = {"model": model, "scenes": scenes, "callback_url": callback_url}
    answer = caller.post("/storyboards", body)
    assert answer.status_code == 202, answer.text
    accepted: Json = answer.json()
    return accepted


def test_a_board_of_twelve_scenes_is_canceled_midway(
    model: str, simulator: Simulator, caller: Caller, customer: Customer, secret: str
) -> None:
    """Four are made, four are at the provider, four have not been sent."""
    mark, path = f"midway of {model}", f"/midway/{model}"
    words = [*["Elena"] * 4, *["[endless] Elena"] * 4, *["[busy] Elena"] * 4]
    prompts = [f"{text}, scene {n}, {mark}" for n, text in enumerate(words, 1)]
    asked = board(caller, model, prompts, customer.url(path))
    until(
        lambda: (caller.get(asked["urls"]["self"]).json()["progress"], simulator.jobs(mark)),
        lambda seen: seen[0]["succeeded"] == 4 and len(seen[1]) == 8,
        60,
        "four pictures and four that run",
    )

    cancel(caller, asked)
    done = caller.finished(asked["urls"]["self"], seconds=100)

    assert done["status"] == "canceled"
    assert done["cancellation"]["canceled"] == 8
    assert done["progress"] == {
        "total": 12, "succeeded": 4, "failed": 8, "blocked": 0, "running": 0
    }  # fmt: skip
    assert [scene["status"] for scene in done["scenes"]] == ["succeeded"] * 4 + ["canceled"] * 8
    assert all(scene["image"] for scene in done["scenes"][:4])
    assert {scene["cancellation"]["in_time"] for scene in done["scenes"][4:]} == {True}
    [callback] = customer.wait_for(path)
    event = Webhook(secret).verify(callback.body, callback.headers)
    assert (event["type"], event["data"]["status"]) == ("storyboard.completed", "canceled")
    time.sleep(4)  # Messages that wait come again.
    jobs = [job["status"] for job in simulator.jobs(mark)]
    assert sorted(jobs) == ["canceled"] * 4 + ["succeeded"] * 4, "what was sent before, no more"
    _workflow_ends(caller, asked)


def test_a_board_is_canceled_while_it_is_being_sent(
    model: str, simulator: Simulator, caller: Caller, customer: Customer
) -> None:
    mark, path = f"at once of {model}", f"/at-once/{model}"
    prompts = [f"[endless] Elena, scene {n}, {mark}" for n in range(1, 13)]
    asked = board(caller, model, prompts, customer.url(path))
    cancel(caller, asked)

    done = caller.finished(asked["urls"]["self"], seconds=100)

    assert (done["status"], done["cancellation"]["canceled"]) == ("canceled", 12)
    assert {scene["cancellation"]["in_time"] for scene in done["scenes"]} == {True}
    _workflow_ends(caller, asked)
    jobs = simulator.jobs(mark)
    assert len({job["webhook_url"] for job in jobs}) == len(jobs), "each was sent once"
    assert {job["status"] for job in jobs} <= {"canceled"}
    assert len(customer.wait_for(path)) == 1


def _workflow_ends(caller: Caller, board: Json) -> None:
    """Its tasks are resumed, also those that came to wait after their scene was canceled."""
    machine = caller.cloud.outputs["StateMachineArn"]
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{board['id']}"
    until(
        lambda: caller.cloud.client("stepfunctions").describe_execution(executionArn=arn)["status"],
        lambda status: status != "RUNNING",
        60,
        "the end of the workflow",
    )
