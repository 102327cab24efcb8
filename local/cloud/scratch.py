"""Where the emulator unpacks. Each worker of a function has a copy of the layers of its own, some
50 MB in 2,400 files; on a slow disk, to write it takes seconds and to remove it too. So it is in
memory where there is room, else in the cloud's folder.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
# What remains for everybody else is left out of it: fifty workers are 3 GB.
ROOM_BYTES = 8 * 1024**3


def make(place: Path, memory: Path = MEMORY, room_bytes: int = ROOM_BYTES) -> None:
    """`place` is a link to an empty folder of its own; what an earlier cloud left is gone."""
    remove(place)
    parent = memory if _fits(memory, room_bytes) else place.parent
    place.symlink_to(tempfile.mkdtemp(prefix="storyhook-", dir=parent))


def remove(place: Path) -> None:
    if place.is_symlink():
        shutil.rmtree(place.readlink(), ignore_errors=True)
        place.unlink()


def _fits(memory: Path, room_bytes: int) -> bool:
    """Whether it is there, may hold programs, and is not full, and the machine's memory neither."""
    try:
        about, meminfo = os.statvfs(memory), Path("/proc/meminfo").read_text(encoding="utf-8")
    except OSError:  # not on this system
        return False
    available = re.search(r"^MemAvailable: +(\d+) kB$", meminfo, re.MULTILINE)
    return (
        not about.f_flag & os.ST_NOEXEC
        and os.access(memory, os.W_OK)
        and about.f_bavail * about.f_frsize >= room_bytes
        and available is not None
        and int(available[1]) * 1024 >= room_bytes
    )
