"""What a demo leaves behind: out/demo/ with the pictures, the board and the contact sheet."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from local.demo.panels import Face
from local.demo.problem import DemoFailed
from local.demo.sheet import draw_sheet

Json = dict[str, Any]

BOARD = "board.json"
SHEET = "contact-sheet.png"
_PICTURES = "scene-*.*"
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class Source(Protocol):
    def download(self, url: str) -> bytes:
        """Raises DemoFailed."""


def prepare(folder: Path) -> None:
    """The folder is there, and what an earlier demo left in it is not; raises DemoFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / BOARD).exists():  # else these files may be somebody else's
            for path in [*folder.glob(_PICTURES), folder / SHEET, folder / BOARD]:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise DemoFailed(f"--out {folder}: {error.strerror or error}") from error


def fetch_images(source: Source, board: Json) -> tuple[dict[str, bytes], list[str]]:
    """The pictures by scene id, and what is wrong with those that are not among them."""
    images: dict[str, bytes] = {}
    problems = []
    for scene in board["scenes"]:
        if not (image := scene["image"]):
            continue
        try:
            data = source.download(image["url"])
        except DemoFailed as error:
            problems.append(f"{scene['id']}: {error}")
            continue
        if hashlib.sha256(data).hexdigest() == image["sha256"]:
            images[scene["id"]] = data
        else:
            problems.append(f"{scene['id']}: the file is not the picture that the board names")
    return images, problems


def fetch_faces(source: Source, characters: Sequence[Json]) -> list[Face]:
    """The cast for the contact sheet, from the characters as the API answered them."""
    faces = []
    for character in characters:
        references = character["references"]
        image = source.download(references[0]["url"]) if references else None
        words = [character["description"], character["outfit"]]
        faces.append(Face(character["name"], ", ".join(w for w in words if w), image))
    return faces


def file_name(scene: Mapping[str, Any]) -> str:
    """By position: ids may differ in upper and lower case only."""
    return f"scene-{scene['position']}.{_EXTENSIONS[scene['image']['content_type']]}"


def write(
    folder: Path, board: Json, images: Mapping[str, bytes], faces: Sequence[Face]
) -> list[str]:
    """The names of the files written; raises DemoFailed."""
    names = []
    try:
        text = json.dumps(board, indent=2, ensure_ascii=False)
        (folder / BOARD).write_text(text + "\n", encoding="utf-8")
        for scene in board["scenes"]:
            if scene["id"] in images:
                names.append(file_name(scene))
                (folder / names[-1]).write_bytes(images[scene["id"]])
        draw_sheet(board, images, faces).save(folder / SHEET, compress_level=6)
    except OSError as error:
        raise DemoFailed(f"--out {folder}: {error.strerror or error}") from error
    return [BOARD, SHEET, *names]
