"""`max_paid_attempts`: a submission without an answer is sent again, as often as was agreed.

From then on there may be two jobs of one row. The first that makes a picture counts, never both.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from storyhook.aws.predictions import PredictionTable
from storyhook.aws.queues import SubmissionsQueue
from storyhook.domain.errors import DownloadFailed
from storyhook.domain.outcome import (
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    ProviderHandle,
    Rejected,
    Succeeded,
)
from storyhook.domain.prediction import Prediction, Status
from tests.fixtures import makers
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.interruptions import Death, die, once
from tests.fixtures.pictures import picture
from tests.fixtures.world import (
    CALLBACK_URL,
    IMAGE_URL,
    UNAVAILABLE,
    World,
    done,
    failed,
    in_threads,
)

MODELS = pytest.mark.parametrize("model", [makers.FAL, makers.REPLICATE])
LOST = OutcomeUnknown("reset")
SECOND_URL = "https://v3b.fal.media/files/b/panda/second.png"


def unanswered(world: World, model: str = makers.FAL, attempts: int = 2) -> Prediction:
    """A prediction whose first submission was not answered, at its deadline."""
    world.provider.answers = [LOST]
    row = world.ask(model, callback_url=CALLBACK_URL, max_paid_attempts=attempts)
    world.clock.now = row.deadline_at
    return row


def requeued(world: World, model: str = makers.FAL, attempts: int = 2) -> Prediction:
    row = unanswered(world, model, attempts)
    world.sweep()
    assert world.row(row).status is Status.QUEUED
    return row


def sent_again(world: World, model: str = makers.FAL, attempts: int = 2) -> Prediction:
    """Also the second is at the provider: as job-2, which the row knows."""
    row = requeued(world, model, attempts)
    world.submit_all()
    after = world.row(row)
    assert (after.status, after.handle) == (Status.SUBMITTED, ProviderHandle("job-2"))
    return row


def told(world: World) -> int:
    """How many events the customer gets."""
    return len({message["callback_id"] for message in world.cloud.sent(world.cloud.callbacks_url)})


def kind_of(row: Prediction) -> FailureKind | None:
    return row.failure.kind if row.failure else None


@MODELS
def test_without_consent_it_is_never_sent_again(world: World, model: str) -> None:
    row = unanswered(world, model, attempts=1)
    for _ in range(5):
        world.sweep(hours=3)
        world.submit_all()
    after = world.row(row)
    assert (after.status, kind_of(after)) == (Status.EXPIRED, FailureKind.OUTCOME_UNKNOWN)
    assert len(world.provider.submitted) == 1


@MODELS
def test_it_is_sent_again_once_its_deadline_has_passed(world: World, model: str) -> None:
    world.provider.answers = [LOST]
    row = world.ask(model, callback_url=CALLBACK_URL, max_paid_attempts=2)
    while world.clock() < row.deadline_at - timedelta(minutes=6):
        world.sweep(minutes=5)
        assert world.row(row).status is Status.SUBMITTING
    world.clock.now = row.deadline_at
    world.sweep()
    waiting = world.row(row)
    assert (waiting.status, waiting.unknown_outcomes) == (Status.QUEUED, 1)
    seconds = makers.MODELS.models[row.model].deadline_seconds
    assert waiting.deadline_at == world.clock() + timedelta(hours=1, seconds=seconds)
    world.submit_all()
    world.webhook(row, done(row.provider, "job-2"))
    assert world.row(row).status is Status.SUCCEEDED
    first, second = world.provider.submitted
    assert first[1].keys() == second[1].keys(), "the same plan, with references signed anew"
    assert (first[0], first[1]["seed"], first[2]) == (second[0], second[1]["seed"], second[2])
    assert told(world) == 1


def test_the_second_submission_is_asked_after_as_patiently_as_the_first(world: World) -> None:
    """Silences of the first say nothing of the second, whose picture is paid."""
    row = unanswered(world, makers.REPLICATE)
    world.provider.silences = 41
    for _ in range(41):
        assert world.row(row).status is Status.SUBMITTING
        world.sweep(minutes=2)
    world.submit_all()
    world.clock.now = world.row(row).deadline_at
    world.provider.outcomes["job-2"] = DownloadFailed("down", retryable=True)
    world.sweep()
    assert world.row(row).status is Status.SUBMITTED
    world.provider.outcomes["job-2"] = Succeeded((IMAGE_URL,))
    world.sweep(minutes=2)
    assert world.row(row).status is Status.SUCCEEDED


@pytest.mark.parametrize("attempts", [2, 3])
def test_as_often_as_was_agreed(world: World, attempts: int) -> None:
    row = unanswered(world, attempts=attempts)
    world.provider.answers = [LOST] * 9
    for _ in range(30):
        world.sweep(hours=1)
        world.submit_all()
    assert kind_of(world.row(row)) is FailureKind.OUTCOME_UNKNOWN
    assert len(world.provider.submitted) == attempts


def test_without_webhooks_nothing_would_be_heard_by_waiting(cloud: Cloud, clock: Clock) -> None:
    world = World(cloud, clock, webhooks=False)
    world.images.put(makers.character().references[0].key, picture(), "image/png")
    world.provider.answers = [LOST, LOST]
    row = world.ask(max_paid_attempts=2)
    world.sweep(minutes=3)
    assert world.row(row).status is Status.QUEUED
    world.submit_all()
    world.sweep(minutes=3)
    assert kind_of(world.row(row)) is FailureKind.OUTCOME_UNKNOWN
    assert len(world.provider.submitted) == 2


def test_a_job_that_is_found_is_not_sent_again(world: World) -> None:
    row = unanswered(world, makers.REPLICATE)
    [(_, _, webhook_url)] = world.provider.submitted
    world.provider.found[webhook_url] = ProviderHandle("job-1")
    world.sweep()
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.sweep()
    assert world.row(row).status is Status.SUCCEEDED
    assert len(world.provider.submitted) == 1


# --- the first job speaks, after all ---

Late = Callable[[World, Prediction], object]


def success(world: World, row: Prediction) -> None:
    world.webhook(row, done(row.provider, "job-1"))


def failure(world: World, row: Prediction) -> None:
    world.webhook(row, failed(row.provider, "job-1"))


@MODELS
def test_its_picture_is_kept_before_the_second_is_sent(world: World, model: str) -> None:
    row = requeued(world, model)
    success(world, row)
    assert world.row(row).status is Status.SUCCEEDED
    world.submit_all()
    world.sweep(days=1)
    assert len(world.provider.submitted) == 1
    assert told(world) == 1


@MODELS
def test_its_picture_is_kept_while_the_second_is_being_sent(world: World, model: str) -> None:
    row = requeued(world, model)
    world.provider.during_submit = lambda *_: success(world, row)
    world.submit_all()
    after = world.row(row)
    assert (after.status, after.handle) == (Status.SUCCEEDED, ProviderHandle("job-1"))
    world.webhook(row, done(row.provider, "job-2", SECOND_URL))
    assert world.row(row) == after, "the second job's picture comes too late"
    assert len(world.cloud.objects()) == told(world) == 1


@MODELS
def test_its_picture_is_kept_while_the_second_is_being_made(world: World, model: str) -> None:
    row = sent_again(world, model)
    success(world, row)
    after = world.row(row)
    assert (after.status, after.handle) == (Status.SUCCEEDED, ProviderHandle("job-1"))
    world.webhook(row, done(row.provider, "job-2", SECOND_URL))
    world.webhook(row, failed(row.provider, "job-2"))
    assert world.row(row) == after
    assert len(world.cloud.objects()) == told(world) == 1


@MODELS
def test_its_picture_comes_too_late_once_the_second_is_there(world: World, model: str) -> None:
    row = sent_again(world, model)
    world.webhook(row, done(row.provider, "job-2"))
    after = world.row(row)
    success(world, row)
    assert world.row(row) == after
    assert len(world.cloud.objects()) == told(world) == 1


@pytest.mark.parametrize("when", ["queued", "submitting", "submitted"])
@MODELS
def test_its_failure_does_not_stop_the_second(world: World, model: str, when: str) -> None:
    row = requeued(world, model)
    if when == "queued":
        failure(world, row)
    if when == "submitting":
        world.provider.during_submit = lambda *_: failure(world, row)
    world.submit_all()
    if when == "submitted":
        failure(world, row)
    assert world.row(row).status is Status.SUBMITTED
    world.webhook(row, done(row.provider, "job-2"))
    assert world.row(row).status is Status.SUCCEEDED
    assert len(world.provider.submitted) == 2


@MODELS
def test_the_failure_of_the_last_job_ends_it(world: World, model: str) -> None:
    row = sent_again(world, model)
    world.webhook(row, failed(row.provider, "job-2"))
    assert world.row(row).status is Status.FAILED
    assert told(world) == 1


def test_a_failure_that_names_no_job_does_not_end_it(world: World) -> None:
    row = requeued(world)
    body = failed("fal", "job-1")
    del body["request_id"]
    world.webhook(row, body)
    assert world.row(row).status is Status.QUEUED


def test_a_failure_that_is_faster_than_the_answer_is_heard_by_asking(world: World) -> None:
    row = requeued(world)
    world.provider.during_submit = lambda *_: world.webhook(row, failed("fal", "job-2"))
    world.submit_all()
    assert world.row(row).status is Status.SUBMITTED
    world.sweep(minutes=2)
    assert world.row(row).status is Status.SUBMITTED
    world.webhook(row, failed("fal", "job-2"))
    assert world.row(row).status is Status.FAILED


@pytest.mark.parametrize("when", ["queued", "submitting", "submitted"])
def test_a_message_without_the_result_has_a_job_asked(world: World, when: str) -> None:
    """fal says OK, but the result is elsewhere."""
    row = requeued(world)
    named = {"request_id": "job-1", "status": "OK", "payload": None}
    if when == "queued":
        world.webhook(row, named)
    if when == "submitting":
        world.provider.during_submit = lambda *_: world.webhook(row, named)
    world.submit_all()
    if when == "submitted":
        world.webhook(row, named)
    asked = "job-2" if when == "submitted" else "job-1"
    world.provider.outcomes[asked] = Succeeded((IMAGE_URL,))
    world.sweep()
    assert world.row(row).status is Status.SUCCEEDED
    assert len(world.provider.submitted) == (1 if when == "queued" else 2)


def test_a_copy_that_was_cut_short_is_made_from_the_job_that_made_the_picture(
    world: World,
) -> None:
    row = sent_again(world)
    world.pictures.files[IMAGE_URL] = DownloadFailed("not now", retryable=True)
    success(world, row)
    after = world.row(row)
    assert (after.status, after.handle) == (Status.STORING, ProviderHandle("job-1"))
    world.pictures.files[IMAGE_URL] = picture()
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.sweep(minutes=3)
    assert world.row(row).status is Status.SUCCEEDED


# --- at the same time ---


def test_a_picture_that_comes_as_it_is_to_be_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = unanswered(world)
    with monkeypatch.context() as patch:
        happened = once(patch, PredictionTable, "advance", lambda: success(world, row))
        world.sweep()
    assert happened
    assert world.row(row).status is Status.SUCCEEDED
    assert world.cloud.sent(world.cloud.submissions_url) == []


def test_a_cancel_that_comes_as_it_is_to_be_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = unanswered(world)
    with monkeypatch.context() as patch:
        happened = once(
            patch,
            PredictionTable,
            "advance",
            lambda: world.cancel.prediction(row.tenant, row.id),
        )
        world.sweep()
    assert happened
    world.submit_all()
    after = world.row(row)
    assert after.status is Status.CANCELED
    assert after.canceled_in_time is None, "the first may have made a picture"
    assert after.failure is not None
    assert "may have been paid" in after.failure.detail
    assert len(world.provider.submitted) == 1


def test_many_reconcilers_send_it_again_once(world: World) -> None:
    row = unanswered(world)
    in_threads(10, lambda _: world.reconcile(lambda: True))
    assert len(world.cloud.sent(world.cloud.submissions_url)) == 1
    in_threads(10, lambda _: world.submit.from_queue(row.id, None))
    assert len(world.provider.submitted) == 2


def test_a_reconciler_that_was_held_up_does_not_give_back_the_next_claim(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = unanswered(world, attempts=3)
    held_up = world.row(row)
    world.provider.answers = [LOST]

    def another() -> None:
        world.submit.send_again(held_up)
        world.submit.from_queue(row.id, None)

    with monkeypatch.context() as patch:
        happened = once(patch, PredictionTable, "advance", another)
        world.sweep()
    assert happened
    after = world.row(row)
    assert (after.status, after.attempt) == (Status.SUBMITTING, 2)
    assert after.unknown_outcomes == 1
    assert world.cloud.sent(world.cloud.submissions_url) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("where", "step"), [(PredictionTable, "advance"), (SubmissionsQueue, "enqueue")]
)
def test_a_death_while_it_is_queued_again(
    world: World, monkeypatch: pytest.MonkeyPatch, where: type, step: str, after: bool
) -> None:
    row = unanswered(world)

    with monkeypatch.context() as patch:
        once(patch, where, step, die, after=after)
        with pytest.raises(Death):
            world.sweep()
    for _ in range(3):
        world.sweep(minutes=6)
        world.submit_all()
    after_all = world.row(row)
    assert (after_all.status, after_all.unknown_outcomes) == (Status.SUBMITTED, 1)
    assert len(world.provider.submitted) == 2


# --- what may have been paid for stays that ---


def test_one_that_cannot_be_sent_again_in_time_may_have_been_paid(world: World) -> None:
    row = requeued(world)
    world.provider.answers = [NotCreated(UNAVAILABLE)] * 99
    world.submit_all()
    for _ in range(20):
        world.sweep(minutes=6)
    after = world.row(row)
    assert (after.status, kind_of(after)) == (Status.EXPIRED, FailureKind.OUTCOME_UNKNOWN)
    assert after.failure is not None
    assert "may have been paid" in after.failure.detail
    assert after.canceled_in_time is False


def board_with_fallback(world: World, **asked: Any) -> list[Prediction]:
    board = world.board(
        makers.scene(), model="fal-flux2-pro", fallback_models=("rep-flux2-pro",), **asked
    )
    [row] = world.rows_of(board)
    world.submit.from_queue(row.id, "token")
    world.clock.now = world.row(row).deadline_at
    for _ in range(4):
        world.sweep(minutes=3)
        world.submit_all()
    return world.rows_of(board)


def test_a_fallback_has_what_is_left_of_the_consent(world: World) -> None:
    """First no answer, then a refusal: one payment is left, for the fallback."""
    refusal = Rejected(UNAVAILABLE)
    world.provider.answers = [LOST, refusal, LOST]
    first, fallback = board_with_fallback(world, max_paid_attempts=2)
    assert (first.status, first.unknown_outcomes) == (Status.FAILED, 1)
    assert (fallback.status, fallback.max_paid_attempts) == (Status.SUBMITTING, 1)
    for _ in range(10):
        world.sweep(hours=1)
        world.submit_all()
    assert kind_of(world.row(fallback)) is FailureKind.OUTCOME_UNKNOWN
    assert len(world.provider.submitted) == 3
    assert len(world.provider.created) == 2


def test_a_fallback_of_a_clean_failure_has_all_of_it(world: World) -> None:
    world.provider.answers = [Rejected(UNAVAILABLE)]
    _, fallback = board_with_fallback(world, max_paid_attempts=3)
    assert fallback.max_paid_attempts == 3


def test_a_board_says_it_for_its_scenes(world: World) -> None:
    assert [row.max_paid_attempts for row in world.rows_of(world.board())] == [1, 1]
    board = world.board(max_paid_attempts=2)
    assert [row.max_paid_attempts for row in world.rows_of(board)] == [2, 2]
