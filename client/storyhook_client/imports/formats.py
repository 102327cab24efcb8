"""Which format a file is in, and the board that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storyhook_client.boardfile import load as load_board
from storyhook_client.errors import BadFile
from storyhook_client.imports import shot_table, vimax, vistorybench
from storyhook_client.imports.located import read
from storyhook_client.imports.story import Json, Story

FORMATS = ("storyhook", "csv", "vistorybench", "vimax")
DEFAULT_MODEL = "flux-2-pro"


def detect(path: Path) -> str:
    """One of FORMATS, by name and content; raises BadFile for none of them."""
    if vistorybench.is_one(path):
        return "vistorybench"
    if vimax.is_one(path) or path.name == vimax.BOARD:
        return "vimax"
    if path.is_dir():
        raise BadFile(path, f"no {vistorybench.FILE} and no {vimax.CHARACTERS} in it; name a file")
    if path.suffix.lower() in (".csv", ".tsv"):
        return "csv"
    document = read(path).document
    if isinstance(document, dict) and "Shots" in document:
        return "vistorybench"
    return "storyhook"


def load(
    path: Path,
    form: str | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    cast: Path | None = None,
    language: str = "en",
) -> Story:
    """The story as a board; `settings` are fields of the board, and win. Raises BadFile."""
    form = form or detect(path)
    if form == "csv":
        story = shot_table.load(path, cast)
        story.body = {"title": path.stem, **story.body}
    elif form == "vistorybench":
        story = vistorybench.load(path, language)
    elif form == "vimax":
        story = vimax.load(path)
    else:
        story = _own(path)
    given = {name: value for name, value in (settings or {}).items() if value is not None}
    story.body = _ordered({"model": DEFAULT_MODEL, **story.body, **given})
    return story


def _own(path: Path) -> Story:
    board = load_board(path)
    if "scenes" not in board.document:
        raise BadFile(path, "no `scenes`; a board has them", 1)
    folder = path.resolve().parent
    body = dict(board.document)
    if isinstance(body.get("characters"), list):
        body["characters"] = [_anchored(character, folder) for character in body["characters"]]
    return Story(body)


def _anchored(character: Any, folder: Path) -> Any:
    """Its files by their whole paths."""
    if not (isinstance(character, dict) and isinstance(character.get("references"), list)):
        return character
    references = [
        {**reference, "file": str((folder / reference["file"]).resolve())}
        if isinstance(reference, dict) and isinstance(reference.get("file"), str)
        else reference
        for reference in character["references"]
    ]
    return {**character, "references": references}


def _ordered(body: Json) -> Json:
    """As people read it: what it is, then who, then what happens."""
    first, last = ("title", "model"), ("characters", "scenes")
    rest = [name for name in body if name not in (*first, *last)]
    return {name: body[name] for name in (*first, *rest, *last) if name in body}
