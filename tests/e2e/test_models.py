"""Every model of the catalogue, and every name that people may know it by, on the local cloud."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from local.cloud import LocalCloud
from local.demo.listener import Listener
from local.demo.story import load_story
from local.trial.__main__ import register
from local.trial.cases import Case, Result, Trial, cases, shipped
from tests.e2e.support import Caller, Json
from tests.fixtures import makers

STORY = Path(__file__).parents[2] / "stories" / "ancient-map.json"
MODELS = sorted(makers.MODELS.models)

# Models that can be shown one character only, and the one that can be shown none.
ONE = {
    *("fal-kontext", "fal-kontext-text", "fal-kontext-max", "rep-kontext-pro", "rep-kontext-max"),
    *("fal-ideogram-character", "rep-ideogram-character", "fal-instant-character"),
    *("fal-flux-pulid", "rep-flux-pulid", "fal-uso"),
    *("rep-flux-dev", "rep-flux-11-pro", "rep-flux-dev-lora", "rep-redux-dev"),
}
NONE = {"rep-flux-schnell"}

# A name -> the models that draw the three scenes of the story: two with both people, one with one.
NAMES = {
    "flux-general": "fal-flux-general-ip",
    "fal-ai/flux-general/image-to-image": "fal-flux-general-ip",
    "flux-2-pro": "fal-flux2-pro-edit",
    "fal-ai/flux-2-pro/edit": "fal-flux2-pro-edit",
    "flux-2-turbo": "fal-flux2-turbo-edit",
    "fal-ai/flux-2-dev-turbo": "fal-flux2-turbo-edit",
    "FLUX Schnell": "rep-flux-schnell",
    "black-forest-labs/flux-schnell": "rep-flux-schnell",
    "FLUX Dev": "rep-flux-dev",
    "black-forest-labs/flux-dev": "rep-flux-dev",
    "FLUX 1.1 Pro": "rep-flux-11-pro",
    "black-forest-labs/flux-1.1-pro": "rep-flux-11-pro",
    "lucataco/flux-dev-lora": "rep-flux-dev-lora",
    "xlabs-ai/flux-ip-adapter": "rep-flux2-pro",
}
NOT_THERE = {"fal-ai/flux-2-dev-turbo", "lucataco/flux-dev-lora", "xlabs-ai/flux-ip-adapter"}


@pytest.fixture(scope="module")
def results(cloud: LocalCloud, caller: Caller) -> dict[Case, Result]:
    """What became of each model with 0, 1, 2 and its maximum + 1 references."""
    models = shipped(caller.get("/models").json()["items"])
    wanted = cases(models)
    caller.http.base_url = cloud.api_url
    with Listener(lambda _headers, _body: HTTPStatus.OK) as listener:
        register(caller.http, listener, max(case.people for case in wanted))
    trial = Trial(
        cloud.api_url, cloud.api_key, {"fal": cloud.fal_url, "replicate": cloud.replicate_url}
    )
    return {result.case: result for result in trial.run(wanted)}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_draws_or_refuses(name: str, results: dict[Case, Result]) -> None:
    mine = [result for case, result in results.items() if case.model == name]
    assert {case.people for case in results if case.model == name} >= {0, 1, 2}
    for result in mine:
        assert result.troubles == [], result.case
        people = result.case.people
        refused = (people > 1 and name in ONE) or (people > 0 and name in NONE)
        assert (result.status == "refused") == refused, result.case
        if result.prediction is None:
            assert "take a model that keeps them" in (result.refusal or "")
            continue
        shown = result.prediction["input"]["references"]
        left_out = result.prediction["input"]["left_out"]
        assert len(shown) + len(left_out) == people
        assert (result.job or {})["reference_count"] >= len(shown)


@pytest.fixture(scope="module")
def boards(caller: Caller, cast: list[Json]) -> dict[str, Json]:
    """The story's board under every name, all of them begun before the first is waited for."""
    return {
        name: caller.post("/storyboards", load_story(STORY, name).board).raise_for_status().json()
        for name in NAMES
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_story_is_drawn_under_every_name(
    name: str, boards: dict[str, Json], caller: Caller
) -> None:
    board: dict[str, Any] = caller.finished(boards[name]["urls"]["self"], seconds=120)
    assert board["status"] == "succeeded", board
    assert {scene["model"] for scene in board["scenes"]} == {NAMES[name]}
    warned = " ".join(board["warnings"])
    assert (name in warned or "leads to" in warned) == (name in NOT_THERE)
    if NAMES[name] == "rep-flux-schnell":
        assert "elena is drawn from words alone" in warned
