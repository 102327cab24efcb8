"""python -m tools.pages FOLDER: write the files of the public pages there, each gzipped.

A part of the layer's build: our own page, Swagger UI's two files from its pinned package,
docs/openapi.json without the white space, and the tables of docs/errors.md. The same input gives
the same bytes.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from swagger_ui_bundle import swagger_ui_path

from storyhook.http.pages import FILES

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / "layers/storyhook/pages"


def main() -> None:
    write(Path(sys.argv[1]))


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        packed = gzip.compress(_content(name), compresslevel=9, mtime=0)
        (folder / f"{name}.gz").write_bytes(packed)


def _content(name: str) -> bytes:
    if name == "openapi.json":
        return _json(json.loads((ROOT / "docs" / name).read_text(encoding="utf-8")))
    if name == "problems.json":
        return _json(_problems())
    own = OWN / name
    return (own if own.exists() else swagger_ui_path / name).read_bytes()


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _problems() -> dict[str, dict[str, str]]:
    """The texts of each problem's page, by slug."""
    found = {}
    for slug, row in errors_page("Of a request").items():
        where = f"A request was refused, with status {row.second}."
        found[slug] = {"title": row.title, "where": where, "what": row.what}
    for slug, row in errors_page("Of a prediction").items():
        where = "A prediction, or a scene, ended without a picture."
        if row.second == "yes":
            where += " A new one may succeed, and this one was not paid."
        found[slug] = {"title": row.title, "where": where, "what": row.what}
    return found


class Row(NamedTuple):
    """`second`: the status of a refusal, or whether asking again may help (`yes`, `no`)."""

    second: str
    title: str
    what: str


def errors_page(heading: str) -> dict[str, Row]:
    """By slug, the table of docs/errors.md under a heading."""
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return {slug.strip("`"): Row(*cells) for slug, *cells in rows}


if __name__ == "__main__":
    main()
