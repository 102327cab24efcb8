"""The demo's own parts; the whole of it runs in tests/e2e."""

import colorsys
import io
import json
import re
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops
from rich.console import Console
from standardwebhooks import Webhook

from local.demo import report, results
from local.demo.callbacks import Inbox
from local.demo.cast import with_references
from local.demo.drawing.traits import CLOTH, EYES, HAIR, read_traits
from local.demo.lettering import legible, width_of, wrap
from local.demo.listener import Listener
from local.demo.panels import Face
from local.demo.portraits import SIZE, portrait
from local.demo.problem import DemoFailed, problem_text
from local.demo.sheet import draw_sheet, plan_page
from local.demo.story import load_story
from storyhook.domain.callback_secret import SecretVersion
from storyhook.http.events import parse
from storyhook.http.requests import StoryboardBody
from storyhook.providers.callbacks import CallbackSigner, callback_secret
from storyhook_client import boardfile
from storyhook_client.answers import Character, Cost, Storyboard
from storyhook_client.cli.progress import view
from storyhook_client.cli.words import dollars

Json = dict[str, Any]

STORIES = sorted(Path(__file__).parents[2].joinpath("stories").glob("*.json"))
ELENA = {
    "id": "elena",
    "name": "Elena",
    "description": "young woman with long red hair, green eyes",
    "outfit": "brown leather jacket",
}
MARCUS = {
    "id": "marcus",
    "name": "Marcus",
    "description": "tall man with short black hair, beard",
    "outfit": "blue robes",
}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def png(colour: tuple[int, int, int], size: tuple[int, int] = (224, 128)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def tint(index: int, count: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(index / count, 0.9, 0.9)
    return round(red * 255), round(green * 255), round(blue * 255)


def scene(position: int, status: str = "succeeded", caption: str | None = "They meet.") -> Json:
    image = {"content_type": "image/png", "sha256": "", "url": "http://127.0.0.1/x"}
    done = status == "succeeded"
    error = {"title": "Blocked by the provider's moderation", "detail": "Change the words."}
    return {
        "id": f"scene-{position}",
        "position": position,
        "status": status,
        "caption": caption,
        "description": "Elena and Marcus meet",
        "model": "fal-flux2-pro-edit",
        "seed": 12345,
        "image": image if done else None,
        "cost": {"estimated": "0.0600", "actual": "0.0600" if done else None},
        "metrics": {
            "provider_seconds": 10.0 if done else None,
            "total_seconds": 11.5 if done else None,
        },
        "error": error if status == "blocked" else None,
    }


def board(scenes: Sequence[Json], status: str = "succeeded") -> Storyboard:
    document = {
        "id": "sb_01J",
        "title": "The ancient map",
        "status": status,
        "progress": {"succeeded": sum(s["status"] == "succeeded" for s in scenes)},
        "cost": {"estimated": "0.1800", "actual": "0.1200"},
        "scenes": list(scenes),
        "created_at": "2026-11-22T10:00:00.000Z",
        "completed_at": "2026-11-22T10:00:11.000Z",
    }
    return Storyboard.of(document)


# Portraits


def test_a_portrait_is_a_picture_and_always_the_same() -> None:
    data = portrait(ELENA)
    assert data == portrait(ELENA)
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (SIZE, SIZE))


def test_characters_differ() -> None:
    same_words = {**ELENA, "id": "elena-2"}
    no_outfit = {**MARCUS, "outfit": None}
    assert len({portrait(c) for c in (ELENA, same_words, MARCUS, no_outfit)}) == 4


def test_elena_has_red_hair_and_marcus_wears_blue() -> None:
    def share(data: bytes, near: tuple[int, int, int]) -> float:
        with Image.open(io.BytesIO(data)) as picture:
            small = picture.convert("RGB").resize((128, 128), Image.Resampling.NEAREST)
        far = ImageChops.difference(small, Image.new("RGB", small.size, near))
        close = far.convert("L").point(lambda value: 255 * (value < 20))
        return close.histogram()[255] / 128**2

    elena, marcus = portrait(ELENA), portrait(MARCUS)
    assert share(elena, HAIR["red"]) > 0.08 > 0.01 > share(marcus, HAIR["red"])
    assert share(marcus, CLOTH["blue"]) > 0.12 > 0.01 > share(elena, CLOTH["blue"])


@pytest.mark.parametrize(
    ("description", "outfit", "expected"),
    [
        (ELENA["description"], ELENA["outfit"], {
            "hair": HAIR["red"], "length": "long", "eyes": EYES["green"], "female": True,
            "beard": False, "garment": "jacket", "cloth": CLOTH["brown"], "leather": True}),
        (MARCUS["description"], MARCUS["outfit"], {
            "hair": HAIR["black"], "length": "short", "female": False, "beard": True,
            "tall": True, "garment": "robe", "cloth": CLOTH["blue"]}),
        ("young woman with long red hair, green eyes, wearing a brown leather jacket", "", {
            "hair": HAIR["red"], "garment": "jacket", "cloth": CLOTH["brown"]}),
        ("old man with a long white beard, blue eyes", "", {
            "hair": HAIR["white"], "length": "short", "long_beard": True, "old": True}),
        ("a bald monk with glasses and a scar", "", {
            "length": "bald", "glasses": True, "scar": True, "female": False}),
        ("girl with curly brown hair, dark skin", "", {
            "hair": HAIR["brown"], "curly": True, "child": True, "female": True}),
    ],
)  # fmt: skip
def test_words_become_looks(description: str, outfit: str, expected: Json) -> None:
    traits = read_traits("x", description, outfit)
    assert {name: getattr(traits, name) for name in expected} == expected


@pytest.mark.parametrize(
    "words", ["", "???", "wearing armour", "woman in a dress", "a green cloak"]
)
def test_any_description_can_be_drawn(words: str) -> None:
    assert portrait({"id": "x", "description": words}).startswith(b"\x89PNG")


# Reference images


def test_who_has_no_reference_gets_a_portrait_and_a_file_is_served(tmp_path: Path) -> None:
    served: dict[str, bytes] = {}

    def serve(name: str, data: bytes) -> str:
        served[name] = data
        return f"http://listener/{name}"

    (tmp_path / "marcus.png").write_bytes(png((1, 2, 3)))
    drawn = with_references(ELENA, tmp_path, serve)
    own = with_references({**MARCUS, "reference_image_url": "marcus.png"}, tmp_path, serve)
    far = {**MARCUS, "references": [{"url": "https://example.com/m.png", "role": "face"}]}
    place = {"id": "inn", "name": "The inn", "description": "an inn", "kind": "location"}

    assert drawn["reference_image_url"] == "http://listener/elena.png"
    assert served["elena.png"] == portrait(ELENA)
    assert served[own["reference_image_url"].rpartition("/")[2]] == png((1, 2, 3))
    assert with_references(far, tmp_path, serve) == far
    assert with_references(place, tmp_path, serve) == place


@pytest.mark.parametrize(("name", "words"), [("no.png", "No such file"), ("text.png", "not a PNG")])
def test_a_reference_that_cannot_be_used_is_named(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(DemoFailed, match=words) as raised:
        with_references({**ELENA, "reference_image_url": name}, tmp_path, lambda *_: "")
    assert "elena" in str(raised.value)
    assert name in str(raised.value)


# Stories


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_example_stories_are_right(path: Path) -> None:
    story = load_story(path)
    assert story.characters
    assert all(s["caption"] for s in story.scenes)


def test_the_story_of_the_specification_is_there() -> None:
    story = load_story(STORIES[0], "rep-flux2-pro")
    assert [c["id"] for c in story.characters] == ["elena", "marcus"]
    assert [s["characters"] for s in story.scenes] == [["elena", "marcus"]] * 2 + [["elena"]]
    assert story.board["seed"] == 12345
    assert story.board["model"] == "rep-flux2-pro"
    assert "characters" not in story.board


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON .*line 1, column 2"),
        ("[]", "JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"scenes": []}', "scenes"),
        ('{"scenes": [{"description": "a", "camra": "low"}]}', r"scenes\[0\].camra"),
        ('{"model": "x", "scenes": [{"description": "a"}]}', "no model 'x'"),
        (
            '{"scenes": [{"description": "a"}, {"description": "b", "characters": ["bob"]}]}',
            r"scenes\[1\].characters\[0\].*'bob'",
        ),
    ],
)
def test_a_wrong_story_is_told_with_its_file(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "story.json"
    path.write_text(text)
    with pytest.raises(DemoFailed, match=words) as raised:
        load_story(path)
    assert str(raised.value).startswith(str(path))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b"\xff\xfe")
    for name, words in (("none.json", "No such file"), ("latin.json", "UTF-8"), (".", "directory")):
        with pytest.raises(DemoFailed, match=words):
            load_story(tmp_path / name)


def test_a_problem_of_the_api_is_told_with_its_paths() -> None:
    problem = {
        "title": "A reference image cannot be used",
        "detail": "Send another.",
        "errors": [{"path": "references[0].url", "message": "not an image"}],
    }
    assert problem_text(problem, "characters[1].") == (
        "A reference image cannot be used. Send another.\n"
        "  characters[1].references[0].url: not an image"
    )


# Callbacks

SECRET = callback_secret("master", "key_1")
BODY = json.dumps({"type": "storyboard.completed", "data": {"id": "sb_1", "status": "partial"}})


def signed(secret: str = SECRET, body: str = BODY, at: datetime | None = None) -> dict[str, str]:
    moment = at or datetime.now(UTC)
    return {
        "Webhook-Id": "cb_1",
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("cb_1", moment, body),
    }


def expecting(secret: str = SECRET) -> Inbox:
    inbox = Inbox()
    inbox.expect(secret)
    return inbox


def test_our_own_signature_is_accepted_and_the_callback_found() -> None:
    inbox = expecting()
    signer = CallbackSigner(
        lambda: ["master"], lambda _: SecretVersion(), lambda: datetime.now(UTC)
    )
    headers = signer.sign("key_1", "cb_1", BODY.encode())
    assert inbox.receive(headers, BODY.encode()) == HTTPStatus.NO_CONTENT
    assert inbox.receive(headers, BODY.encode()) == HTTPStatus.NO_CONTENT  # it may come twice
    callback = inbox.wait_for("storyboard.completed", "sb_1", 0)
    assert callback is not None
    assert (callback.id, callback.data["status"]) == ("cb_1", "partial")
    assert inbox.wait_for("storyboard.completed", "sb_2", 0) is None
    assert inbox.refused == 0


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(callback_secret("master", "key_2")), BODY),
        (signed(), BODY.replace("partial", "succeeded")),
        ({**signed(), "Webhook-Signature": "v1,"}, BODY),
        ({**signed(), "Webhook-Signature": "v1,é"}, BODY),
        ({**signed(), "Webhook-Signature": "nonsense"}, BODY),
        ({**signed(), "Webhook-Timestamp": "soon"}, BODY),
        ({name: v for name, v in signed().items() if name != "Webhook-Id"}, BODY),
        (signed(at=datetime.now(UTC) - timedelta(minutes=10)), BODY),
        (signed(body="not json"), "not json"),
        (signed(body="[]"), "[]"),
        (signed(body='{"type": "x", "data": []}'), '{"type": "x", "data": []}'),
    ],
)
def test_everything_else_is_refused(headers: dict[str, str], body: str) -> None:
    inbox = expecting()
    assert inbox.receive(headers, body.encode()) == HTTPStatus.UNAUTHORIZED
    assert inbox.refused == 1
    assert inbox.wait_for("storyboard.completed", "sb_1", 0) is None


def test_nothing_is_accepted_without_a_secret() -> None:
    assert Inbox().receive(signed(), BODY.encode()) == HTTPStatus.UNAUTHORIZED


def test_the_listener_serves_takes_and_ends() -> None:
    inbox = expecting()
    with Listener(inbox.receive) as listener, httpx.Client(trust_env=False) as client:
        image = client.get(listener.serve("elena.png", b"picture"))
        assert (image.content, image.headers["content-type"]) == (b"picture", "image/png")
        assert client.get(f"{listener.url}/etc/passwd").status_code == 404
        assert client.post(f"{listener.url}/other", content=BODY).status_code == 404
        assert client.post(listener.callback_url, content=BODY).status_code == 401
        too_much = client.post(listener.callback_url, content=b"x" * (1024 * 1024 + 1))
        assert too_much.status_code == 413
        answer = client.post(listener.callback_url, content=BODY, headers=signed())
        assert answer.status_code == 204
        assert inbox.wait_for("storyboard.completed", "sb_1", 5) is not None
        port = int(listener.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 2)


# The contact sheet


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 40])
def test_every_picture_is_on_the_sheet_once_and_whole(count: int) -> None:
    scenes = [scene(n) for n in range(1, count + 1)]
    images = {s["id"]: png(tint(n, count)) for n, s in enumerate(scenes)}
    sheet = draw_sheet(board(scenes), images, [Face("Elena", "young woman", None)])
    width, height = plan_page(count, 224 / 128).panel
    seen = {colour: number for number, colour in sheet.getcolors(1 << 24) or []}
    for n in range(count):
        # All but the round corners and the hairline.
        assert width * height * 0.95 < seen[tint(n, count)] <= width * height
    assert 0.5 < sheet.width / sheet.height < 3


def test_a_scene_without_a_picture_has_a_panel_that_says_so() -> None:
    good, bad = scene(1), scene(2, "blocked")
    whole = draw_sheet(board([good, scene(2)]), {f"scene-{n}": png((0, 0, 0)) for n in (1, 2)}, [])
    partial = draw_sheet(board([good, bad], "partial"), {"scene-1": png((0, 0, 0))}, [])
    assert partial.size == whole.size
    # The second panel is neither the picture nor empty paper.
    box = (partial.width // 2 + 60, partial.height // 3, partial.width - 120, partial.height - 200)
    panel = partial.crop(box)
    assert len(panel.getcolors(1 << 24) or []) > 20
    for status in ("queued", "running", "failed", "expired", "canceled"):
        draw_sheet(board([scene(1, status)], "failed"), {}, [])


@pytest.mark.parametrize("shape", [9 / 16, 1, 16 / 9])
@pytest.mark.parametrize("count", [1, 3, 10, 40, 1000])
def test_a_page_has_room_for_all(count: int, shape: float) -> None:
    page = plan_page(count, shape)
    assert page.columns * (page.rows - 1) < count <= page.columns * page.rows
    assert page.panel[0] / page.panel[1] == pytest.approx(shape, rel=0.02)


def test_a_longer_caption_makes_a_higher_sheet_until_it_is_cut() -> None:
    words = "a very long caption that goes on and on "
    heights = [
        draw_sheet(board([scene(1, caption=words * times)]), {"scene-1": png((0, 0, 0))}, []).height
        for times in (1, 4, 40, 90)
    ]
    assert heights[0] < heights[1] < heights[2] == heights[3]


def test_lines_fit_and_hold_every_word() -> None:
    text = "Between its pages: a map that nobody was meant to find, and one more thing."
    lines = wrap(text, 20, 200, 99)
    assert " ".join(lines) == text
    assert all(width_of(line, 20) <= 200 for line in lines)
    cut = wrap(text, 20, 200, 2)
    assert len(cut) == 2
    assert cut[1].endswith("…")
    assert all(width_of(line, 20) <= 200 for line in cut)


def test_a_word_without_end_is_broken() -> None:
    lines = wrap("x" * 300, 20, 200, 99)
    assert "".join(lines) == "x" * 300
    assert all(width_of(line, 20) <= 200 for line in lines)
    assert wrap("", 20, 200, 3) == []


def test_letters_that_the_typeface_lacks_are_replaced() -> None:
    assert legible("Inés — “naïve”\nŁódź · 5 ×") == "Ines - “naive” Lodz · 5 x"
    assert legible("東京 tower") == "?? tower"


# What is left behind


def test_the_files_of_an_earlier_demo_go_and_others_stay(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "scene-1.png").write_text("not a demo's: there is no board beside it")
    results.prepare(mine)
    assert (mine / "scene-1.png").exists()

    out = tmp_path / "out" / "demo"
    results.prepare(out)
    (out / "board.json").write_text("{}")
    picture = out / "scene-1.png"
    picture.write_bytes(png((1, 1, 1)))
    results.write_sheet(out, board([scene(1), scene(2, "failed")]), {"scene-1": picture}, [])
    left = ["board.json", "contact-sheet.png", "scene-1.png"]
    assert sorted(path.name for path in out.iterdir()) == left
    (out / "notes.txt").write_text("somebody's")
    results.prepare(out)
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_the_story_it_leaves_can_be_made_again(tmp_path: Path) -> None:
    story = load_story(STORIES[0])
    image = png((1, 2, 3))
    shown = {"id": "ref_1", "role": "face", "angle": "profile"}
    cast = [
        Character.of({**body, "references": [shown][:n]})
        for n, body in enumerate(story.characters, 0)
    ]
    faces = [Face(each.name, "", image if each.references else None) for each in cast]
    results.write_story(tmp_path, story, cast, faces)
    board = boardfile.load(tmp_path / "story.yaml").document
    first, second = board["characters"]
    assert "references" not in first
    assert second["references"] == [
        {"file": f"cast/{second['id']}.png", "role": "face", "angle": "profile"}
    ]
    assert (tmp_path / second["references"][0]["file"]).read_bytes() == image
    assert board["scenes"] == story.scenes
    assert board["model"] == story.board["model"]
    second["references"] = []  # they are uploaded first
    parse(StoryboardBody, {"body": json.dumps(board)})


def test_what_is_paid_so_far_is_not_what_it_costs() -> None:
    cost = Cost.of({"estimated": "0.1800", "actual": "0.0600"})
    assert dollars(cost, over=False) == "about $0.1800"
    assert dollars(cost, over=True) == "$0.0600"
    assert dollars(Cost.of({"estimated": "0.1800", "actual": None}), over=True) == "-"


# On the terminal


def said(show: Callable[[Console], None], **console: Any) -> str:
    file = io.StringIO()
    # The terminal that the tests run in, which may be dumb, must not matter.
    show(Console(file=file, width=80, _environ={"TERM": "xterm"}, **console))
    return file.getvalue()


def test_without_a_terminal_there_is_one_plain_line_per_change() -> None:
    def show(console: Console) -> None:
        with view(console, {}) as shown:
            shown.show(board([scene(1, "queued"), scene(2, "running")]))
            shown.show(board([scene(1, "queued"), scene(2, "running")]))
            shown.show(board([scene(1, "running"), scene(2)]))

    text = said(show)
    assert not CONTROL.search(text)
    assert [" ".join(line.split()[:2]) for line in text.splitlines()] == [
        "scene-1 queued",
        "scene-2 running",
        "scene-1 running",
        "scene-2 succeeded",
    ]


@pytest.mark.parametrize(("count", "height"), [(3, 30), (40, 24)])
def test_bars_fit_the_terminal(count: int, height: int) -> None:
    statuses = ["succeeded", "running", "queued"]

    def show(console: Console) -> None:
        with view(console, {"fal-flux2-pro-edit": 10.0}) as shown:
            shown.show(board([scene(n, statuses[n % 3]) for n in range(1, count + 1)]))

    text = said(show, force_terminal=True, height=height, color_system=None)
    last = text.split("\x1b[1A")[-1]  # the last time that the bars were drawn
    assert last.count("running") >= min(count // 3, 5)
    assert len(last.splitlines()) <= height


def test_the_table_names_every_scene_and_the_sums_what_it_took() -> None:
    whole = board([scene(1), scene(2, "blocked")], "partial")
    table = said(lambda console: report.print_table(console, whole))
    rows = [line.split() for line in table.splitlines() if line.startswith("scene-")]
    assert rows[0] == [
        *("scene-1", "succeeded", "fal-flux2-pro-edit"),
        *("10.0", "s", "11.5", "s", "$0.0600", "scene-1.png"),
    ]
    assert rows[1] == ["scene-2", "blocked", "fal-flux2-pro-edit", "-", "-", "-", "-"]
    sums = said(lambda console: report.print_sums(console, whole))
    assert "2 scenes, $0.1200" in sums
    assert "11.0 s" in sums
    assert "1.10 x" in sums
    assert report.troubles(whole) == ["scene-2 blocked: Change the words."]
