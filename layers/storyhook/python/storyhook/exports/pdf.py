"""A PDF to print: one row for each scene, its picture on the left and its words on the right.

A row that does not fit goes to the next page; a text longer than a page goes on on another.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from storyhook.exports import panels
from storyhook.exports.fonts import side
from storyhook.exports.pictures import Missing, Pictures
from storyhook.exports.sheet import GREY, INK, LINE, Sheet, line_height

Json = Mapping[str, Any]

_MARGIN, _GAP, _FOOT = 36.0, 14.0, 40.0
_PICTURE_SHARE = 0.55
_TALLEST_PICTURE = 300.0
# For print: 1,600 pixels are 4 inches at 400 a inch.
_PIXELS = (1600, 1600)
_ASPECT = 9 / 16


class Line(NamedTuple):
    text: str
    size: float
    color: tuple[int, int, int]
    align: str
    space: float = 0.0
    """Above it."""


def write(manifest: Json, pictures: Pictures, target: Path, *, notes: bool, page: str) -> None:
    pdf = Sheet(page, manifest["title"], panels.made_at(manifest), panels.texts(manifest))
    pdf.footing = f"{manifest['title']} · {manifest['storyboard_id']}"
    pdf.add_page()
    width = pdf.w - 2 * _MARGIN
    y = pdf.write_at(manifest["title"], _MARGIN, _MARGIN, width, 20)
    y = pdf.write_at(panels.summary(manifest), _MARGIN, y, width, 9, GREY) + _GAP
    for scene in manifest["scenes"]:
        y = _row(pdf, scene, pictures, y, notes=notes)
    pdf.output(str(target))


def _row(pdf: Sheet, scene: Json, pictures: Pictures, y: float, *, notes: bool) -> float:
    """The y below it, perhaps on another page."""
    left = (pdf.w - 2 * _MARGIN - _GAP) * _PICTURE_SHARE
    x, right = _MARGIN + left + _GAP, pdf.w - 2 * _MARGIN - _GAP - left
    jpeg, why = None, ""
    width, height = left, left * _ASPECT
    try:
        jpeg, across, down = pictures.small(scene, *_PIXELS)
    except Missing as missing:
        why = str(missing)
    else:
        width = min(left, _TALLEST_PICTURE * across / down)
        height = width * down / across
    lines = list(_lines(pdf, scene, right, notes=notes))
    bottom = pdf.h - _FOOT
    tall = max(height, sum(line.space + line_height(line.size) for line in lines))
    if y + min(tall, bottom - _MARGIN) > bottom:
        y = _next_page(pdf)
    if jpeg is None:
        pdf.card(why, _MARGIN, y, width, height)
    else:
        pdf.picture(jpeg, _MARGIN, y, width, panels.alt(scene))
    below, at = y + height, y
    for line in lines:
        at += line.space
        if at + line_height(line.size) > bottom:
            at, below = _next_page(pdf), _MARGIN
        at = pdf.write_line(line.text, x, at, right, line.size, line.color, align=line.align)
    y = max(below, at) + _GAP
    pdf.set_draw_color(*LINE)
    pdf.line(_MARGIN, y - _GAP / 2, pdf.w - _MARGIN, y - _GAP / 2)
    return y


def _next_page(pdf: Sheet) -> float:
    pdf.add_page()
    return _MARGIN


def _lines(pdf: Sheet, scene: Json, width: float, *, notes: bool) -> Any:
    texts = [(panels.heading(scene), 8.0, GREY, 0.0)]
    texts.append((panels.words(scene), 11.0, INK, 2.0))
    if notes:
        texts += [
            (f"{name}: {text}", 7.5, GREY, 4.0 if n == 0 else 1.0)
            for n, (name, text) in enumerate(panels.notes(scene))
        ]
    for text, size, color, space in texts:
        align = side(text)
        for n, line in enumerate(pdf.lines(text, width, size)):
            yield Line(line, size, color, align, space if n == 0 else 0.0)
