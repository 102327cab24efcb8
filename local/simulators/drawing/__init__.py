"""Draws a storyboard panel: quick, repeatable, and telling exactly what was asked for."""

from local.simulators.drawing.cards import Unreadable
from local.simulators.drawing.panel import (
    DESCRIPTION_TAG,
    PanelOrder,
    caption_height,
    draw_black,
    draw_panel,
)

__all__ = [
    "DESCRIPTION_TAG",
    "PanelOrder",
    "Unreadable",
    "caption_height",
    "draw_black",
    "draw_panel",
]
