"""Settings, reset and the life of the simulators' processes."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.simulated.support import (
    DEADLINE,
    ROOT,
    SPEED,
    TEXT,
    Sim,
    fal_post,
    seconds,
    start,
    stop,
    text,
)


@pytest.mark.parametrize(
    "patch",
    [
        {"speed": 0},
        {"no_such": 1},
        {"faults": {"drop": 2}},
        {"faults": {"no_such": 0.1}},
        {"rules": [{"match_prompt": "x", "fault": "no_such"}]},
        {"models": {"a/b": {"input": {}}}},
    ],
)
def test_wrong_settings_change_nothing(fal: Sim, patch: dict[str, Any]) -> None:
    before = fal.http.get("/_control/settings").json()
    answer = fal.http.patch("/_control/settings", json={"delivery_pool": 9, **patch})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"]
    assert fal.http.get("/_control/settings").json() == before


def test_latency_follows_the_settings(fal: Sim) -> None:
    def run_time(endpoint: str, given: dict[str, Any]) -> float:
        answer = fal_post(fal, endpoint, given).json()
        job = fal.until(answer["request_id"], "succeeded")
        return seconds(job["completed_at"]) - seconds(job["started_at"])

    small = text(image_size={"width": 64, "height": 64})
    fal.set(latency_seconds={TEXT: 40.0})
    assert run_time(TEXT, small) >= 40 / SPEED * 0.95
    # The typical 10 s would now take 1000 s.
    fal.set(latency_seconds=0, speed=0.01)
    assert run_time(TEXT, small) < DEADLINE


def test_reset_forgets_jobs_and_settings(fal: Sim) -> None:
    fal.set(slots=0, delivery_pool=1)
    fal_post(fal, TEXT, text())
    fal.http.post("/_control/reset?keep_settings=1")
    assert (fal.state["count"], fal.state["requests"]) == (0, {})
    assert fal.http.get("/_control/settings").json()["delivery_pool"] == 1
    fal.http.post("/_control/reset")
    assert fal.http.get("/_control/settings").json()["delivery_pool"] == 4


def test_a_wrong_settings_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"no_such": 1}')
    command = [sys.executable, "-m", "local.simulators.fal", "--port", "0", "--settings", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 1
    assert "no_such" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("provider", ["fal", "replicate"])
def test_sigterm_stops_cleanly(provider: str, tmp_path: Path) -> None:
    process, url = start(provider)
    try:
        assert httpx.get(f"{url}/_control/health").json()["provider"] == provider
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) in (0, -signal.SIGTERM)
    finally:
        stop(process)


def test_the_time_limit_stops_it() -> None:
    process, _ = start("fal", "--max-seconds", "0.2")
    try:
        assert process.wait(DEADLINE) == 0
    finally:
        stop(process)


def test_the_end_of_the_parent_stops_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process, url = start("replicate", "--parent-pid", str(parent.pid))
    try:
        assert httpx.get(f"{url}/_control/health").status_code == 200
        parent.communicate(b"\n", DEADLINE)
        assert process.wait(DEADLINE) == 0
    finally:
        parent.kill()
        stop(process)
