"""The contact sheet: all scenes of a storyboard on one page, with their cast."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log

from PIL import Image, ImageDraw

from local.demo.captions import caption_of
from local.demo.drawing.brush import mix
from local.demo.lettering import LINE, wrap, write
from local.demo.panels import ACCENT, INK, PAPER, SOFT, Face, face_disc, framed, placard
from storyhook_client.answers import Storyboard
from storyhook_client.cli.words import counted, dollars

_PANEL_WIDTHS = {1: 1500, 2: 1000, 3: 760, 4: 600, 5: 500}
_NARROW = 420
_TINY, _MANY = 240, 60
_BEST_SHAPE = 1.45  # width by height of a page that fits a screen
_WIDEST_FACE = 4.8  # with the words beside it, by the size of the disc


@dataclass(frozen=True)
class Page:
    """The measures of a sheet, in pixels."""

    columns: int
    rows: int
    panel: tuple[int, int]
    margin: int
    gutter: int

    @property
    def width(self) -> int:
        return 2 * self.margin + self.columns * (self.panel[0] + self.gutter) - self.gutter

    @property
    def body(self) -> int:
        """The type size of captions."""
        return max(13, min(30, round(self.panel[0] * 0.034)))

    @property
    def inner(self) -> int:
        return self.width - 2 * self.margin


def plan_page(count: int, shape: float) -> Page:
    """Columns for `count` panels of that shape (width by height), so that few places stay empty."""
    columns = min(range(1, min(count, 40) + 1), key=lambda c: _ugliness(c, count, shape))
    widest = _TINY if count > _MANY else _PANEL_WIDTHS.get(columns, _NARROW)
    width = round(widest * min(1.0, shape / 1.5) ** 0.5)
    margin = max(48, round(widest * 0.09)) if columns > 1 else 72
    gutter = max(16, round(width * 0.045))
    return Page(columns, ceil(count / columns), (width, round(width / shape)), margin, gutter)


def _ugliness(columns: int, count: int, shape: float) -> float:
    rows = ceil(count / columns)
    empty = (rows * columns - count) / columns
    page = columns / (rows * (1 / shape + 0.16) + 0.3)
    return abs(log(page / _BEST_SHAPE)) + 1.2 * empty


def draw_sheet(board: Storyboard, images: Mapping[str, bytes], cast: Sequence[Face]) -> Image.Image:
    """The board as GET answers it; `images` are the scenes' pictures by scene id."""
    scenes = board.scenes
    pictures = {name: Image.open(io.BytesIO(data)) for name, data in images.items()}
    sizes = [picture.size for picture in pictures.values()] or [(16, 9)]
    page = plan_page(len(scenes), max(0.5, min(2.4, sizes[0][0] / sizes[0][1])))
    same_model = len({scene.model for scene in scenes}) == 1
    captions = [
        caption_of(scene, page.panel[0], page.body, with_model=not same_model) for scene in scenes
    ]
    rows = [captions[at : at + page.columns] for at in range(0, len(scenes), page.columns)]
    heights = [page.panel[1] + max(caption.height for caption in row) for row in rows]

    top = Image.new("RGB", (page.width, _head_height(page, cast)), PAPER)
    _head(top, board, page, cast, same_model=same_model)
    gap = round(page.gutter * 1.3)
    height = top.height + sum(heights) + gap * (len(rows) - 1) + page.margin
    sheet = Image.new("RGB", (page.width, height), PAPER)
    sheet.paste(top)
    y = top.height
    for index, scene in enumerate(scenes):
        row, column = divmod(index, page.columns)
        x = page.margin + column * (page.panel[0] + page.gutter)
        picture = pictures.get(scene.id)
        panel = framed(picture, page.panel) if picture else placard(scene, page.panel, page.body)
        sheet.paste(panel, (x, y))
        captions[index].write(ImageDraw.Draw(sheet), x, y + page.panel[1])
        if column == page.columns - 1:
            y += heights[row] + gap
    return sheet


def _title_size(page: Page) -> int:
    return max(34, min(76, round(page.width * 0.032)))


def _face_size(page: Page) -> int:
    return max(96, min(190, round(page.width * 0.085)))


def _cast_grid(page: Page, cast: Sequence[Face]) -> tuple[int, int]:
    """Columns and rows of the cast."""
    columns = max(1, min(len(cast), round(page.inner / (_face_size(page) * 3.6))))
    return columns, ceil(len(cast) / columns)


def _head_height(page: Page, cast: Sequence[Face]) -> int:
    size = _title_size(page)
    rows = _cast_grid(page, cast)[1] if cast else 0
    return round(page.margin + size * 2.55 + rows * _face_size(page) * 1.2 + size * 0.3)


def _head(
    top: Image.Image, board: Storyboard, page: Page, cast: Sequence[Face], *, same_model: bool
) -> None:
    draw = ImageDraw.Draw(top)
    size = _title_size(page)
    small = round(size * 0.42)
    x, y = page.margin, page.margin * 0.9
    y = write(draw, (x, y), wrap(board.title, size, page.inner, 1), size, INK, bold=True)
    y += size * 0.1
    facts = " · ".join(_facts(board, same_model=same_model))
    y = write(draw, (x, y), wrap(facts, small, page.inner, 1), small, SOFT)
    y += small * 0.5
    draw.line((x, y, x + page.inner, y), mix(SOFT, PAPER, 0.6), max(1, size // 28))
    draw.line((x, y, x + size * 1.6, y), ACCENT, max(3, size // 14))
    y += size * 0.4
    if not cast:
        return
    disc = _face_size(page)
    columns, _ = _cast_grid(page, cast)
    cell = min(page.inner / columns, disc * _WIDEST_FACE)
    for index, face in enumerate(cast):
        row, column = divmod(index, columns)
        at = (round(x + column * cell), round(y + row * disc * 1.2))
        top.paste(*face_disc(face, disc, at))
        name, words = round(disc * 0.18), round(disc * 0.135)
        left, room = at[0] + disc * 1.18, cell - disc * 1.3
        lines = wrap(face.description, words, room, 3)
        middle = at[1] + (disc - name * LINE - len(lines) * words * LINE) / 2
        middle = write(draw, (left, middle), wrap(face.name, name, room, 1), name, INK, bold=True)
        write(draw, (left, middle), lines, words, SOFT)


def _facts(board: Storyboard, *, same_model: bool) -> Iterator[str]:
    scenes = board.scenes
    yield counted(len(scenes), "scene")
    if board.status != "succeeded":
        yield f"{board.progress.succeeded} succeeded"
    models = dict.fromkeys(scene.model for scene in scenes)
    yield scenes[0].model or "-" if same_model else f"{len(models)} models"
    yield f"seed {scenes[0].seed}"
    yield dollars(board.cost, over=board.is_over)
    yield board.id
