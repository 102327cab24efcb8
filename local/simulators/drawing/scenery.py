"""The background: sky, light, hills and the set (stalls, trees, houses, sea, a tavern)."""

from math import pi, sin

from PIL import Image, ImageDraw, ImageFilter

from local.simulators.drawing import room, sets
from local.simulators.drawing.light import glow
from local.simulators.drawing.mood import Colour, Mood, mix

HORIZON = 0.56
"""Where the furthest hills begin, as a share of the scene's height."""


def draw_scenery(mood: Mood, size: tuple[int, int]) -> Image.Image:
    """Drawn large and softened a little, so that what stands in front looks sharp."""
    if mood.indoors:
        image = _gradient(size, (mood.light.sky[0], mood.light.sky[1], mood.light.sky[2]))
        room.tavern(image, mood)
    else:
        image = _gradient(size, mood.light.sky)
        _stars(image, mood)
        lamp = _sun_or_moon(image, mood)
        _clouds(image, mood)
        _land(image, mood)
        sets.build(image, mood)
        glow(image, lamp, size[1] * 0.55, mood.light.lamp, 0.32)
    softened = image.reduce(2).resize(size, Image.Resampling.BICUBIC)
    return _vignette(softened)


def _gradient(size: tuple[int, int], colours: tuple[Colour, Colour, Colour]) -> Image.Image:
    strip = Image.new("RGB", (1, 64))
    for y in range(64):
        share = y / 40
        top, middle, bottom = colours
        colour = mix(top, middle, share) if share < 1 else mix(middle, bottom, min(1, share - 1))
        strip.putpixel((0, y), colour)
    return strip.resize(size, Image.Resampling.BILINEAR)


def _stars(image: Image.Image, mood: Mood) -> None:
    if not mood.light.dark:
        return
    draw = ImageDraw.Draw(image)
    width, height = image.size
    for _ in range(110):
        x, y = mood.dice.random() * width, mood.dice.random() * height * 0.5
        radius = mood.dice.choice((1.0, 1.0, 1.5, 2.2)) * height / 620
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), (226, 230, 255))


def _sun_or_moon(image: Image.Image, mood: Mood) -> tuple[float, float]:
    width, height = image.size
    low = mood.light_name in ("sunset", "dawn")
    at = (
        width * mood.dice.uniform(0.16, 0.84),
        height * (mood.dice.uniform(0.38, 0.48) if low else mood.dice.uniform(0.13, 0.26)),
    )
    if mood.light_name == "storm":
        return at
    radius = height * (0.085 if low else 0.06)
    glow(image, at, radius * 5.5, mood.light.lamp, 0.75)
    draw = ImageDraw.Draw(image)
    box = (at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius)
    draw.ellipse(box, mood.light.lamp)
    if mood.light.dark:
        for dx, dy, share in ((-0.3, -0.2, 0.2), (0.25, 0.3, 0.26), (0.2, -0.4, 0.13)):
            x, y, crater = at[0] + dx * radius, at[1] + dy * radius, share * radius
            draw.ellipse(
                (x - crater, y - crater, x + crater, y + crater),
                mix(mood.light.lamp, mood.light.sky[1], 0.22),
            )
    return at


def _clouds(image: Image.Image, mood: Mood) -> None:
    """Painted tiny and enlarged: soft edges for nothing."""
    width, height = image.size
    small = Image.new("L", (max(8, width // 8), max(8, height // 8)))
    draw = ImageDraw.Draw(small)
    storm = mood.light_name == "storm"
    for _ in range(9 if storm else 4):
        x = mood.dice.random() * small.width
        y = small.height * mood.dice.uniform(0.06, 0.42)
        for _ in range(6):
            dx = mood.dice.uniform(-0.09, 0.09) * small.width
            w, h = small.width * mood.dice.uniform(0.03, 0.08), small.height * 0.025
            opacity = mood.dice.randint(70, 150)
            draw.ellipse((x + dx - w, y - h, x + dx + w, y + h * 1.3), opacity)
            y += mood.dice.uniform(-0.012, 0.012) * small.height
    soft = small.filter(ImageFilter.GaussianBlur(1.6)).resize(image.size)
    colour = mix(mood.light.sky[2], (255, 255, 255), 0.5)
    if storm or mood.light.dark:
        colour = mix(mood.light.sky[1], mood.light.sky[2], 0.5)
    image.paste(colour, (0, 0), soft)


def _land(image: Image.Image, mood: Mood) -> None:
    """Four ranges, paler the further away, and the ground in front."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    peaks = {"mountain": 2.6, "desert": 0.8, "sea": 0.5}.get(mood.place, 1.0)
    for layer in range(4):
        share = layer / 3
        colour = mix(mood.light.hills[0], mood.light.hills[1], share)
        colour = mix(colour, mood.light.sky[2], 0.34 * (1 - share))
        base = height * (HORIZON + 0.07 * layer)
        swing = height * 0.055 * (peaks if layer < 2 else 1.0)
        points = _ridge(mood, width, base, swing, jagged=mood.place == "mountain" and layer < 2)
        draw.polygon([*points, (width, height), (0, height)], colour)
    top = height * 0.83
    ground = _ridge(mood, width, top, height * 0.012, jagged=False)
    draw.polygon([*ground, (width, height), (0, height)], mood.light.ground)
    for step in range(1, 6):  # the ground darkens toward the viewer
        y = top + (height - top) * step / 6
        draw.rectangle((0, y, width, height), mix(mood.light.ground, (12, 10, 16), 0.09 * step))


def _ridge(
    mood: Mood, width: int, base: float, swing: float, *, jagged: bool
) -> list[tuple[float, float]]:
    waves = [
        (mood.dice.uniform(1.2, 2.4) * (2**octave), mood.dice.random() * 2 * pi, 0.55**octave)
        for octave in range(4 if jagged else 3)
    ]
    points: list[tuple[float, float]] = []
    for step in range(97):
        x = step / 96
        if jagged:  # triangle waves make peaks
            offset = sum(
                weight * (abs(((x * turns + phase) % 2) - 1) * 2 - 1)
                for turns, phase, weight in waves
            )
        else:
            offset = sum(weight * sin(x * turns * pi + phase) for turns, phase, weight in waves)
        points.append((x * width, base - swing * offset))
    return points


def _vignette(image: Image.Image) -> Image.Image:
    shade = Image.radial_gradient("L").point([max(0, (value - 110)) // 2 for value in range(256)])
    image.paste((8, 6, 14), (0, 0), shade.resize(image.size, Image.Resampling.BILINEAR))
    return image
