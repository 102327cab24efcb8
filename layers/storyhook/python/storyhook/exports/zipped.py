"""ZIP files whose bytes follow from what is in them."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_FILE_MODE = 0o644 << 16


@dataclass(frozen=True)
class Zipped:
    file: zipfile.ZipFile
    made_at: datetime

    def add(self, name: str, data: bytes, *, packed: bool = False) -> None:
        """Pictures are stored: they are packed already."""
        info = zipfile.ZipInfo(name, self.made_at.timetuple()[:6])
        info.external_attr = _FILE_MODE
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        self.file.writestr(info, data)

    def text(self, name: str, text: str) -> None:
        self.add(name, text.encode(), packed=True)


@contextmanager
def zipped(target: Path, made_at: datetime) -> Iterator[Zipped]:
    with zipfile.ZipFile(target, "w") as file:
        yield Zipped(file, made_at)
