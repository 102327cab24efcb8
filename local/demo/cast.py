"""The reference images of a story's characters: the story's own, or portraits drawn for it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.demo.portraits import portrait
from local.demo.problem import DemoFailed
from storyhook.domain.errors import BadReference
from storyhook.domain.images import inspect
from storyhook.domain.story import MAX_REFERENCE_BYTES

Json = dict[str, Any]
Serve = Callable[[str, bytes], str]
"""Puts a file where the API can fetch it, and gives its URL."""

_MEGABYTE = 1024 * 1024


def with_references(character: Mapping[str, Any], folder: Path, serve: Serve) -> Json:
    """The character as POST /characters takes it. Places and things are left as they are."""
    body = dict(character)
    if url := body.get("reference_image_url"):
        body["reference_image_url"] = _public(url, body["id"], folder, serve)
    if references := body.get("references"):
        body["references"] = [
            {**reference, "url": _public(reference["url"], body["id"], folder, serve)}
            for reference in references
        ]
    elif not url and body.get("kind", "character") == "character":
        body["reference_image_url"] = serve(f"{body['id']}.png", portrait(body))
    return body


def _public(url: str, owner: str, folder: Path, serve: Serve) -> str:
    """A web address stays; a path becomes an address of ours. Raises DemoFailed."""
    if "://" in url:
        return url
    path = folder / url
    try:
        if path.stat().st_size > MAX_REFERENCE_BYTES:
            limit = MAX_REFERENCE_BYTES // _MEGABYTE
            raise DemoFailed(f"{path}: a reference has at most {limit} MB")
        data = path.read_bytes()
        facts = inspect(data)
    except OSError as error:
        raise DemoFailed(f"{path}, a reference of {owner}: {error.strerror or error}") from error
    except BadReference as error:
        raise DemoFailed(f"{path}, a reference of {owner}: {error.detail}") from error
    return serve(f"{facts.sha256[:16]}.{facts.extension}", data)
