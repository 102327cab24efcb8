"""A working folder of ViMax: characters.json, storyboard.json, and what its later steps have made.

`script2video` works in one folder; `idea2video` has one such folder per scene, `scene_0` and so
on, below one that has the characters.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from storyhook_client.errors import BadFile
from storyhook_client.imports.located import Located, read_json
from storyhook_client.imports.story import (
    Ids,
    Json,
    Story,
    list_at,
    object_at,
    shared_out,
    text_of,
    without_blanks,
)

CHARACTERS, BOARD = "characters.json", "storyboard.json"
PORTRAITS, SHOT = "character_portraits_registry.json", "shot_description.json"
_ANGLES = {"front": "front", "side": "profile", "back": "back"}
_NAME = re.compile(r"<([^<>]+)>")
_SCENE_FOLDER = re.compile(r"scene_(\d+)")


def is_one(path: Path) -> bool:
    return path.is_dir() and (path / CHARACTERS).is_file()


def load(path: Path) -> Story:
    """`path` is the working folder, or its storyboard.json; raises BadFile with the line."""
    folder = path if path.is_dir() else path.parent
    home = folder if (folder / CHARACTERS).is_file() else folder.parent
    if not (home / CHARACTERS).is_file():
        raise BadFile(path, f"no working folder of ViMax: there is no {CHARACTERS}")
    warnings: list[str] = []
    people = _People(read_json(home / CHARACTERS))
    characters = people.bodies(_portraits(folder, home, warnings), warnings)
    scenes = [
        scene
        for prefix, board in _boards(folder)
        for scene in _scenes(prefix, read_json(board), people)
    ]
    title = home.resolve().name.lstrip(".")
    body = [("title", title), ("characters", characters), ("scenes", scenes)]
    return Story(without_blanks(body), warnings)


class _People:
    """The cast by index and by name; who is never visible is not drawn."""

    def __init__(self, source: Located) -> None:
        self._ids = Ids("character")
        self._facts: dict[str, Json] = {}
        self._by_index: dict[int, str] = {}
        for n, entry in enumerate(list_at(source, "", source.document)):
            place = f"[{n}]"
            facts = object_at(source, place, entry)
            name = text_of(source, place, facts, "identifier_in_scene").strip("<>")
            if not name:
                raise source.wrong(place, "the character has no identifier_in_scene")
            static = text_of(source, place, facts, "static_features")
            dynamic = text_of(source, place, facts, "dynamic_features")
            if facts.get("is_visible", True):
                self._facts[name] = {"static": static, "dynamic": dynamic}
                index = facts.get("idx", n)
                self._by_index[index if isinstance(index, int) else n] = self._ids.of(name)

    def bodies(self, portraits: dict[str, list[Json]], warnings: list[str]) -> list[Json]:
        shown = shared_out({name: portraits.get(name, []) for name in self._facts}, warnings)
        return [
            without_blanks(
                [
                    ("id", self._ids.of(name)),
                    ("name", name),
                    # Somebody without looks of his own is described by what he wears, or is called.
                    ("description", facts["static"] or facts["dynamic"] or name),
                    ("outfit", facts["dynamic"] if facts["static"] else ""),
                    ("references", shown[name]),
                ]
            )
            for name, facts in self._facts.items()
        ]

    def by_index(self, index: Any) -> str | None:
        return self._by_index.get(index) if isinstance(index, int) else None

    def in_text(self, text: str) -> list[str]:
        """Those whom a text names in angle brackets, each once."""
        named = (name.strip() for name in _NAME.findall(text))
        return list(dict.fromkeys(self._ids.of(name) for name in named if name in self._facts))


def _boards(folder: Path) -> list[tuple[str, Path]]:
    """The storyboards, each with what its shots' ids begin with."""
    if (folder / BOARD).is_file():
        return [("", folder / BOARD)]
    numbered = [
        (int(match[1]), path)
        for path in folder.iterdir()
        if (match := _SCENE_FOLDER.fullmatch(path.name)) and (path / BOARD).is_file()
    ]
    if not numbered:
        raise BadFile(folder, f"no {BOARD} in it, nor in scene_0, scene_1 and so on")
    return [(f"scene-{number}-", path / BOARD) for number, path in sorted(numbered)]


def _scenes(prefix: str, board: Located, people: _People) -> list[Json]:
    made = []
    for n, entry in enumerate(list_at(board, "", board.document)):
        place = f"[{n}]"
        shot = object_at(board, place, entry)
        seen = text_of(board, place, shot, "visual_desc")
        index = shot.get("idx", n)
        on_stage = people.in_text(seen)
        described = board.path.parent / "shots" / str(index) / SHOT
        if described.is_file():
            seen, on_stage = _first_frame(read_json(described), people)
        if not seen:
            raise board.wrong(f"{place}.visual_desc", "say what is to be seen")
        made.append(
            without_blanks(
                [
                    ("id", f"{prefix}shot-{index}"),
                    ("description", _NAME.sub(r"\1", seen)),
                    ("characters", on_stage),
                ]
            )
        )
    return made


def _first_frame(shot: Located, people: _People) -> tuple[str, list[str]]:
    """A picture shows one moment: that with which the shot begins."""
    facts = object_at(shot, "", shot.document)
    seen = text_of(shot, "", facts, "ff_desc") or text_of(shot, "", facts, "visual_desc")
    indices = list_at(shot, "ff_vis_char_idxs", facts.get("ff_vis_char_idxs", []))
    found = [name for name in map(people.by_index, indices) if name]
    return seen, list(dict.fromkeys(found))


def _portraits(folder: Path, home: Path, warnings: list[str]) -> dict[str, list[Json]]:
    """Reference pictures by name, as far as their files are there."""
    registry = next((p for f in (folder, home) if (p := f / PORTRAITS).is_file()), None)
    if registry is None:
        return {}
    source = read_json(registry)
    found: dict[str, list[Json]] = {}
    for name, views in object_at(source, "", source.document).items():
        found[name.strip("<>")] = references = []
        for view, item in object_at(source, name, views).items():
            place = f"{name}.{view}"
            path = text_of(source, place, object_at(source, place, item), "path")
            picture = _picture(Path(path), registry.parent)
            if picture is None:
                warnings.append(f"{source.wrong(place, f'{path} is not there')}")
                continue
            angle = _ANGLES.get(view, "front")
            references.append({"file": str(picture), "role": "full_body", "angle": angle})
    return found


def _picture(path: Path, folder: Path) -> Path | None:
    """ViMax writes paths from where it was started: then the folder's own end of it counts."""
    parts = path.parts
    tails = [Path(*parts[n:]) for n in range(len(parts))]
    candidates = [path, *(folder / tail for tail in tails if not tail.is_absolute())]
    return next((each.resolve() for each in candidates if each.is_file()), None)
