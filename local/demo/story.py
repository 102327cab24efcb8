"""A story file: the body of POST /storyboards, with characters, in a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.demo.problem import DemoFailed, problem_text
from storyhook.domain import catalogue
from storyhook.domain.errors import FieldError, InvalidRequest, StoryhookError
from storyhook.http import problems
from storyhook.http.events import parse
from storyhook.http.requests import StoryboardBody

Json = dict[str, Any]

DEFAULT_MODEL = "flux-2-pro"


@dataclass(frozen=True)
class Story:
    folder: Path
    """Paths of reference images count from here."""
    characters: tuple[Json, ...]
    board: Json
    """The request without the characters, which are registered before."""

    @property
    def title(self) -> str:
        return str(self.board.get("title", "Untitled"))

    @property
    def scenes(self) -> list[Json]:
        scenes: list[Json] = self.board["scenes"]
        return scenes


def load_story(path: Path, model: str | None = None) -> Story:
    """The story in `path`, for `model` if one is given; raises DemoFailed.

    The API would find the same mistakes; checked here, they cost no start of a cloud.
    """
    document = _read(path)
    document["model"] = model or document.get("model", DEFAULT_MODEL)
    # A model that cannot be shown everybody draws them from words, and the board warns of it.
    document.setdefault("without_references", "describe")
    try:
        parse(StoryboardBody, {"body": json.dumps(document)})
        catalogue.load().find(document["model"])
        _check_cast(document)
    except StoryhookError as error:
        raise DemoFailed(f"{path}: {problem_text(problems.problem(error))}") from error
    characters = tuple(document.pop("characters", ()))
    return Story(path.resolve().parent, characters, document)


def _read(path: Path) -> Json:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DemoFailed(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DemoFailed(f"{path}: not a text file in UTF-8") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DemoFailed(f"{path}: not JSON ({error.msg}: {where})") from error
    except (ValueError, RecursionError) as error:
        raise DemoFailed(f"{path}: not JSON that can be read") from error
    if not isinstance(document, dict):
        raise DemoFailed(f"{path}: a story is a JSON object with characters and scenes")
    return document


def _check_cast(document: Mapping[str, Any]) -> None:
    known = {character["id"] for character in document.get("characters", ())}
    unknown = tuple(
        FieldError(f"scenes[{n}].characters[{m}]", f"{name!r} is not among the characters")
        for n, scene in enumerate(document["scenes"])
        for m, name in enumerate(scene.get("characters", ()))
        if name not in known
    )
    if unknown:
        raise InvalidRequest("A scene names somebody who is not in the story.", unknown)
