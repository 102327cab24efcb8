"""Paper to draw on: text that wraps in any script, pictures that fit, cards for missing ones.

Lengths are points (1/72 inch). Whoever draws says where; nothing flows by itself.
"""

import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

import pypdfium2
from fpdf import FPDF
from fpdf.enums import MethodReturnValue
from PIL import Image

from storyhook.exports.fonts import MAIN, add_fonts, clean, side

INK, GREY, PALE, LINE = (28, 28, 30), (110, 110, 115), (243, 243, 245), (205, 205, 210)
_LEADING = 1.35
MORE = "…"


class Sheet(FPDF):
    """`texts` is all that will be written: it says which fonts are needed."""

    def __init__(self, size: Any, title: str, made_at: datetime, texts: Iterable[str]) -> None:
        super().__init__(unit="pt", format=size)
        self.set_auto_page_break(auto=False)
        self.set_margin(0)
        self.c_margin = 0
        add_fonts(self, texts)
        self.set_title(title)
        self.set_creator("Storyhook")
        # The same board makes the same bytes.
        self.set_creation_date(made_at)
        self.footing = ""

    def footer(self) -> None:
        if self.footing:
            text = f"{self.footing} · {self.page_no()}"
            self.write_at(text, 36, self.h - 30, self.w - 72, 7.5, GREY, lines=1)

    def lines(self, text: str, width: float, size: float) -> list[str]:
        """The text as it wraps into `width`."""
        self.set_font(MAIN, size=size)
        lines = MethodReturnValue.LINES
        found = self.multi_cell(width, text=clean(text), align="L", dry_run=True, output=lines)
        return cast("list[str]", found)

    def write_at(
        self,
        text: str,
        x: float,
        y: float,
        width: float,
        size: float,
        color: tuple[int, int, int] = INK,
        *,
        lines: int | None = None,
        align: str | None = None,
    ) -> float:
        """Write it wrapped, of at most so many lines; the y below it."""
        wrapped = self.lines(text, width, size)
        if lines is not None and len(wrapped) > lines:
            wrapped = [*wrapped[: lines - 1], self._shortened(wrapped[lines - 1], width)]
        where = align or side(text)
        for line in wrapped:
            y = self.write_line(line, x, y, width, size, color, align=where)
        return y

    def write_line(
        self,
        line: str,
        x: float,
        y: float,
        width: float,
        size: float,
        color: tuple[int, int, int] = INK,
        *,
        align: str = "L",
    ) -> float:
        """One line that fits; the y below it."""
        self.set_font(MAIN, size=size)
        self.set_text_color(*color)
        self.set_xy(x, y)
        self.cell(width, size * _LEADING, line, align=align)
        return y + size * _LEADING

    def _shortened(self, line: str, width: float) -> str:
        while line and self.get_string_width(line + MORE) > width:
            line = line[:-1]
        return line.rstrip() + MORE

    def card(self, why: str, x: float, y: float, width: float, height: float) -> None:
        """Stands where a picture is missing, and says why."""
        self.set_fill_color(*PALE)
        self.set_draw_color(*LINE)
        self.set_dash_pattern(4, 3)
        self.rect(x, y, width, height, style="DF")
        self.set_dash_pattern()
        size = max(6.0, min(11.0, width / 22, height / 8))
        inner = width - 2 * size
        most = max(1, int((height - 2 * size) / (size * _LEADING)) - 1)
        shown = min(most, len(self.lines(why, inner, size)))
        top = y + (height - (shown + 1) * size * _LEADING) / 2
        top = self.write_at("No picture", x + size, top, inner, size, GREY, align="C")
        self.write_at(why, x + size, top, inner, size, GREY, lines=most, align="C")

    def picture(self, jpeg: bytes, x: float, y: float, width: float, alt: str) -> None:
        self.image(io.BytesIO(jpeg), x, y, width, alt_text=clean(alt) or None)


def drawn(pdf: FPDF, scale: float) -> Image.Image:
    """The first page as a picture, so many pixels a point."""
    document = pypdfium2.PdfDocument(bytes(pdf.output()))
    try:
        page = document[0]
        bitmap = page.render(scale=scale)
        image: Image.Image = bitmap.to_pil().convert("RGB")
        return image
    finally:
        document.close()


def line_height(size: float) -> float:
    return size * _LEADING
