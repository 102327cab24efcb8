"""Downloads and decodes the reference images of a job, as a real model would."""

import asyncio
import base64
import binascii
import hashlib
import io
from dataclasses import dataclass

import httpx
from PIL import Image, UnidentifiedImageError

from local.simulators.targets import refusal

MAX_BYTES = 20 * 1024 * 1024
TIMEOUT = httpx.Timeout(20.0, connect=5.0)


@dataclass(frozen=True)
class Reference:
    """One image that was really fetched; `key` is the hash of its bytes."""

    url: str
    key: str
    data: bytes
    size: tuple[int, int]


class BadReference(Exception):
    """This reference cannot be used; `kind` is fal's error type for it."""

    def __init__(self, index: int, url: str, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.index, self.url, self.kind, self.reason = index, url, kind, reason


async def fetch_all(client: httpx.AsyncClient, urls: list[str]) -> list[Reference]:
    """All references in their order; raises for the first (lowest) one that fails."""
    results = await asyncio.gather(
        *(_fetch(client, index, url) for index, url in enumerate(urls)), return_exceptions=True
    )
    references: list[Reference] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        references.append(result)
    return references


async def _fetch(client: httpx.AsyncClient, index: int, url: str) -> Reference:
    try:
        data = _from_data_uri(url) if url.startswith("data:") else await _download(client, url)
    except (httpx.HTTPError, httpx.InvalidURL, binascii.Error, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise BadReference(index, url, "file_download_error", reason) from error
    if len(data) > MAX_BYTES:
        raise BadReference(index, url, "file_too_large", f"more than {MAX_BYTES} bytes")
    try:
        with Image.open(io.BytesIO(data)) as image:
            size = image.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise BadReference(index, url, "image_load_error", "not an image") from error
    return Reference(url, hashlib.sha256(data).hexdigest(), data, size)


async def _download(client: httpx.AsyncClient, url: str) -> bytes:
    reason = refusal(url)
    if reason is not None:
        raise ValueError(reason)
    async with client.stream("GET", url, timeout=TIMEOUT) as response:
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"HTTP {response.status_code}")
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > MAX_BYTES:
                break
        return bytes(data)


def _from_data_uri(uri: str) -> bytes:
    header, _, encoded = uri.partition(",")
    if not header.endswith(";base64"):
        raise ValueError("data URI is not base64")
    return base64.b64decode(encoded, validate=True)
