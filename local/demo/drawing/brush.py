"""Drawing by smooth outlines: Pillow has polygons only, and no soft edges.

Everything is drawn `SCALE` times too large and reduced at the end. Coordinates are those of the
finished picture.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import hypot

from PIL import Image, ImageChops, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]
Outline = Sequence[Point]
Paint = Callable[[ImageDraw.ImageDraw, Colour | int], None]

SCALE = 2
_STEPS = 14


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` 0 is the first colour, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float) -> Colour:
    """Towards a cool dark, as shadows are; black would look dirty."""
    return mix(colour, (34, 22, 48), share)


def lighter(colour: Colour, share: float) -> Colour:
    return mix(colour, (255, 246, 226), share)


def mirrored(half: Outline, centre: float = 0.0) -> list[Point]:
    """The right half of an outline, top to bottom, and its mirror image."""
    return [*half, *((2 * centre - x, y) for x, y in reversed(half))]


def moved(points: Outline, x: float, y: float, scale: float = 1.0) -> list[Point]:
    return [(x + px * scale, y + py * scale) for px, py in points]


def smooth(points: Outline, *, closed: bool = True) -> list[Point]:
    """A Catmull-Rom curve through the points; a point given twice is a corner."""
    count = len(points)
    curve: list[Point] = []
    for index in range(count if closed else count - 1):
        p0, p1, p2, p3 = (_at(points, index + step, closed=closed) for step in (-1, 0, 1, 2))
        curve.extend(_between(p0, p1, p2, p3, step / _STEPS) for step in range(_STEPS))
    if not closed:
        curve.append(points[-1])
    return curve


def _at(points: Outline, index: int, *, closed: bool) -> Point:
    if closed:
        return points[index % len(points)]
    return points[min(max(index, 0), len(points) - 1)]


def _between(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    def one(a: float, b: float, c: float, d: float) -> float:
        slopes = (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3
        return b + 0.5 * slopes

    return one(p0[0], p1[0], p2[0], p3[0]), one(p0[1], p1[1], p2[1], p3[1])


class Canvas:
    """A picture in the making. `inside` limits what is drawn to an outline."""

    def __init__(self, size: int, colour: Colour) -> None:
        self.size = size
        self._image = Image.new("RGB", (size * SCALE, size * SCALE), colour)
        self._limit: Image.Image | None = None

    def finished(self) -> Image.Image:
        return self._image.reduce(SCALE)

    def paste(self, picture: Image.Image) -> None:
        """All over, stretched: for skies."""
        self._image.paste(picture.resize(self._image.size, Image.Resampling.BICUBIC))

    def shape(
        self, points: Outline, colour: Colour, opacity: float = 1.0, *, sharp: bool = False
    ) -> None:
        outline = [(x * SCALE, y * SCALE) for x, y in (points if sharp else smooth(points))]
        self._fill(lambda draw, ink: draw.polygon(outline, fill=ink), colour, opacity)

    def oval(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, opacity: float = 1.0
    ) -> None:
        box = ((x - rx) * SCALE, (y - ry) * SCALE, (x + rx) * SCALE, (y + ry) * SCALE)
        self._fill(lambda draw, ink: draw.ellipse(box, fill=ink), colour, opacity)

    def stroke(
        self,
        points: Outline,
        width: float,
        colour: Colour,
        opacity: float = 1.0,
        *,
        ends: float = 1.0,
    ) -> None:
        """A curve of a pen, round at its ends; `ends` is their width as a share of the middle's."""
        curve = smooth(points, closed=False)
        last = max(1, len(curve) - 1)
        # Dots close enough to be a line, also where the points are far apart.
        closest = max(0.4, width * min(ends, 1.0) / 6)

        def paint(draw: ImageDraw.ImageDraw, ink: Colour | int) -> None:
            for index, ((ax, ay), (bx, by)) in enumerate(pairwise(curve)):
                steps = 1 + int(hypot(bx - ax, by - ay) / closest)
                for step in range(steps):
                    along = (index + step / steps) / last
                    swell = ends + (1 - ends) * 4 * along * (1 - along)
                    radius = max(0.5, width / 2 * swell) * SCALE
                    x = (ax + (bx - ax) * step / steps) * SCALE
                    y = (ay + (by - ay) * step / steps) * SCALE
                    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)

        self._fill(paint, colour, opacity)

    def inside(self, points: Outline | None) -> "Canvas":
        """From now on only within this outline; None ends it. For `with` blocks."""
        if points is None:
            self._limit = None
            return self
        self._limit = Image.new("L", self._image.size)
        outline = [(x * SCALE, y * SCALE) for x, y in smooth(points)]
        ImageDraw.Draw(self._limit).polygon(outline, fill=255)
        return self

    def __enter__(self) -> "Canvas":
        return self

    def __exit__(self, *_: object) -> None:
        self._limit = None

    def _fill(self, paint: Paint, colour: Colour, opacity: float) -> None:
        if opacity >= 1.0 and self._limit is None:
            paint(ImageDraw.Draw(self._image), colour)
            return
        mask = Image.new("L", self._image.size)
        paint(ImageDraw.Draw(mask), round(255 * opacity))
        box = mask.getbbox()
        if box is None:
            return
        cut = mask.crop(box)
        if self._limit is not None:
            cut = ImageChops.multiply(cut, self._limit.crop(box))
        self._image.paste(colour, box, cut)
