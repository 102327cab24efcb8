"""The indoor set: a tavern."""

from PIL import Image, ImageDraw

from local.simulators.drawing.light import glow
from local.simulators.drawing.mood import Colour, Mood, mix
from local.simulators.drawing.sets import AWNINGS, BLACK


def tavern(image: Image.Image, mood: Mood) -> None:
    """A room: beams, a window on the sky, shelves, candles and a long table."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    wood = mix(mood.light.hills[1], (70, 42, 26), 0.5)
    for plank in range(14):
        x = width * plank / 14
        draw.line((x, 0, x, height * 0.84), mix(mood.light.sky[1], BLACK, 0.22), 2)
    _window(draw, mood, (width * mood.dice.choice((0.12, 0.7)), height * 0.14), height * 0.3)
    _shelf(draw, mood, (width * 0.38, height * 0.36, width * 0.24), wood)
    for beam in (0.0, 0.31, 0.64, 0.965):
        draw.rectangle((width * beam, 0, width * (beam + 0.035), height * 0.84), wood)
    draw.rectangle((0, 0, width, height * 0.075), mix(wood, BLACK, 0.15))
    draw.rectangle((0, height * 0.80, width, height), mix(mood.light.ground, BLACK, 0.12))
    for board in range(5):
        y = height * (0.82 + 0.042 * board)
        draw.line((0, y, width, y), mix(mood.light.ground, BLACK, 0.4), 2)
    for share in (0.2, 0.5, 0.82):
        at = (width * (share + mood.dice.uniform(-0.05, 0.05)), height * 0.2)
        draw.line((at[0], height * 0.07, at[0], at[1]), BLACK, 2)
        _flame(image, at, height, mood.light.lamp)


def _window(draw: ImageDraw.ImageDraw, mood: Mood, at: tuple[float, float], tall: float) -> None:
    x, y = at
    wide, frame = tall * 0.72, mix(mood.light.hills[1], BLACK, 0.1)
    draw.rounded_rectangle((x - 8, y - 8, x + wide + 8, y + tall + 8), 10, frame)
    for step in range(12):
        sky = mix((24, 34, 82), (214, 124, 96), step / 11)
        top = y + tall * step / 12
        draw.rectangle((x, top, x + wide, top + tall / 12 + 1), sky)
    draw.line((x + wide / 2, y, x + wide / 2, y + tall), frame, 7)
    draw.line((x, y + tall / 2, x + wide, y + tall / 2), frame, 7)


def _shelf(
    draw: ImageDraw.ImageDraw, mood: Mood, at: tuple[float, float, float], wood: Colour
) -> None:
    x, y, wide = at
    for row in (0.0, 0.55):
        bottom = y + wide * row
        draw.rectangle((x, bottom, x + wide, bottom + wide * 0.04), wood)
        for bottle in range(9):
            left, tall = x + wide * (0.04 + bottle * 0.105), wide * mood.dice.uniform(0.16, 0.3)
            glass = mix(mood.dice.choice(AWNINGS), BLACK, 0.35)
            box = (left, bottom - tall * 0.75, left + wide * 0.065, bottom)
            draw.rounded_rectangle(box, wide * 0.015, glass)
            neck = (left + wide * 0.022, bottom - tall, left + wide * 0.044, bottom - tall * 0.7)
            draw.rectangle(neck, glass)


def _flame(image: Image.Image, at: tuple[float, float], height: int, colour: Colour) -> None:
    glow(image, at, height * 0.34, colour, 0.7)
    draw = ImageDraw.Draw(image)
    w, h = height * 0.012, height * 0.03
    draw.ellipse((at[0] - w, at[1] - h, at[0] + w, at[1] + h), (255, 240, 200))
