"""The life of a prediction, a callback and a board, by their tables."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyhook.domain import callback as callbacks
from storyhook.domain.callback import Attempt, accepted, next_attempt
from storyhook.domain.fallback import NextModel
from storyhook.domain.outcome import RULES, Failure, FailureKind
from storyhook.domain.prediction import (
    SOURCES,
    TERMINAL,
    WITHOUT_WEBHOOKS,
    Status,
    next_check,
    status_of,
)
from storyhook.domain.storyboard import (
    BoardStatus,
    SceneState,
    actual_cost,
    final_status,
    progress,
)
from tests.fixtures import makers
from tests.fixtures.clock import NOW

ORDER = {status: n for n, status in enumerate(list(Status)[:4])} | dict.fromkeys(TERMINAL, 4)


# --- prediction ---


def test_the_one_table_of_steps() -> None:
    allowed = {(source.value, to.value) for to, sources in SOURCES.items() for source in sources}
    ends = ("failed", "blocked", "canceled", "expired")
    assert allowed == {
        ("queued", "submitting"),
        ("submitting", "queued"),
        ("submitting", "submitted"),
        ("queued", "submitted"),
        ("queued", "storing"),
        ("submitting", "storing"),
        ("submitted", "storing"),
        ("storing", "succeeded"),
        *itertools.product(("queued", "submitting", "submitted", "storing"), ends),
    }


@given(st.lists(st.sampled_from(Status), max_size=40))
def test_no_sequence_of_steps_goes_backwards(wishes: list[Status]) -> None:
    """I3. The one step back is the claim holder's (aws.predictions checks its `attempt`)."""
    status = Status.QUEUED
    for wish in wishes:
        if status not in SOURCES[wish]:
            continue
        back = (status, wish) == (Status.SUBMITTING, Status.QUEUED)
        assert back or ORDER[wish] > ORDER[status]
        assert not status.terminal
        status = wish


def test_terminal_is_terminal() -> None:
    for status in Status:
        assert status.terminal == (ORDER[status] == 4)
        for sources in SOURCES.values():
            assert not (status.terminal and status in sources)


def test_public_names_are_the_contracts() -> None:
    assert {status.value: status.public for status in Status} == {
        "queued": "queued",
        "submitting": "running",
        "submitted": "running",
        "storing": "running",
        **{end: end for end in ("succeeded", "failed", "blocked", "canceled", "expired")},
    }


# type in the API -> (retryable, a fallback may be tried)
FAILURES = {
    "provider-throttled": (True, True),
    "provider-unavailable": (True, True),
    "provider-timeout": (True, True),
    "provider-refused-input": (False, True),
    "provider-refused-reference": (False, True),
    "provider-could-not-fetch-reference": (True, True),
    "blocked-by-moderation": (False, False),
    "provider-no-credit": (False, True),
    "provider-wrong-key": (False, True),
    "provider-account": (False, True),
    "expired": (True, True),
    "expired-at-provider": (False, False),
    "canceled": (False, False),
    "provider-outcome-unknown": (False, False),
    "lost-result": (False, False),
    "provider-failure": (True, True),
}


def test_the_one_table_of_failures() -> None:
    """Stable names; and whatever may have been paid for is neither retryable nor moved on from."""
    rules = {kind.value: (RULES[kind].retryable, RULES[kind].next_model) for kind in FailureKind}
    assert rules == FAILURES
    assert len({rule.title for rule in RULES.values()}) == len(FailureKind)


def test_a_block_moves_on_if_asked_and_nothing_else_does() -> None:
    """`on_block` opens one kind, not those that may have been paid for."""
    for kind in FailureKind:
        quiet, asked = (
            NextModel(1, 0, on_block).follows(Failure(kind, "x")) for on_block in (False, True)
        )
        assert quiet == RULES[kind].next_model
        assert asked == (quiet or kind is FailureKind.BLOCKED)
        assert not makers.prediction().moves_on(Failure(kind, "x")), "nothing left to try"


@pytest.mark.parametrize("kind", FailureKind)
def test_each_failure_ends_in_one_status(kind: FailureKind) -> None:
    ends = {
        FailureKind.BLOCKED: Status.BLOCKED,
        FailureKind.CANCELED: Status.CANCELED,
        FailureKind.EXPIRED: Status.EXPIRED,
    }
    assert status_of(Failure(kind, "x")) is ends.get(kind, Status.FAILED)


def test_when_a_provider_is_asked() -> None:
    gaps = [(next_check(NOW, n, 10) - NOW).total_seconds() for n in (0, 1, 2, 3, 4, 5, 6, 99)]
    assert gaps == [40, 15, 30, 60, 120, 240, 300, 300]


def test_when_a_provider_is_asked_that_cannot_tell() -> None:
    """Every two seconds, in the end every five: a picture is here within seconds of its end."""
    checks = [next_check(NOW, n, 600, WITHOUT_WEBHOOKS) - NOW for n in range(40)]
    gaps = [gap.total_seconds() for gap in checks]
    assert gaps[:3] == [2, 2, pytest.approx(2.2)]
    assert gaps == sorted(gaps)
    assert gaps[11:] == [5] * 29


# --- callback ---

SCHEDULE = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


NO_SUCCESS = Attempt(NOW, 500)


def test_the_schedule_is_standard_webhooks() -> None:
    found = [next_attempt(n, NO_SUCCESS, 0.5) for n in range(1, 10)]
    assert found == [NOW + timedelta(seconds=gap) for gap in SCHEDULE]
    assert next_attempt(10, NO_SUCCESS, 0.5) is None
    assert sum(SCHEDULE) == timedelta(hours=75, minutes=35, seconds=5).total_seconds()


@given(st.integers(1, 9), st.floats(0, 1, exclude_max=True))
def test_jitter_is_a_tenth_each_way(attempts: int, randomness: float) -> None:
    again = next_attempt(attempts, NO_SUCCESS, randomness)
    assert again is not None
    gap = SCHEDULE[attempts - 1]
    assert 0.9 * gap - 1e-6 <= (again - NOW).total_seconds() <= 1.1 * gap


def test_a_gap_counts_from_the_last_attempt() -> None:
    later = NOW + timedelta(hours=1)
    again = next_attempt(2, Attempt(later, None), 0.5)
    assert again == later + timedelta(minutes=5)


def test_gone_ends_it_at_once() -> None:
    assert next_attempt(1, Attempt(NOW, 410), 0.5) is None
    assert next_attempt(2, NO_SUCCESS, 0.5) is not None


@pytest.mark.parametrize(
    ("status", "good"),
    [
        (200, True),
        (204, True),
        (299, True),
        (199, False),
        (300, False),
        (410, False),
        (None, False),
    ],
)
def test_which_answers_are_good(status: int | None, good: bool) -> None:
    assert accepted(Attempt(NOW, status)) is good


def test_a_lease_outlives_a_delivery() -> None:
    assert timedelta(seconds=30) < callbacks.LEASE


# --- board ---


def state(*statuses: Status) -> SceneState:
    rows = tuple(makers.prediction(status, cost_actual=None) for status in statuses)
    _, [scene] = makers.board(rows)
    return SceneState(scene, rows)


DONE, FAILED, BLOCKED, CANCELED = Status.SUCCEEDED, Status.FAILED, Status.BLOCKED, Status.CANCELED
EXPIRED, RUNNING = Status.EXPIRED, Status.SUBMITTED


@pytest.mark.parametrize(
    ("scenes", "status"),
    [
        ([(DONE,), (DONE,)], BoardStatus.SUCCEEDED),
        ([(DONE,), (FAILED,)], BoardStatus.PARTIAL),
        ([(DONE,), (BLOCKED,)], BoardStatus.PARTIAL),
        ([(FAILED,), (BLOCKED,)], BoardStatus.FAILED),
        ([(EXPIRED,)], BoardStatus.FAILED),
        ([(CANCELED,), (CANCELED,)], BoardStatus.CANCELED),
        ([(CANCELED,), (FAILED,)], BoardStatus.FAILED),
        ([(CANCELED,), (DONE,)], BoardStatus.PARTIAL),
        ([(DONE,), (RUNNING,)], BoardStatus.RUNNING),
        ([(DONE,), (Status.QUEUED,)], BoardStatus.RUNNING),
        ([(FAILED, DONE)], BoardStatus.SUCCEEDED),
        ([(FAILED, RUNNING)], BoardStatus.RUNNING),
        ([(DONE, RUNNING)], BoardStatus.RUNNING),
    ],
)
def test_a_boards_status_follows_from_its_scenes(
    scenes: list[tuple[Status, ...]], status: BoardStatus
) -> None:
    assert final_status([state(*scene) for scene in scenes]) is status


@pytest.mark.parametrize(
    ("scenes", "status"),
    [
        ([(DONE,), (CANCELED,)], BoardStatus.CANCELED),
        ([(FAILED,), (CANCELED,), (DONE,)], BoardStatus.CANCELED),
        ([(FAILED, CANCELED)], BoardStatus.CANCELED),
        ([(CANCELED,), (RUNNING,)], BoardStatus.RUNNING),
        ([(DONE,), (DONE,)], BoardStatus.SUCCEEDED),
        ([(DONE,), (FAILED,)], BoardStatus.PARTIAL),
        ([(FAILED,), (EXPIRED,)], BoardStatus.FAILED),
    ],
)
def test_a_board_that_was_to_be_canceled_was_if_a_scene_was(
    scenes: list[tuple[Status, ...]], status: BoardStatus
) -> None:
    assert final_status([state(*scene) for scene in scenes], cancel_requested=True) is status


@pytest.mark.parametrize(
    ("status", "most", "unknown", "canceled", "may"),
    [
        (Status.SUBMITTING, 1, 0, False, False),
        (Status.SUBMITTING, 2, 0, False, True),
        (Status.SUBMITTING, 2, 1, False, False),
        (Status.SUBMITTING, 3, 1, False, True),
        (Status.SUBMITTING, 3, 2, False, False),
        (Status.SUBMITTING, 3, 0, True, False),
        (Status.STORING, 3, 0, False, False),
        (Status.QUEUED, 3, 0, False, False),
    ],
)
def test_how_often_a_lost_answer_may_be_paid_for(
    status: Status, most: int, unknown: int, canceled: bool, may: bool
) -> None:
    asked_at = NOW if canceled else None
    row = makers.prediction(
        status, max_paid_attempts=most, unknown_outcomes=unknown, cancel_requested_at=asked_at
    )
    assert row.may_be_sent_again is may


def test_progress_counts_every_scene_once() -> None:
    scenes = [(DONE,), (FAILED,), (BLOCKED,), (RUNNING,), (EXPIRED,), (FAILED, DONE), (CANCELED,)]
    counts = progress([state(*scene) for scene in scenes])
    assert counts == {"total": 7, "succeeded": 2, "failed": 3, "blocked": 1, "running": 1}


@given(st.lists(st.lists(st.sampled_from(Status), min_size=1, max_size=3), min_size=1, max_size=5))
def test_progress_adds_up(scenes: list[list[Status]]) -> None:
    states = [state(*scene) for scene in scenes]
    counts = progress(states)
    assert counts.pop("total") == sum(counts.values()) == len(scenes)
    over = all(status.terminal for scene in scenes for status in scene)
    assert (final_status(states) is not BoardStatus.RUNNING) == over


def test_the_picture_of_a_scene_is_its_first_success() -> None:
    both = state(FAILED, DONE)
    assert both.chosen is both.predictions[1]
    assert state(FAILED, RUNNING).representative.status is RUNNING
    assert state(BLOCKED, FAILED).representative.status is FAILED
    assert state(FAILED).chosen is None


def test_an_unknown_cost_makes_the_sum_unknown() -> None:
    assert actual_cost([state(DONE)]) is None
    assert str(actual_cost([state(FAILED)])) == "0"
