"""python -m tools.pages FOLDER: write the files of the public pages there, each gzipped.

A part of the layer's build: our own page, Swagger UI's two files from its pinned package, and
docs/openapi.json without the white space. The same input gives the same bytes.
"""

import gzip
import json
import sys
from pathlib import Path

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
        document = json.loads((ROOT / "docs" / name).read_text(encoding="utf-8"))
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    own = OWN / name
    return (own if own.exists() else swagger_ui_path / name).read_bytes()


if __name__ == "__main__":
    main()
