"""The long form: every crash of every story, pairs of crashes of the main ones, what comes in the
middle of everything, many lives."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fixtures import cloud as clouds
from tests.reliability import crashes, stories
from tests.reliability.life import live

MAIN = (
    stories.BY_NAME["fal"],
    stories.BY_NAME["webhook before the answer"],
    stories.BY_NAME["webhook lost"],
    stories.BY_NAME["refused"],
    stories.BY_NAME["board falls back"],
)
_SAY_EVERY = 250
_LIVES = 150


@dataclass
class Row:
    """How many runs of a story there were, and those that did not come right."""

    story: str
    kind: str
    runs: int = 0
    wrong: list[str] = field(default_factory=list)


def run_singles() -> list[Row]:
    """At every boundary of every story: death before and after; each way in which AWS can fail."""
    rows = []
    for story in stories.STORIES:
        with clouds.running() as cloud:
            trace = crashes.listed(cloud, [story])
            found = ((str(crash), crash.play(cloud)) for crash in crashes.every_crash(trace))
            rows.append(_count(Row(story.name, "one fault"), found))
    return rows


def run_pairs() -> list[Row]:
    """Two deaths: at each boundary, and at each that is crossed after that."""
    rows = []
    for story in MAIN:
        with clouds.running() as cloud:
            found = crashes.pairs(cloud, story)
            rows.append(_count(Row(story.name, "two deaths"), found))
    return rows


def run_interrupted() -> list[Row]:
    """Everything else comes before every boundary."""
    rows = []
    for story in stories.INTERRUPTED:
        with clouds.running() as cloud:
            [trace] = crashes.listed(cloud, [story]).values()
            found = crashes.interrupted(cloud, story, trace)
            rows.append(_count(Row(story.name, "interrupted"), found))
    return rows


def _count(row: Row, found: Iterator[tuple[str, list[str]]]) -> Row:
    for name, wrong in found:
        row.runs += 1
        row.wrong += [f"{name}: {text}" for text in wrong]
        if row.runs % _SAY_EVERY == 0:
            print(f"{row.story}, {row.kind}: {row.runs} runs, {len(row.wrong)} wrong")
    return row


def main() -> int:
    rows = [*run_pairs(), *run_singles(), *run_interrupted()]
    for row in rows:
        print(f"{row.story:40} {row.kind:12} {row.runs:6} runs, {len(row.wrong)} wrong")
        for text in row.wrong:
            print(f"  {text}")
    live(_LIVES, steps=50)
    print(f"{_LIVES} lives in any order, none broken")
    return 1 if any(row.wrong for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
