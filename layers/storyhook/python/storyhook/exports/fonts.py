"""Letters for any script: which font is for what, and only those that a text needs.

The font packages of layers/exports are data: each is found, never imported.
"""

import unicodedata
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

MAIN = "sans"
# Latin, Greek, Cyrillic and Devanagari.
_MAIN_FILE = ("fontpkg_noto_sans", "files/NotoSans[[]*.ttf")
# For what the main one has not: the first that has it. The last is large, and loaded last.
_OTHERS = (
    ("arabic", "fontpkg_noto_sans_arabic", "files/*.ttf"),
    ("hebrew", "fontpkg_arimo", "files/Arimo[[]*.ttf"),
    ("thai", "fontpkg_noto_sans_thai", "files/*.ttf"),
    ("devanagari", "fontpkg_noto_sans_devanagari", "files/*.ttf"),
    ("tamil", "fontpkg_noto_sans_tamil", "files/*.ttf"),
    ("telugu", "fontpkg_noto_sans_telugu", "files/*.ttf"),
    ("khmer", "fontpkg_noto_sans_khmer", "files/*.ttf"),
    ("cjk", "noto_cjk_sans_jp_regular", "*.otf"),
)


def add_fonts(pdf: "FPDF", texts: Iterable[str]) -> None:
    """The main font, and others for characters of `texts` that it has not.

    Regular only: to make the bold of a variable font takes 5 s of CPU.
    """
    pdf.add_font(MAIN, "", _file(*_MAIN_FILE))
    missing = {ord(letter) for text in texts for letter in clean(text)} - _known(pdf, MAIN)
    wanted = []
    for name, package, pattern in _OTHERS:
        if not missing:
            break
        pdf.add_font(name, "", _file(package, pattern))
        known = _known(pdf, name)
        if missing & known:
            wanted.append(name)
            missing -= known
    pdf.set_fallback_fonts(wanted)
    pdf.set_text_shaping(use_shaping_engine=True)


def clean(text: str) -> str:
    """Without what no font has a picture of: controls, private and unassigned characters."""
    return "".join(
        letter if unicodedata.category(letter) not in ("Cc", "Co", "Cn", "Cs") else " "
        for letter in text.replace("\r\n", "\n")
        if letter != "\ufe0f"
    )


def side(text: str) -> str:
    """Where lines begin: R for what is written from right to left, else L."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in ("R", "AL"):
            return "R"
        if direction == "L":
            return "L"
    return "L"


def _known(pdf: "FPDF", name: str) -> set[int]:
    return set(pdf.fonts[name].cmap)  # type: ignore[union-attr]


def _file(package: str, pattern: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not in the layer; see layers/exports")
    [found] = Path(spec.origin).parent.glob(pattern)
    return found
