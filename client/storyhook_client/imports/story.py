"""What every format becomes: the body of a board, and what to know about it."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storyhook_client.imports.located import Located

Json = dict[str, Any]

MAX_SHORT_CHARACTERS = 200
MAX_REFERENCES = 32
"""Of all characters that come with one board."""
MAX_REFERENCES_PER_CHARACTER = 16
_MAX_ID = 64
_PICTURES = {".png", ".jpg", ".jpeg", ".webp"}


@dataclass
class Story:
    """`warnings` are things of the source that the board does not have. Files are absolute."""

    body: Json
    warnings: list[str] = field(default_factory=list)

    def seen_from(self, folder: Path) -> Json:
        """The body for a board file in `folder`, from which its pictures' paths count."""
        characters = [_moved(character, folder) for character in self.body.get("characters", ())]
        return {**self.body, **({"characters": characters} if characters else {})}


class Ids:
    """Ids made of names: letters, digits, `-` and `_`, each once."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._of: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The same id for the same name."""
        if name not in self._of:
            plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
            wanted = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:_MAX_ID]
            self._of[name] = self._free(wanted or f"{self._kind}-{len(self._of) + 1}")
        return self._of[name]

    def _free(self, wanted: str) -> str:
        taken, number, made = set(self._of.values()), 1, wanted
        while made in taken:
            number += 1
            made = f"{wanted[: _MAX_ID - 5]}-{number}"
        return made


def text_at(story: Located, place: str, value: Any) -> str:
    """A text, maybe empty; raises BadFile with the line of anything else."""
    if not isinstance(value, str):
        raise story.wrong(place, "a text is expected here")
    return value.strip()


def text_of(story: Located, place: str, facts: Json, name: str) -> str:
    """The text of a field, empty where it is missing or null; raises BadFile with its line."""
    value = facts.get(name)
    return "" if value is None else text_at(story, f"{place}.{name}" if place else name, value)


def object_at(story: Located, place: str, value: Any) -> Json:
    if not isinstance(value, dict):
        raise story.wrong(place, "an object is expected here")
    return value


def list_at(story: Located, place: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise story.wrong(place, "a list is expected here")
    return value


def pictures_in(folder: Path) -> list[Path]:
    """In the order of their names."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES)
    return sorted(path for path in found if path.is_file())


def shared_out(wanted: dict[str, list[Json]], warnings: list[str]) -> dict[str, list[Json]]:
    """As many references as one board may bring: everyone's first before any second."""
    kept: dict[str, list[Json]] = {name: [] for name in wanted}
    left = MAX_REFERENCES
    for number in range(MAX_REFERENCES_PER_CHARACTER):
        for name, references in wanted.items():
            if number < len(references) and left:
                kept[name].append(references[number])
                left -= 1
    dropped = sum(map(len, wanted.values())) - sum(map(len, kept.values()))
    if dropped:
        warnings.append(
            f"{dropped} pictures are left out: a board brings {MAX_REFERENCES}, and a character "
            f"{MAX_REFERENCES_PER_CHARACTER}; add others with `storyhook characters upload`"
        )
    return kept


def without_blanks(items: Iterable[tuple[str, Any]]) -> Json:
    return {name: value for name, value in items if value not in (None, "", [], {})}


def _moved(character: Any, folder: Path) -> Any:
    if not (isinstance(character, dict) and isinstance(character.get("references"), list)):
        return character
    return {**character, "references": [_seen(r, folder) for r in character["references"]]}


def _seen(reference: Any, folder: Path) -> Any:
    if not (isinstance(reference, dict) and isinstance(reference.get("file"), str)):
        return reference
    path = Path(reference["file"])
    try:
        shown = Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:  # another drive
        shown = path.as_posix()
    return {**reference, "file": shown}
