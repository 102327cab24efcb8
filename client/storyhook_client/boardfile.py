"""Board files: the body of POST /storyboards in JSON or YAML, with pictures as files beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from storyhook_client.errors import BadFile
from storyhook_client.imports.located import Located, read
from storyhook_client.resources.others import Uploads

Json = dict[str, Any]

FILE = "file"


def load(path: Path) -> Located:
    """Raises BadFile; only what the client itself needs is checked, the rest is the API's."""
    board = read(path)
    if not isinstance(board.document, dict):
        raise BadFile(path, "a board is an object with `model` and `scenes`", 1)
    return board


def dump(body: Mapping[str, Any], path: Path) -> str:
    """The text of a board file, in JSON or YAML by the file's name."""
    if path.suffix.lower() in (".yaml", ".yml"):
        # Quoted as YAML 1.1 needs it too, so that every reader reads the same.
        return yaml.safe_dump(dict(body), sort_keys=False, allow_unicode=True, width=100)
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def with_uploads(board: Located, uploads: Uploads) -> Json:
    """The body, with each reference's `file` uploaded, once, and named by its upload instead.

    Paths count from the board file's folder. Raises BadFile with the reference's line.
    """
    done: dict[Path, str] = {}
    body: Json = dict(board.document)
    characters = body.get("characters")
    if not isinstance(characters, list):
        return body
    body["characters"] = [
        _character(board, uploads, done, f"characters[{n}]", character)
        for n, character in enumerate(characters)
    ]
    return body


def _character(
    board: Located, uploads: Uploads, done: dict[Path, str], place: str, character: Any
) -> Any:
    references = character.get("references") if isinstance(character, dict) else None
    if not isinstance(references, list):
        return character
    return {
        **character,
        "references": [
            _reference(board, uploads, done, f"{place}.references[{n}].{FILE}", reference)
            for n, reference in enumerate(references)
        ],
    }


def _reference(
    board: Located, uploads: Uploads, done: dict[Path, str], place: str, reference: Any
) -> Any:
    if not (isinstance(reference, dict) and isinstance(reference.get(FILE), str)):
        return reference
    path = (board.path.parent / reference[FILE]).resolve()
    if path not in done:
        try:
            done[path] = uploads.send(path).id
        except BadFile as error:
            raise board.wrong(place, str(error)) from error
    kept = {name: value for name, value in reference.items() if name != FILE}
    return {**kept, "upload": done[path]}
