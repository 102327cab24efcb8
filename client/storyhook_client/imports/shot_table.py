"""A shot table in CSV: one row per scene, and a second file for the cast if there is one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from storyhook_client.errors import BadFile
from storyhook_client.imports.located import read_text
from storyhook_client.imports.story import Json, Story, without_blanks

SCENE_COLUMNS = (
    *("scene", "description", "characters", "setting", "shot", "camera", "light", "caption"),
    *("outfits", "model", "seed", "fallback_models"),
)
CAST_COLUMNS = ("id", "name", "description", "outfit", "kind", "pictures")
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    path: Path
    line: int
    cells: Mapping[str, str]

    def wrong(self, column: str, message: str) -> BadFile:
        return BadFile(self.path, f"{column}: {message}", self.line)

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def several(self, column: str) -> list[str]:
        """A cell's parts: by `;`, or by commas where there is no `;`."""
        text = self[column]
        parts = text.split(";" if ";" in text else ",")
        return [part.strip() for part in parts if part.strip()]


def read_table(path: Path, columns: Sequence[str], required: Sequence[str]) -> list[Row]:
    """The rows that are not empty; raises BadFile with the line."""
    text = read_text(path)
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = list(_rows(path, lines))
    if not rows:
        raise BadFile(path, f"no table; its first line names columns such as {', '.join(required)}")
    (line, heading), *rest = rows
    names = [cell.strip().lower().replace(" ", "_") for cell in heading]
    _check_heading(path, line, names, columns, required)
    return [_row(path, number, names, cells) for number, cells in rest]


def load(path: Path, cast: Path | None = None) -> Story:
    rows = read_table(path, SCENE_COLUMNS, ("description",))
    if not rows:
        raise BadFile(path, "no scenes; each row after the first is one", 1)
    scenes = [_scene(row) for row in rows]
    _check_once(rows, "scene")
    characters = _cast(cast) if cast else []
    if characters:
        _check_known(rows, {character["id"] for character in characters}, cast)
    return Story(without_blanks([("characters", characters), ("scenes", scenes)]))


def _rows(path: Path, lines: Any) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it begins; a quoted cell may go over several."""
    begins = 1
    try:
        for cells in lines:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = lines.line_num + 1
    except csv.Error as error:
        raise BadFile(path, f"not CSV: {error}", begins) from error


def _check_heading(
    path: Path, line: int, names: list[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    for name in names:
        if name not in columns:
            near = get_close_matches(name, columns, 1)
            meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(columns)}"
            raise BadFile(path, f"no column {name!r} is known; {meant}", line)
        if names.count(name) > 1:
            raise BadFile(path, f"the column {name!r} is there twice", line)
    for name in required:
        if name not in names:
            raise BadFile(path, f"the column {name!r} is missing", line)


def _row(path: Path, line: int, names: list[str], cells: list[str]) -> Row:
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        raise BadFile(
            path, f"{len(cells)} cells in a table of {len(names)} columns; quote commas", line
        )
    return Row(path, line, {name: cell.strip() for name, cell in zip(names, cells, strict=False)})


def _scene(row: Row) -> Json:
    if not row["description"]:
        raise row.wrong("description", "say what is to be seen")
    return without_blanks(
        [
            ("id", row["scene"]),
            ("description", row["description"]),
            ("characters", row.several("characters")),
            *((name, row[name]) for name in ("setting", "shot", "camera", "light", "caption")),
            ("overrides", _outfits(row)),
            ("model", row["model"]),
            ("seed", _number(row, "seed")),
            ("fallback_models", row.several("fallback_models")),
        ]
    )


def _outfits(row: Row) -> dict[str, Json]:
    """`elena: green cloak; marcus: armour`."""
    found: dict[str, Json] = {}
    for part in filter(None, (text.strip() for text in row["outfits"].split(";"))):
        name, colon, outfit = (text.strip() for text in part.partition(":"))
        if not (colon and name and outfit):
            raise row.wrong("outfits", f"{part!r} is not like `elena: green cloak`")
        if name not in row.several("characters"):
            raise row.wrong("outfits", f"{name!r} is not among the scene's characters")
        found[name] = {"outfit": outfit}
    return found


def _number(row: Row, column: str) -> int | None:
    text = row[column]
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise row.wrong(column, f"{text!r} is not a whole number")
    return int(text)


def _cast(path: Path) -> list[Json]:
    rows = read_table(path, CAST_COLUMNS, ("id", "description"))
    _check_once(rows, "id")
    return [_character(row) for row in rows]


def _character(row: Row) -> Json:
    for column in ("id", "description"):
        if not row[column]:
            raise row.wrong(column, "it is needed")
    pictures = [(row.path.parent / name).resolve() for name in row.several("pictures")]
    for picture in pictures:
        if not picture.is_file():
            raise row.wrong("pictures", f"{picture} is not there")
    return without_blanks(
        [
            ("id", row["id"]),
            ("name", row["name"] or row["id"]),
            ("description", row["description"]),
            ("outfit", row["outfit"]),
            ("kind", row["kind"]),
            ("references", [{"file": str(picture)} for picture in pictures]),
        ]
    )


def _check_once(rows: list[Row], column: str) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        name = row[column]
        if name in seen and name:
            raise row.wrong(column, f"{name!r} is on line {seen[name]} too")
        seen[name] = row.line


def _check_known(rows: list[Row], known: set[str], cast: Path | None) -> None:
    for row in rows:
        for name in row.several("characters"):
            if name not in known:
                near = get_close_matches(name, known, 1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                raise row.wrong("characters", f"{name!r} is not in {cast}{meant}")
