"""The measures of a person: where the head is, how broad the shoulders are."""

from collections.abc import Iterable
from dataclasses import dataclass

from local.demo.drawing.brush import Outline, Point, mirrored
from local.demo.drawing.traits import Traits


@dataclass(frozen=True)
class Figure:
    """Coordinates of the parts count from the middle of the head, (x, y)."""

    traits: Traits
    x: float
    y: float
    cheek: float
    neck: float
    shoulders: float
    head: Outline

    def point(self, x: float, y: float) -> Point:
        return self.x + x, self.y + y

    def at(self, points: Iterable[Point]) -> list[Point]:
        return [self.point(x, y) for x, y in points]


def measure(traits: Traits) -> Figure:
    if traits.child:
        half = [(0.0, -196.0), (98.0, -178.0), (150.0, -96.0), (154.0, 20.0), (136.0, 110.0)]
        half += [(84.0, 172.0), (0.0, 196.0)]
        return Figure(traits, 512, 500, 150, 50, 232, mirrored(half))
    if traits.female:
        half = [(0.0, -206.0), (96.0, -188.0), (144.0, -100.0), (147.0, 6.0), (128.0, 100.0)]
        half += [(76.0, 178.0), (28.0, 212.0), (0.0, 215.0)]
        return Figure(traits, 512, 436, 146, 60, 284, mirrored(half))
    half = [(0.0, -206.0), (102.0, -188.0), (150.0, -100.0), (154.0, 10.0), (146.0, 116.0)]
    half += [(104.0, 190.0), (44.0, 222.0), (0.0, 224.0)]
    y = 376.0 if traits.tall else 424.0
    return Figure(traits, 512, y, 150, 84, 352 if traits.tall else 326, mirrored(half))
