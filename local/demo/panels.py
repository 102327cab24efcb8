"""The parts of a contact sheet: pictures in their frames, notices for missing ones, faces."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps

from local.demo.drawing.brush import Colour, mix
from local.demo.lettering import LINE, legible, wrap, write
from storyhook_client.answers import Problem, Scene

PAPER: Colour = (251, 247, 239)
INK: Colour = (44, 36, 52)
SOFT: Colour = (126, 116, 122)
ACCENT: Colour = (178, 74, 48)
_NOTICE: Colour = (236, 226, 216)
_STRIPE: Colour = (230, 218, 206)
_TROUBLE: Mapping[str, Colour] = {"blocked": (166, 104, 24), "failed": (176, 52, 48)}
_OTHER: Colour = (104, 100, 116)
_SMOOTH = 4
_TOP = (0.5, 0.3)  # when a picture has another shape: heads are in its upper part


@dataclass(frozen=True)
class Face:
    """A character as the sheet shows them; without an image, by their first letter."""

    name: str
    description: str
    image: bytes | None


def framed(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in that size, with round corners and a hairline."""
    picture.draft("RGB", size)
    fitted = ImageOps.fit(picture.convert("RGB"), size, Image.Resampling.LANCZOS, centering=_TOP)
    return _rounded(fitted, mix(INK, PAPER, 0.55))


def placard(scene: Scene, size: tuple[int, int], body: int) -> Image.Image:
    """In place of a picture: what became of the scene, and why."""
    width, height = size
    colour = _TROUBLE.get(scene.status, _OTHER)
    panel = Image.new("RGB", size, _NOTICE)
    draw = ImageDraw.Draw(panel)
    step = max(14, width // 30)
    for x in range(-height, width, step * 2):
        draw.line((x, height, x + height, 0), _STRIPE, step // 2)
    room = width * 0.8
    big, small = round(body * 1.25), max(11, round(body * 0.92))
    title = wrap(f"{scene.status.capitalize()}", big, room, 1)
    most = max(1, int((height * 0.5 - big * LINE) / (small * LINE)))
    why = wrap(_reason(scene.error or Problem()), small, room, most)
    radius = round(min(width, height) * 0.1)
    used = radius * 2.6 + big * LINE + len(why) * small * LINE
    y = max(radius * 0.4, (height - used) / 2) + radius
    _sign(panel, (width // 2, round(y)), radius, colour)
    y = write(draw, (width / 2, y + radius * 1.6), title, big, colour, bold=True, anchor="ma")
    write(draw, (width / 2, y), why, small, INK, anchor="ma")
    return _rounded(panel, mix(colour, PAPER, 0.45))


def _reason(error: Problem) -> str:
    title, detail = error.title or "", error.detail or ""
    return detail if title in detail else f"{title.rstrip('.')}. {detail}" if detail else title


def _sign(panel: Image.Image, at: tuple[int, int], radius: int, colour: Colour) -> None:
    """A disc with an exclamation mark."""
    big = radius * _SMOOTH
    sign = Image.new("RGB", (2 * big, 2 * big), colour)
    draw = ImageDraw.Draw(sign)
    thick = big * 0.13
    draw.rounded_rectangle(
        (big - thick, big * 0.42, big + thick, big * 1.18), thick, (255, 255, 255)
    )
    dot = thick * 1.15
    draw.ellipse((big - dot, big * 1.36, big + dot, big * 1.36 + 2 * dot), (255, 255, 255))
    mask = Image.new("L", sign.size)
    ImageDraw.Draw(mask).ellipse((0, 0, 2 * big - 1, 2 * big - 1), 255)
    panel.paste(sign.reduce(_SMOOTH), (at[0] - radius, at[1] - radius), mask.reduce(_SMOOTH))


def face_disc(
    face: Face, size: int, at: tuple[int, int]
) -> tuple[Image.Image, tuple[int, int], Image.Image]:
    """What `Image.paste` takes: the face in a ring, its place, and its mask."""
    disc = Image.new("RGB", (size, size), _OTHER)
    if face.image:
        with Image.open(io.BytesIO(face.image)) as portrait:
            closer = portrait.convert("RGB")
            disc = ImageOps.fit(closer, (size, size), Image.Resampling.LANCZOS, 0.06, _TOP)
    else:
        letter = legible(face.name)[:1].upper() or "?"
        write(ImageDraw.Draw(disc), (size / 2, size / 2), [letter], size // 2, PAPER, anchor="mm")
    big = size * _SMOOTH
    ring = Image.new("L", (big, big))
    ImageDraw.Draw(ring).ellipse((0, 0, big - 1, big - 1), outline=255, width=big // 40)
    disc.paste(INK, (0, 0), ring.reduce(_SMOOTH))
    mask = Image.new("L", (big, big))
    ImageDraw.Draw(mask).ellipse((0, 0, big - 1, big - 1), 255)
    return disc, at, mask.reduce(_SMOOTH)


def _rounded(panel: Image.Image, line: Colour) -> Image.Image:
    """Round corners on paper, drawn larger and reduced to be smooth."""
    width, height = panel.size[0] * 2, panel.size[1] * 2
    radius = max(16, width // 60)
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), radius, 255)
    edge = Image.new("L", (width, height))
    ImageDraw.Draw(edge).rounded_rectangle(
        (0, 0, width - 1, height - 1), radius, outline=255, width=3
    )
    panel.paste(line, (0, 0), edge.reduce(2))
    page = Image.new("RGB", panel.size, PAPER)
    page.paste(panel, (0, 0), mask.reduce(2))
    return page
