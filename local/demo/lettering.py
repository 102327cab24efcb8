"""Type for the contact sheet: one typeface (Pillow's own), wrapped to a width."""

import unicodedata
from functools import cache

from PIL import ImageDraw, ImageFont

from local.demo.drawing.brush import Colour

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

LINE = 1.3
"""Height of a line, as a multiple of the type's size."""
_LONGEST = 1500  # characters that are measured; no panel has room for more
_BOLD = 0.021  # Pillow's typeface has one weight: a thin outline makes another
_SPELLED = {
    "—": " - ", "–": "-", "×": "x", "•": "·", "→": "->", "€": "EUR ", "ß": "ss", "ł": "l",
    "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "đ": "d",
}  # fmt: skip


@cache
def font(size: int) -> Font:
    return ImageFont.load_default(size)


def legible(text: str) -> str:
    """In the letters that the typeface has: accents go, other scripts become `?`."""
    spelled = "".join(_SPELLED.get(letter, letter) for letter in text[:_LONGEST])
    plain = (c for c in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(c))
    words = "".join(c if _has(c) else " " if c.isspace() else "?" for c in plain).split()
    return " ".join(words)


@cache
def _has(letter: str) -> bool:
    """Whether the typeface draws this letter, not the box that stands for a missing one."""
    if not letter.isprintable():
        return False
    drawn, missing = font(24).getmask(letter), font(24).getmask("\uffff")
    return drawn.size != missing.size or bytes(drawn) != bytes(missing)


def width_of(text: str, size: int) -> float:
    return font(size).getlength(text)


def wrap(text: str, size: int, width: float, most: int) -> list[str]:
    """At most `most` lines of legible text; what has no room ends in an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in _words(legible(text), size, width):
        longer = f"{line} {word}" if line else word
        if width_of(longer, size) <= width:
            line = longer
            continue
        lines.append(line)
        line = word
        if len(lines) > most:
            break
    if line:
        lines.append(line)
    if len(lines) <= most:
        return lines
    last = lines[most - 1].rstrip(" .,;:")
    while last and width_of(f"{last} …", size) > width:
        last = last.rpartition(" ")[0].rstrip(" .,;:") or last[:-1]
    return [*lines[: most - 1], f"{last} …"]


def _words(text: str, size: int, width: float) -> list[str]:
    """The words; one that is wider than a line comes in pieces."""
    pieces: list[str] = []
    for word in text.split():
        piece = word
        while width_of(piece, size) > width and len(piece) > 1:
            fits = max(1, int(len(piece) * width / width_of(piece, size)))
            while fits > 1 and width_of(piece[:fits], size) > width:
                fits -= 1
            pieces.append(piece[:fits])
            piece = piece[fits:]
        pieces.append(piece)
    return pieces


def write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    lines: list[str],
    size: int,
    colour: Colour,
    *,
    bold: bool = False,
    anchor: str = "la",
) -> float:
    """Set the lines one under the other; where the next one would begin."""
    x, y = at
    for line in lines:
        draw.text((x, y), line, colour, font(size), anchor=anchor, stroke_width=size * _BOLD * bold)
        y += size * LINE
    return y
