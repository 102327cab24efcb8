"""The Chromium of this machine, driven by Playwright. Nothing is downloaded."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    "These tests need Chromium or Chrome, and there is none. Install it (Debian: apt install "
    "chromium; anywhere: .tools/dev/bin/playwright install --with-deps chromium), or set CHROMIUM "
    "to its program."
)
PATIENCE_MILLISECONDS = 15_000
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


def program(own: str) -> str:
    """Where it is; `own` is where Playwright would have put one."""
    wanted = os.environ.get("CHROMIUM")
    for name in (wanted,) if wanted else (*NAMES, own):
        found = shutil.which(name)
        if found:
            return found
    pytest.fail(MISSING)


@contextmanager
def started() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = program(playwright.chromium.executable_path)
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
