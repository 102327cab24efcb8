"""What `make up LIVE=1` starts, with the simulators in the place of the real providers.

They have no way to reach the stack and are not asked to: no webhook, no presigned URL of our S3.
"""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from local.cloud import LocalCloud, Providers
from local.cloud.places import HOME
from local.cloud.steps import SIMULATORS_KEYS
from tests.e2e.conftest import SPEED
from tests.e2e.support import Caller, Customer, Json, Simulator, introduce

# A check every two to five seconds, a sweep every two, and what a busy machine takes.
SECONDS_AFTER_ITS_END = 10
MODELS = {"fal": "flux-2-pro", "replicate": "rep-flux2-pro"}
UPLOADS = {"fal": "POST /files/upload", "replicate": "POST /v1/files"}


@pytest.fixture(scope="module")
def live() -> Iterator[LocalCloud]:
    settings = {"speed": SPEED, "drawing": "plain"}
    with LocalCloud.start(
        "test-live",
        lambda text: print(text, file=sys.stderr),
        simulators={"fal": settings, "replicate": settings},
        providers=Providers.REHEARSED,
    ) as started:
        yield started


@pytest.fixture(scope="module")
def owner(live: LocalCloud, customer: Customer) -> Iterator[Caller]:
    """Somebody at this laptop, with Elena and Marcus."""
    headers = {"authorization": f"Bearer {live.api_key}"}
    with httpx.Client(headers=headers, timeout=40) as http:
        caller = Caller(live, http)
        introduce(caller, customer)
        yield caller


def simulator(live: LocalCloud, provider: str) -> Simulator:
    return Simulator({"fal": live.fal_url, "replicate": live.replicate_url}[provider])


def board(provider: str) -> Json:
    scenes = [
        {"description": "Elena and Marcus meet", "characters": ["elena", "marcus"]},
        {"description": "Elena finds a map", "characters": ["elena"]},
        {"description": "Marcus laughs", "characters": ["marcus"]},
        {"description": "Marcus and Elena part", "characters": ["marcus", "elena"]},
    ]
    return {"title": "No way in", "model": MODELS[provider], "scenes": scenes}


@pytest.mark.parametrize(
    ("provider", "variable", "parameter"),
    [("fal", "FAL_KEY", "fal-key"), ("replicate", "REPLICATE_API_TOKEN", "replicate-token")],
)
def test_a_provider_without_a_key_is_refused_by_name(
    live: LocalCloud, owner: Caller, provider: str, variable: str, parameter: str
) -> None:
    """First in this file: a function remembers a key for five minutes."""
    ssm, name = live.client("ssm"), f"/storyhook/local/{parameter}"
    ssm.delete_parameter(Name=name)
    try:
        picture = {"model": MODELS[provider], "prompt": "Elena reads", "characters": ["elena"]}
        for path, body in (("/predictions", picture), ("/storyboards", board(provider))):
            answer = owner.post(path, body)
            assert answer.status_code == 503, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "/problems/provider-key-missing"
            assert f"set {variable}" in answer.json()["detail"]
            assert owner.get(path).json()["items"] == []
    finally:
        key = SIMULATORS_KEYS[provider]
        ssm.put_parameter(Name=name, Value=key, Type="SecureString")
    assert simulator(live, provider).count() == 0


@pytest.mark.parametrize("provider", MODELS)
def test_a_board_and_a_picture_arrive_though_nobody_tells(
    live: LocalCloud, owner: Caller, provider: str
) -> None:
    theirs = simulator(live, provider)

    accepted = owner.post("/storyboards", board(provider))
    assert accepted.status_code == 202, accepted.text
    done = owner.finished(accepted.headers["location"])
    assert done["status"] == "succeeded", done
    assert [scene["status"] for scene in done["scenes"]] == ["succeeded"] * 4

    prompt = f"Elena reads by candlelight, {provider}"
    single = {"model": MODELS[provider], "prompt": prompt, "characters": ["elena", "marcus"]}
    accepted = owner.post("/predictions", single)
    assert accepted.json()["provider_id"], accepted.text
    picture = owner.finished(accepted.headers["location"])
    assert picture["status"] == "succeeded", picture

    ours = [row for row in owner.get("/predictions").json()["items"] if row["provider"] == provider]
    jobs = {job["id"]: job for job in theirs.jobs("")}
    assert len(ours) == len(jobs) == 5
    for row in ours:
        job = jobs[row["provider_id"]]
        assert (job["webhook_url"], job["deliveries"]) == (None, [])
        [image] = row["output"]["images"]
        assert len(httpx.get(image["url"]).raise_for_status().content) == image["bytes"]
        took = _at(row["completed_at"]) - _at(job["completed_at"])
        assert 0 <= took <= SECONDS_AFTER_ITS_END, (row["id"], took)
    assert theirs.requests()[UPLOADS[provider]] == 2, "each portrait once, for five pictures"


def test_no_key_is_written_where_people_look(live: LocalCloud) -> None:
    """Last in this file: by now everything has been started, sent, asked and stored."""
    folder = HOME / live.state.name
    looked_at: list[Path] = [*folder.glob("*.log"), *folder.glob("*.json")]
    assert {"emulator.log", "supervisor.log", "ticker.log", "state.json"} <= {
        path.name for path in looked_at
    }
    for path in looked_at:
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not [key for key in SIMULATORS_KEYS.values() if key in text], path


def _at(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
