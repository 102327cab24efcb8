"""The sets: what stands in the landscape."""

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from local.simulators.drawing.mood import Colour, Mood, mix

if TYPE_CHECKING:
    from collections.abc import Callable

BLACK: Colour = (10, 8, 14)
AWNINGS: tuple[Colour, ...] = (
    (196, 62, 58), (46, 122, 138), (222, 158, 52), (104, 78, 150), (84, 134, 70),
)  # fmt: skip
LIT: Colour = (255, 214, 128)


def build(image: Image.Image, mood: Mood) -> None:
    """Put up the set of an outdoor scene."""
    builders: dict[str, Callable[[Image.Image, Mood], None]] = {
        "market": _market,
        "forest": _forest,
        "sea": _sea,
        "castle": _castle,
        "city": _city,
        "mountain": _pines,
        "hills": _pines,
    }
    builder = builders.get(mood.place)
    if builder is not None:
        builder(image, mood)


def _market(image: Image.Image, mood: Mood) -> None:
    _city(image, mood)
    draw = ImageDraw.Draw(image)
    width, height = image.size
    count = max(3, round(width / height * 2.6))
    for index in range(count):
        w = width / count * 0.86
        x = width / count * (index + 0.07) + mood.dice.uniform(-0.04, 0.04) * w
        y = height * mood.dice.uniform(0.55, 0.60)
        _stall(draw, mood, (x, y, w, height * 0.84 - y))


def _stall(draw: ImageDraw.ImageDraw, mood: Mood, box: tuple[float, float, float, float]) -> None:
    x, y, w, h = box
    shade = 0.42 if mood.light.dark else 0.12
    wood = mix((112, 78, 52), mood.light.hills[1], 0.45)
    colour = mix(mood.dice.choice(AWNINGS), mood.light.hills[1], shade)
    cloth = mix((240, 230, 208), mood.light.hills[1], shade)
    for post in (0.06, 0.9):
        draw.rectangle((x + w * post, y, x + w * (post + 0.04), y + h), wood)
    draw.rectangle((x + w * 0.02, y + h * 0.62, x + w * 0.98, y + h), mix(wood, BLACK, 0.25))
    draw.rectangle((x, y + h * 0.58, x + w, y + h * 0.64), wood)
    for fruit in range(9):
        cx, r = x + w * (0.1 + 0.1 * fruit), h * mood.dice.uniform(0.035, 0.055)
        goods = mix(mood.dice.choice(AWNINGS), mood.light.lamp, 0.2)
        draw.ellipse((cx - r, y + h * 0.58 - 2 * r, cx + r, y + h * 0.58), mix(goods, BLACK, shade))
    stripes, depth = 7, h * 0.3
    for stripe in range(stripes):
        left, right = x + w * stripe / stripes, x + w * (stripe + 1) / stripes
        fill = colour if stripe % 2 == 0 else cloth
        inset = w * 0.09
        top_left = left + inset * (1 - 2 * stripe / stripes)
        top_right = right + inset * (1 - 2 * (stripe + 1) / stripes)
        draw.polygon(
            [(top_left, y - depth * 0.7), (top_right, y - depth * 0.7), (right, y), (left, y)], fill
        )
        draw.pieslice((left, y - (right - left) / 2, right, y + (right - left) / 2), 0, 180, fill)


def _city(image: Image.Image, mood: Mood) -> None:
    draw = ImageDraw.Draw(image)
    width, height = image.size
    for row, share in ((0, 0.42), (1, 0.75)):
        x = -width * 0.03
        wall = mix(mood.light.hills[0], mood.light.hills[1], share)
        while x < width:
            w = width * mood.dice.uniform(0.05, 0.095)
            top = height * mood.dice.uniform(0.36, 0.54) + row * height * 0.06
            roof = mix(wall, (150, 66, 54), 0.35 if row else 0.2)
            peak = w * mood.dice.uniform(0.3, 0.6)
            draw.rectangle((x, top, x + w, height * 0.84), wall)
            draw.polygon([(x - 3, top), (x + w / 2, top - peak), (x + w + 3, top)], roof)
            _windows(draw, mood, (x, top, w, height * 0.84 - top), wall)
            x += w * mood.dice.uniform(1.0, 1.15)


def _windows(
    draw: ImageDraw.ImageDraw, mood: Mood, box: tuple[float, float, float, float], wall: Colour
) -> None:
    x, y, w, h = box
    pane = w * 0.2
    rows = max(1, int(h / (pane * 2.6)))
    for row in range(rows):
        for column in (0.2, 0.6):
            lit = mood.dice.random() < (0.55 if mood.light.dark else 0.18)
            left, top = x + w * column, y + pane * (0.8 + 2.4 * row)
            fill = LIT if lit else mix(wall, BLACK, 0.3)
            draw.rectangle((left, top, left + pane, top + pane * 1.4), fill)


def _forest(image: Image.Image, mood: Mood) -> None:
    draw = ImageDraw.Draw(image)
    width, height = image.size
    for row, (count, size) in enumerate(((18, 0.30), (12, 0.44), (7, 0.66))):
        leaf = mix(mix((64, 110, 70), mood.light.hills[0], 0.55 - row * 0.2), BLACK, 0.14 * row)
        leaf = mix(leaf, mood.light.hills[1], 0.45)
        for index in range(count):
            x = width * (index + mood.dice.random()) / count
            base = height * (0.72 + 0.065 * row)
            tall = height * size * mood.dice.uniform(0.75, 1.1)
            _round_tree(draw, mood, (x, base, tall), leaf)


def _round_tree(
    draw: ImageDraw.ImageDraw, mood: Mood, at: tuple[float, float, float], leaf: Colour
) -> None:
    x, base, tall = at
    trunk = tall * 0.035
    draw.rectangle((x - trunk, base - tall * 0.6, x + trunk, base), mix(leaf, (52, 34, 26), 0.7))
    for _ in range(5):
        dx, dy = mood.dice.uniform(-0.14, 0.14) * tall, mood.dice.uniform(0.5, 0.86) * tall
        r = tall * mood.dice.uniform(0.12, 0.19)
        shade = mix(leaf, mood.light.lamp, 0.14 * (dy / tall))
        draw.ellipse((x + dx - r, base - dy - r, x + dx + r, base - dy + r), shade)


def _pines(image: Image.Image, mood: Mood) -> None:
    draw = ImageDraw.Draw(image)
    width, height = image.size
    colour = mix(mood.light.hills[1], BLACK, 0.18)
    for index in range(26):
        x = width * (index + mood.dice.random()) / 26
        base = height * mood.dice.uniform(0.79, 0.845)
        tall = height * mood.dice.uniform(0.08, 0.2)
        for tier in range(3):
            w, y = tall * (0.15 + 0.07 * tier), base - tall * (0.95 - 0.28 * tier)
            draw.polygon([(x, y), (x - w, y + tall * 0.4), (x + w, y + tall * 0.4)], colour)


def _sea(image: Image.Image, mood: Mood) -> None:
    draw = ImageDraw.Draw(image)
    width, height = image.size
    top = height * 0.60
    for step in range(9):
        y = top + (height - top) * step / 9
        deep = mix(mix(mood.light.sky[2], (40, 96, 130), 0.5), (14, 34, 58), step / 9)
        draw.rectangle((0, y, width, height), mix(deep, mood.light.hills[1], 0.25))
    for _ in range(70):  # light on the water
        x, y = mood.dice.random() * width, top + mood.dice.random() ** 1.6 * (height - top)
        w = width * mood.dice.uniform(0.01, 0.045)
        glint = mix(mood.light.lamp, (60, 110, 140), mood.dice.uniform(0.3, 0.8))
        draw.line((x, y, x + w, y), glint, max(1, round(height / 400)))
    share = mood.dice.choice((mood.dice.uniform(0.1, 0.3), mood.dice.uniform(0.7, 0.9)))
    x, y, s = width * share, top + height * 0.035, height * 0.17
    hull = mix((70, 42, 34), mood.light.hills[1], 0.4)
    sail = mix((246, 236, 216), mood.light.sky[1], 0.25)
    draw.polygon([(x - s * 0.6, y), (x + s * 0.6, y), (x + s * 0.4, y + s * 0.22),
                  (x - s * 0.4, y + s * 0.22)], hull)  # fmt: skip
    draw.line((x, y, x, y - s * 1.1), hull, max(2, round(height / 250)))
    draw.polygon([(x + 3, y - s * 1.05), (x + 3, y - s * 0.1), (x + s * 0.55, y - s * 0.1)], sail)
    draw.polygon([(x - 3, y - s * 0.9), (x - 3, y - s * 0.1), (x - s * 0.4, y - s * 0.1)], sail)


def _castle(image: Image.Image, mood: Mood) -> None:
    draw = ImageDraw.Draw(image)
    width, height = image.size
    stone = mix(mood.light.hills[0], mood.light.hills[1], 0.62)
    middle, base = width * mood.dice.uniform(0.35, 0.65), height * 0.86
    draw.polygon(
        [(middle - height * 0.5, base), (middle - height * 0.28, height * 0.58),
         (middle + height * 0.28, height * 0.58), (middle + height * 0.5, base)],
        mix(stone, BLACK, 0.12),
    )  # fmt: skip
    for offset, wide, tall in (
        (-0.24, 0.07, 0.26), (0.17, 0.07, 0.3), (-0.1, 0.2, 0.16), (-0.05, 0.09, 0.4),
    ):  # fmt: skip
        x, top = middle + offset * height, height * (0.6 - tall)
        w = wide * height
        draw.rectangle((x, top, x + w, height * 0.62), stone)
        for notch in range(4):
            left = x + w * notch / 3.6
            draw.rectangle((left, top - w * 0.12, left + w * 0.14, top), stone)
        if wide < 0.1:
            roof = mix((120, 50, 60), stone, 0.4)
            draw.polygon([(x - 4, top), (x + w / 2, top - w * 1.3), (x + w + 4, top)], roof)
            slit = (x + w * 0.42, top + w * 0.5, x + w * 0.58, top + w * 1.1)
            draw.rectangle(slit, LIT if mood.light.dark else mix(stone, BLACK, 0.4))
    _pines(image, mood)
