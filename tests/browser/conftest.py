"""Fixtures of the tests in a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.chromium import started
from tests.browser.theatre import Theatre, open_theatre


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def theatre(browser: Browser) -> Iterator[Theatre]:
    with open_theatre(browser) as theatre:
        yield theatre


@pytest.fixture
def visitor(theatre: Theatre) -> Iterator[BrowserContext]:
    """Somebody at a desk."""
    with theatre.visitor() as context:
        yield context
