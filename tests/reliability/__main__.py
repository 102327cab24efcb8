"""python -m tests.reliability: ten seeds with every fault, all webhooks lost, AWS failing.

Without options all of it, and docs/reliability.md is written. Exit code 1: a promise was broken.
"""

import argparse
import json
import sys
from dataclasses import replace
from datetime import timedelta

from tests.reliability import mutants, tables
from tests.reliability.campaign import Result, Run, play, play_all, totals
from tests.reliability.faults import Mix

_SEEDS = 10
_PREDICTIONS = 1000
# What a lost webhook is recovered from is the provider: here its answers arrive.
ALL_LOST = Mix(
    lost=1.0,
    early=0.0,
    doubled=0.0,
    answer_lost=0.0,
    died=0.0,
    aws_error=0.0,
    aws_silent=0.0,
    aws_answer_lost=0.0,
    aws_repeated=0.0,
)
# With so many deaths the one reconciler falls hours behind (docs/reliability.md).
AWS_FAILING = Mix(
    died=0.01,
    aws_error=0.02,
    aws_silent=0.02,
    aws_answer_lost=0.02,
    aws_repeated=0.02,
    interleaved=0.10,
)


def main() -> int:
    options = _arguments()
    if options.mutants:
        return mutants.main()
    mix = Mix(**json.loads(options.mix))
    if options.drop is not None:
        mix = replace(mix, lost=options.drop, early=0.0 if options.drop == 1 else mix.early)
    if options.json:
        run = Run(
            "one", options.seed or 0, options.predictions, mix, timedelta(hours=options.hours)
        )
        result = play(run)
        print(json.dumps({name: len(found) for name, found in result.wrong.items()}))
        return 0 if result.holds else 1
    whole = options.seed is None and mix == Mix() and options.predictions == _PREDICTIONS
    runs = whole_campaign() if whole else _one_mix(options, mix)
    return _campaign(runs, whole=whole)


def whole_campaign() -> list[Run]:
    runs = [Run("every fault", seed, _PREDICTIONS, Mix()) for seed in range(_SEEDS)]
    runs.append(Run("all webhooks lost", 100, _PREDICTIONS, ALL_LOST))
    runs.append(Run("AWS failing", 200, _PREDICTIONS, AWS_FAILING))
    return runs


def _one_mix(options: argparse.Namespace, mix: Mix) -> list[Run]:
    seeds = range(_SEEDS) if options.seed is None else [options.seed]
    return [Run("as asked", seed, options.predictions, mix) for seed in seeds]


def _campaign(runs: list[Run], *, whole: bool) -> int:
    results: list[Result] = []
    for result in play_all(runs):
        results.append(result)
        state = "all promises kept" if result.holds else "BROKEN"
        print(f"{result.run.name}, seed {result.run.seed}: {state}, {result.seconds:.0f} s")
    order = {(run.name, run.seed): number for number, run in enumerate(runs)}
    results.sort(key=lambda result: order[result.run.name, result.run.seed])
    found = totals(results)
    parts = [tables.broken(found), tables.happened(found), tables.injected(found)]
    for part in parts:
        print(f"\n{tables.plain(part)}")
    if said := tables.words(results):
        print(f"\n{said}")
    if whole:
        command = "Made by `make campaign`, which takes the seeds named below."
        text = "\n\n".join([command, *(tables.markdown(part) for part in parts)])
        tables.write("campaign", f"\n{text}\n")
        print(f"\nwritten to docs/{tables.DOCUMENT.name}")
    return 0 if all(result.holds for result in results) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.reliability", description=(__doc__ or "").partition(": ")[2]
    )
    parser.add_argument("--seed", type=int, help="one seed instead of ten")
    parser.add_argument("--predictions", type=int, default=_PREDICTIONS, help="for each seed")
    parser.add_argument("--drop", type=float, metavar="SHARE", help="of the webhooks, 0 to 1")
    parser.add_argument("--mix", default="{}", metavar="JSON", help='rates, as {"died": 0.05}')
    parser.add_argument("--hours", type=float, default=144, help="virtual time at most")
    parser.add_argument("--json", action="store_true", help="one run, its counts and no more")
    parser.add_argument("--mutants", action="store_true", help="break the code on purpose instead")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
