"""`make up LIVE=1`: with which keys it starts, where they go, and what it deploys."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.cloud import Providers, StartFailed, environments, own_keys
from local.cloud.places import HOME, ROOT
from local.cloud.providers import KEY_VARIABLES, take_keys
from local.cloud.steps import parameters, servers
from tests.fixtures import template

PORTS = {"emulator": 1, "fal": 2, "replicate": 3}
DEFAULTS = {
    name: parameter.get("Default") for name, parameter in template.template()["Parameters"].items()
}


@pytest.mark.parametrize("given", [{}, {"FAL_KEY": "", "REPLICATE_API_TOKEN": "  "}])
def test_without_any_key_nothing_is_started(given: dict[str, str]) -> None:
    name = f"test-without-keys-{os.getpid()}"
    others = {name: os.environ[name] for name in os.environ if name not in KEY_VARIABLES.values()}
    done = subprocess.run(
        # If it starts all the same, it ends itself soon.
        [sys.executable, "-m", "local", "up", "--live", "--name", name, "--max-hours", "0.001"],
        cwd=ROOT,
        env={**others, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith("nothing was started: ")
    assert "set FAL_KEY (fal), REPLICATE_API_TOKEN (Replicate) or both" in sentence
    assert not (HOME / name).exists()


def test_one_key_is_enough_and_what_surrounds_it_is_not_part_of_it() -> None:
    assert own_keys({"FAL_KEY": " key\n", "REPLICATE_API_TOKEN": ""}) == {"fal": "key"}
    assert own_keys({"REPLICATE_API_TOKEN": "r8"}) == {"replicate": "r8"}
    both = {"FAL_KEY": "a", "REPLICATE_API_TOKEN": "b", "OTHER": "c"}
    assert own_keys(both) == {"fal": "a", "replicate": "b"}
    with pytest.raises(StartFailed, match="REPLICATE_API_TOKEN"):
        own_keys({"OTHER": "c"})


def test_only_the_supervisor_is_started_with_the_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("FAL_KEY", "FAL_RUN_HOST", "REPLICATE_API_TOKEN", "REPLICATE_BASE_URL"):
        monkeypatch.setenv(variable, "the user's own")
    others = {
        "emulator": environments.emulator(1, tmp_path),
        "project": environments.project(),
        "sam": environments.sam("http://127.0.0.1:1", tmp_path),
        "supervisor of simulators": environments.supervisor({}),
    }
    for who, environment in others.items():
        assert "the user's own" not in environment.values(), who
    told = environments.supervisor({"fal": "key"})
    assert told["FAL_KEY"] == "key"
    assert "REPLICATE_API_TOKEN" not in told


def test_the_supervisor_takes_the_keys_from_its_childrens_sight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FAL_KEY", "key")
    monkeypatch.delenv("REPLICATE_API_TOKEN", raising=False)
    assert take_keys() == {"fal": "key"}
    assert "FAL_KEY" not in os.environ


def test_live_runs_no_simulator_and_deploys_the_real_providers_without_webhooks() -> None:
    assert servers(Providers.LIVE) == ["emulator"]
    chosen = parameters(Providers.LIVE, {"emulator": 1})
    assert chosen["Webhooks"] == "off"
    effective = {**DEFAULTS, **chosen}
    assert effective["FalQueueUrl"] == "https://queue.fal.run"
    assert effective["ReplicateUrl"] == "https://api.replicate.com"
    assert "fal.media" in effective["ImageHosts"]
    assert "127.0.0.1" not in effective["ImageHosts"]


def test_a_rehearsal_differs_from_live_by_where_the_providers_are() -> None:
    assert servers(Providers.REHEARSED) == servers(Providers.SIMULATED) == list(PORTS)
    live, rehearsed = (parameters(kind, PORTS) for kind in (Providers.LIVE, Providers.REHEARSED))
    assert live.items() <= rehearsed.items()
    places = {"FalQueueUrl", "FalJwksUrl", "ReplicateUrl", "ImageHosts"}
    assert rehearsed.keys() - live.keys() == places
    simulated = parameters(Providers.SIMULATED, PORTS)
    assert rehearsed == {**simulated, "Webhooks": "off"}


def test_the_template_takes_what_is_deployed() -> None:
    allowed = template.template()["Parameters"]["Webhooks"]
    assert (allowed["Default"], allowed["AllowedValues"]) == ("on", ["on", "off"])
    for kind in Providers:
        assert parameters(kind, PORTS).keys() <= DEFAULTS.keys()
