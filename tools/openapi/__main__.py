"""python -m tools.openapi: write docs/openapi.json."""

import logging
from pathlib import Path

from tools.openapi.chapters import told
from tools.openapi.document import as_text, document
from tools.openapi.story import stage

PLACE = Path(__file__).resolve().parents[2] / "docs/openapi.json"


def main() -> None:
    logging.disable()
    with stage() as here:
        exchanges = told(here).exchanges
    PLACE.write_text(as_text(document(exchanges)), encoding="utf-8")
    print(f"{PLACE.name}: {len(exchanges)} examples")


if __name__ == "__main__":
    main()
