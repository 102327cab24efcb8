"""The main job: a story goes in, pictures with the same characters come out, a callback arrives."""

import hashlib
import io
import json

import httpx
import pytest
from PIL import Image
from standardwebhooks import Webhook

from tests.e2e.support import Caller, Customer, Json, Simulator, portrait

pytestmark = pytest.mark.usefixtures("cast")

_IMAGE_DESCRIPTION = 270  # Exif
MODELS = ["flux-2-pro", "rep-flux2-pro"]


def _simulator(model: str, fal: Simulator, replicate: Simulator) -> Simulator:
    return replicate if model.startswith("rep-") else fal


@pytest.mark.parametrize("model", MODELS)
def test_a_prediction_becomes_a_picture_in_our_bucket_and_a_signed_callback(
    model: str,
    caller: Caller,
    customer: Customer,
    fal: Simulator,
    replicate: Simulator,
    secret: str,
) -> None:
    prompt = f"Elena reads a map by candlelight, {model}"
    answer = caller.post(
        "/predictions",
        {
            "model": model,
            "prompt": prompt,
            "characters": ["elena", "marcus"],
            "seed": 12345,
            "callback_url": customer.url(f"/hooks/{model}"),
        },
    )
    assert answer.status_code == 202, answer.text
    accepted = answer.json()
    assert answer.headers["location"] == f"/predictions/{accepted['id']}"
    assert accepted["provider_id"], "the API Lambda itself created it at the provider"

    done = caller.finished(accepted["urls"]["self"])

    assert done["status"] == "succeeded", done
    [image] = done["output"]["images"]
    data = httpx.get(image["url"]).raise_for_status().content
    assert hashlib.sha256(data).hexdigest() == image["sha256"]
    assert Image.open(io.BytesIO(data)).size == (image["width"], image["height"]) == (1344, 768)
    assert done["cost"] == {"estimated": "0.0600", "actual": "0.0600", "max": None}

    [job] = _simulator(model, fal, replicate).jobs(prompt)
    assert job["seed"] == 12345
    # The simulator writes into each picture what it drew it from.
    drawn_from = json.loads(Image.open(io.BytesIO(data)).getexif()[_IMAGE_DESCRIPTION])
    given = [hashlib.sha256(portrait(f"/{name}.png")).hexdigest() for name in ("elena", "marcus")]
    assert drawn_from["references"] == given, "the provider saw both portraits, Elena's first"
    assert "Elena (person from image 1)" in job["prompt"]
    assert "Marcus (person from image 2)" in job["prompt"]

    [callback] = customer.wait_for(f"/hooks/{model}")
    event = Webhook(secret).verify(callback.body, callback.headers)
    assert event["type"] == "prediction.completed"
    assert event["data"]["id"] == accepted["id"]
    assert event["data"]["output"]["images"][0]["sha256"] == image["sha256"]


@pytest.mark.parametrize("model", MODELS)
def test_a_storyboard_runs_side_by_side_and_calls_back(
    model: str, caller: Caller, customer: Customer, secret: str
) -> None:
    board = _board(
        model,
        [
            {"description": "Elena and Marcus meet", "characters": ["elena", "marcus"]},
            {"description": "Elena finds a map", "characters": ["elena"], "caption": "A map!"},
            {"description": "An empty road at dawn"},
        ],
        callback_url=customer.url(f"/boards/{model}"),
        seed=100,
    )
    answer = caller.post("/storyboards", board)
    assert answer.status_code == 202, answer.text
    assert [scene["status"] for scene in answer.json()["scenes"]] == ["queued"] * 3

    done = caller.finished(answer.headers["location"])

    assert done["status"] == "succeeded", done
    assert done["progress"] == {
        "total": 3, "succeeded": 3, "failed": 0, "blocked": 0, "running": 0
    }  # fmt: skip
    assert [scene["seed"] for scene in done["scenes"]] == [100, 1100, 2100]
    shown = [[ref["character"] for ref in scene["references"]] for scene in done["scenes"]]
    assert shown == [["elena", "marcus"], ["elena"], []], "only those on stage"
    assert all(httpx.get(scene["image"]["url"]).status_code == 200 for scene in done["scenes"])
    actual = sum(float(scene["cost"]["actual"]) for scene in done["scenes"])
    assert float(done["cost"]["actual"]) == pytest.approx(actual)

    [callback] = customer.wait_for(f"/boards/{model}")
    event = Webhook(secret).verify(callback.body, callback.headers)
    assert event["type"] == "storyboard.completed"
    assert event["data"]["status"] == "succeeded"
    assert callback.headers["webhook-id"].startswith("cb_")


def test_forty_scenes_all_arrive(caller: Caller) -> None:
    scenes = [{"description": f"Elena walks, step {n}", "characters": ["elena"]} for n in range(40)]
    answer = caller.post("/storyboards", _board("flux-2-pro", scenes))
    assert answer.status_code == 202, answer.text

    done = caller.finished(answer.headers["location"], seconds=150)

    assert done["progress"]["succeeded"] == 40, done["progress"]
    assert [scene["position"] for scene in done["scenes"]] == list(range(1, 41))


def test_lists_show_the_newest_first_and_page_on(caller: Caller) -> None:
    first = caller.get("/predictions", params={"limit": 2}).json()
    second = caller.get("/predictions", params={"limit": 2, "cursor": first["next_cursor"]}).json()

    ids = [row["id"] for row in [*first["items"], *second["items"]]]
    assert len(set(ids)) == 4
    assert ids == sorted(ids, reverse=True)
    assert caller.get("/storyboards").json()["items"][0]["scene_count"] >= 1
    characters = [row["id"] for row in caller.get("/characters").json()["items"]]
    assert characters == sorted(characters)
    assert {"elena", "marcus"} <= set(characters)
    models = {model["id"]: model for model in caller.get("/models").json()["items"]}
    assert "flux-2-pro" in models["fal-flux2-pro-edit"]["aliases"]


def _board(model: str, scenes: list[Json], **more: object) -> Json:
    return {"title": "The ancient map", "model": model, "scenes": scenes, **more}
