"""A board's page on the local cloud: behind API Gateway, with the bucket's own URLs."""

import pytest
from playwright.sync_api import expect

from local.cloud import LocalCloud
from tests.browser.chromium import started
from tests.e2e.support import Caller

PATIENCE_MILLISECONDS = 60_000


@pytest.mark.usefixtures("cast")
def test_a_board_is_watched_by_its_link(cloud: LocalCloud, caller: Caller) -> None:
    scenes = [
        {"description": f"Elena opens the {which} door", "characters": ["elena"]}
        for which in ("first", "second")
    ]
    board = caller.post("/storyboards", {"model": "flux-2-pro", "scenes": scenes}).json()
    link = caller.post(f"/storyboards/{board['id']}/share", {}).json()["url"]
    assert link.startswith(f"{cloud.api_url}/")
    with started() as browser, browser.new_context() as visitor:
        failed: list[str] = []
        visitor.on("requestfailed", lambda request: failed.append(request.url))
        visitor.on("weberror", lambda error: failed.append(str(error.error)))
        page = visitor.new_page()
        page.goto(link)
        page.evaluate("window.isTheFirstDocument = true")
        expect(page.locator("#state")).to_have_text("Done", timeout=PATIENCE_MILLISECONDS)
        pictures = page.locator(".panel img.there")
        expect(pictures).to_have_count(2)
        assert all(picture.evaluate("img => img.naturalWidth") for picture in pictures.all())
        page.locator(".frame").first.click()
        expect(page.get_by_role("dialog")).to_contain_text("fal-flux2-pro-edit")
        assert page.evaluate("window.isTheFirstDocument")
        assert failed == []
