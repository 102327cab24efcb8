"""Round lights that fade outward."""

from PIL import Image

from local.simulators.drawing.mood import Colour

RIM = 181
"""Pillow's radial gradient has this value where its circle touches the square."""


def glow(
    image: Image.Image, at: tuple[float, float], radius: float, colour: Colour, strength: float
) -> None:
    side = max(2, int(radius * 2))
    fading = [max(0.0, 1 - value / RIM) ** 2 for value in range(256)]
    fade = Image.radial_gradient("L").point([round(255 * strength * share) for share in fading])
    mask = fade.resize((side, side), Image.Resampling.BILINEAR)
    image.paste(colour, (int(at[0] - radius), int(at[1] - radius)), mask)
