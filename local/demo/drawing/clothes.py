"""What people wear, by kind of garment."""

from collections.abc import Callable, Mapping

from local.demo.drawing.brush import Canvas, Colour, darker, lighter, mirrored, mix
from local.demo.drawing.figure import Figure
from local.demo.drawing.torso import body, neckline, skin_vee

_LINEN: Colour = (238, 228, 206)
_GOLD: Colour = (216, 172, 84)
_STEEL: Colour = (172, 182, 196)


def draw_clothes(canvas: Canvas, figure: Figure) -> None:
    _GARMENTS[figure.traits.garment](canvas, figure, figure.traits.cloth)


def _jacket(canvas: Canvas, figure: Figure, colour: Colour) -> None:
    n, w = figure.neck, figure.shoulders
    body(canvas, figure, colour)
    shirt = [(n + 18, 226.0), (n + 26, 300.0), (66.0, 480.0), (52.0, 860.0)]
    canvas.shape(figure.at(mirrored(shirt)), _LINEN)
    with canvas.inside(figure.at(mirrored(shirt))):
        canvas.shape(
            figure.at([(24, 200), (34, 400), (20, 860), (200, 860), (200, 200)]),
            darker(_LINEN, 0.16),
        )
    skin_vee(canvas, figure, 356)
    canvas.stroke(figure.at([(-n - 4, 240), (-40, 310), (0, 362)]), 13, lighter(_LINEN, 0.5))
    canvas.stroke(figure.at([(n + 4, 240), (40, 310), (0, 362)]), 13, darker(_LINEN, 0.1))
    canvas.stroke(figure.at([(0, 366), (0, 860)]), 4, darker(_LINEN, 0.35), ends=1)
    edge = darker(colour, 0.5)
    for side in (-1, 1):
        inner = colour if side < 0 else darker(colour, 0.2)
        lapel = [
            (n - 2, 206.0),
            (n - 2, 206.0),
            (n + 30, 214.0),
            (n + 66, 252.0),
            (w * 0.52, 322.0),
        ]
        lapel += [(w * 0.52, 322.0), (n + 72, 350.0), (n + 84, 386.0), (n + 84, 386.0)]
        lapel += [(66.0, 540.0), (66.0, 540.0), (54.0, 420.0), (n - 2, 290.0)]
        placed = figure.at([(side * x, y) for x, y in lapel])
        canvas.shape([(x + side * 5, y + 7) for x, y in placed], edge, 0.55)
        canvas.shape(placed, lighter(inner, 0.1))
        seam = [(n + 20, 234.0), (n + 50, 268.0), (w * 0.46, 322.0)]
        canvas.stroke(figure.at([(side * x, y) for x, y in seam]), 3, edge, 0.6)
        front = [(66.0, 540.0), (60.0, 680.0), (54.0, 900.0)]
        canvas.stroke(figure.at([(side * x, y) for x, y in front]), 7, edge, 0.8)
        pocket = [(118.0, 508.0), (w * 0.62, 494.0)]
        canvas.stroke(figure.at([(side * x, y) for x, y in pocket]), 6, edge, 0.7, ends=0.6)
        for button in (566.0, 628.0):
            canvas.oval(*figure.point(side * 82, button), 7, 7, _GOLD)
    if figure.traits.leather:
        for x, y, length in ((-w * 0.82, 400, 60), (-w * 0.56, 350, 46), (w * 0.5, 420, 50)):
            canvas.stroke(
                figure.at([(x, y), (x + 9, y + length / 2), (x + 3, y + length)]),
                5, lighter(colour, 0.34), 0.6, ends=0.2,
            )  # fmt: skip


def _robe(canvas: Canvas, figure: Figure, colour: Colour) -> None:
    n, w = figure.neck, figure.shoulders
    torso = body(canvas, figure, colour, broad=16)
    with canvas.inside(torso):
        for x, lean, opacity in (
            (-210, -26, 0.5),
            (-120, -10, 0.4),
            (120, 14, 0.6),
            (226, 30, 0.6),
        ):
            fold = [(x * 0.72, 380.0), (x, 540.0), (x + lean, 860.0)]
            canvas.stroke(figure.at(fold), 13, darker(colour, 0.36), opacity, ends=0.15)
    under = darker(mix(colour, _LINEN, 0.2), 0.5)
    neckline(canvas, figure, 452, under)
    skin_vee(canvas, figure, 330)
    canvas.stroke(figure.at([(-n, 246), (-34, 310), (0, 338)]), 12, _LINEN, ends=0.8)
    canvas.stroke(figure.at([(n, 246), (34, 310), (0, 338)]), 12, darker(_LINEN, 0.14), ends=0.8)
    # The left side lies over the right, as robes are worn.
    for side in (1, -1):
        tone = darker(_GOLD, 0.2) if side > 0 else _GOLD
        outer = [(n + 2, 172.0), (n + 44, 214.0), (n + 52, 268.0), (n + 10, 380.0)]
        outer += [(-24.0, 530.0), (-92.0, 700.0)]
        inner = [(-150.0, 700.0), (-78.0, 520.0), (-34.0, 420.0), (n - 34, 318.0), (n - 8, 240.0)]
        band = figure.at([(side * x, y) for x, y in [*outer, *inner]])
        canvas.shape([(x + 4, y + 8) for x, y in band], darker(colour, 0.55), 0.6)
        canvas.shape(band, lighter(colour, 0.12) if side < 0 else darker(colour, 0.1))
        for edge, width in ((outer, 11), (list(reversed(inner)), 9)):
            canvas.stroke(figure.at([(side * x, y) for x, y in edge]), width, tone, ends=0.9)
        for stud, y in ((n + 24, 288.0), (n - 4, 346.0), (n - 50, 408.0)):
            canvas.oval(*figure.point(side * stud, y), 6, 6, tone)
    for side in (-1, 1):
        hem = [(side * w * 0.56, 292.0), (side * w * 0.66, 400.0), (side * w * 0.62, 560.0)]
        canvas.stroke(figure.at([*hem, (side * w * 0.64, 880.0)]), 6, _GOLD, 0.8, ends=0.8)


def _cloak(canvas: Canvas, figure: Figure, colour: Colour) -> None:
    n, w = figure.neck, figure.shoulders
    body(canvas, figure, mix(_LINEN, darker(colour, 0.5), 0.55))
    skin_vee(canvas, figure, 330)
    for side in (-1, 1):
        tone = colour if side < 0 else darker(colour, 0.22)
        drape = [(20.0, 322.0), (n + 30, 236.0), (n + 50, 214.0), (w * 0.7, 280.0), (w + 30, 400.0)]
        drape += [(w + 90, 900.0), (120.0, 900.0), (96.0, 560.0)]
        canvas.shape(figure.at([(side * x, y) for x, y in drape]), tone)
        for x in (150.0, 214.0, 280.0):
            fold = [(x * 0.72, 350.0), (x, 560.0), (x + 26, 880.0)]
            canvas.stroke(
                figure.at([(side * a, b) for a, b in fold]), 11, darker(tone, 0.32), 0.7, ends=0.15
            )
        hood = [(n - 4, 190.0), (n + 62, 206.0), (n + 74, 262.0), (34.0, 340.0), (10.0, 334.0)]
        canvas.shape(figure.at([(side * x, y) for x, y in hood]), lighter(tone, 0.1))
    x, y = figure.point(0, 334)
    canvas.oval(x, y, 28, 28, darker(_GOLD, 0.45))
    canvas.oval(x, y - 2, 24, 24, _GOLD)
    canvas.oval(x - 6, y - 9, 7, 6, lighter(_GOLD, 0.7))


def _armour(canvas: Canvas, figure: Figure, colour: Colour) -> None:
    w = figure.shoulders
    torso = body(canvas, figure, _STEEL)
    neckline(canvas, figure, 330, darker(colour, 0.2))
    skin_vee(canvas, figure, 278)
    collar = [(-figure.neck - 20, 232.0), (-70.0, 312.0), (0.0, 340.0), (70.0, 312.0)]
    canvas.stroke(figure.at([*collar, (figure.neck + 20, 232.0)]), 26, darker(_STEEL, 0.3))
    canvas.stroke(figure.at([*collar, (figure.neck + 20, 232.0)]), 16, lighter(_STEEL, 0.5))
    canvas.stroke(figure.at([(0, 360), (0, 900)]), 6, darker(_STEEL, 0.35))
    sash = [(-w * 0.92, 330.0), (-w * 0.3, 480.0), (w * 0.5, 760.0)]
    with canvas.inside(torso):
        canvas.stroke(figure.at(sash), 58, darker(colour, 0.35), ends=1)
        canvas.stroke(figure.at(sash), 48, colour, ends=1)
    for side in (-1, 1):
        for step in range(3):
            x, y = figure.point(side * (w * 0.78 + step * 16), 380 + step * 66)
            tone = _STEEL if side < 0 else darker(_STEEL, 0.2)
            canvas.oval(x, y + 8, 108 - step * 8, 66, darker(_STEEL, 0.5))
            canvas.oval(x, y, 108 - step * 8, 64, lighter(tone, 0.15 * (2 - step)))


def _dress(canvas: Canvas, figure: Figure, colour: Colour) -> None:
    n = figure.neck
    body(canvas, figure, colour)
    half = [(n + 10, 210.0), (n + 44, 262.0), (n + 46, 320.0), (0.0, 376.0)]
    canvas.shape(figure.at(mirrored(half)), darker(colour, 0.4))
    half = [(n + 2, 206.0), (n + 30, 262.0), (n + 32, 312.0), (0.0, 358.0)]
    canvas.shape(figure.at(mirrored(half)), figure.traits.skin)
    lace = [(-n - 42, 268.0), (-n - 40, 322.0), (0.0, 372.0), (n + 40, 322.0), (n + 42, 268.0)]
    canvas.stroke(figure.at(lace), 14, _LINEN, ends=0.7)
    beads = [(-n - 2, 248.0), (-40.0, 296.0), (0.0, 312.0), (40.0, 296.0), (n + 2, 248.0)]
    canvas.stroke(figure.at(beads), 5, _GOLD, ends=1)
    x, y = figure.point(0, 322)
    canvas.oval(x, y, 13, 15, _GOLD)
    canvas.oval(x, y, 7, 9, (196, 52, 66))


def _shirt(canvas: Canvas, figure: Figure, colour: Colour) -> None:
    n = figure.neck
    body(canvas, figure, colour)
    neckline(canvas, figure, 330, darker(colour, 0.42))
    skin_vee(canvas, figure, 304)
    for side in (-1, 1):
        tone = lighter(colour, 0.18) if side < 0 else colour
        collar = [(n - 4, 204.0), (n + 40, 232.0), (n + 56, 300.0), (n + 56, 300.0), (54.0, 330.0)]
        collar += [(8.0, 340.0), (8.0, 340.0), (n - 22, 272.0)]
        canvas.shape(figure.at([(side * x, y) for x, y in collar]), tone)
    canvas.stroke(figure.at([(0, 344), (0, 900)]), 4, darker(colour, 0.4), ends=1)
    for y in (390.0, 470.0, 550.0):
        x, at = figure.point(0, y)
        canvas.oval(x, at, 8, 8, _LINEN)


_GARMENTS: Mapping[str, Callable[[Canvas, Figure, Colour], None]] = {
    "jacket": _jacket, "robe": _robe, "cloak": _cloak,
    "armour": _armour, "dress": _dress, "shirt": _shirt,
}  # fmt: skip
