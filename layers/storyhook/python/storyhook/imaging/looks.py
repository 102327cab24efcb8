"""How a picture of our bucket looks: its size, whether anything is on it, and a hash to compare."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import Image, ImageStat

from storyhook.domain.choosing import Seen

if TYPE_CHECKING:
    from collections.abc import Callable

# Never decode what would fill the function's memory: 100 MP are 300 MB. Providers' largest have 16.
_MAX_PIXELS = 100_000_000
_SIDE = 16  # cells of the hash, in each direction: HASH_BITS in all
# What a picture is reduced to before its grey levels are counted.
_SAMPLE = (256, 256)


@dataclass(frozen=True)
class Looks:
    read: Callable[[str], bytes]
    """The bytes at a key of our bucket."""

    def at(self, key: str) -> Seen | None:
        """None if the bytes are no whole picture."""
        return look(self.read(key))


def look(data: bytes) -> Seen | None:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                return None
            size = picture.size
            picture.draft("L", _SAMPLE)  # A JPEG is decoded no larger than is needed.
            grey = picture.convert("L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        # What Pillow raises for files that are cut off, or something else than they say.
        return None
    sample = grey.resize(_SAMPLE, Image.Resampling.BOX)
    (spread,) = ImageStat.Stat(sample).stddev
    return Seen(*size, spread, _difference_hash(grey))


def _difference_hash(grey: Image.Image) -> int:
    """Whether each cell is brighter than the one to its left (dHash, N. Krawetz 2013).

    The same for a picture that was scaled, recompressed or made brighter.
    """
    small = grey.resize((_SIDE + 1, _SIDE), Image.Resampling.BOX)
    cells = small.tobytes()
    bits = 0
    for row in range(_SIDE):
        start = row * (_SIDE + 1)
        for left, right in pairwise(cells[start : start + _SIDE + 1]):
            bits = bits << 1 | (right > left)
    return bits
