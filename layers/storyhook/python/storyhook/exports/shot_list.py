"""A shot list in CSV: the words of `storyhook import`'s table, and what came of each shot."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from storyhook.exports.pictures import why_missing

Json = Mapping[str, Any]

_OF_SCENE = ("setting", "shot", "camera", "light", "caption")
_OF_PICTURE = ("provider", "prediction_id", "provider_id", "width", "height", "sha256", "prompt")
COLUMNS = (
    *("position", "scene", "description", "characters", *_OF_SCENE),
    *("model", "seed", "status", "error", "cost_estimated", "cost_actual", *_OF_PICTURE),
)
# A cell that begins so is a formula to a spreadsheet (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write(manifest: Json, target: Path) -> None:
    target.write_bytes(table(manifest).encode("utf-8-sig"))


def table(manifest: Json) -> str:
    """RFC 4180. The caller adds the mark by which spreadsheets know UTF-8."""
    out = io.StringIO(newline="")
    lines = csv.writer(out)
    lines.writerow(COLUMNS)
    lines.writerows(_rows(manifest))
    return out.getvalue()


def _rows(manifest: Json) -> Iterator[list[str]]:
    for scene in manifest["scenes"]:
        picture = scene["picture"] or {}
        cost = picture.get("cost") or {}
        cells = {
            "position": scene["position"],
            "scene": scene["id"],
            "description": scene["description"],
            "characters": "; ".join(scene["characters"]),
            **{name: scene[name] for name in _OF_SCENE},
            "model": picture.get("model"),
            "seed": picture.get("seed"),
            "status": scene["status"],
            "error": None if picture else why_missing(scene),
            "cost_estimated": cost.get("estimated"),
            "cost_actual": cost.get("actual"),
            **{name: picture.get(name) for name in _OF_PICTURE},
        }
        yield [_safe(cells[name]) for name in COLUMNS]


def _safe(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
