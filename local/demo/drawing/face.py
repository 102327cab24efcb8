"""Head, neck and face, seen from the front; light comes from the left."""

from collections.abc import Sequence

from local.demo.drawing.brush import Canvas, Colour, Point, darker, lighter, mirrored, mix, moved
from local.demo.drawing.figure import Figure
from local.demo.drawing.hair import draw_beard

INK: Colour = (52, 32, 40)
_WHITE: Colour = (252, 248, 242)


def draw_neck(canvas: Canvas, figure: Figure) -> None:
    skin = figure.traits.skin
    wide = figure.neck
    half = [(wide, 90.0), (wide - 4, 190.0), (wide + 22, 262.0), (wide + 90, 320.0), (0.0, 430.0)]
    outline = figure.at(mirrored([(0.0, 70.0), *half]))
    canvas.shape(outline, skin)
    shadow = [(wide + 30, 60.0), (wide + 10, 190.0), (20.0, 252.0), (-40.0, 244.0)]
    with canvas.inside(outline):
        canvas.shape(figure.at([*shadow, (-wide - 20, 190.0), (-wide - 30, 60.0)]), _shade(skin))


def draw_head(canvas: Canvas, figure: Figure) -> None:
    traits = figure.traits
    skin = traits.skin
    if traits.length in ("short", "bald"):
        _ears(canvas, figure)
    head = figure.at(figure.head)
    canvas.shape(head, skin)
    with canvas.inside(head):
        side_shade = [(66.0, -240.0), (104.0, -60.0), (100.0, 60.0), (66.0, 160.0), (8.0, 230.0)]
        canvas.shape(figure.at([*side_shade, (260.0, 240.0), (260.0, -240.0)]), _shade(skin, 0.13))
        for side in (-1, 1):
            x, y = figure.point(side * 92, 76)
            canvas.oval(
                x, y, 36, 24, (226, 94, 84), 0.17 if traits.female or traits.child else 0.12
            )
        if traits.freckles:
            _freckles(canvas, figure)
    draw_beard(canvas, figure)
    _nose(canvas, figure)
    _mouth(canvas, figure)
    for side in (-1, 1):
        _eye(canvas, figure, side)
        _brow(canvas, figure, side)
    if traits.old:
        _lines_of_age(canvas, figure)
    if traits.scar:
        canvas.stroke(
            figure.at([(-112, 40), (-96, 70), (-88, 112)]), 7, _shade(skin, 0.3), ends=0.3
        )
    if traits.glasses:
        _glasses(canvas, figure)


def _ears(canvas: Canvas, figure: Figure) -> None:
    skin = figure.traits.skin
    for side in (-1, 1):
        x, y = figure.point(side * (figure.cheek + 4), 26)
        canvas.oval(x, y, 27, 42, skin if side < 0 else _shade(skin))
        canvas.oval(x + side * 3, y + 2, 13, 24, _shade(skin, 0.22), 0.8)


def _shade(skin: Colour, share: float = 0.2) -> Colour:
    return mix(skin, (122, 44, 52), share)


def _eye(canvas: Canvas, figure: Figure, side: int) -> None:
    traits = figure.traits
    tall = 1.16 if traits.child else 1.0 if traits.female else 0.82
    inner, outer = 33.0, 104.0

    def place(points: Sequence[Point]) -> list[Point]:
        return figure.at([(side * (70 + (x - 70) * 1.1), 20 + y * tall * 1.1) for x, y in points])

    almond = [(inner, 8.0), (inner, 8.0), (52.0, -15.0), (78.0, -19.0), (outer, -3.0)]
    almond += [(outer, -3.0), (86.0, 17.0), (58.0, 20.0)]
    canvas.shape(place(almond), _WHITE)
    x, y = figure.point(side * 70, 20)
    with canvas.inside(place(almond)):
        canvas.oval(x, y, 25, 25, darker(traits.eyes, 0.45))
        canvas.oval(x, y + 1, 22, 22, traits.eyes)
        canvas.oval(x, y + 9, 15, 12, lighter(traits.eyes, 0.4), 0.7)
        canvas.oval(x, y, 11, 11, (24, 18, 26))
        canvas.shape(place([(20, -40), (120, -40), (120, -8), (70, -12), (20, 4)]), INK, 0.2)
    canvas.oval(x - 8, y - 9, 7, 7, (255, 255, 255))
    canvas.oval(x + 8, y + 9, 3, 3, (255, 255, 255), 0.8)
    lid = [(inner - 2, 8.0), (52.0, -16.0), (78.0, -20.0), (outer + 2, -3.0)]
    canvas.stroke(place(lid), 10 if traits.female else 8, INK, ends=0.4)
    crease = [(44.0, -24.0), (72.0, -34.0), (102.0, -22.0)]
    canvas.stroke(place(crease), 3.5, _shade(traits.skin, 0.5), 0.7, ends=0.3)
    canvas.stroke(place([(52.0, 20.0), (76.0, 21.0), (94.0, 11.0)]), 3, INK, 0.45, ends=0.3)
    if traits.female:
        for start, end in (((96, -10), (116, -24)), ((103, -4), (121, -10))):
            canvas.stroke(place([start, end]), 6, INK, ends=0.3)


def _brow(canvas: Canvas, figure: Figure, side: int) -> None:
    traits = figure.traits
    colour = darker(traits.hair, 0.3)
    thick = 11 if traits.female else 17
    lift = -4.0 if traits.female else 6.0
    points = [(32.0, -36 + lift), (64.0, -52 + lift), (94.0, -52 + lift), (122.0, -34 + lift)]
    canvas.stroke(figure.at([(side * x, y) for x, y in points]), thick, colour, ends=0.35)


def _nose(canvas: Canvas, figure: Figure) -> None:
    skin = figure.traits.skin
    wide = 20.0 if figure.traits.female or figure.traits.child else 27.0
    bridge = [(8.0, 6.0), (16.0, 50.0), (wide, 84.0), (wide - 6, 95.0), (2.0, 99.0), (6.0, 60.0)]
    canvas.shape(figure.at(bridge), _shade(skin, 0.24))
    tip = [(-wide, 88.0), (-wide * 0.6, 98.0), (0.0, 102.0), (wide * 0.6, 98.0), (wide, 88.0)]
    canvas.stroke(figure.at(tip), 4.5, _shade(skin, 0.55), ends=0.5)
    x, y = figure.point(-5, 76)
    canvas.oval(x, y, 5, 8, lighter(skin, 0.6), 0.7)


def _mouth(canvas: Canvas, figure: Figure) -> None:
    traits = figure.traits
    lips = mix(traits.skin, (186, 54, 64), 0.62 if traits.female else 0.4)
    wide = 46.0 if not traits.child else 38.0
    line = [(-wide, 131.0), (-20.0, 139.0), (0.0, 140.0), (20.0, 139.0), (wide, 131.0)]
    upper = [(-12.0, 127.0), (0.0, 131.0), (12.0, 127.0)]
    high = 1.0 if traits.female else 0.6
    lower = [(24.0, 152.0), (0.0, 140 + 20 * high), (-24.0, 152.0)]
    canvas.shape(figure.at([line[0], *upper, line[-1], line[-1], *lower, line[0]]), lips)
    canvas.stroke(figure.at(line), 5, darker(lips, 0.5), ends=0.5)
    canvas.stroke(
        figure.at([(-14, 151), (0, 153), (10, 151)]), 4, lighter(lips, 0.5), 0.6, ends=0.3
    )
    for side in (-1, 1):
        corner = [(side * (wide - 2), 132.0), (side * (wide + 7), 126.0)]
        canvas.stroke(figure.at(corner), 4.5, _shade(traits.skin, 0.55), ends=0.5)


def _freckles(canvas: Canvas, figure: Figure) -> None:
    dice = figure.traits.dice
    for _ in range(30):
        x = dice.choice((-1, 1)) * dice.triangular(14, 128, 66)
        x, y = figure.point(x, dice.triangular(50, 96, 70))
        size = dice.uniform(1.8, 3.6)
        canvas.oval(x, y, size, size * 0.9, (176, 96, 66), 0.55)


def _lines_of_age(canvas: Canvas, figure: Figure) -> None:
    colour = _shade(figure.traits.skin, 0.4)
    for y in (-96.0, -76.0):
        canvas.stroke(figure.at([(-60, y + 4), (0, y), (60, y + 4)]), 4, colour, 0.7, ends=0.2)
    for side in (-1, 1):
        fold = [(side * 34, 92.0), (side * 56, 118.0), (side * 60, 140.0)]
        canvas.stroke(figure.at(fold), 4, colour, 0.8, ends=0.2)
        for y in (14.0, 34.0):
            crow = [(side * 118, y), (side * 136, y + (y - 24) * 0.7)]
            canvas.stroke(figure.at(crow), 3.5, colour, 0.8, ends=0.2)


def _glasses(canvas: Canvas, figure: Figure) -> None:
    frame: Colour = (62, 44, 40)
    ring = [(0, -46), (36, -34), (50, 0), (36, 36), (0, 46), (-36, 36), (-50, 0), (-36, -34)]
    for side in (-1, 1):
        x, y = figure.point(side * 69, 26)
        canvas.oval(x, y, 50, 46, (235, 245, 255), 0.22)
        canvas.stroke(moved([*ring, ring[0]], x, y), 7, frame)
        canvas.stroke(figure.at([(side * 118, 20), (side * (figure.cheek + 8), 12)]), 7, frame)
    canvas.stroke(figure.at([(-20, 22), (0, 14), (20, 22)]), 7, frame)
