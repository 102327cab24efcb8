"""What every garment has: the body under it, and an opening for the neck."""

from local.demo.drawing.brush import Canvas, Colour, Point, darker, lighter, mirrored, mix
from local.demo.drawing.figure import Figure


def _torso(figure: Figure, *, collar: float = 26.0, broad: float = 0.0) -> list[Point]:
    """From the neck over the shoulders, down out of the picture."""
    wide = figure.shoulders + broad
    half = [(figure.neck - 6, 196.0), (figure.neck + collar, 246.0), (wide * 0.62, 292.0)]
    half += [(wide * 0.92, 350.0), (wide + 8, 452.0), (wide + 34, 600.0), (wide + 60, 860.0)]
    return figure.at(mirrored(half))


def body(canvas: Canvas, figure: Figure, colour: Colour, *, broad: float = 0.0) -> list[Point]:
    """The torso in one colour, its right side in the shade, with the arms' inner edges."""
    torso = _torso(figure, broad=broad)
    wide = figure.shoulders + broad
    canvas.shape(torso, colour)
    with canvas.inside(torso):
        shade = [(70.0, 180.0), (130.0, 330.0), (150.0, 520.0), (120.0, 900.0)]
        canvas.shape(figure.at([*shade, (900.0, 900.0), (900.0, 180.0)]), darker(colour, 0.2))
        for side in (-1, 1):
            arm = [
                (side * wide * 0.74, 430.0),
                (side * wide * 0.7, 520.0),
                (side * wide * 0.73, 800.0),
            ]
            canvas.stroke(figure.at(arm), 9, darker(colour, 0.45), 0.75, ends=0.3)
        light = [
            (-wide * 0.5, 296.0),
            (-wide * 0.88, 350.0),
            (-wide - 2, 450.0),
            (-wide - 24, 600.0),
        ]
        canvas.stroke(figure.at(light), 12, lighter(colour, 0.4), 0.55, ends=0.2)
    return torso


def neckline(canvas: Canvas, figure: Figure, depth: float, colour: Colour) -> None:
    half = [(figure.neck + 16, 216.0), (figure.neck + 14, 236.0), (figure.neck - 8, 300.0)]
    canvas.shape(figure.at(mirrored([*half, (0.0, depth)])), colour)


def skin_vee(canvas: Canvas, figure: Figure, depth: float) -> None:
    """The neck again, over the clothes' inner side."""
    skin = figure.traits.skin
    half = [(figure.neck - 8, 140.0), (figure.neck - 2, 226.0), (figure.neck - 20, 280.0)]
    vee = figure.at(mirrored([*half, (0.0, depth)]))
    canvas.shape(vee, skin)
    with canvas.inside(vee):
        shadow = [(figure.neck + 30, 150.0), (figure.neck, 214.0), (16.0, 258.0), (-40.0, 246.0)]
        shadow += [(-figure.neck - 20, 190.0), (-60.0, 130.0)]
        canvas.shape(figure.at(shadow), mix(skin, (122, 44, 52), 0.24))
        canvas.stroke(figure.at([(8, 286), (30, 292), (60, 280)]), 4, mix(skin, (122, 44, 52), 0.3))
