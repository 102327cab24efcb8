"""Ids sort by time; pictures are known by their bytes alone."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyhook.domain.errors import BadReference
from storyhook.domain.ids import new_id
from storyhook.domain.images import inspect
from tests.fixtures.clock import NOW
from tests.fixtures.pictures import picture

MOMENTS = st.integers(10**8, 7 * 10**9).map(lambda second: datetime.fromtimestamp(second, UTC))
TEN = st.binary(min_size=10, max_size=10)


@given(MOMENTS, TEN)
def test_an_id_carries_its_kind_in_crockfords_letters(moment: datetime, entropy: bytes) -> None:
    kind, _, ulid = new_id("pred", moment, entropy).partition("_")
    assert kind == "pred"
    assert len(ulid) == 26
    assert set(ulid) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@given(MOMENTS, st.integers(1, 10**9), TEN, TEN)
def test_ids_sort_by_time(moment: datetime, later: int, one: bytes, two: bytes) -> None:
    after = moment + timedelta(milliseconds=later)
    assert new_id("sb", moment, one) < new_id("sb", after, two)


@given(TEN, TEN)
def test_ids_of_one_moment_differ_by_their_entropy(one: bytes, two: bytes) -> None:
    assert (new_id("cb", NOW, one) == new_id("cb", NOW, two)) == (one == two)


def test_a_known_id() -> None:
    assert new_id("ref", datetime(2026, 1, 1, tzinfo=UTC), b"\0" * 10) == (
        "ref_01KDVDNA000000000000000000"
    )
    with pytest.raises(ValueError, match="10 bytes"):
        new_id("ref", NOW, b"short")


FORMATS = [
    ("PNG", "png", {}),
    ("PNG", "png", {"alpha": True}),
    ("JPEG", "jpeg", {}),
    ("JPEG", "jpeg", {"progressive": True}),
    ("WEBP", "webp", {}),
    ("WEBP", "webp", {"lossless": True}),
    ("WEBP", "webp", {"alpha": True, "exact": True}),
]
SIZES = [(1, 1), (64, 48), (1344, 768), (17, 2000)]


@pytest.mark.parametrize(("kind", "extension", "options"), FORMATS)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_what_a_whole_picture_says(
    kind: str, extension: str, options: dict[str, bool], width: int, height: int
) -> None:
    data = picture(width, height, kind, **options)
    facts = inspect(data)
    assert (facts.extension, facts.content_type) == (extension, f"image/{extension}")
    assert (facts.width, facts.height) == (width, height)
    assert facts.size_bytes == len(data)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("kind", "extension", "options"), FORMATS)
def test_no_torso_is_a_picture(kind: str, extension: str, options: dict[str, bool]) -> None:
    data = picture(64, 48, kind, **options)
    for length in {*range(0, len(data), max(1, len(data) // 50)), len(data) - 2}:
        with pytest.raises(BadReference):
            inspect(data[:length])


OTHERS = {
    "empty": b"",
    "text": b"hello",
    "html": b"<!doctype html><html><body>404</body></html>",
    "svg": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    "gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;",
    "bmp": b"BM" + b"\0" * 60,
    "pdf": b"%PDF-1.7",
    "zip": b"PK\x03\x04" + b"\0" * 30,
    "avif": b"\0\0\0\x20ftypavif" + b"\0" * 20,
    "tiff": b"II*\0" + b"\0" * 20,
    "riff that is a wave": b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 30,
    "png magic alone": b"\x89PNG\r\n\x1a\n",
    "png without a header": b"\x89PNG\r\n\x1a\n" + b"\1" * 40 + b"IEND\xaeB`\x82",
    "png of no size": picture()[:16] + b"\0" * 8 + picture()[24:],
    "jpeg magic alone": b"\xff\xd8\xff",
    "jpeg without a frame": b"\xff\xd8\xff\xe0\x00\x02\xff\xd9",
    "jpeg of endless segments": b"\xff\xd8\xff\xe0\x00\x00" * 50 + b"\xff\xd9",
    "webp that is only a header": b"RIFF\x04\0\0\0WEBPVP8X",
    "webp of an unknown kind": b"RIFF\x1e\0\0\0WEBPABCD" + b"\1" * 30,
}


@pytest.mark.parametrize("name", OTHERS)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(BadReference) as caught:
        inspect(OTHERS[name])
    assert caught.value.detail.endswith(".")


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"])
)
def test_noise_is_refused_and_never_breaks_anything(noise: bytes, magic: bytes) -> None:
    try:
        facts = inspect(magic + noise)
    except BadReference:
        return
    assert facts.width > 0
    assert facts.height > 0
