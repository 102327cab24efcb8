"""What is behind a person: a quiet sky with a great light, hills, and a few stars or birds."""

from PIL import Image

from local.demo.drawing.brush import Canvas, Colour, darker, lighter, mix
from local.demo.drawing.traits import Traits

# Sky above, sky below, light, hills
_PALETTES: tuple[tuple[Colour, Colour, Colour, Colour], ...] = (
    ((38, 84, 100), (150, 192, 176), (244, 224, 170), (44, 96, 98)),  # lagoon
    ((54, 48, 102), (222, 142, 128), (252, 214, 150), (74, 56, 104)),  # dusk
    ((68, 116, 166), (200, 222, 220), (255, 240, 200), (86, 132, 146)),  # morning
    ((150, 82, 66), (240, 190, 128), (255, 232, 180), (132, 74, 66)),  # amber
    ((34, 62, 70), (112, 158, 128), (226, 222, 164), (38, 78, 74)),  # forest
    ((26, 54, 92), (112, 172, 184), (252, 230, 184), (32, 78, 106)),  # night by the sea
)


def draw_backdrop(canvas: Canvas, traits: Traits) -> None:
    top, foot, light, hills = _palette(traits)
    sky = Image.new("RGB", (1, 48))
    for row in range(48):
        sky.putpixel((0, row), mix(top, foot, (row / 47) ** 0.85))
    canvas.paste(sky)
    dice = traits.dice
    for _ in range(26):
        x, y, size = dice.uniform(30, 994), dice.uniform(24, 520), dice.uniform(1.4, 3.6)
        canvas.oval(x, y, size, size, lighter(foot, 0.6), 0.5)
    for radius, opacity in ((430, 0.16), (372, 0.28), (322, 0.85)):
        canvas.oval(512, 452, radius, radius, light, opacity)
    for base, height, colour, opacity in (
        (700, 74, mix(hills, foot, 0.62), 1.0),
        (782, 62, mix(hills, foot, 0.34), 1.0),
        (866, 48, hills, 1.0),
        (940, 36, darker(hills, 0.3), 1.0),
    ):
        ridge = [(x, base - dice.uniform(0, height)) for x in range(-120, 1300, 142)]
        canvas.shape([(-160.0, 1200.0), *ridge, (1300.0, 1200.0)], colour, opacity)


def _palette(traits: Traits) -> tuple[Colour, Colour, Colour, Colour]:
    """The one whose sky stands out best from hair and clothes, of two that the dice offer."""
    offered = traits.dice.sample(_PALETTES, 2)
    return max(
        offered,
        key=lambda p: (
            min(_apart(p[2], traits.hair), _apart(p[1], traits.hair)) + _apart(p[3], traits.cloth)
        ),
    )


def _apart(first: Colour, second: Colour) -> int:
    return sum(abs(a - b) for a, b in zip(first, second, strict=True))
