"""Files that are stored for callers, other than pictures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that can be read from our bucket under `key`; `sha256` in hex."""

    key: str
    content_type: str
    size_bytes: int
    sha256: str
