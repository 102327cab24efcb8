"""Which candidate of a scene is its picture: by what can be seen without a model.

Pure: `Seen` is what was read from the pixels; a hash has as many bits as `HASH_BITS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

HASH_BITS = 256
# Of all bits: two pictures of the same subject in another pose differ in a quarter and more.
_SAME_WITHIN = 16
_PASTED_WITHIN = 24
# Levels of 255: a picture in one colour has none, the noise of a broken decoder very few.
_BLANK_SPREAD = 6.0
# The most that a picture's shape may differ from the one asked for.
_SHAPE_TOLERANCE = 0.06


class Flaw(StrEnum):
    """What is wrong with a candidate, the worst first."""

    BROKEN = "broken"
    BLANK = "blank"
    PASTED = "reference-pasted"
    SHAPE = "wrong-shape"
    DUPLICATE = "duplicate"


_WORDS = {
    Flaw.BROKEN: "its file cannot be read as a picture",
    Flaw.BLANK: "it is blank",
    Flaw.PASTED: "it is a reference pasted instead of a scene drawn",
    Flaw.SHAPE: "it has not the shape that was asked for",
    Flaw.DUPLICATE: "it is nearly the same as an earlier candidate",
}
_WORST_FIRST = tuple(Flaw)


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture as it looks: `spread` is the standard deviation of its grey levels (of 255).

    None in place of a `Seen`: the file is no picture.
    """

    width: int
    height: int
    spread: float
    hash: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best candidate, why, and the flaws of each, by prediction id."""

    best: str
    reasons: tuple[str, ...]
    flaws: Mapping[str, tuple[Flaw, ...]]


def judge(
    candidates: Sequence[tuple[str, Seen | None]],
    references: Sequence[Seen],
    ratio: float | None,
) -> Verdict:
    """Choose among a scene's pictures, in the order of their candidates; there is at least one.

    `ratio`: width by height as asked for; None where the model was not told one.
    """
    flaws: dict[str, tuple[Flaw, ...]] = {}
    earlier: list[Seen] = []
    for prediction_id, seen in candidates:
        flaws[prediction_id] = tuple(_flaws(seen, earlier, references, ratio))
        if seen:
            earlier.append(seen)
    ids = [prediction_id for prediction_id, _ in candidates]
    best = min(ids, key=lambda each: _badness(flaws[each]))
    return Verdict(best, tuple(_reasons(ids, best, flaws)), flaws)


def distance(one: Seen, other: Seen) -> int:
    """In how many of HASH_BITS two pictures differ."""
    return (one.hash ^ other.hash).bit_count()


def _flaws(
    seen: Seen | None, earlier: Sequence[Seen], references: Sequence[Seen], ratio: float | None
) -> list[Flaw]:
    if seen is None:
        return [Flaw.BROKEN]
    if seen.spread < _BLANK_SPREAD:
        return [Flaw.BLANK]
    found = []
    if any(distance(seen, reference) <= _PASTED_WITHIN for reference in references):
        found.append(Flaw.PASTED)
    if ratio is not None and abs(seen.width / seen.height / ratio - 1) > _SHAPE_TOLERANCE:
        found.append(Flaw.SHAPE)
    if any(distance(seen, other) <= _SAME_WITHIN for other in earlier):
        found.append(Flaw.DUPLICATE)
    return found


def _badness(flaws: Sequence[Flaw]) -> tuple[int, ...]:
    """Compares candidates: the worst flaw decides, then the next."""
    ranks = sorted(_WORST_FIRST.index(flaw) for flaw in flaws)
    return tuple(len(_WORST_FIRST) - rank for rank in ranks)


def _reasons(ids: Sequence[str], best: str, flaws: Mapping[str, tuple[Flaw, ...]]) -> list[str]:
    if flaws[best]:
        words = " and ".join(_WORDS[flaw] for flaw in flaws[best])
        reasons = [f"Every candidate has a flaw; this one has the least: {words}."]
    elif all(not flaws[each] for each in ids):
        return [f"All {len(ids)} candidates passed the checks; it is the first."]
    else:
        reasons = ["It passed the checks: readable, not blank, shaped as asked, and drawn."]
    for number, each in enumerate(ids, 1):
        if each != best and flaws[each]:
            words = " and ".join(_WORDS[flaw] for flaw in flaws[each])
            reasons.append(f"Candidate {number} is not taken: {words}.")
    return reasons
