"""Hair behind and before the face, and beards."""

from local.demo.drawing.brush import Canvas, Point, darker, lighter, mirrored
from local.demo.drawing.figure import Figure


def draw_hair_behind(canvas: Canvas, figure: Figure) -> None:
    colour = darker(figure.traits.hair, 0.3)
    c = figure.cheek
    match figure.traits.length:
        case "long":
            half = [(0.0, -262.0), (120.0, -240.0), (c + 52, -120.0), (c + 66, 40.0)]
            half += [(c + 84, 170.0), (c + 74, 290.0), (c + 98, 400.0), (c + 30, 500.0)]
            canvas.shape(figure.at(mirrored([*half, (0.0, 430.0)])), colour)
        case "middle":
            half = [(0.0, -256.0), (116.0, -236.0), (c + 46, -120.0), (c + 58, 30.0)]
            half += [(c + 62, 150.0), (c + 30, 240.0), (60.0, 236.0)]
            canvas.shape(figure.at(mirrored([*half, (0.0, 200.0)])), colour)
        case _:
            pass


def draw_hair(canvas: Canvas, figure: Figure) -> None:
    match figure.traits.length:
        case "long":
            _parted(canvas, figure)
            _locks(canvas, figure)
        case "middle":
            _parted(canvas, figure)
        case "short":
            _short(canvas, figure)
        case _:
            pass
    if figure.traits.curly and figure.traits.length != "bald":
        _curls(canvas, figure)


def _parted(canvas: Canvas, figure: Figure) -> None:
    """Two sweeps from a parting left of the middle."""
    hair, c = figure.traits.hair, figure.cheek
    right = [(-34.0, -262.0), (60.0, -262.0), (c + 6, -214.0), (c + 46, -110.0), (c + 50, 20.0)]
    right += [(c + 40, 130.0), (c + 6, 150.0), (c + 4, 40.0), (c - 8, -46.0), (84.0, -106.0)]
    right += [(10.0, -150.0), (-44.0, -190.0)]
    left = [(-30.0, -262.0), (-86.0, -246.0), (-c - 22, -180.0), (-c - 48, -70.0), (-c - 46, 60.0)]
    left += [(-c - 30, 140.0), (-c - 2, 130.0), (-c - 4, 30.0), (-c + 8, -50.0), (-98.0, -122.0)]
    left += [(-50.0, -196.0)]
    canvas.shape(figure.at(right), darker(hair, 0.1))
    canvas.shape(figure.at(left), hair)
    for x, bend in ((-8.0, 0.0), (22.0, 26.0), (52.0, 52.0)):
        strand = [(x - 26, -236 + bend * 0.2), (70 + bend * 0.6, -176 + bend * 0.4)]
        strand += [(c - 6 + bend * 0.5, -80 + bend), (c + 14 + bend * 0.4, 60 + bend)]
        canvas.stroke(figure.at(strand), 7, lighter(hair, 0.3), 0.55, ends=0.1)
    for x, bend in ((-60.0, 0.0), (-84.0, 18.0)):
        strand = [(x, -226 + bend), (-c + 8 - bend * 0.5, -130 + bend)]
        strand += [(-c - 22 - bend * 0.4, -20 + bend), (-c - 22, 90.0)]
        canvas.stroke(figure.at(strand), 6, lighter(hair, 0.36), 0.6, ends=0.1)
    canvas.stroke(
        figure.at([(-32, -258), (-40, -226), (-46, -194)]), 5, darker(hair, 0.5), ends=0.3
    )


def _locks(canvas: Canvas, figure: Figure) -> None:
    """Long hair that falls over the shoulders, in front of the clothes."""
    hair, c = figure.traits.hair, figure.cheek
    for side in (-1, 1):
        tone = hair if side < 0 else darker(hair, 0.12)
        lock = [(c + 44, -60.0), (c + 58, 60.0), (c + 76, 170.0), (c + 70, 280.0), (c + 88, 390.0)]
        lock += [(c + 60, 490.0), (c + 2, 566.0), (c + 2, 566.0), (c + 6, 490.0), (c - 24, 410.0)]
        lock += [(c - 4, 310.0), (c - 14, 220.0), (c + 2, 120.0), (c + 4, 20.0)]
        canvas.shape(figure.at([(side * x, y) for x, y in lock]), tone)
        for offset, colour, width in (
            (14.0, darker(tone, 0.34), 6),
            (38.0, lighter(tone, 0.3), 7),
            (56.0, darker(tone, 0.3), 5),
        ):
            strand = [(c - 4 + offset, 60.0), (c - 14 + offset * 1.2, 210.0)]
            strand += [(c - 10 + offset * 1.1, 320.0), (c - 20 + offset * 1.2, 420.0)]
            strand += [(c - 8 + offset * 0.8, 510.0)]
            canvas.stroke(
                figure.at([(side * x, y) for x, y in strand]), width, colour, 0.6, ends=0.1
            )


def _short(canvas: Canvas, figure: Figure) -> None:
    hair, c = figure.traits.hair, figure.cheek
    cap = [(-c - 14, 12.0), (-c - 22, -80.0), (-c - 4, -176.0), (-90.0, -244.0), (10.0, -262.0)]
    cap += [(104.0, -240.0), (c + 8, -170.0), (c + 22, -80.0), (c + 14, 12.0), (c - 2, 10.0)]
    cap += [(c - 8, -70.0), (c - 26, -112.0), (70.0, -132.0), (0.0, -122.0), (-70.0, -142.0)]
    cap += [(-c + 24, -110.0), (-c + 8, -70.0), (-c + 2, 10.0)]
    canvas.shape(figure.at(cap), hair)
    with canvas.inside(figure.at(cap)):
        shade = [(60.0, -280.0), (110.0, -180.0), (128.0, -60.0), (120.0, 40.0)]
        canvas.shape(figure.at([*shade, (240.0, 40.0), (240.0, -280.0)]), darker(hair, 0.35))
        for x in (-96.0, -56.0, -14.0, 30.0):
            tuft = [(x + 34, -128.0), (x + 14, -176.0), (x + 24, -226.0), (x + 48, -250.0)]
            canvas.stroke(figure.at(tuft), 8, lighter(hair, 0.2), 0.5, ends=0.1)


def _curls(canvas: Canvas, figure: Figure) -> None:
    hair, c = figure.traits.hair, figure.cheek
    rim: list[Point] = [(-c - 30, -40.0), (-c - 26, -120.0), (-c + 8, -196.0), (-78.0, -246.0)]
    rim += [(0.0, -264.0), (78.0, -246.0), (c - 8, -196.0), (c + 26, -120.0), (c + 30, -40.0)]
    if figure.traits.length == "long":
        for side in (-1, 1):
            rim += [(side * (c + 50), y) for y in (50.0, 140.0, 230.0, 320.0, 410.0)]
    for index, (x, y) in enumerate(rim):
        px, py = figure.point(x, y)
        tone = darker(hair, 0.1) if x > 0 else hair
        canvas.oval(px, py, 46, 44, darker(tone, 0.24))
        canvas.oval(px - 4, py - 5, 41, 39, tone)
        twist = [(px - 20, py + 8), (px - 8, py - 20), (px + 16, py - 12), (px + 8, py + 10)]
        canvas.stroke(twist, 5, lighter(tone, 0.28 if index % 2 else 0.16), 0.7, ends=0.3)


def draw_beard(canvas: Canvas, figure: Figure) -> None:
    """Around the mouth, up to the ears; painted before the mouth is."""
    traits = figure.traits
    hair, c = traits.hair, figure.cheek
    if traits.beard:
        deep = 420.0 if traits.long_beard else 300.0 if traits.old else 262.0
        half = [(c + 8, -6.0), (c + 10, 70.0), (c - 2, 150.0), (104.0, 218.0), (54.0, deep - 12)]
        inner = [(0.0, 108.0), (44.0, 108.0), (76.0, 124.0), (100.0, 112.0), (c - 18, 60.0)]
        outline = [*mirrored([*half, (0.0, deep)]), *[(-x, y) for x, y in reversed(inner)], *inner]
        canvas.shape(figure.at(outline), hair)
        with canvas.inside(figure.at(outline)):
            shade = [(70.0, 60.0), (84.0, 170.0), (30.0, 250.0), (10.0, 440.0)]
            canvas.shape(figure.at([*shade, (260.0, 440.0), (260.0, 0.0)]), darker(hair, 0.35))
            for x in (-104.0, -72.0, -36.0, 4.0, 40.0):
                strand = [(x, 170.0), (x * 0.86, 206.0), (x * 0.7, deep - 22)]
                canvas.stroke(figure.at(strand), 6, lighter(hair, 0.24), 0.5, ends=0.1)
    elif traits.moustache:
        half = [(0.0, 106.0), (38.0, 104.0), (72.0, 128.0), (80.0, 142.0), (40.0, 132.0)]
        canvas.shape(figure.at(mirrored([*half, (0.0, 126.0)])), hair)
