"""Chromium, driven by Playwright; `make test` sees to it that there is one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tools.browser import MISSING, program

PATIENCE_MILLISECONDS = 15_000
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


@contextmanager
def started() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Where Playwright would have put its own comes last.
        path = program(playwright.chromium.executable_path)
        if path is None:
            pytest.fail(MISSING)
        browser = playwright.chromium.launch(executable_path=path)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        try:
            yield browser
        finally:
            browser.close()


def serious(page: Page) -> list[dict[str, Any]]:
    """What axe-core finds that keeps somebody from using the page."""
    found = Axe().run(page).response["violations"]
    return [
        {"rule": each["id"], "where": [node["target"] for node in each["nodes"]]}
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def rules_run(page: Page) -> int:
    """How many of axe-core's rules had something to judge, and judged it well."""
    return len(Axe().run(page).response["passes"])
