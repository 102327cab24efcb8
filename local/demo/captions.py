"""What stands under a picture on the contact sheet: its number, the caption, a few facts."""

from dataclasses import dataclass

from PIL import ImageDraw

from local.demo.lettering import LINE, width_of, wrap, write
from local.demo.panels import ACCENT, INK, SOFT
from storyhook_client.answers import Scene
from storyhook_client.cli.words import dollars

_LINES = 4


@dataclass(frozen=True)
class Caption:
    number: str
    lines: list[str]
    note: list[str]
    size: int

    @property
    def small(self) -> int:
        return max(11, round(self.size * 0.72))

    @property
    def indent(self) -> float:
        return width_of(self.number, self.size) + self.size * 0.7

    @property
    def height(self) -> int:
        text = len(self.lines) * self.size + len(self.note) * self.small
        return round(self.size * 0.75 + text * LINE)

    def write(self, draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
        y += self.size * 0.7
        write(draw, (x, y), [self.number], self.size, ACCENT, bold=True)
        y = write(draw, (x + self.indent, y), self.lines, self.size, INK)
        write(draw, (x + self.indent, y), self.note, self.small, SOFT)


def caption_of(scene: Scene, width: int, size: int, *, with_model: bool) -> Caption:
    """The scene's caption for a panel of that width, in type of that size."""
    number = str(scene.position)
    blank = Caption(number, [], [], size)
    room = width - blank.indent
    text = scene.caption or scene.description or scene.id
    facts = [scene.model or "-"] if with_model else []
    facts += [f"seed {scene.seed}", dollars(scene.cost, over=scene.is_over)]
    if scene.metrics.total_seconds is not None:
        facts.append(f"{scene.metrics.total_seconds:.1f} s")
    lines = wrap(text, size, room, _LINES)
    note = wrap(" · ".join(fact for fact in facts if fact != "-"), blank.small, room, 2)
    return Caption(number, lines, note, size)
