"""The campaign's short form: every fault, all webhooks lost. `make campaign` is the long one."""

import shutil
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.fixtures import cloud as clouds
from tests.reliability.__main__ import ALL_LOST
from tests.reliability.campaign import Result, Run, play
from tests.reliability.faults import NAMES, Mix
from tests.reliability.mutants import MUTANTS, Mutant
from tests.reliability.verdict import INVARIANTS

# Rare faults more often, so that a short run has each.
SHORT = Mix(
    early=0.08,
    forged=0.15,
    failed=0.10,
    overdue=0.03,
    answer_lost=0.04,
    nothing_created=0.05,
    rejected=0.03,
    unreachable=0.15,
    cancel_late=0.5,
    copy_fails=0.10,
    customer=0.20,
    gone=0.05,
    workflow_lost=0.15,
    died=0.006,
    aws_error=0.006,
    aws_silent=0.004,
    aws_answer_lost=0.004,
    aws_repeated=0.004,
    interleaved=0.05,
)
SEEDS = (2, 3)


def none_broken() -> dict[str, list[str]]:
    return {name: [] for name in INVARIANTS}


@pytest.fixture(scope="module")
def short_runs() -> list[Result]:
    return [play(Run("short", seed, 80, SHORT)) for seed in SEEDS]


def test_no_promise_is_broken(short_runs: list[Result]) -> None:
    for result in short_runs:
        assert result.wrong == none_broken(), f"seed {result.run.seed}"
        assert result.pictures_made == result.pictures_kept + len(result.paid_for_nothing)
        assert result.endings["succeeded"] > 40


def test_each_kind_of_fault_was_there(short_runs: list[Result]) -> None:
    missing = [name for name in NAMES if not any(result.injected[name] for result in short_runs)]
    assert not missing
    assert {field.name for field in fields(Mix)} == NAMES.keys()


def test_a_seed_makes_the_same_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run("again", 5, 8, SHORT)
    first, other = play(run), play(replace(run, seed=6))
    # The second time with moto as it is: what makes it quick must not change its answers.
    monkeypatch.setattr(clouds, "quick_moto", nullcontext)
    second = play(run)
    assert first.fingerprint == second.fingerprint
    assert first.injected == second.injected
    assert first.fingerprint != other.fingerprint


def test_all_webhooks_lost_and_every_picture_is_here() -> None:
    result = play(Run("all lost", 3, 50, ALL_LOST))
    assert result.wrong == none_broken()
    assert not result.paid_for_nothing
    # Each end is told of by a webhook, that of a job which was stopped too.
    assert result.injected["lost"] >= result.pictures_made + result.injected["failed"]
    assert result.pictures_kept == result.pictures_made > 40


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_each_mutant_still_has_its_place(mutant: Mutant, tmp_path: Path) -> None:
    """That the campaign sees it is shown by `make campaign ARGS=--mutants`."""
    here = f"layers/storyhook/python/storyhook/{mutant.file}"
    (tmp_path / here).parent.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[2] / here, tmp_path / here)
    mutant.apply(tmp_path)
    compile((tmp_path / here).read_text(encoding="utf-8"), mutant.file, "exec")


def test_each_invariant_has_a_mutant() -> None:
    assert {mutant.promise for mutant in MUTANTS} == INVARIANTS.keys()
