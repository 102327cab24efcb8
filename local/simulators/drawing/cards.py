"""The references as characters: rounded cut-outs that stand in the scene, numbered in order."""

import io
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from local.simulators.drawing.mood import Colour, Mood

PAPER: Colour = (252, 249, 242)
INK: Colour = (24, 20, 30)
CACHED = 64
MAX_TILT = 2.2
MARGIN = 2


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@dataclass(frozen=True)
class Place:
    x: float
    foot: float
    width: int
    height: int


class Unreadable(Exception):
    """The reference with this index begins like an image, but cannot be decoded."""

    def __init__(self, index: int) -> None:
        super().__init__(f"reference {index} cannot be decoded")
        self.index = index


def stand(
    scene: Image.Image, references: tuple[tuple[str, bytes], ...], mood: Mood, *, plain: bool
) -> None:
    """Set all references on the ground, first to last from left to right."""
    tilts = [mood.dice.uniform(-MAX_TILT, MAX_TILT) for _ in references]
    for index, place in enumerate(_places(len(references), scene.size)):
        key, data = references[index]
        try:
            card = _cache.get(key, data, place.width, place.height)
        except (OSError, SyntaxError, ValueError) as error:
            raise Unreadable(index) from error
        if not plain:
            _shadow(scene, place)
        turned = card
        if not plain:
            tilt = tilts[index]
            turned = card.rotate(tilt, Image.Resampling.BICUBIC, True, fillcolor=(*PAPER, 0))
        at = (int(place.x - turned.width / 2), int(place.foot - turned.height))
        scene.paste(turned, at, turned)
        _badge(scene, index + 1, place)


def _places(count: int, size: tuple[int, int]) -> list[Place]:
    """One row of up to five; more stand in two rows, the second lower and in front."""
    if count == 0:
        return []
    width, height = size
    rows = [count] if count <= 5 else [(count + 1) // 2, count // 2]
    places: list[Place] = []
    for row, in_row in enumerate(rows):
        tall = height * (0.62 if len(rows) == 1 else 0.44)
        wide = min(tall * 0.74, width * 0.92 / in_row * 0.88)
        tall = min(tall, wide / 0.62)
        step = min(width * 0.92 / in_row, wide * 1.3)
        foot = height * (0.94 if len(rows) == 1 else 0.50 + 0.46 * row)
        for index in range(in_row):
            x = width / 2 + (index - (in_row - 1) / 2) * step
            lift = (index % 2) * height * 0.018  # not all on one line
            places.append(Place(x, foot - lift, max(8, round(wide)), max(10, round(tall))))
    return places


class _Cards:
    """Cut-outs by content and size: a board uses the same few references again and again."""

    def __init__(self) -> None:
        self._cards: OrderedDict[tuple[str, int, int], Image.Image] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, data: bytes, width: int, height: int) -> Image.Image:
        wanted = (key, width, height)
        with self._lock:
            if wanted in self._cards:
                self._cards.move_to_end(wanted)
                return self._cards[wanted]
        card = _cut_out(data, width, height)
        with self._lock:
            self._cards[wanted] = card
            if len(self._cards) > CACHED:
                self._cards.popitem(last=False)
        return card


_cache = _Cards()


def _cut_out(data: bytes, width: int, height: int) -> Image.Image:
    """The picture in an arch with a paper rim."""
    rim = max(2, round(width * 0.028))
    with Image.open(io.BytesIO(data)) as opened:
        opened.draft("RGB", (width * 2, height * 2))  # JPEG: decode no more than needed
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    inner = (max(1, width - 2 * rim), max(1, height - 2 * rim))
    # Faces are near the top of a portrait: keep the top when cutting.
    fitted = ImageOps.fit(picture, inner, Image.Resampling.BICUBIC, centering=(0.5, 0.18))
    ground = Image.new("RGBA", inner, (*PAPER, 255))
    ground.alpha_composite(fitted)
    # The empty margin keeps the edges smooth when the card is turned.
    card = Image.new("RGBA", (width + 2 * MARGIN, height + 2 * MARGIN), (*PAPER, 0))
    card.paste(PAPER, (MARGIN, MARGIN), _arch((width, height)))
    card.paste(ground.convert("RGB"), (MARGIN + rim, MARGIN + rim), _arch(inner))
    return card


def _arch(size: tuple[int, int]) -> Image.Image:
    """Round at the top, slightly rounded at the foot; drawn double and reduced."""
    width, height = size[0] * 2, size[1] * 2
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    round_top, round_foot = width * 0.42, width * 0.07
    draw.rounded_rectangle((0, 0, width - 1, height * 0.8), round_top, 255)
    draw.rounded_rectangle((0, height * 0.45, width - 1, height - 1), round_foot, 255)
    return mask.reduce(2)


def _shadow(scene: Image.Image, place: Place) -> None:
    """A soft dark ellipse under the foot, and a haze behind the card."""
    wide, flat = int(place.width * 1.3), max(6, int(place.height * 0.12))
    small = Image.new("L", (wide // 4 + 8, flat // 4 + 8))
    draw = ImageDraw.Draw(small)
    draw.ellipse((4, 4, small.width - 4, small.height - 4), 190)
    soft = small.filter(ImageFilter.GaussianBlur(2.2)).resize((wide, flat))
    scene.paste((6, 4, 10), (int(place.x - wide / 2), int(place.foot - flat * 0.58)), soft)
    haze = Image.new("L", (place.width // 8 + 8, place.height // 8 + 8))
    box = (4, 4, haze.width - 4, haze.height - 4)
    ImageDraw.Draw(haze).rounded_rectangle(box, haze.width * 0.3, 120)
    spread = (round(place.width * 1.18), round(place.height * 1.1))
    behind = haze.filter(ImageFilter.GaussianBlur(2)).resize(spread)
    at = (int(place.x - spread[0] / 2 + spread[0] * 0.02), int(place.foot - spread[1] * 0.98))
    scene.paste((6, 4, 10), at, behind)


def _badge(scene: Image.Image, number: int, place: Place) -> None:
    """`image 1`: the name by which the prompt calls this reference."""
    draw = ImageDraw.Draw(scene)
    size = max(9, round(min(place.width * 0.115, scene.height * 0.034)))
    text = f"image {number}"
    length = draw.textlength(text, font(size))
    half, tall = length / 2 + size * 0.7, size * 1.7
    middle = place.foot - tall * 0.35
    box = (place.x - half, middle - tall / 2, place.x + half, middle + tall / 2)
    draw.rounded_rectangle(box, tall / 2, INK, PAPER, max(1, size // 9))
    draw.text((place.x, middle), text, PAPER, font(size), anchor="mm")
