"""Finds, downloads and decodes the pictures that a job is given, as a real model would."""

import asyncio
import base64
import binascii
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image, UnidentifiedImageError

from local.simulators.catalogue import Images, Model
from local.simulators.targets import refusal

type Path = tuple[str | int, ...]

MAX_BYTES = 20 * 1024 * 1024
TIMEOUT = httpx.Timeout(20.0, connect=5.0)


@dataclass(frozen=True)
class Given:
    """One picture that the model reads: where it stands in the input, and its URL."""

    path: Path
    url: str
    drawn: bool
    max_bytes: int


@dataclass(frozen=True)
class Reference:
    """One image that was really fetched; `key` is the hash of its bytes."""

    given: Given
    key: str
    data: bytes
    size: tuple[int, int]


class BadReference(Exception):
    """This reference cannot be used; `kind` is fal's error type for it."""

    def __init__(self, given: Given, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.given, self.kind, self.reason = given, kind, reason


def pictures_of(model: Model, given: dict[str, Any]) -> list[Given]:
    """Every picture that the model looks at, field by field; what it ignores is left out."""
    return [
        Given(path, url, images.drawn, images.max_bytes or MAX_BYTES)
        for images in model.images
        for path, url in _kept(images, list(_urls(images.field, given)))
    ]


def _kept[Thing](images: Images, things: list[Thing]) -> list[Thing]:
    if images.last is not None:
        return things[-images.last :]
    return things[: images.first]


def _urls(field: str, given: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    name, inside, key = field.partition("[].")
    value = given.get(name)
    if not isinstance(value, list):
        found: list[tuple[Path, Any]] = [((name,), value)]
    elif inside:
        found = [((name, index, key), item.get(key)) for index, item in enumerate(value)]
    else:
        found = [((name, index), item) for index, item in enumerate(value)]
    yield from ((path, url) for path, url in found if url)


async def fetch_all(
    client: httpx.AsyncClient, pictures: list[Given], own: Callable[[str], bytes | None]
) -> list[Reference]:
    """All pictures in their order; raises for the first (lowest) one that fails.

    `own` returns what the provider itself stores under a URL (it needs no request for that).
    """
    results = await asyncio.gather(
        *(_fetch(client, given, own) for given in pictures), return_exceptions=True
    )
    references: list[Reference] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        references.append(result)
    return references


async def _fetch(
    client: httpx.AsyncClient, given: Given, own: Callable[[str], bytes | None]
) -> Reference:
    try:
        data = own(given.url)
        if data is None and given.url.startswith("data:"):
            data = _from_data_uri(given.url)
        elif data is None:
            data = await _download(client, given.url, given.max_bytes)
    except (httpx.HTTPError, httpx.InvalidURL, binascii.Error, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise BadReference(given, "file_download_error", reason) from error
    if len(data) > given.max_bytes:
        raise BadReference(given, "file_too_large", f"more than {given.max_bytes} bytes")
    try:
        with Image.open(io.BytesIO(data)) as image:
            size = image.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise BadReference(given, "image_load_error", "not an image") from error
    return Reference(given, hashlib.sha256(data).hexdigest(), data, size)


async def _download(client: httpx.AsyncClient, url: str, max_bytes: int) -> bytes:
    reason = refusal(url)
    if reason is not None:
        raise ValueError(reason)
    async with client.stream("GET", url, timeout=TIMEOUT) as response:
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"HTTP {response.status_code}")
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > max_bytes:
                break
        return bytes(data)


def _from_data_uri(uri: str) -> bytes:
    header, _, encoded = uri.partition(",")
    if not header.endswith(";base64"):
        raise ValueError("data URI is not base64")
    return base64.b64decode(encoded, validate=True)
