"""Reference portraits for characters that bring none: drawn from the words about them."""

import io
from collections.abc import Mapping
from typing import Any

from local.demo.drawing.backdrop import draw_backdrop
from local.demo.drawing.brush import Canvas
from local.demo.drawing.clothes import draw_clothes
from local.demo.drawing.face import draw_head, draw_neck
from local.demo.drawing.figure import measure
from local.demo.drawing.hair import draw_hair, draw_hair_behind
from local.demo.drawing.traits import read_traits

SIZE = 1024


def portrait(character: Mapping[str, Any]) -> bytes:
    """A PNG of `SIZE` x `SIZE`; the same character always gives the same bytes."""
    traits = read_traits(character["id"], character["description"], character.get("outfit") or "")
    figure = measure(traits)
    canvas = Canvas(SIZE, traits.skin)
    draw_backdrop(canvas, traits)
    draw_hair_behind(canvas, figure)
    draw_neck(canvas, figure)
    draw_clothes(canvas, figure)
    draw_head(canvas, figure)
    draw_hair(canvas, figure)
    file = io.BytesIO()
    canvas.finished().save(file, "PNG", compress_level=6)
    return file.getvalue()
