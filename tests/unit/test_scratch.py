"""Where the emulator unpacks: in memory if there is room, and nothing of it is left behind."""

from pathlib import Path

import pytest

from local.cloud import scratch


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    (tmp_path / "memory").mkdir()
    return tmp_path / "memory"


def test_it_is_in_memory_and_leaves_nothing_there(tmp_path: Path, memory: Path) -> None:
    place = tmp_path / "tmp"
    scratch.make(place, memory, room_bytes=0)
    (place / "layer").mkdir()
    assert [each.name for each in memory.glob("*/*")] == ["layer"]

    scratch.make(place, memory, room_bytes=0)
    [folder] = memory.iterdir()
    assert place.readlink() == folder, "what an earlier cloud left is gone"
    assert list(place.iterdir()) == []

    scratch.remove(place)
    assert list(memory.iterdir()) == []
    assert not place.is_symlink()


@pytest.mark.parametrize("room_bytes", [1 << 60, 0])
def test_without_memory_or_room_there_it_is_beside_the_rest(
    tmp_path: Path, memory: Path, room_bytes: int
) -> None:
    place = tmp_path / "tmp"
    scratch.make(place, memory if room_bytes else tmp_path / "none", room_bytes)
    (place / "layer").mkdir()
    assert place.readlink().parent == tmp_path
    assert list(memory.iterdir()) == []
    scratch.remove(place)
    assert [each for each in tmp_path.iterdir() if each != memory] == []
