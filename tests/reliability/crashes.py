"""The list of crashes, made by playing each story once without any; and what becomes of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.fixtures.cloud import Cloud
from tests.reliability.boundaries import Boundary, Fault
from tests.reliability.outside import Run
from tests.reliability.stories import STORIES, Story


@dataclass(frozen=True)
class Crash:
    story: Story
    at: Boundary
    fault: Fault

    def __str__(self) -> str:
        return f"{self.story.name} / {self.at.name} {self.fault}"

    def play(self, cloud: Cloud) -> list[str]:
        """What is wrong in the end."""
        return attempt(cloud, self.story, {self.at.number: self.fault})[1]


def attempt(
    cloud: Cloud, story: Story, faults: Mapping[int, Fault], sweep_minutes: int = 1
) -> tuple[tuple[Boundary, ...], list[str]]:
    """The boundaries that were crossed, and what is wrong in the end."""
    try:
        run = story.play(cloud, faults, sweep_minutes)
    except AssertionError as error:
        return (), [str(error)]
    return tuple(run.tracer.trace), run.wrong


def dry_run(cloud: Cloud, story: Story, sweep_minutes: int = 1) -> Run:
    """The story as it is without a crash."""
    run = story.play(cloud, sweep_minutes=sweep_minutes)
    assert run.wrong == []
    assert run.ends == story.ends, story.name
    return run


def listed(cloud: Cloud, stories: Iterable[Story] = STORIES) -> dict[Story, list[Boundary]]:
    """Every boundary of every story."""
    return {story: dry_run(cloud, story).tracer.trace for story in stories}


def every_crash(boundaries: Mapping[Story, list[Boundary]]) -> Iterator[Crash]:
    """At each boundary of each story, each fault that it can have."""
    for story, trace in boundaries.items():
        for boundary in trace:
            yield from (Crash(story, boundary, fault) for fault in boundary.faults)


def one_of_each_kind(boundaries: Mapping[Story, list[Boundary]]) -> Iterator[Crash]:
    """For each kind of boundary its different faults, in the shortest story that has it."""
    for story, boundary in _first_of_each_kind(boundaries):
        yield from (Crash(story, boundary, fault) for fault in boundary.different)


def _first_of_each_kind(
    boundaries: Mapping[Story, list[Boundary]],
) -> Iterator[tuple[Story, Boundary]]:
    seen: set[str] = set()
    for story in sorted(boundaries, key=lambda story: len(boundaries[story])):
        for boundary in boundaries[story]:
            if boundary.kind not in seen:
                seen.add(boundary.kind)
                yield story, boundary


def interrupted_once_at_each_kind(
    cloud: Cloud, boundaries: Mapping[Story, list[Boundary]]
) -> Iterator[tuple[str, list[str]]]:
    for story, boundary in _first_of_each_kind(boundaries):
        yield from interrupted(cloud, story, [boundary])


def interrupted(
    cloud: Cloud, story: Story, trace: Iterable[Boundary]
) -> Iterator[tuple[str, list[str]]]:
    """Before each boundary, in the middle of its invocation, everything else comes: T4."""
    for boundary in trace:
        run = story.play(cloud, meanwhile={boundary.number: Run.everything_comes_again})
        yield f"{story.name} / {boundary.name}", run.wrong


# A row whose fate is unknown is looked for until its deadline. With a reconciler that runs less
# often two deaths take half as long to play; with one death it runs every minute.
_SWEEP_MINUTES = 15


def pairs(cloud: Cloud, story: Story) -> Iterator[tuple[str, list[str]]]:
    """Die at each boundary, and then at each that is crossed after it: name, what is wrong."""
    for first in dry_run(cloud, story, _SWEEP_MINUTES).tracer.trace:
        for how in first.deaths:
            faults = {first.number: how}
            after, wrong = attempt(cloud, story, faults, _SWEEP_MINUTES)
            name = f"{story.name} / {first.name} {how}"
            yield name, wrong
            for second in after[first.number + 1 :]:
                for then in second.deaths:
                    both = {**faults, second.number: then}
                    _, wrong = attempt(cloud, story, both, _SWEEP_MINUTES)
                    yield f"{name}, {second.name} {then}", wrong
