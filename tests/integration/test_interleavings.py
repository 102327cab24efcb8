"""Sequences of events that once lost a picture or paid for one too many."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storyhook.domain.errors import WorkflowUnavailable
from storyhook.domain.outcome import NotCreated, Pending, ProviderHandle, Succeeded
from storyhook.domain.prediction import Status
from tests.fixtures import makers
from tests.fixtures.world import IMAGE_URL, UNAVAILABLE, World, done

ERROR = {"status": "ERROR", "error": "Invalid status code: 503", "payload": {"detail": "x"}}


def test_a_prompt_that_looks_like_a_reference_is_sent_as_it_is(world: World) -> None:
    row = makers.prediction(Status.QUEUED)
    given = {**row.input, "payload": {**row.input["payload"], "prompt": "reference://x is a word"}}
    world.predictions.add(replace(row, input=given))
    assert world.submit.from_queue(row.id, None) is None
    [(_, payload, _)] = world.provider.submitted
    assert payload["prompt"] == "reference://x is a word"
    assert world.row(row).status is Status.SUBMITTED


def test_a_claim_is_given_back_when_nothing_left_us(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signing fails before the POST: the next message sends it, nobody waits for a webhook."""
    row = makers.prediction(Status.QUEUED)
    world.predictions.add(row)

    def broken(prediction: object) -> None:
        raise ConnectionError("no credentials just now")

    with monkeypatch.context() as patch:
        patch.setattr(
            "storyhook.usecases.references.SignedReferences.urls", lambda *_: broken(None)
        )
        with pytest.raises(ConnectionError):
            world.submit.from_queue(row.id, None)
    assert world.row(row).status is Status.QUEUED
    assert world.submit.from_queue(row.id, None) is None
    assert world.row(row).status is Status.SUBMITTED
    assert len(world.provider.submitted) == 1


def test_nothing_is_paid_after_the_queue_time_out(world: World) -> None:
    row = makers.prediction(Status.QUEUED)
    world.predictions.add(row)
    seconds = makers.MODELS.models[row.model].deadline_seconds
    world.clock.now = row.deadline_at - timedelta(seconds=seconds)
    assert world.submit.from_queue(row.id, None) is None
    assert world.provider.submitted == []
    assert world.row(row).status is Status.EXPIRED


def test_a_job_sent_late_still_has_its_models_time(world: World) -> None:
    row = makers.prediction(Status.QUEUED)
    world.predictions.add(row)
    seconds = makers.MODELS.models[row.model].deadline_seconds
    world.clock.now = row.deadline_at - timedelta(seconds=seconds + 1)
    world.submit.from_queue(row.id, None)
    assert world.row(row).status is Status.SUBMITTED
    assert world.row(row).deadline_at - world.clock() > timedelta(seconds=seconds)


def test_a_job_that_cannot_be_canceled_any_more_may_hand_over_its_picture(world: World) -> None:
    row = world.ask()
    world.provider.stops = False
    world.clock.now = world.row(row).deadline_at
    world.sweep()
    assert world.row(row).status is Status.SUBMITTED
    world.webhook(row, done("fal", "job-1"))
    assert world.row(row).status is Status.SUCCEEDED


def test_a_late_failure_does_not_stop_a_copy(world: World) -> None:
    row = world.ask()
    assert world.predictions.advance(row.id, Status.STORING, {"due_at": world.clock()})
    world.webhook(row, {**ERROR, "request_id": "job-1"})
    assert world.row(row).status is Status.STORING
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.sweep(minutes=2)
    assert world.row(row).status is Status.SUCCEEDED


def test_a_job_that_exists_after_all_is_not_sent_again(world: World) -> None:
    """503 at the submit, yet the webhook comes and names the job, without its result."""
    world.provider.answers = [NotCreated(UNAVAILABLE)]
    row = world.ask()
    assert world.row(row).status is Status.QUEUED
    world.webhook(row, {"request_id": "job-9", "status": "OK", "payload": None})
    world.provider.outcomes["job-9"] = Succeeded((IMAGE_URL,))
    world.sweep(minutes=1)
    assert world.row(row).status is Status.SUCCEEDED
    world.submit.from_queue(row.id, None)
    assert len(world.provider.submitted) == 1


def test_polls_that_fail_do_not_count_as_failed_copies(world: World) -> None:
    row = world.ask()
    handle = ProviderHandle("job-1")
    assert world.predictions.advance(
        row.id, Status.STORING, {"due_at": world.clock(), "handle": handle}
    )
    world.provider.outcomes["job-1"] = Pending()
    for _ in range(12):
        world.sweep(minutes=2)
    assert world.row(row).checks == 0


def test_a_workflow_that_cannot_start_just_now_does_not_refuse_an_accepted_board(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise WorkflowUnavailable("not now")

    with monkeypatch.context() as patch:
        patch.setattr("storyhook.aws.workflow.StepFunctions.start", unavailable)
        board = world.board()
    assert world.cloud.operations("StartExecution") == []
    world.sweep(minutes=3)
    [call] = world.cloud.operations("StartExecution")
    assert call["name"] == board.id
