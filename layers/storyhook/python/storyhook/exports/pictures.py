"""A board's pictures, read one at a time, as the files need them."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image

from storyhook.domain.errors import BadReference
from storyhook.domain.images import inspect
from storyhook.exports.provenance import embed

Json = Mapping[str, Any]

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
BROKEN = "The picture that was made cannot be read."
_QUALITY = 88


class Missing(Exception):
    """A scene has no picture to show; its text says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it was made, with its provenance in it."""

    data: bytes
    content_type: str

    @property
    def extension(self) -> str:
        return EXTENSIONS[self.content_type]


@dataclass(frozen=True)
class Pictures:
    read: Callable[[str], bytes]

    def original(self, scene: Json, manifest: Json) -> Picture:
        """As it was made; raises Missing."""
        picture = _picture(scene)
        data = self.read(picture["key"])
        with _readable():
            inspect(data)
            made = embed(data, picture["content_type"], record(scene, manifest))
        return Picture(made, picture["content_type"])

    def portable(self, scene: Json, manifest: Json) -> Picture:
        """PNG or JPEG, for readers that know no other; raises Missing."""
        made = self.original(scene, manifest)
        if made.content_type != "image/webp":
            return made
        with _readable(), Image.open(io.BytesIO(made.data)) as image:
            data = png(image)
        return Picture(embed(data, "image/png", record(scene, manifest)), "image/png")

    def small(self, scene: Json, width: int, height: int) -> tuple[bytes, int, int]:
        """A JPEG that fits into so many pixels, and its size; raises Missing."""
        data = self.read(_picture(scene)["key"])
        with _readable(), Image.open(io.BytesIO(data)) as image:
            # A JPEG is decoded no larger than it is needed.
            image.draft("RGB", (width, height))
            flat = _without_alpha(image)
            flat.thumbnail((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
            out = io.BytesIO()
            flat.save(out, "JPEG", quality=_QUALITY)
            return out.getvalue(), flat.width, flat.height


def record(scene: Json, manifest: Json) -> dict[str, Any]:
    """What a picture says of itself."""
    about = {"storyboard_id": manifest["storyboard_id"], "scene_id": scene["id"]}
    return {"generator": "Storyhook", **about, **public(scene["picture"])}


def public(picture: Json) -> dict[str, Any]:
    """Without the place where we keep it."""
    return {name: value for name, value in picture.items() if name != "key"}


def why_missing(scene: Json) -> str:
    """For readers of the file: why there is no picture."""
    error = scene["error"]
    if error:
        return f"{error['title']}: {error['detail']}" if error["detail"] else str(error["title"])
    return f"This scene is {scene['status']}."


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _picture(scene: Json) -> Json:
    if scene["picture"] is None:
        raise Missing(why_missing(scene))
    picture: Json = scene["picture"]
    return picture


@contextmanager
def _readable() -> Iterator[None]:
    """A picture that is no picture becomes Missing: the others are exported all the same."""
    try:
        yield
    except (BadReference, OSError, ValueError, Image.DecompressionBombError) as error:
        # OSError is how Pillow says it.
        raise Missing(BROKEN) from error


def _without_alpha(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("RGB")
