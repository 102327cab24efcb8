"""The client and its command on the local cloud, as somebody at a terminal uses them."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import LocalCloud
from local.cloud.places import DEV_PYTHON
from storyhook_client import Storyhook
from tests.e2e.support import Caller, Customer, Json, portrait

STORYHOOK = DEV_PYTHON.parent / "storyhook"
BOARD = """\
title: The lantern
model: flux-2-pro
aspect_ratio: 16:9
characters:
  - id: nora
    name: Nora
    description: girl with curly brown hair
    references:
      - {file: nora.png, role: face}
scenes:
  - description: Nora lights a lantern
    characters: [nora]
    caption: It is late.
  - description: Nora looks out of the window
    characters: [nora]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nora.png").write_bytes(portrait("nora"))
    (tmp_path / "board.yaml").write_text(BOARD)
    return tmp_path


def storyhook(
    cloud: LocalCloud, folder: Path, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    stack = {"STORYHOOK_URL": cloud.api_url, "STORYHOOK_API_KEY": cloud.api_key}
    return subprocess.run(
        [STORYHOOK, *arguments],
        cwd=folder,
        env={**os.environ, **stack},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def as_json(done: "subprocess.CompletedProcess[str]") -> Any:
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_board_file_becomes_pictures(cloud: LocalCloud, customer: Customer, folder: Path) -> None:
    told = customer.url("/told-to-the-command")
    made = storyhook(cloud, folder, "create", "board.yaml", "--watch", "--callback-url", told)
    assert (made.returncode, made.stderr) == (0, "")
    assert "scene-1 succeeded after" in made.stdout
    assert "The lantern: succeeded, 2 scenes, $0.0900" in made.stdout
    [callback] = customer.wait_for("/told-to-the-command")
    board = callback.event["data"]
    assert f"storyhook download {board['id']}" in made.stdout

    shown = as_json(storyhook(cloud, folder, "show", board["id"], "--json"))
    assert [scene["status"] for scene in shown["scenes"]] == ["succeeded", "succeeded"]
    assert [scene["references"][0]["character"] for scene in shown["scenes"]] == ["nora", "nora"]
    nora = as_json(storyhook(cloud, folder, "characters", "show", "nora", "--json"))
    digest = hashlib.sha256((folder / "nora.png").read_bytes()).hexdigest()
    assert [each["sha256"] for each in nora["references"]] == [digest]

    kept = as_json(storyhook(cloud, folder, "download", board["id"], "-o", "out", "--json"))
    for scene in shown["scenes"]:
        data = (folder / kept["pictures"][scene["id"]]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == scene["image"]["sha256"]
    assert json.loads((folder / "out/board.json").read_text())["id"] == board["id"]


def test_a_mistake_names_the_line_of_the_file(cloud: LocalCloud, folder: Path) -> None:
    file = folder / "board.yaml"
    file.write_text(BOARD.replace("caption:", "captain:"))
    refused = storyhook(cloud, folder, "create", "board.yaml")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "board.yaml:13: scenes[0].captain: " in refused.stderr
    assert "Did you mean caption?" in refused.stderr
    file.write_text(BOARD.replace("nora.png", "nobody.png"))
    missing = storyhook(cloud, folder, "create", "board.yaml", "--json")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "board.yaml:9" in json.loads(missing.stderr)["detail"]


def test_a_view_of_a_sheet_becomes_a_reference(cloud: LocalCloud, folder: Path) -> None:
    create = ("characters", "create", "ines", "--name", "Ines", "--description", "black hair")
    assert storyhook(cloud, folder, *create, "--picture", "nora.png").returncode == 0
    sheet = ("characters", "sheet", "ines", "--angle", "back", "--json")
    planned = as_json(storyhook(cloud, folder, *sheet, "--dry-run"))
    made = as_json(storyhook(cloud, folder, *sheet, "--max-cost", planned["cost"]["estimated"]))
    [view] = made["items"]
    ended = as_json(storyhook(cloud, folder, "watch", view["id"], "--json"))
    assert ended["status"] == "succeeded"
    approve = ("characters", "approve", "ines", view["id"], "--json")
    ines = as_json(storyhook(cloud, folder, *approve))
    assert [each["angle"] for each in ines["references"]] == ["front", "back"]
    assert ines["references"][1]["sha256"] == ended["output"]["images"][0]["sha256"]


def test_the_feed_tells_everything_once_and_ends(cloud: LocalCloud) -> None:
    with Storyhook(cloud.api_url, cloud.api_key) as client:
        board = client.storyboards.create(
            {"model": "fal-flux2-pro", "scenes": [{"description": "a harbour"}]}
        )
        told = list(client.storyboards.events(board.id, timeout_seconds=60))
    assert [(event.sequence, event.type) for event in told] == [
        (1, "prediction.completed"),
        (2, "scene.completed"),
        (3, "storyboard.completed"),
    ]


def test_waiting_and_etags_through_the_gateway(caller: Caller) -> None:
    body = {"model": "fal-flux2-pro", "prompt": "a lantern"}
    made: Json = caller.post("/predictions", body).json()
    path = made["urls"]["self"]
    ended = caller.get(f"{path}?wait=20")
    assert ended.json()["status"] == "succeeded"
    same = caller.get(f"{path}", headers={"if-none-match": ended.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    wrong = caller.http.put(caller.cloud.api_url + path)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert wrong.json()["type"].endswith("/problems/method-not-allowed")


def test_the_upload_form_takes_what_it_is_for(caller: Caller) -> None:
    data = portrait("uploaded")
    form = caller.post("/uploads", {"content_type": "image/png", "bytes": len(data)}).json()
    files = {"file": ("a.png", data, "image/png")}
    assert httpx.post(form["url"], data=form["fields"], files=files).status_code == 204
    made = caller.post(
        "/characters",
        {
            "id": "lantern",
            "kind": "prop",
            "name": "Lantern",
            "description": "of brass",
            "references": [{"upload": form["id"]}],
        },
    )
    assert made.status_code == 201, made.text
    [reference] = made.json()["references"]
    assert reference["sha256"] == hashlib.sha256(data).hexdigest()
    assert httpx.get(reference["url"]).content == data
