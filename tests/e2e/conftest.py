"""One local cloud for all end-to-end tests, ten times as fast as the real providers."""

import sys
from collections.abc import Iterator

import httpx
import pytest

from local.cloud import LocalCloud
from tests.e2e.support import Caller, Customer, Json, Simulator, introduce

SPEED = 10.0


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    settings = {"speed": SPEED, "drawing": "plain"}
    with LocalCloud.start(
        "test",
        lambda text: print(text, file=sys.stderr),
        simulators={"fal": settings, "replicate": settings},
    ) as started:
        yield started


@pytest.fixture(scope="session")
def customer() -> Iterator[Customer]:
    with Customer() as server:
        yield server


@pytest.fixture(scope="session")
def caller(cloud: LocalCloud) -> Iterator[Caller]:
    headers = {"authorization": f"Bearer {cloud.api_key}"}
    with httpx.Client(headers=headers, timeout=40) as http:
        yield Caller(cloud, http)


@pytest.fixture(scope="session")
def fal(cloud: LocalCloud) -> Simulator:
    return Simulator(cloud.fal_url)


@pytest.fixture(scope="session")
def replicate(cloud: LocalCloud) -> Simulator:
    return Simulator(cloud.replicate_url)


@pytest.fixture(scope="session")
def secret(cloud: LocalCloud) -> str:
    return cloud.callback_secret


@pytest.fixture(scope="session")
def cast(caller: Caller, customer: Customer) -> list[Json]:
    return introduce(caller, customer)
