"""The API's documentation, by hand: an operation is opened and executed."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import DESKTOP, PHONE
from tests.browser.theatre import Theatre
from tests.fixtures import events


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_operation_is_executed(theatre: Theatre, size: Any) -> None:
    with theatre.visitor(viewport=size) as visitor:
        page, outside = visitor.new_page(), []
        visitor.on("request", lambda request: outside.append(request.url))
        page.goto(f"{theatre.door.url}/docs")
        page.get_by_role("button", name="Authorize").click()
        page.get_by_label("auth-bearer-value").fill(events.API_KEY)
        page.get_by_role("button", name="Apply credentials").click()
        page.get_by_role("button", name="Close").click()

        operation = page.locator("#operations-Characters-listCharacters")
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Execute").click()
        answer = operation.locator(".live-responses-table .response").first
        expect(answer.locator(".response-col_status")).to_have_text(re.compile("^200"))
        expect(answer).to_contain_text('"id": "elena"')
        hosts = (f"{theatre.door.url}/", "data:")
        assert [url for url in outside if not url.startswith(hosts)] == []
