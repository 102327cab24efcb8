"""What a file says of itself, by its bytes: type, size in pixels, and whether it is whole.

Names and content types sent by others are never trusted; nothing is decoded (1 ms, not 19).
"""

import hashlib
from dataclasses import dataclass

from storyhook.domain.errors import BadReference

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_WEBP_HEADER = 30
# A JPEG's size stands behind its metadata; further in nobody looks.
_MAX_HEADERS = 4 * 1024 * 1024
_PNG_END = b"IEND\xaeB`\x82"
_JPEG_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    content_type: str
    extension: str
    width: int
    height: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image that can be read from our bucket under `key`."""

    key: str
    content_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str


# What no model was made for: a picture that shows nothing, or one that fills a provider's memory.
MIN_REFERENCE_SIDE, MAX_REFERENCE_SIDE = 32, 8192


def check_reference(facts: ImageFacts) -> None:
    """Raises BadReference for a picture that is too small or too large to show to a model."""
    if min(facts.width, facts.height) < MIN_REFERENCE_SIDE:
        raise BadReference(
            f"The picture has {facts.width} x {facts.height} pixels; a reference has at least "
            f"{MIN_REFERENCE_SIDE} on each side (512 and more is good)."
        )
    if max(facts.width, facts.height) > MAX_REFERENCE_SIDE:
        raise BadReference(
            f"The picture has {facts.width} x {facts.height} pixels; a reference has at most "
            f"{MAX_REFERENCE_SIDE} on a side, so send a smaller one."
        )


def inspect(data: bytes) -> ImageFacts:
    """Facts of a whole PNG, JPEG or WebP; raises BadReference for anything else or a torso."""
    if data.startswith(_PNG_MAGIC):
        extension, (width, height), whole = "png", _png_size(data), data.endswith(_PNG_END)
    elif data.startswith(b"\xff\xd8\xff"):
        extension, (width, height) = "jpeg", _jpeg_size(data)
        whole = data.rstrip(b"\0").endswith(b"\xff\xd9")
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        extension, (width, height) = "webp", _webp_size(data)
        whole = len(data) >= int.from_bytes(data[4:8], "little") + 8
    else:
        raise BadReference("The file is not a PNG, JPEG or WebP image; send one of these.")
    if not whole or width <= 0 or height <= 0:
        raise BadReference(f"The {extension} file is damaged or cut short; send it again.")
    digest = hashlib.sha256(data).hexdigest()
    return ImageFacts(f"image/{extension}", extension, width, height, len(data), digest)


def _png_size(data: bytes) -> tuple[int, int]:
    if data[12:16] != b"IHDR":
        return 0, 0
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 < min(len(data), _MAX_HEADERS) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _JPEG_START_OF_FRAME:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        if marker == 0xFF or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return 0, 0


def _webp_size(data: bytes) -> tuple[int, int]:
    chunk = data[12:16]
    if len(data) < _WEBP_HEADER:
        return 0, 0
    if chunk == b"VP8X":
        return (
            int.from_bytes(data[24:27], "little") + 1,
            int.from_bytes(data[27:30], "little") + 1,
        )
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if chunk == b"VP8 ":
        return (
            int.from_bytes(data[26:28], "little") & 0x3FFF,
            int.from_bytes(data[28:30], "little") & 0x3FFF,
        )
    return 0, 0
