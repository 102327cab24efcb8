"""Runs of the simulation, side by side, and what came of each."""

import hashlib
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.fixtures import cloud as clouds
from tests.reliability.faults import Mix
from tests.reliability.ledger import Ledger
from tests.reliability.simulation import Simulation
from tests.reliability.verdict import endings, verdict

PROCESSES = 2
_EVERY = 250


@dataclass(frozen=True)
class Run:
    name: str
    seed: int
    predictions: int
    mix: Mix
    longest: timedelta = timedelta(days=6)


@dataclass(frozen=True)
class Result:
    run: Run
    wrong: dict[str, list[str]]
    paid_for_nothing: list[str]
    injected: Counter[str]
    endings: Counter[str]
    callbacks: Counter[str]
    pictures_made: int
    """Jobs that ended with a picture, at the providers."""
    pictures_kept: int
    """Of these, those whose row has it."""
    waited: list[float]
    """Virtual seconds from each request to its end, in order."""
    aws_calls: int
    seconds: float
    fingerprint: str
    """Equal for equal runs: of all rows, with their ids and times."""

    @property
    def holds(self) -> bool:
        return not any(self.wrong.values())


@dataclass(frozen=True)
class Total:
    """Several runs of one name."""

    name: str
    seeds: tuple[int, ...]
    predictions: int
    wrong: Counter[str]
    paid_for_nothing: int
    injected: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    callbacks: Counter[str] = field(default_factory=Counter)
    pictures_made: int = 0
    pictures_kept: int = 0
    waited: tuple[float, ...] = ()
    aws_calls: int = 0


def play(run: Run, *, quiet: bool = True) -> Result:
    """One run, from its first request to its verdict."""
    began = time.monotonic()

    def progress(asked: int) -> None:
        if not quiet and asked % _EVERY == 0:
            print(f"{run.name}, seed {run.seed}: {asked} of {run.predictions} asked", flush=True)

    with clouds.running() as cloud:
        simulation = Simulation(cloud, run.seed, run.predictions, run.mix, run.longest, progress)
        simulation.run()
        found = verdict(simulation.ledger)
    ledger = simulation.ledger
    made = [job for job in ledger.jobs.values() if job.succeeded_at]
    rows = _rows(ledger, "PRED")
    kept = {item["id"]["S"] for item in rows if item["status"]["S"] == "succeeded"}
    return Result(
        run=run,
        wrong=found.wrong,
        paid_for_nothing=found.paid_for_nothing,
        injected=simulation.faults.counts,
        endings=endings(ledger),
        callbacks=Counter(item["status"]["S"] for item in _rows(ledger, "CB")),
        pictures_made=len(made),
        pictures_kept=sum(job.row_id in kept for job in made),
        waited=sorted(_waited(item) for item in rows if "completed_at" in item),
        aws_calls=simulation.faults.calls,
        seconds=time.monotonic() - began,
        fingerprint=_fingerprint(ledger),
    )


def play_all(runs: Sequence[Run]) -> Iterator[Result]:
    """The results as they come."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(_play_aloud, runs)


def _play_aloud(run: Run) -> Result:
    return play(run, quiet=False)


def totals(results: Sequence[Result]) -> list[Total]:
    """By name, in the order in which the names first come."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.run.name, []).append(result)
    return [_total(name, group) for name, group in groups.items()]


def _total(name: str, group: list[Result]) -> Total:
    return Total(
        name=name,
        seeds=tuple(sorted(result.run.seed for result in group)),
        predictions=sum(result.run.predictions for result in group),
        wrong=_sum([Counter({k: len(v) for k, v in result.wrong.items()}) for result in group]),
        paid_for_nothing=sum(len(result.paid_for_nothing) for result in group),
        injected=_sum([result.injected for result in group]),
        endings=_sum([result.endings for result in group]),
        callbacks=_sum([result.callbacks for result in group]),
        pictures_made=sum(result.pictures_made for result in group),
        pictures_kept=sum(result.pictures_kept for result in group),
        waited=tuple(sorted(seconds for result in group for seconds in result.waited)),
        aws_calls=sum(result.aws_calls for result in group),
    )


def _sum(counters: Sequence[Counter[str]]) -> Counter[str]:
    """Unlike `+`, with the zeros."""
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _rows(ledger: Ledger, kind: str) -> list[dict[str, Any]]:
    return [item for (_, sk), item in ledger.items.items() if sk == kind]


def _waited(item: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(item[n]["S"]) for n in ("created_at", "completed_at"))
    return (ended - began).total_seconds()


def _fingerprint(ledger: Ledger) -> str:
    # A callback's body has presigned URLs in it, whose signer knows no clock but the machine's.
    rows = [(key, {**item, "body": None}) for key, item in sorted(ledger.items.items())]
    return hashlib.sha256(json.dumps(rows, default=str, sort_keys=True).encode()).hexdigest()
