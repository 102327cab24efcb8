"""A picture that says why there is none, for files that cannot go without one."""

from collections.abc import Mapping
from typing import Any

from storyhook.exports import panels
from storyhook.exports.pictures import png
from storyhook.exports.sheet import GREY, Sheet, drawn

Json = Mapping[str, Any]

_WIDTH, _HEIGHT, _SCALE = 672.0, 384.0, 2


def card(why: str, scene: Json, manifest: Json) -> bytes:
    """A PNG of 1344 × 768 pixels."""
    size = (_WIDTH, _HEIGHT)
    texts = (why, panels.heading(scene), panels.words(scene), "No picture …")
    page = Sheet(size, scene["id"], panels.made_at(manifest), texts)
    page.add_page()
    page.card(why, 20, 20, _WIDTH - 40, _HEIGHT - 110)
    inner = _WIDTH - 40
    y = page.write_at(panels.heading(scene), 20, _HEIGHT - 78, inner, 10, GREY, lines=1)
    page.write_at(panels.words(scene), 20, y, inner, 13, lines=3)
    return png(drawn(page, _SCALE))
