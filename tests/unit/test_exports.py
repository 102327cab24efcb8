"""Boards as files, read again by others: Pillow, zipfile, PDFium, an XML parser, csv."""

import csv
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as Xml

import pypdfium2
import pytest
from PIL import Image, ImageCms

from storyhook import exports
from storyhook.domain.export import ExportOptions, Format, file_name, options_of
from storyhook.exports import shot_list
from storyhook.exports.pictures import BROKEN
from storyhook.exports.provenance import embed, xmp
from tests.fixtures.pictures import picture

RECORD = {"generator": "Storyhook", "prompt": "Elena & Marcus <meet>", "seed": 7, "model": "m"}
ARABIC, HEBREW, CHINESE = "يلتقيان في السوق", "הם נפגשים בשוק", "他们在市场相遇"
JAPANESE, KOREAN, THAI = "彼らは市場で出会う", "그들은 시장에서 만난다", "พวกเขาพบกันที่ตลาด"
HINDI, TAMIL, TELUGU, KHMER = "वे बाज़ार में", "அவர்கள்", "వారు", "ពួកគេ"
GREEK, RUSSIAN, VIETNAMESE = "Συναντιούνται", "Они встречаются", "Họ gặp nhau"
BLOCKED = {"title": "Blocked by moderation", "detail": "Soften the words."}
FILES = {
    "one.png": ("image/png", picture(320, 180)),
    "two.jpg": ("image/jpeg", picture(320, 180, "JPEG", "navy")),
    "three.webp": ("image/webp", picture(320, 180, "WEBP", "maroon")),
    "broken.png": ("image/png", picture(320, 180)[:40]),
}


def scene(position: int, key: str | None = "one.png", **values: Any) -> dict[str, Any]:
    shown = key and {
        "key": key,
        "content_type": FILES[key][0],
        "width": 320,
        "height": 180,
        "bytes": len(FILES[key][1]),
        "sha256": "ab" * 32,
        "prediction_id": f"pred_{position}",
        "model": "fal-flux2-pro-edit",
        "provider": "fal",
        "endpoint": "fal-ai/flux-2-pro/edit",
        "provider_id": f"job-{position}",
        "prompt": "Elena & Marcus <meet>",
        "seed": 7,
        "references": [{"position": 1, "character": "elena", "sha256": "cd" * 32}],
        "cost": {"estimated": "0.0450", "actual": "0.0450", "currency": "USD"},
        "created_at": "2026-01-01T00:00:00.000Z",
        "completed_at": "2026-01-01T00:01:00.000Z",
    }
    given = {
        "id": f"scene-{position}",
        "position": position,
        "status": "succeeded" if key else "blocked",
        "caption": f"Caption {position}",
        "description": "They meet",
        "setting": "a market",
        "shot": "wide",
        "camera": None,
        "light": None,
        "characters": ["elena", "marcus"],
        "candidates": [f"pred_{position}"],
        "picture": shown,
        "error": None if key else BLOCKED,
    }
    return {**given, **values}


def board(*scenes: dict[str, Any], **values: Any) -> dict[str, Any]:
    given = {
        "manifest_version": 1,
        "storyboard_id": "sb_1",
        "title": "The ancient map",
        "status": "partial",
        "model": "fal-flux2-pro-edit",
        "look": {},
        "character_versions": {"elena": 1},
        "cost": {"estimated": "0.0900", "actual": "0.0900", "currency": "USD"},
        "created_at": "2026-01-01T00:00:00.000Z",
        "completed_at": "2026-01-01T00:02:10.000Z",
        "scenes": list(scenes),
    }
    return {**given, **values}


ALL_KINDS = board(
    scene(1), scene(2, "two.jpg"), scene(3, None), scene(4, "three.webp"), scene(5, "broken.png")
)


def read(key: str) -> bytes:
    return FILES[key][1]


def made(
    tmp_path: Path, form: Format, manifest: Mapping[str, Any] = ALL_KINDS, **options: Any
) -> bytes:
    target = tmp_path / "file"
    chosen = {**options_of(form, ExportOptions()), **options}
    export: Any = SimpleNamespace(id="exp_1", format=form, options=chosen)
    exports.render(manifest, export, read, target)
    return target.read_bytes()


def unzipped(data: bytes) -> zipfile.ZipFile:
    file = zipfile.ZipFile(io.BytesIO(data))
    assert file.testzip() is None
    return file


@pytest.mark.parametrize("form", list(Format))
def test_the_same_board_makes_the_same_bytes(tmp_path: Path, form: Format) -> None:
    assert made(tmp_path, form) == made(tmp_path, form)


# --- provenance ---

EXTENDED = picture(64, 48, "WEBP", "teal", alpha=True)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _with_profile() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "WEBP", icc_profile=PROFILE)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image/png", picture(64, 48)),
        ("image/jpeg", picture(65, 47, "JPEG")),
        ("image/webp", picture(65, 47, "WEBP")),
        ("image/webp", picture(65, 47, "WEBP", "olive", lossless=True)),
        ("image/webp", picture(64, 48, "WEBP", "olive", lossless=True, alpha=True)),
        ("image/webp", EXTENDED),
        ("image/webp", _with_profile()),
    ],
)
def test_a_picture_says_how_it_was_made_and_shows_the_same(kind: str, data: bytes) -> None:
    after = embed(data, kind, RECORD)
    with Image.open(io.BytesIO(data)) as old, Image.open(io.BytesIO(after)) as new:
        assert (old.size, old.mode) == (new.size, new.mode)
        assert old.tobytes() == new.tobytes()
        assert new.info.get("icc_profile") == old.info.get("icc_profile")
        packet = new.info["xmp"]
        if kind == "image/png":
            assert json.loads(new.info["storyhook"]) == RECORD
    root = Xml.fromstring(packet.decode().strip("\0"))
    [text] = root.iter("{urn:storyhook:provenance:1}provenance")
    assert json.loads(text.text or "") == RECORD
    assert b"trainedAlgorithmicMedia" in packet
    # A second time there is one packet still.
    again = embed(after, kind, RECORD)
    assert again.count(b"W5M0MpCehiHzreSzNTczkc9d") == 1


def test_what_does_not_fit_into_a_segment_is_said_more_briefly() -> None:
    long = {**RECORD, "references": ["x" * 70_000]}
    with Image.open(io.BytesIO(embed(picture(kind="JPEG"), "image/jpeg", long))) as image:
        packet = image.info["xmp"]
    assert b"xxx" not in packet
    assert b'"seed":7' in packet.replace(b"&quot;", b'"')
    assert len(xmp(long)) > 65_535


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/webp"])
def test_what_is_no_picture_is_not_touched(kind: str) -> None:
    with pytest.raises(ValueError):
        embed(b"<html>", kind, RECORD)


# --- each format ---


def test_zip(tmp_path: Path) -> None:
    with unzipped(made(tmp_path, Format.ZIP)) as file:
        manifest = json.loads(file.read("manifest.json"))
        assert file.namelist() == [
            *("pictures/0001.png", "pictures/0002.jpg", "pictures/0004.webp"),
            *("manifest.json", "shots.csv"),
        ]
    files = [each["file"] and each["file"]["path"] for each in manifest["scenes"]]
    assert files == ["pictures/0001.png", "pictures/0002.jpg", None, "pictures/0004.webp", None]
    assert manifest["scenes"][2]["missing"] == "Blocked by moderation: Soften the words."
    assert manifest["scenes"][4]["missing"] == BROKEN
    assert "key" not in manifest["scenes"][0]["picture"]


def test_pictures_are_not_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = board(*(scene(n) for n in range(1, 41)))
    large = embed(picture(320, 180), "image/png", {"padding": "x" * 500_000})
    monkeypatch.setitem(FILES, "one.png", ("image/png", large))
    tracemalloc.start()
    try:
        size = len(made(tmp_path, Format.CBZ, many))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The test itself reads the file at the end.
    assert size > 40_000_000
    assert peak < size + 8_000_000


def test_cbz(tmp_path: Path) -> None:
    with unzipped(made(tmp_path, Format.CBZ)) as file:
        info = Xml.fromstring(file.read("ComicInfo.xml"))
        pages = sorted(set(file.namelist()) - {"ComicInfo.xml"})
        assert pages == ["0001.png", "0002.jpg", "0003.png", "0004.webp", "0005.png"]
        for name in pages:
            with Image.open(io.BytesIO(file.read(name))) as image:
                image.load()
                assert image.size == ((1344, 768) if name in pages[2::2] else (320, 180)), name
    assert info.findtext("Title") == "The ancient map"
    assert info.findtext("PageCount") == "5"
    found = [(p.get("Image"), p.get("Bookmark")) for p in info.iter("Page")]
    assert found == [(str(n), f"Caption {n + 1}") for n in range(5)]


def test_epub(tmp_path: Path) -> None:
    """What epubcheck looks at; with notes that hold markup, and an Arabic caption."""
    story = board(*ALL_KINDS["scenes"], scene(6, caption=f"{ARABIC} & <b>\x00"))
    data = made(tmp_path, Format.EPUB, story)
    assert data[30:58] == b"mimetypeapplication/epub+zip", "first, stored, without extras"
    with unzipped(data) as file:
        names = set(file.namelist())
        package = Xml.fromstring(file.read("EPUB/package.opf"))
        items = {i.get("id"): i for i in package.iter("{http://www.idpf.org/2007/opf}item")}
        hrefs = {f"EPUB/{item.get('href')}" for item in items.values()}
        assert hrefs | {"mimetype", "META-INF/container.xml", "EPUB/package.opf"} == names
        kinds = {item.get("media-type") for item in items.values()}
        assert "image/webp" not in kinds, "readers know PNG and JPEG"
        spine = [i.get("idref") for i in package.iter("{http://www.idpf.org/2007/opf}itemref")]
        assert spine == ["title", *(f"page-{n}" for n in range(1, 7))]
        html = "{http://www.w3.org/1999/xhtml}"
        for name in sorted(n for n in names if n.endswith(".xhtml")):
            for image in Xml.fromstring(file.read(name)).iter(f"{html}img"):
                assert image.get("alt") == "They meet. a market"
                assert f"EPUB/{image.get('src')}" in names
        last = file.read("EPUB/scene-0006.xhtml").decode()
        assert f'<figcaption dir="rtl">{ARABIC} &amp; &lt;b&gt;</figcaption>' in last
        assert "Soften the words." in file.read("EPUB/scene-0003.xhtml").decode()


def test_epub_without_notes(tmp_path: Path) -> None:
    with unzipped(made(tmp_path, Format.EPUB, notes=False)) as file:
        assert "Prompt" not in file.read("EPUB/scene-0001.xhtml").decode()


def pages_of(data: bytes) -> list[str]:
    """What can be read on each page: nothing beyond its edges."""
    document = pypdfium2.PdfDocument(data)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def test_pdf(tmp_path: Path) -> None:
    words = " ".join(pages_of(made(tmp_path, Format.PDF))).split()
    text = " ".join(words)
    assert "Blocked by moderation: Soften the words." in text
    assert BROKEN in text
    assert "Prompt: Elena & Marcus <meet>" in text
    assert "5 scenes, 4 pictures · partial · $0.0900 · 2026-01-01" in text
    assert [f"Caption {n}" in text for n in range(1, 6)] == [True] * 5
    bare = " ".join(pages_of(made(tmp_path, Format.PDF, notes=False)))
    assert "Prompt" not in bare


def test_a_caption_longer_than_a_page_goes_on_on_the_next(tmp_path: Path) -> None:
    caption = " ".join(f"word{n}" for n in range(900))
    pages = pages_of(made(tmp_path, Format.PDF, board(scene(1, caption=caption), scene(2))))
    assert len(pages) >= 2
    found = re.findall(r"word(\d+)", " ".join(pages))
    assert found == [str(n) for n in range(900)]


@pytest.mark.parametrize(
    "caption",
    [
        *(CHINESE, JAPANESE, KOREAN, THAI, GREEK, RUSSIAN, VIETNAMESE),
        *(HEBREW, ARABIC, HINDI, TAMIL, TELUGU, KHMER),
    ],
)
def test_captions_are_drawn_in_their_script(tmp_path: Path, caption: str) -> None:
    """No letter is a box: each has a picture in one of the fonts, which are in the file."""
    data = made(tmp_path, Format.PDF, board(scene(1, caption=caption)), notes=False)
    [page] = pages_of(data)
    # What is shaped comes back in another order, and marks with their letters.
    letters = {letter for letter in caption if letter.isalpha()}
    assert len(letters & set(page)) >= len(letters) * 0.6, page
    assert b"/FontFile" in data


def test_contact_sheet(tmp_path: Path) -> None:
    data = made(tmp_path, Format.CONTACT_SHEET)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.width == 2400
        manifest = json.loads(image.info["storyhook"])
        counted: Any = image.getcolors(1 << 24)
        colours = {colour for _, colour in counted}
    assert {(255, 255, 255), (243, 243, 245)} <= colours
    for teal_or_navy in ((0, 128, 128), (0, 0, 128)):
        near = [max(abs(a - b) for a, b in zip(c, teal_or_navy, strict=True)) for c in colours]
        assert min(near) < 4, "as near as a JPEG is"
    assert [each["id"] for each in manifest["scenes"]] == [f"scene-{n}" for n in range(1, 6)]


def test_shot_list(tmp_path: Path) -> None:
    evil = scene(1, caption='=HYPERLINK("http://x")', description="@SUM(1)", setting="-2+3")
    text = made(tmp_path, Format.CSV, board(evil, scene(2, None))).decode("utf-8")
    assert text.startswith("\ufeff")
    first, second = csv.DictReader(io.StringIO(text[1:], newline=""))
    assert first["caption"] == '\'=HYPERLINK("http://x")'
    assert (first["description"], first["setting"]) == ("'@SUM(1)", "'-2+3")
    assert (first["characters"], first["seed"], first["cost_actual"]) == (
        "elena; marcus",
        "7",
        "0.0450",
    )
    assert (second["status"], second["error"]) == (
        "blocked",
        "Blocked by moderation: Soften the words.",
    )
    assert not any(
        cell.startswith(("=", "+", "-", "@"))
        for row in csv.reader(io.StringIO(shot_list.table(board(evil)), newline=""))
        for cell in row
    )


def test_vistorybench(tmp_path: Path) -> None:
    here = "storyhook/fal-flux2-pro-edit/en/20260101_000210/01"
    with unzipped(made(tmp_path, Format.VISTORYBENCH)) as file:
        shots = [f"{here}/shots/shot_0{n}.{'jpg' if n == 2 else 'png'}" for n in range(1, 6)]
        assert file.namelist() == [*shots, f"{here}/manifest.json"]
        with Image.open(io.BytesIO(file.read(shots[3]))) as image:
            assert image.format == "PNG", "its reader knows no WebP"
            assert json.loads(image.info["storyhook"])["prediction_id"] == "pred_4"
    named = board(scene(1, id="shot-03"), scene(2, id="shot-07"), title="17")
    options = {"method": "flux", "mode": "anchored", "language": "ch"}
    with unzipped(made(tmp_path, Format.VISTORYBENCH, named, **options)) as file:
        folder = "flux/anchored/ch/20260101_000210/17"
        assert file.namelist()[:2] == [f"{folder}/shots/shot_0{n}.png" for n in (3, 7)]


def test_the_name_to_save_it_under() -> None:
    assert file_name("Die Brücke – Teil 2", Format.PDF) == "die-brucke-teil-2.pdf"
    assert file_name('"; rm -rf /', Format.ZIP) == "rm-rf.zip"
    assert file_name("地図", Format.CONTACT_SHEET) == "storyboard.png"
