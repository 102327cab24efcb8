"""All panels at a glance, in one PNG: it is drawn as a page, for its text, and made pixels of."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storyhook.exports import panels
from storyhook.exports.pictures import Missing, Pictures, png, public
from storyhook.exports.provenance import KEYWORD, text_chunk
from storyhook.exports.sheet import GREY, Sheet, drawn, line_height

Json = Mapping[str, Any]

# Points of the page; a point becomes two pixels.
_WIDTH, _MARGIN, _GAP, _SCALE = 1200.0, 30.0, 14.0, 2
_CAPTION, _CAPTION_LINES = 10.0, 3
# The most scenes for so many columns.
_COLUMNS = ((1, 1), (4, 2), (12, 3), (30, 4), (72, 6), (300, 8))
_MOST_COLUMNS = 10
_TALLEST, _WIDEST = 1.5, 0.4
_HEADER_BYTES = 33
"""Signature and IHDR of a PNG."""


def write(manifest: Json, pictures: Pictures, target: Path) -> None:
    scenes = manifest["scenes"]
    columns = next((c for most, c in _COLUMNS if len(scenes) <= most), _MOST_COLUMNS)
    across = (_WIDTH - 2 * _MARGIN - (columns - 1) * _GAP) / columns
    down = across * _aspect(scenes)
    row = down + (1 + _CAPTION_LINES) * line_height(_CAPTION) + _GAP
    rows = -(-len(scenes) // columns)
    head = _MARGIN + line_height(26) + line_height(12) + _GAP
    size = (_WIDTH, head + rows * row + _MARGIN)
    page = Sheet(size, manifest["title"], panels.made_at(manifest), panels.texts(manifest))
    page.add_page()
    width = _WIDTH - 2 * _MARGIN
    y = page.write_at(manifest["title"], _MARGIN, _MARGIN, width, 26, lines=1)
    page.write_at(panels.summary(manifest), _MARGIN, y, width, 12, GREY, lines=1)
    for n, scene in enumerate(scenes):
        x, y = _MARGIN + n % columns * (across + _GAP), head + n // columns * row
        _panel(page, scene, pictures, (x, y, across, down))
    target.write_bytes(_with_manifest(png(drawn(page, _SCALE)), manifest))


def _panel(
    page: Sheet, scene: Json, pictures: Pictures, box: tuple[float, float, float, float]
) -> None:
    x, y, across, down = box
    try:
        jpeg, width, height = pictures.small(scene, int(across * _SCALE), int(down * _SCALE))
    except Missing as missing:
        page.card(str(missing), x, y, across, down)
    else:
        shown = min(across, down * width / height)
        tall = shown * height / width
        page.picture(jpeg, x + (across - shown) / 2, y + (down - tall) / 2, shown, "")
    below = page.write_at(
        panels.heading(scene), x, y + down + 3, across, _CAPTION * 0.8, GREY, lines=1
    )
    page.write_at(panels.words(scene), x, below, across, _CAPTION, lines=_CAPTION_LINES)


def _aspect(scenes: list[Json]) -> float:
    """Height by width of most pictures."""
    sizes = Counter(
        (scene["picture"]["width"], scene["picture"]["height"])
        for scene in scenes
        if scene["picture"]
    )
    width, height = sizes.most_common(1)[0][0] if sizes else (16, 9)
    return min(_TALLEST, max(_WIDEST, height / width))


def _with_manifest(data: bytes, manifest: Json) -> bytes:
    """The whole manifest, packed: a sheet of many scenes stays a picture in the first place."""
    scenes = [{**s, "picture": s["picture"] and public(s["picture"])} for s in manifest["scenes"]]
    text = json.dumps({**manifest, "scenes": scenes}, ensure_ascii=False).encode()
    chunk = text_chunk(KEYWORD, text, packed=True)
    return data[:_HEADER_BYTES] + chunk + data[_HEADER_BYTES:]
