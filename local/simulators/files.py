"""Pictures on disk (a big board would not fit in memory), served under paths like the CDN's."""

import secrets
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MEDIA_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "webp": "image/webp",
}
HTML = b"<!doctype html><title>Bad gateway</title><h1>502 Bad Gateway</h1>\n"


@dataclass(frozen=True)
class StoredFile:
    route: str
    """Path below the server's root, e.g. files/b/panda/abc.png."""
    media_type: str
    bytes: int
    size: tuple[int, int]
    stored_at: float
    expires_at: float | None = None


class FileStore:
    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="storyhook-simulator-"))
        self._files: dict[str, StoredFile] = {}

    def put(
        self,
        route: str,
        data: bytes,
        media_type: str,
        *,
        size: tuple[int, int] = (0, 0),
        expires_at: float | None = None,
    ) -> StoredFile:
        """Uploads have no size: nobody has looked into them yet."""
        stored = StoredFile(route, media_type, len(data), size, time.time(), expires_at)
        self._path(route).write_bytes(data)
        self._files[route] = stored
        return stored

    def get(self, route: str) -> tuple[StoredFile, bytes] | None:
        """The file and its content, unless it has expired."""
        stored = self._files.get(route)
        if stored is None or (stored.expires_at is not None and time.time() > stored.expires_at):
            return None
        return stored, self._path(route).read_bytes()

    def remove(self, route: str) -> None:
        if self._files.pop(route, None) is not None:
            self._path(route).unlink(missing_ok=True)

    def clear(self) -> None:
        for route in list(self._files):
            self.remove(route)

    def close(self) -> None:
        self._files.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, route: str) -> Path:
        return self._folder / route.replace("/", "_")


def random_name(length: int) -> str:
    """Letters and digits, as the CDNs name files."""
    return secrets.token_hex(length)[:length]


def broken(data: bytes, kind: str) -> tuple[bytes, str | None]:
    """The file as a bad CDN would serve it, and its media type if that changes too."""
    match kind:
        case "truncated":
            return data[: len(data) // 3], None
        case "garbage":
            return bytes(reversed(data)), None
        case "html":
            return HTML, "text/html"
        case _:
            return b"", None
