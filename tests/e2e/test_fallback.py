"""A scene that one provider cannot draw is drawn by the other; the rest of its board is kept."""

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from tests.e2e.support import Caller, Customer, Json, Simulator

pytestmark = pytest.mark.usefixtures("cast")

FIRST, SECOND = "fal-flux2-pro-edit", "rep-flux2-pro"


@pytest.fixture(scope="module", autouse=True)
def _faults(fal: Simulator, replicate: Simulator) -> Iterator[None]:
    """Only fal is in trouble, by the words of a prompt."""
    rules = [
        {"match_prompt": "[broken]", "fault": "fail"},
        {"match_prompt": "[moderation]", "fault": "moderation"},
        {"match_prompt": "[always busy]", "fault": "http_429"},
    ]
    fal.configure(rules=rules, retry_after=10)
    replicate.configure(rules=[])
    yield
    fal.configure(rules=[], retry_after=None)


def board(caller: Caller, *descriptions: str, **asked: object) -> Json:
    """Ask for a board of Elena on fal, with Replicate to fall back to."""
    scenes = [{"description": text, "characters": ["elena"]} for text in descriptions]
    body = {"model": "flux-2-pro", "fallback_models": [SECOND], "scenes": scenes, **asked}
    answer = caller.post("/storyboards", body)
    assert answer.status_code == 202, answer.text
    accepted: Json = answer.json()
    return accepted


@pytest.fixture(scope="module", autouse=True)
def throttled(_faults: None, caller: Caller) -> Json:
    """Begun first: its queue time-out of a minute is full while the other tests run."""
    return board(caller, "[always busy] Elena waits for her turn", queue_timeout_seconds=60)


def predictions(caller: Caller, scene: Json) -> list[Json]:
    return [caller.get(f"/predictions/{row}").json() for row in scene["candidates"]]


def test_a_scene_that_fal_fails_is_drawn_by_replicate(
    caller: Caller, customer: Customer, secret: str, fal: Simulator, replicate: Simulator
) -> None:
    texts = ["Elena finds a map", "[broken] Elena crosses a river", "Elena comes home"]
    accepted = board(caller, *texts, callback_url=customer.url("/fallback"))
    assert [scene["fallbacks"] for scene in accepted["scenes"]] == [[SECOND]] * 3

    done = caller.finished(accepted["urls"]["self"])

    assert (done["status"], done["warnings"]) == ("succeeded", [])
    first, second, third = done["scenes"]
    for scene in (first, third):
        assert (scene["model"], len(scene["candidates"])) == (FIRST, 1)
    assert (second["model"], second["fallbacks"], second["error"]) == (SECOND, [], None)
    old, new = predictions(caller, second)
    assert (old["status"], old["replaces"], old["replaced_by"]) == ("failed", None, new["id"])
    assert (new["status"], new["replaces"], new["replaced_by"]) == ("succeeded", old["id"], None)
    assert (old["provider"], new["provider"]) == ("fal", "replicate")
    assert second["chosen"] == new["id"]
    assert [(len(fal.jobs(text)), len(replicate.jobs(text))) for text in texts] == [
        (1, 0), (1, 1), (1, 0),
    ]  # fmt: skip
    assert done["cost"]["actual"] == "0.1350", "three pictures"
    [callback] = customer.wait_for("/fallback")
    event = Webhook(secret).verify(callback.body, callback.headers)
    assert event["data"]["status"] == "succeeded"
    assert [scene["model"] for scene in event["data"]["scenes"]] == [FIRST, SECOND, FIRST]


@pytest.mark.parametrize("on_block", [False, True])
def test_a_blocked_scene_goes_on_only_if_asked(
    on_block: bool, caller: Caller, fal: Simulator, replicate: Simulator
) -> None:
    text = f"[moderation] Elena waits, {on_block}"
    accepted = board(caller, text, "Elena waits", fallback_on_block=on_block)

    done = caller.finished(accepted["urls"]["self"])

    scene, other = done["scenes"]
    assert other["status"] == "succeeded"
    assert len(fal.jobs(text)) == 1
    assert len(replicate.jobs(text)) == int(on_block)
    if on_block:
        assert (done["status"], scene["model"]) == ("succeeded", SECOND)
        assert predictions(caller, scene)[0]["status"] == "blocked"
    else:
        assert (done["status"], scene["status"]) == ("partial", "blocked")
        assert scene["error"]["type"] == "/problems/blocked-by-moderation"


def test_an_unknown_fallback_costs_nothing(
    caller: Caller, fal: Simulator, replicate: Simulator
) -> None:
    jobs = fal.count(), replicate.count()
    scenes = [{"description": "x"}, {"description": "y", "fallback_models": ["flux-9"]}]
    answer = caller.post(
        "/storyboards", {"model": "flux-2-pro", "fallback_models": ["dall-e"], "scenes": scenes}
    )
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "/problems/unknown-model"
    assert [error["path"] for error in problem["errors"]] == [
        "fallback_models[0]", "scenes[1].fallback_models[0]",
    ]  # fmt: skip
    assert (fal.count(), replicate.count()) == jobs


def test_a_full_queue_time_out_moves_on(
    throttled: Json, caller: Caller, fal: Simulator, replicate: Simulator
) -> None:
    done = caller.finished(throttled["urls"]["self"], seconds=180)

    assert done["status"] == "succeeded", done
    [scene] = done["scenes"]
    old, new = predictions(caller, scene)
    assert old["status"] == "expired"
    assert old["error"]["type"] == "/problems/provider-throttled"
    assert old["error"]["provider_code"] == "concurrent_requests_limit"
    assert "Its last answer: fal: Concurrent requests limit reached" in old["error"]["detail"]
    assert new["status"] == "succeeded"
    assert (scene["model"], scene["chosen"]) == (SECOND, new["id"])
    assert fal.jobs("[always busy]") == []
    assert len(replicate.jobs("[always busy]")) == 1
