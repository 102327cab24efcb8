"""`make smoke`, as an operator runs it against a deployed URL."""

import os
import subprocess
import sys

import pytest

from local.cloud import LocalCloud
from local.cloud.places import ROOT
from tests.e2e.support import Customer, Simulator


def smoke(cloud: LocalCloud, *options: str, key: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tools.smoke", "--url", cloud.api_url, *options]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "STORYHOOK_API_KEY": key or cloud.api_key},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_pays_for_nothing_unless_told(
    cloud: LocalCloud, fal: Simulator, replicate: Simulator
) -> None:
    before = fal.count() + replicate.count()
    done = smoke(cloud)
    assert (done.returncode, done.stderr) == (0, "")
    assert "dry run: one picture of" in done.stdout
    assert "costs about $0.0" in done.stdout
    assert done.stdout.endswith("well.\n")
    refused = smoke(cloud, "--pay")
    assert refused.returncode == 1
    assert "nobody is there to agree to the price" in refused.stderr
    assert fal.count() + replicate.count() == before


def test_one_picture_end_to_end(cloud: LocalCloud, customer: Customer) -> None:
    hook = customer.url("/smoke")
    done = smoke(cloud, "--pay", "--yes", "--callback-url", hook)
    assert done.returncode == 0, done.stderr
    assert "picture: /predictions/pred_" in done.stdout
    assert "callback: delivered, 1 attempt(s)" in done.stdout
    assert len(customer.at("/smoke")) == 1


@pytest.mark.parametrize("hook", ["/smoke-gone"])
def test_what_is_wrong_is_said(cloud: LocalCloud, customer: Customer, hook: str) -> None:
    wrong = smoke(cloud, key="shk_wrong")
    assert wrong.returncode == 1
    assert "is the API key of this stack?" in wrong.stderr
    customer.answers[hook] = [410]
    undelivered = smoke(cloud, "--pay", "--yes", "--callback-url", customer.url(hook))
    assert undelivered.returncode == 1
    assert "was not delivered" in undelivered.stderr
