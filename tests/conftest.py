"""Fixtures of unit and integration tests."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.fixtures import cloud as clouds
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.world import World

settings.register_profile(
    "storyhook",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("storyhook")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with clouds.running() as running:
        yield running


@pytest.fixture
def world(cloud: Cloud, clock: Clock) -> World:
    return World(cloud, clock)
