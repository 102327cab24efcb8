"""A board as files, on the local cloud: the queue, the function with its own layer, the bucket."""

import csv
import io
import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree as Xml

import pypdfium2
import pytest
from PIL import Image

from local.cloud import LocalCloud
from storyhook_client import Storyhook
from storyhook_client.answers import Export, Storyboard
from storyhook_client.errors import StoryboardRunning
from tests.e2e.support import Customer

LEA = {"id": "lea", "name": "Lea", "description": "girl with curly brown hair"}
BOARD = {
    "title": "The lantern",
    "model": "flux-2-pro",
    "scenes": [
        {"description": "Lea lights a lantern", "characters": ["lea"], "caption": "It is late."},
        {"description": "Lea looks out of the window", "characters": ["lea"], "caption": "夜だ。"},
    ],
}
FORMATS = ("contact_sheet", "pdf", "cbz", "epub", "csv", "zip", "vistorybench")


@pytest.fixture
def client(cloud: LocalCloud) -> Storyhook:
    return Storyhook(cloud.api_url, cloud.api_key)


def made(client: Storyhook, board: Storyboard, form: str) -> Export:
    done = client.exports.wait(client.exports.create(board.id, form), timeout_seconds=120)
    assert (done.status, done.error) == ("succeeded", None)
    return done


def test_a_board_becomes_every_kind_of_file(
    client: Storyhook, customer: Customer, tmp_path: Path
) -> None:
    lea = {**LEA, "reference_image_url": customer.url("/lea.png")}
    board = client.storyboards.create({**BOARD, "characters": [lea]})
    with pytest.raises(StoryboardRunning):
        client.exports.create(board.id, "zip")
    board = client.storyboards.wait(board.id, timeout_seconds=120)
    assert board.status == "succeeded"

    done = {form: made(client, board, form) for form in FORMATS}
    files = {
        form: client.exports.download(export, tmp_path / form).read_bytes()
        for form, export in done.items()
    }
    assert {export.id for export in client.exports.list(board.id)} == {e.id for e in done.values()}
    assert made(client, board, "pdf").id == done["pdf"].id, "the same wish, the same file"

    with Image.open(io.BytesIO(files["contact_sheet"])) as sheet:
        assert sheet.width == 2400
    document = pypdfium2.PdfDocument(files["pdf"])
    text = document[0].get_textpage().get_text_range()
    assert "It is late." in text
    assert "夜だ。" in text
    _, second = csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"), newline=""))
    assert (second["caption"], second["status"]) == ("夜だ。", "succeeded")
    archives = {
        form: zipfile.ZipFile(io.BytesIO(files[form]))
        for form in ("cbz", "epub", "zip", "vistorybench")
    }
    assert [archive.testzip() for archive in archives.values()] == [None] * 4
    assert Xml.fromstring(archives["cbz"].read("ComicInfo.xml")).findtext("PageCount") == "2"
    manifest = json.loads(archives["zip"].read("manifest.json"))
    for scene, shown in zip(manifest["scenes"], board.scenes, strict=True):
        assert shown.image is not None
        assert scene["picture"]["sha256"] == shown.image.sha256
        assert scene["picture"]["provider_id"]
        [reference] = scene["picture"]["references"]
        assert len(reference["sha256"]) == 64
        with Image.open(io.BytesIO(archives["zip"].read(scene["file"]["path"]))) as image:
            assert json.loads(image.info["storyhook"])["prediction_id"] == shown.chosen
