"""The long form: every crash of every story, and every pair of crashes of the main ones."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.fixtures import cloud as clouds
from tests.reliability import crashes, stories
from tests.reliability.stories import Story

MAIN = (
    stories.BY_NAME["fal"],
    stories.BY_NAME["webhook before the answer"],
    stories.BY_NAME["webhook lost"],
    stories.BY_NAME["refused"],
    stories.BY_NAME["board falls back"],
)
_SAY_EVERY = 250


@dataclass
class Row:
    """How many runs of a story there were, and those that did not come right."""

    story: str
    kind: str
    runs: int = 0
    wrong: list[str] = field(default_factory=list)


def run_singles(progress: Callable[[str], None]) -> list[Row]:
    """At every boundary of every story: death before and after; each way in which AWS can fail."""
    rows = []
    for story in stories.STORIES:
        with clouds.running() as cloud:
            trace = crashes.listed(cloud, [story])
            found = ((str(crash), crash.play(cloud)) for crash in crashes.every_crash(trace))
            rows.append(_count(Row(story.name, "one fault"), found, progress))
    return rows


def run_pairs(progress: Callable[[str], None], chosen: tuple[Story, ...] = MAIN) -> list[Row]:
    """Two deaths: at each boundary, and at each that is crossed after that."""
    rows = []
    for story in chosen:
        with clouds.running() as cloud:
            found = crashes.pairs(cloud, story)
            rows.append(_count(Row(story.name, "two deaths"), found, progress))
    return rows


def _count(
    row: Row, found: Iterator[tuple[str, list[str]]], progress: Callable[[str], None]
) -> Row:
    for name, wrong in found:
        row.runs += 1
        row.wrong += [f"{name}: {text}" for text in wrong]
        if row.runs % _SAY_EVERY == 0:
            progress(f"{row.story}, {row.kind}: {row.runs} runs, {len(row.wrong)} wrong")
    return row


def main() -> int:
    rows = [*run_pairs(print), *run_singles(print)]
    for row in rows:
        print(f"{row.story:40} {row.kind:12} {row.runs:6} runs, {len(row.wrong)} wrong")
        print("\n".join(row.wrong), end="")
    return 1 if any(row.wrong for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
