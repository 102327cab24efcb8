"""Which candidate is taken, by what can be seen without a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyhook.domain.choosing import HASH_BITS, Flaw, Seen, Verdict, distance, judge
from storyhook.imaging.looks import look
from tests.fixtures.pictures import drawing, picture

WIDE = 16 / 9


def seen(data: bytes) -> Seen:
    found = look(data)
    assert found is not None
    return found


def judged(*candidates: bytes, references: tuple[bytes, ...] = ()) -> Verdict:
    named = [(f"pred_{number}", look(data)) for number, data in enumerate(candidates, 1)]
    return judge(named, [seen(data) for data in references], WIDE)


def test_the_first_is_taken_where_all_are_well() -> None:
    verdict = judged(drawing(1), drawing(2), drawing(3))
    assert verdict.best == "pred_1"
    assert verdict.reasons == ("All 3 candidates passed the checks; it is the first.",)
    assert set(verdict.flaws.values()) == {()}


@pytest.mark.parametrize(
    ("bad", "flaw"),
    [
        (b"no picture at all", Flaw.BROKEN),
        (drawing(1)[:2000], Flaw.BROKEN),
        (picture(320, 180, colour="black"), Flaw.BLANK),
        (drawing(1, 240, 240), Flaw.SHAPE),
        (drawing(9, 640, 360, "JPEG", quality=60), Flaw.PASTED),
    ],
)
def test_what_has_a_flaw_is_not_taken(bad: bytes, flaw: Flaw) -> None:
    verdict = judged(bad, drawing(2), references=(drawing(9),))
    assert verdict.best == "pred_2"
    assert verdict.flaws == {"pred_1": (flaw,), "pred_2": ()}
    assert len(verdict.reasons) == 2
    assert verdict.reasons[1].startswith("Candidate 1 is not taken: ")


def test_a_near_copy_of_an_earlier_candidate_is_a_duplicate() -> None:
    verdict = judged(drawing(1), drawing(1, 640, 360, "JPEG", quality=50), drawing(2))
    assert verdict.flaws["pred_2"] == (Flaw.DUPLICATE,)
    assert verdict.best == "pred_1"


def test_of_bad_ones_the_least_bad_is_taken_and_it_says_so() -> None:
    verdict = judged(picture(320, 180), b"broken", drawing(1, 240, 240))
    assert verdict.best == "pred_3"
    assert "Every candidate has a flaw" in verdict.reasons[0]


def test_a_shape_that_nobody_asked_for_is_no_flaw() -> None:
    verdict = judge([("pred_1", look(drawing(1, 240, 240)))], [], None)
    assert verdict.flaws == {"pred_1": ()}


def test_the_hash_knows_a_picture_again_and_tells_others_apart() -> None:
    original = seen(drawing(1))
    for same in (drawing(1, 640, 360), drawing(1, 320, 180, "JPEG", quality=40)):
        assert distance(original, seen(same)) < 10
    for other in range(2, 12):
        assert distance(original, seen(drawing(other))) > HASH_BITS // 4


HASHES = st.integers(0, 2**HASH_BITS - 1)
SEEN = st.none() | st.builds(
    Seen, st.integers(1, 4000), st.integers(1, 4000), st.floats(0, 128), HASHES
)


@given(st.lists(SEEN, min_size=1, max_size=8), st.lists(SEEN, max_size=4))
def test_somebody_is_always_chosen_and_never_one_with_a_flaw_before_one_without(
    candidates: list[Seen | None], references: list[Seen | None]
) -> None:
    named = [(f"pred_{number}", each) for number, each in enumerate(candidates)]
    verdict = judge(named, [each for each in references if each], WIDE)
    flawless = [each for each, flaws in verdict.flaws.items() if not flaws]
    assert verdict.best == (flawless[0] if flawless else verdict.best)
    assert verdict.flaws.keys() == dict(named).keys()
    assert verdict.reasons
