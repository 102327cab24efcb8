"""A story of ViStoryBench: `story.json`, and `image/<character>/` with reference pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storyhook_client.errors import BadFile
from storyhook_client.imports.located import Located, read_json
from storyhook_client.imports.story import (
    MAX_SHORT_CHARACTERS,
    Ids,
    Json,
    Story,
    list_at,
    object_at,
    pictures_in,
    shared_out,
    text_at,
    text_of,
    without_blanks,
)

FILE = "story.json"
LANGUAGES = ("en", "ch")
_SHOT_FIELDS = (
    *("Setting Description", "Plot Correspondence", "Characters Appearing"),
    *("Static Shot Description", "Shot Perspective Design"),
)


def is_one(path: Path) -> bool:
    return path.is_dir() and (path / FILE).is_file()


def load(path: Path, language: str = "en") -> Story:
    """`path` is the story's folder or its story.json; raises BadFile with the line."""
    file = path / FILE if path.is_dir() else path
    story = read_json(file)
    document = object_at(story, "", story.document)
    for name in ("Characters", "Shots"):
        if name not in document:
            raise BadFile(file, f"no story of ViStoryBench: it has no {name!r}", 1)
    warnings: list[str] = []
    ids = Ids("character")
    characters = _characters(story, ids, language, warnings)
    scenes = [
        _scene(story, f"Shots[{n}]", shot, ids, language, warnings)
        for n, shot in enumerate(list_at(story, "Shots", document["Shots"]))
    ]
    title = file.resolve().parent.name
    body = [("title", title), ("characters", characters), ("scenes", scenes)]
    return Story(without_blanks(body), warnings)


def _characters(story: Located, ids: Ids, language: str, warnings: list[str]) -> list[Json]:
    people = object_at(story, "Characters", story.document["Characters"])
    folder = story.path.resolve().parent / "image"
    pictures = {
        name: [{"file": str(path)} for path in pictures_in(folder / name)] for name in people
    }
    shown = shared_out(pictures, warnings)
    made = []
    for name, person in people.items():
        place = f"Characters.{name}"
        facts = object_at(story, place, person)
        description = text_of(story, place, facts, f"prompt_{language}")
        if not description:
            raise story.wrong(place, f"it has no prompt_{language}")
        if not shown[name]:
            warnings.append(f"{name}: no pictures in {folder / name}")
        made.append(
            without_blanks(
                [
                    ("id", ids.of(name.strip())),
                    ("name", text_of(story, place, facts, f"name_{language}") or name),
                    ("description", description),
                    ("references", shown[name]),
                ]
            )
        )
    return made


def _scene(
    story: Located, place: str, shot: Any, ids: Ids, language: str, warnings: list[str]
) -> Json:
    facts = object_at(story, place, shot)
    texts = {name: _said(story, place, facts, name, language) for name in _SHOT_FIELDS}
    plot, seen = texts["Plot Correspondence"], texts["Static Shot Description"]
    plot, seen = text_at(story, place, plot), text_at(story, place, seen)
    if not (seen or plot):
        raise story.wrong(place, "neither a Static Shot Description nor a Plot Correspondence")
    shot_size, camera = _perspective(text_at(story, place, texts["Shot Perspective Design"]))
    on_stage = [
        text_at(story, place, name)
        # Keys are English, whatever the language.
        for name in list_at(story, place, _said(story, place, facts, "Characters Appearing", "en"))
    ]
    known = {name.strip() for name in story.document["Characters"]}
    strangers = [name for name in on_stage if name not in known]
    warnings += [str(story.wrong(place, f"{n!r} is not among the Characters")) for n in strangers]
    number = facts.get("index")
    return without_blanks(
        [
            ("id", f"shot-{number:02}" if isinstance(number, int) else None),
            ("description", seen or plot),
            ("characters", list(dict.fromkeys(ids.of(n) for n in on_stage if n in known))),
            ("setting", text_at(story, place, texts["Setting Description"])),
            ("shot", shot_size),
            ("camera", camera),
            ("caption", plot),
        ]
    )


def _said(story: Located, place: str, facts: Json, name: str, language: str) -> Any:
    if name not in facts:
        raise story.wrong(place, f"the shot has no {name!r}")
    said = object_at(story, f"{place}.{name}", facts[name])
    if language not in said:
        raise story.wrong(f"{place}.{name}", f"it is not there in the language {language!r}")
    return said[language]


def _perspective(text: str) -> tuple[str, str]:
    """`Medium shot, eye level shot`: the size of the shot, and how the camera looks."""
    comma = min((at for at in map(text.find, ",，") if at >= 0), default=len(text))
    size, camera = text[:comma].strip(), text[comma + 1 :].strip()
    return size[:MAX_SHORT_CHARACTERS], camera[:MAX_SHORT_CHARACTERS]
