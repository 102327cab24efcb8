"""A board's page, as whoever has its link sees it."""

import json
import time
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Route, expect

from tests.browser.chromium import DESKTOP, PHONE, rules_run, serious
from tests.browser.theatre import BUCKET_URL, Theatre

SCENES: list[dict[str, Any]] = [
    {
        "caption": "They meet.",
        "description": "Elena finds the map at a market",
        "characters": ["elena"],
    },
    {"description": "Elena walks into the hills", "characters": ["elena"]},
    {"caption": "Home", "description": "A ship under the stars"},
]
MOVES_ON = {"fallback_models": ["rep-flux2-pro"], "fallback_on_block": True}


def opened(visitor: BrowserContext, link: str) -> Page:
    page = visitor.new_page()
    page.goto(link)
    expect(page.locator("#title")).to_be_visible()
    return page


@pytest.fixture
def finished(theatre: Theatre) -> dict[str, Any]:
    """One picture, one that came from the next model, and one that failed."""
    board = theatre.board(SCENES, **MOVES_ON)
    theatre.draw(board, 1)
    theatre.fail(board, 2, blocked=True)
    theatre.story.submit(theatre.newest(board, 2))
    theatre.draw(board, 2)
    for _ in range(2):
        last = theatre.newest(board, 3)
        theatre.fail(board, 3)
        theatre.story.submit(last)
    theatre.end(board)
    return board


def test_progress_arrives_without_a_reload(theatre: Theatre, visitor: BrowserContext) -> None:
    board = theatre.board(SCENES[:2])
    page = opened(visitor, theatre.link(board))
    page.evaluate("window.isTheFirstDocument = true")
    expect(page.locator("#counts")).to_have_text("0 of 2 panels done")
    expect(page.locator("#state")).to_have_text("Being made")
    expect(page.locator(".panel").nth(0)).to_contain_text("Drawing…")

    theatre.draw(board, 1)
    picture = page.get_by_alt_text("Elena finds the map at a market")
    expect(picture).to_have_class("there")
    assert picture.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [1344, 768]
    expect(page.locator("#counts")).to_have_text("1 of 2 panels done")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "1")
    expect(page.get_by_role("status")).to_have_text("1 of 2 panels done")
    expect(page.locator("#costs")).to_contain_text("Paid$0.045")
    assert page.title() == "(1/2) The ancient map"

    theatre.draw(board, 2)
    theatre.end(board)
    expect(page.locator("#state")).to_have_text("Done")
    expect(page.get_by_role("status")).to_contain_text("The storyboard is over: Done.")
    assert page.title() == "The ancient map"
    assert page.evaluate("window.isTheFirstDocument")

    seen = len(theatre.door.seen)
    page.wait_for_timeout(1500)
    assert len(theatre.door.seen) == seen, "nothing is asked of a board that is over"


def test_what_is_asked_of_whom(theatre: Theatre, visitor: BrowserContext) -> None:
    """This API and the bucket, never with the secret in a URL; what is known is not sent again."""
    board, asked = theatre.board(SCENES), []
    begun = len(theatre.door.seen)
    visitor.on("request", lambda request: asked.append(request))
    page = opened(visitor, theatre.link(board))
    theatre.draw(board, 1)
    expect(page.locator("img.there")).to_have_count(1)
    page.wait_for_timeout(4000)
    hosts = (f"{theatre.door.url}/", BUCKET_URL, "data:")
    assert [request.url for request in asked if not request.url.startswith(hosts)] == []
    seen = theatre.door.seen[begun:]
    assert [path for _, path, _ in seen if "shr_" in path] == []
    assert [
        headers["referer"] for _, _, headers in seen if "shr_" in headers.get("referer", "")
    ] == []
    reads = [headers for _, path, headers in seen if path == f"/storyboards/{board['id']}"]
    assert "if-none-match" not in reads[0]
    assert all("if-none-match" in headers for headers in reads[1:])
    assert len(reads) > 1


def test_the_keyboard_reaches_everything(theatre: Theatre, finished: Any) -> None:
    with theatre.visitor() as visitor:
        page = opened(visitor, theatre.link(finished))
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Skip to the panels")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        frames = page.locator(".frame")
        expect(frames.nth(0)).to_be_focused()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="They meet.")
        expect(dialog).to_be_visible()
        assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
        expect(dialog).to_contain_text("Panel 1 of 3")
        page.keyboard.press("ArrowLeft")
        expect(dialog).to_contain_text("Panel 1 of 3")

        page.keyboard.press("ArrowRight")
        dialog = page.get_by_role("dialog", name="Elena walks into the hills")
        expect(dialog).to_contain_text("Panel 2 of 3")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        dialog = page.get_by_role("dialog", name="Home")
        expect(dialog).to_contain_text("Panel 3 of 3")

        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(frames.nth(2)).to_be_focused()


def test_a_panel_tells_how_it_was_made(theatre: Theatre, finished: Any) -> None:
    with theatre.visitor() as visitor:
        page = opened(visitor, theatre.link(finished))
        page.locator(".frame").nth(1).click()
        dialog = page.get_by_role("dialog")
        for text in ("rep-flux2-pro", "1007", "$0.045", "Elena Face, Front", "Exactly one person"):
            expect(dialog).to_contain_text(text)
        expect(dialog.locator("#stage img.there")).to_have_count(1)
        candidates = dialog.locator(".candidate")
        expect(candidates).to_have_count(2)
        expect(candidates.nth(0)).to_contain_text("Blocked by moderation")
        expect(candidates.nth(0).locator("button")).to_be_disabled()
        expect(candidates.nth(1)).to_contain_text("Chosen")
        candidates.nth(1).locator("button").click()
        large = dialog.locator("#stage img")
        expect(large).to_have_attribute("alt", "Candidate 2: Elena walks into the hills")

        dialog.get_by_role("button", name="Next panel").click()
        expect(dialog).to_contain_text("The provider failed")
        expect(dialog).to_contain_text("Replicate: the model broke")
        with page.expect_navigation():
            dialog.get_by_role("link", name="What this means").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The provider failed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nobody_is_kept_out(theatre: Theatre, finished: Any, scheme: Any, size: Any) -> None:
    """By axe-core's rules, in the grid and in an open panel; nothing is wider than the screen."""
    with theatre.visitor(color_scheme=scheme, viewport=size, reduced_motion="reduce") as visitor:
        page = opened(visitor, theatre.link(finished))
        expect(page.locator(".panel img.there")).to_have_count(2)
        assert rules_run(page) > 20
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for number in (2, 3):
            page.locator(".frame").nth(number - 1).click()
            expect(page.locator(".candidate.making")).to_have_count(0)
            assert serious(page) == []
            page.keyboard.press("Escape")


def test_what_keeps_somebody_out_is_found(theatre: Theatre, finished: Any) -> None:
    with theatre.visitor() as visitor:
        page = opened(visitor, theatre.link(finished))
        page.evaluate("document.querySelector('.panel img').removeAttribute('alt')")
        page.evaluate("document.querySelector('#counts').style.color = '#eee'")
        assert [each["rule"] for each in serious(page)] == ["color-contrast", "image-alt"]


EVIL = '<img src=x onerror="window.owned = 1"><script>window.owned = 1</script>'


def test_text_stays_text(theatre: Theatre, visitor: BrowserContext) -> None:
    scene = {"caption": EVIL, "description": f"Fog {EVIL}", "setting": EVIL}
    board = theatre.board([scene], title=f"The map {EVIL}")
    theatre.draw(board, 1)
    page = opened(visitor, theatre.link(board))
    expect(page.locator("#title")).to_have_text(f"The map {EVIL}")
    expect(page.locator(".panel h3")).to_have_text(EVIL)
    page.locator(".frame").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("#closeup-title")).to_have_text(EVIL)
    expect(dialog.locator(".prompt")).to_contain_text(EVIL)
    expect(page.locator("#stage img.there")).to_have_count(1)
    assert page.locator("img[src=x], script:not([type=module])").count() == 0
    assert page.evaluate("window.owned") is None


def test_the_policy_forbids_what_the_page_does_not_do(
    theatre: Theatre, visitor: BrowserContext
) -> None:
    """Should a text ever become HTML, nothing of it would run or load."""
    page = opened(visitor, theatre.link(theatre.board(SCENES[2:])))
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("html => { document.body.innerHTML = html }", EVIL)
    outside = "https://elsewhere.example.com/"
    refused = page.evaluate(
        """url => new Promise((resolve) => {
            const told = (event) => resolve(event.violatedDirective);
            document.addEventListener("securitypolicyviolation", told);
            document.body.append(Object.assign(new Image(), { src: url }));
        })""",
        outside,
    )
    assert refused == "img-src"


def test_a_link_that_has_expired(theatre: Theatre, visitor: BrowserContext) -> None:
    board = theatre.board(SCENES[2:])
    link = theatre.link(board, expires_in_seconds=60)
    theatre.stage.clock.advance(seconds=61)
    page = visitor.new_page()
    page.goto(link)
    expect(page.locator("#word-title")).to_have_text("This link shows nothing")
    expect(page.locator("#word-text")).to_contain_text("expired")
    assert "The ancient map" not in page.content()
    assert serious(page) == []


def test_a_link_that_is_not_complete(theatre: Theatre, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(theatre.link(theatre.board(SCENES[2:])).partition("#")[0])
    expect(page.locator("#word-title")).to_have_text("This link is not complete")


def test_a_link_that_is_revoked_meanwhile(theatre: Theatre, visitor: BrowserContext) -> None:
    board = theatre.board(SCENES[2:])
    page = opened(visitor, theatre.link(board))
    theatre.revoke(board)
    expect(page.get_by_role("alert")).to_contain_text("has expired or was withdrawn")
    expect(page.locator(".panel")).to_have_count(1)


def test_pictures_with_old_urls_are_renewed(theatre: Theatre, finished: Any) -> None:
    link = theatre.link(finished)
    with theatre.visitor() as visitor:
        theatre.pictures_asked.clear()
        theatre.refuse_pictures = 2
        page = opened(visitor, link)
        expect(page.locator(".panel img.there")).to_have_count(2)
        assert len(set(theatre.pictures_asked)) == 4, "each by its old URL and by a new one"


def test_trouble_is_told_and_ends(theatre: Theatre, visitor: BrowserContext) -> None:
    board = theatre.board(SCENES[2:])
    page = opened(visitor, theatre.link(board))
    visitor.route("**/storyboards/*/events?*", lambda route: route.abort())
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text("There is no connection to the server. Trying again in")
    assert serious(page) == []
    visitor.unroute("**/storyboards/*/events?*")
    theatre.draw(board, 1)
    expect(page.locator("img.there")).to_have_count(1)
    expect(trouble).to_have_count(0)


def test_a_server_that_asks_to_wait_is_not_asked(theatre: Theatre, visitor: BrowserContext) -> None:
    asked: list[float] = []

    def busy(route: Route) -> None:
        asked.append(time.monotonic())
        route.fulfill(status=503, headers={"Retry-After": "4"}, body="{}")

    visitor.route("**/storyboards/*/events?*", busy)
    page = opened(visitor, theatre.link(theatre.board(SCENES[2:])))
    expect(page.get_by_role("alert")).to_contain_text("Trying again in 4 s")
    while len(asked) < 2:
        page.wait_for_timeout(200)
    assert asked[1] - asked[0] >= 4


def test_nobody_is_asked_without_a_pause(theatre: Theatre, visitor: BrowserContext) -> None:
    """Also by those whom the server does not let wait."""
    asked: list[float] = []

    def at_once(route: Route) -> None:
        asked.append(time.monotonic())
        route.fulfill(json={"items": [], "next": "x"})

    visitor.route("**/storyboards/*/events?*", at_once)
    page = opened(visitor, theatre.link(theatre.board(SCENES[2:])))
    while len(asked) < 3:
        page.wait_for_timeout(200)
    assert asked[1] - asked[0] >= 2.9
    assert asked[2] - asked[1] >= 2.9


@pytest.fixture
def long_link(theatre: Theatre, visitor: BrowserContext) -> str:
    """A board as its API answers it, with its first panel a thousand times."""
    board = theatre.board(SCENES[2:])
    theatre.draw(board, 1)
    theatre.end(board)

    def thousandfold(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        [scene] = body["scenes"]
        body["scenes"] = [
            {**scene, "id": f"scene-{n}", "position": n, "caption": f"Panel {n}"}
            for n in range(1, 1001)
        ]
        route.fulfill(response=answer, body=json.dumps(body))

    visitor.route(f"**/storyboards/{board['id']}", thousandfold)
    return theatre.link(board)


def test_a_thousand_panels(theatre: Theatre, visitor: BrowserContext, long_link: str) -> None:
    """Only what is near the screen is loaded and laid out; the last is as near as the first."""
    theatre.pictures_asked.clear()
    page = opened(visitor, long_link)
    expect(page.locator(".panel")).to_have_count(1000)
    expect(page.locator("img.there").first).to_be_visible()
    page.wait_for_timeout(1000)
    near = page.locator("img.there").count()
    assert 0 < near < 100
    last = page.locator(".frame").nth(999)
    last.focus()
    expect(page.locator(".panel").nth(999).locator("img.there")).to_have_count(1)
    assert page.locator("img.there").count() < 300
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Panel 1000")).to_contain_text("Panel 1000 of 1000")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("dialog", name="Panel 999")).to_be_visible()


def test_motion_and_print(theatre: Theatre) -> None:
    board = theatre.board(SCENES)
    theatre.draw(board, 1)
    with theatre.visitor(reduced_motion="reduce") as visitor:
        page = opened(visitor, theatre.link(board))
        expect(page.locator("img.there")).to_have_count(1)
        made = page.locator(".making").first
        assert made.evaluate("element => getComputedStyle(element).animationName") == "none"
        page.emulate_media(media="print", color_scheme="light")
        paper = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(paper) == "rgb(255, 255, 255)"
        assert page.pdf().startswith(b"%PDF-")
