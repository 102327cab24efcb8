"""Puts a panel together: scenery, characters and the caption that says what was asked."""

import io
import json
from dataclasses import dataclass

from PIL import Image, ImageDraw

from local.simulators.drawing.cards import INK, font, stand
from local.simulators.drawing.mood import Colour, Mood, mix, read_mood
from local.simulators.drawing.scenery import draw_scenery

DESCRIPTION_TAG = 270
"""Exif ImageDescription: what the picture was made from, as JSON, for tests."""
SOFT: Colour = (168, 162, 178)
RULER = 40
"""Words are measured once at this size; lengths grow with the type."""
LINE_HEIGHT = 1.28
FORMATS = {"png": "PNG", "jpeg": "JPEG", "jpg": "JPEG", "webp": "WEBP"}


@dataclass(frozen=True)
class PanelOrder:
    prompt: str
    seed: int
    model: str
    prediction_id: str
    size: tuple[int, int]
    references: tuple[tuple[str, bytes], ...]
    """(hash, bytes) of each reference image, in the order in which they were given."""
    extension: str = "png"
    quality: int = 80
    plain: bool = False
    """Without scenery, in a fraction of the time."""

    @property
    def description(self) -> str:
        return json.dumps(
            {
                "simulated": True,
                "prompt": self.prompt,
                "seed": self.seed,
                "model": self.model,
                "prediction_id": self.prediction_id,
                "references": [key for key, _ in self.references],
            }
        )


def caption_height(size: tuple[int, int]) -> int:
    """The caption bar at the foot; everything above it is the scene."""
    return max(24, round(min(size[1] * 0.2, size[0] * 0.25)))


def draw_panel(order: PanelOrder) -> bytes:
    """The finished image file; equal orders give equal bytes."""
    width, height = order.size
    mood = read_mood(order.prompt, order.seed)
    bar = caption_height(order.size)
    size = (width, height - bar)
    scene = Image.new("RGB", size, mood.light.sky[1]) if order.plain else draw_scenery(mood, size)
    stand(scene, order.references, mood, plain=order.plain)
    panel = Image.new("RGB", order.size, INK)
    panel.paste(scene, (0, 0))
    _caption(panel, order, mood, height - bar)
    _stamp(panel)
    return _encode(panel, order)


def draw_black(order: PanelOrder) -> bytes:
    """What open models return when their safety checker fires."""
    return _encode(Image.new("RGB", order.size), order)


def _caption(panel: Image.Image, order: PanelOrder, mood: Mood, top: int) -> None:
    draw = ImageDraw.Draw(panel)
    width, height = panel.size
    bar = height - top
    accent = mix(mood.light.lamp, mood.light.sky[1], 0.25)
    draw.rectangle((0, top, width, top + max(2, bar // 40)), accent)
    margin = max(6, round(width * 0.022))
    small = max(8, round(min(bar * 0.125, width * 0.0215)))
    size, lines = _fitting_lines(draw, order.prompt, width - 2 * margin, bar * 0.62, small)
    y = top + bar * 0.13
    for line in lines:
        draw.text((margin, y), line, (246, 243, 238), font(size))
        y += size * LINE_HEIGHT
    foot = height - bar * 0.09
    left = f"{order.model}   seed {order.seed}   {width} x {height}"
    draw.text((margin, foot), left, accent, font(small), anchor="ls")
    right = order.prediction_id
    free = width - 3 * margin - draw.textlength(left, font(small))
    while right and draw.textlength(right, font(small)) > free:
        right = right[:-1]
    draw.text((width - margin, foot), right, SOFT, font(small), anchor="rs")


def _fitting_lines(
    draw: ImageDraw.ImageDraw, prompt: str, width: float, height: float, least: int
) -> tuple[int, list[str]]:
    """The largest type in which the prompt fits; a very long one ends in an ellipsis."""
    words = [(word, draw.textlength(word, font(RULER)) / RULER) for word in prompt.split()]
    space = draw.textlength(" ", font(RULER)) / RULER
    size = max(least, round(height * 0.38))
    while True:
        lines = _wrap(words, space, width / size)
        room = max(1, int(height / (size * LINE_HEIGHT)))
        if len(lines) <= room:
            return size, lines
        if size <= least:
            return size, [*lines[: room - 1], f"{lines[room - 1].rstrip('.,; ')} …"]
        size -= max(1, size // 12)


def _wrap(words: list[tuple[str, float]], space: float, width: float) -> list[str]:
    """Lines of whole words; lengths are in units of the type size."""
    lines: list[list[str]] = [[]]
    used = 0.0
    for word, length in words:
        if lines[-1] and used + space + length > width * 0.985:
            lines.append([])
            used = 0.0
        used += length + (space if lines[-1] else 0.0)
        lines[-1].append(word)
    return [" ".join(line) for line in lines]


def _stamp(panel: Image.Image) -> None:
    """Nobody should take this for a real model's work."""
    draw = ImageDraw.Draw(panel)
    size = max(8, round(panel.height * 0.019))
    at = (panel.width - size, size)
    draw.text(at, "simulated", (255, 255, 255), font(size), anchor="rt",
              stroke_width=max(1, size // 10), stroke_fill=(40, 36, 48))  # fmt: skip


def _encode(image: Image.Image, order: PanelOrder) -> bytes:
    exif = Image.Exif()
    exif[DESCRIPTION_TAG] = order.description
    file = io.BytesIO()
    match FORMATS[order.extension]:
        case "PNG":
            image.save(file, "PNG", compress_level=1, exif=exif)
        case "WEBP":
            image.save(file, "WEBP", quality=order.quality, method=0, exif=exif)
        case name:
            image.save(file, name, quality=order.quality, exif=exif)
    return file.getvalue()
