"""Cancel one prediction: in every status, against everything that may happen at the same time."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from storyhook.aws.predictions import PredictionTable
from storyhook.aws.queues import CallbacksQueue
from storyhook.aws.workflow import StepFunctions
from storyhook.domain.errors import DownloadFailed, NotFound, ProviderKeyMissing
from storyhook.domain.outcome import (
    Failed,
    Failure,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    Pending,
    ProviderHandle,
    Rejected,
    Submission,
    Succeeded,
)
from storyhook.domain.prediction import TERMINAL, Prediction, Status
from tests.fixtures import makers
from tests.fixtures.interruptions import Death, die, once
from tests.fixtures.world import (
    CALLBACK_URL,
    IMAGE_URL,
    UNAVAILABLE,
    Provider,
    World,
    done,
    failed,
    in_threads,
)

MODELS = pytest.mark.parametrize("model", [makers.FAL, makers.REPLICATE])
TOKEN = "task-token"
MADE = Succeeded((IMAGE_URL,))
REFUSED = Failure(FailureKind.INVALID_INPUT, "no such size")


def cancel(world: World, row: Prediction) -> Prediction:
    return world.cancel.prediction(row.tenant, row.id)


def queued(world: World, **values: Any) -> Prediction:
    row = makers.prediction(Status.QUEUED, **values)
    world.predictions.add(row)
    return row


def ended(world: World, row: Prediction, in_time: bool) -> Prediction:
    """What holds of a row at its end: it was asked, everybody heard, and one job at most."""
    after = world.row(row)
    assert after.status.terminal
    assert after.cancel_requested_at is not None
    assert after.canceled_in_time is in_time
    assert after.due_at is None
    assert len(world.provider.created) <= 1
    assert bool(after.images) == (after.status is Status.SUCCEEDED)
    return after


# --- with us: nothing was paid ---


@MODELS
def test_a_queued_prediction_is_canceled_at_once(world: World, model: str) -> None:
    world.provider.answers = [NotCreated(UNAVAILABLE)]
    row = world.ask(model, callback_url=CALLBACK_URL)
    world.provider.created.clear()
    after = cancel(world, row)
    assert (after.status, after.canceled_in_time) == (Status.CANCELED, True)
    assert after.failure is not None
    assert (after.failure.kind, after.failure.rule.retryable) == (FailureKind.CANCELED, False)
    assert world.row(row).cancel_requested_at == world.clock()
    world.deliver_all()
    [(url, _, _)] = world.customer.got
    assert url == CALLBACK_URL
    world.submit_all()
    world.sweep(hours=9)
    assert (len(world.provider.submitted), world.provider.canceled) == (1, [])
    ended(world, row, in_time=True)


def test_a_scene_tells_its_workflow_also_when_that_comes_later(world: World) -> None:
    waiting = queued(world, storyboard_id="sb_1", task_token=TOKEN)
    late = queued(world, storyboard_id="sb_1")
    for row in (waiting, late):
        cancel(world, row)
    world.submit.from_queue(late.id, "late-token")
    calls = world.cloud.operations("SendTaskFailure")
    assert [(call["taskToken"], call["error"]) for call in calls] == [
        (TOKEN, "Storyhook.Canceled"),
        ("late-token", "Storyhook.Canceled"),
    ]
    assert world.provider.submitted == []


@pytest.mark.parametrize("_again", range(5))
def test_who_claims_a_queued_row_first_decides(world: World, _again: int) -> None:
    row = queued(world)

    def work(n: int) -> object:
        return cancel(world, row) if n % 2 else world.submit.from_queue(row.id, None)

    assert not [each for each in in_threads(8, work) if isinstance(each, Exception)]
    world.sweep(seconds=1)
    ended(world, row, in_time=True)
    assert world.row(row).status is Status.CANCELED
    assert len(world.provider.canceled) >= len(world.provider.created)


@MODELS
def test_a_claim_between_look_and_write_is_canceled_at_the_provider(
    world: World, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    row = queued(world, model=model)
    with monkeypatch.context() as patch:
        happened = once(
            patch,
            PredictionTable,
            "advance",
            lambda: world.submit.from_queue(row.id, None),
            wanted=lambda _id, to, *_, **__: to is Status.CANCELED,
        )
        after = cancel(world, row)
    assert happened
    assert after.status is Status.CANCELED
    assert world.provider.canceled == ["job-1"]
    ended(world, row, in_time=True)


# --- while the POST is under way, or its answer is lost ---


def ask_and_cancel(world: World, model: str, *answers: Submission) -> Prediction:
    """A single prediction that is canceled during its POST."""
    world.provider.answers = list(answers)
    asked: list[Prediction] = []

    def during(webhook_url: str | None, _job: str) -> None:
        assert webhook_url is not None
        found = world.predictions.get(webhook_url.rpartition("/")[2].partition(".")[0])
        assert found is not None
        asked.append(cancel(world, found))

    world.provider.during_submit = during
    row = world.ask(model, callback_url=CALLBACK_URL)
    world.provider.during_submit = None
    [told] = asked
    assert (told.status, told.canceled_in_time) == (Status.SUBMITTING, None)
    return row


@MODELS
def test_a_job_that_was_just_accepted_is_canceled(world: World, model: str) -> None:
    row = ask_and_cancel(world, model)
    assert world.provider.canceled == ["job-1"]
    assert world.row(row).due_at == world.clock()
    world.sweep()
    ended(world, row, in_time=True)
    assert len(world.cloud.sent(world.cloud.callbacks_url)) == 1


@MODELS
def test_a_submission_that_created_nothing_is_not_sent_again(world: World, model: str) -> None:
    row = ask_and_cancel(world, model, NotCreated(UNAVAILABLE, 5.0))
    assert world.row(row).status is Status.CANCELED
    assert world.cloud.sent(world.cloud.submissions_url) == []
    ended(world, row, in_time=True)


def test_a_submission_that_was_refused_ends_as_it_says(world: World) -> None:
    row = ask_and_cancel(world, makers.FAL, Rejected(REFUSED))
    assert ended(world, row, in_time=False).failure == REFUSED


def test_a_claim_given_back_with_an_error_is_canceled_by_the_next_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = queued(world)

    def broken(*_: object) -> None:
        cancel(world, row)
        raise ConnectionError("no credentials just now")

    with monkeypatch.context() as patch:
        patch.setattr("storyhook.usecases.references.SignedReferences.urls", broken)
        with pytest.raises(ConnectionError):
            world.submit.from_queue(row.id, None)
    assert world.row(row).status is Status.QUEUED
    assert world.submit.from_queue(row.id, TOKEN) is None
    ended(world, row, in_time=True)
    assert world.provider.submitted == []


def test_a_lost_answer_is_canceled_as_soon_as_the_job_is_found(world: World) -> None:
    row = ask_and_cancel(world, makers.REPLICATE, OutcomeUnknown("reset"))
    [(_, _, webhook_url)] = world.provider.submitted
    world.provider.found[webhook_url] = ProviderHandle("job-found")
    world.sweep(minutes=3)
    assert world.provider.canceled == ["job-found"]
    ended(world, row, in_time=True)


def test_a_lost_answer_is_canceled_as_soon_as_a_webhook_names_the_job(world: World) -> None:
    row = ask_and_cancel(world, makers.FAL, OutcomeUnknown("reset"))
    world.webhook(row, {"request_id": "job-9", "status": "OK", "payload": None})
    world.sweep()
    assert world.provider.canceled == ["job-9"]
    ended(world, row, in_time=True)


@MODELS
def test_a_lost_answer_whose_picture_comes_is_kept(world: World, model: str) -> None:
    row = ask_and_cancel(world, model, OutcomeUnknown("reset"))
    provider = world.row(row).provider
    world.webhook(row, done(provider, "job-9"))
    assert ended(world, row, in_time=False).status is Status.SUCCEEDED


@MODELS
def test_a_lost_answer_of_which_nothing_is_heard_is_not_sent_again(
    world: World, model: str
) -> None:
    world.provider.answers = [OutcomeUnknown("reset")]
    row = world.ask(model, max_paid_attempts=3)
    assert cancel(world, row).canceled_in_time is None
    world.sweep(hours=9)
    after = ended(world, row, in_time=False)
    assert after.failure is not None
    assert after.failure.kind is FailureKind.OUTCOME_UNKNOWN
    assert world.cloud.messages(world.cloud.submissions_url) == []


STEPS_OF_SEND = [
    pytest.param(to, after, id=f"{'after' if after else 'before'} {to}")
    for to in (Status.SUBMITTING, Status.SUBMITTED)
    for after in (False, True)
]


@pytest.mark.parametrize(("to", "after"), STEPS_OF_SEND)
def test_a_cancel_at_any_step_of_a_submission(
    world: World, monkeypatch: pytest.MonkeyPatch, to: Status, after: bool
) -> None:
    row = queued(world)
    with monkeypatch.context() as patch:
        happened = once(
            patch,
            PredictionTable,
            "advance",
            lambda: cancel(world, row),
            after=after,
            wanted=lambda _id, step, *_, **__: step is to,
        )
        world.submit.from_queue(row.id, TOKEN)
    assert happened
    world.sweep()
    ended(world, row, in_time=True)
    paid = (to, after) != (Status.SUBMITTING, False)
    assert len(world.provider.submitted) == len(world.provider.canceled) == int(paid)


@pytest.mark.parametrize("wait", [None, 5.0])
def test_a_cancel_just_before_a_claim_is_given_back(
    world: World, monkeypatch: pytest.MonkeyPatch, wait: float | None
) -> None:
    """The row is read `submitting`, and is back in the queue when it is to be written."""
    row = queued(world)
    world.predictions.advance(row.id, Status.SUBMITTING, {})
    claimed = world.row(row)
    world.provider.answers = [NotCreated(UNAVAILABLE, wait)]
    with monkeypatch.context() as patch:
        happened = once(
            patch, PredictionTable, "request_cancel", lambda: world.submit.send(claimed)
        )
        assert cancel(world, row).status is Status.CANCELED
    assert happened
    ended(world, row, in_time=True)
    world.submit.from_queue(row.id, None)
    assert len(world.provider.submitted) == 1


EVENTS: dict[str, tuple[Callable[[World, Prediction], object], Status, bool]] = {
    "a picture": (
        lambda world, row: world.webhook(row, done("fal", "job-1")), Status.SUCCEEDED, False,
    ),
    "a failure": (
        lambda world, row: world.webhook(row, failed("fal", "job-1")), Status.FAILED, False,
    ),
    "another cancel": (cancel, Status.CANCELED, True),
    "the reconciler": (lambda world, _row: world.sweep(minutes=2), Status.CANCELED, True),
}  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("what", EVENTS)
@pytest.mark.parametrize(
    ("where", "step"),
    [(PredictionTable, "request_cancel"), (Provider, "cancel"), (Provider, "fetch")],
)
def test_whatever_happens_during_a_cancel_there_is_one_end(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    where: type,
    step: str,
    what: str,
    after: bool,
) -> None:
    event, status, in_time = EVENTS[what]
    row = world.ask(callback_url=CALLBACK_URL)
    world.provider.stops = status is Status.CANCELED
    with monkeypatch.context() as patch:
        happened = once(patch, where, step, lambda: event(world, row), after=after)
        told = cancel(world, row)
    assert happened
    assert (told.status, told.canceled_in_time) == (status, in_time)
    assert world.row(row).status is status
    assert len(world.cloud.sent(world.cloud.callbacks_url)) == 1
    world.sweep(hours=9)
    assert world.row(row).status is status


# --- at the provider ---


@MODELS
def test_a_job_that_stops_is_canceled_now(world: World, model: str) -> None:
    row = world.ask(model, callback_url=CALLBACK_URL)
    after = cancel(world, row)
    assert (after.status, after.canceled_in_time) == (Status.CANCELED, True)
    assert (after.replaced_by, after.cost_actual, after.images) == (None, None, ())
    assert world.provider.canceled == ["job-1"]
    ended(world, row, in_time=True)
    world.webhook(row, done(row.provider, "job-1"))
    assert world.row(row).status is Status.CANCELED
    assert len(world.cloud.sent(world.cloud.callbacks_url)) == 1


@MODELS
def test_a_picture_that_was_made_all_the_same_is_kept(world: World, model: str) -> None:
    row = world.ask(model)
    world.provider.stops = False
    told = cancel(world, row)
    assert (told.status, told.canceled_in_time) == (Status.SUBMITTED, None)
    assert told.due_at == world.clock()
    world.webhook(row, done(row.provider, "job-1"))
    after = ended(world, row, in_time=False)
    assert after.status is Status.SUCCEEDED
    assert after.cost_actual is not None
    assert list(world.cloud.objects()) == [after.images[0].key]


def test_the_reconciler_asks_until_the_provider_says(world: World) -> None:
    row = world.ask()
    world.provider.stops = False
    for _ in range(6):  # By now a job is asked for every five minutes.
        world.sweep(minutes=6)
    cancel(world, row)
    for count in range(2, 5):
        world.sweep(minutes=2)
        assert world.provider.canceled == ["job-1"] * count
        assert world.row(row).status is Status.SUBMITTED
    world.provider.outcomes["job-1"] = MADE
    world.sweep(minutes=2)
    assert ended(world, row, in_time=False).status is Status.SUCCEEDED


def test_a_picture_that_is_there_already_is_left_to_whoever_stores_pictures(world: World) -> None:
    row = world.ask()
    world.provider.outcomes["job-1"] = MADE
    assert cancel(world, row).status is Status.SUBMITTED
    assert world.pictures.fetched == [], "the function that cancels may not write pictures"
    world.sweep()
    ended(world, row, in_time=False)


def test_a_provider_that_cannot_be_asked_is_asked_by_the_reconciler(world: World) -> None:
    row = world.ask()
    world.provider.stops = False
    world.provider.outcomes["job-1"] = DownloadFailed("down", retryable=True)
    assert cancel(world, row).canceled_in_time is None
    assert world.row(row).due_at == world.clock()
    world.provider.outcomes.clear()
    world.provider.stops = True
    world.sweep()
    ended(world, row, in_time=True)


def test_without_the_providers_key_the_wish_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = world.ask()

    def no_key(name: str) -> Provider:
        raise ProviderKeyMissing(name, "FAL_KEY")

    with monkeypatch.context() as patch:
        patch.setitem(world.cancel.__dict__, "provider", no_key)
        assert cancel(world, row).canceled_in_time is None
    world.sweep()
    ended(world, row, in_time=True)


@MODELS
def test_canceled_stays_canceled_beyond_the_deadline(world: World, model: str) -> None:
    row = world.ask(model)
    world.provider.stops = False
    cancel(world, row)
    world.clock.now = row.deadline_at + timedelta(minutes=1)
    world.provider.stops = True
    world.sweep()
    assert ended(world, row, in_time=True).status is Status.CANCELED


def test_a_job_that_neither_stops_nor_ends_expires(world: World) -> None:
    row = world.ask()
    world.provider.stops = False
    cancel(world, row)
    world.sweep(hours=9)
    after = ended(world, row, in_time=False)
    assert after.failure is not None
    assert after.failure.kind is FailureKind.EXPIRED_AT_PROVIDER


@pytest.mark.parametrize("status", [Status.STORING, *sorted(TERMINAL)])
def test_what_is_over_stays_as_it_is(world: World, status: Status) -> None:
    row = makers.prediction(status, due_at=None)
    world.predictions.add(row)
    before = world.cloud.state()
    told = cancel(world, row)
    assert (told.status, told.cancel_requested_at) == (status, world.clock())
    assert told.canceled_in_time is (status is Status.CANCELED)
    assert world.cloud.state() == before
    assert world.provider.canceled == []


def test_again_is_the_same(world: World) -> None:
    row = world.ask()
    world.provider.stops = False
    first = cancel(world, row)
    world.clock.advance(seconds=30)
    second = cancel(world, row)
    assert second.cancel_requested_at == first.cancel_requested_at
    assert second.due_at == world.clock()
    world.provider.stops = True
    third = cancel(world, row)
    assert third == world.row(row)
    before = world.cloud.state()
    assert cancel(world, row) == third
    assert world.cloud.state() == before


def test_of_two_at_once_the_first_was_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = world.ask()
    world.provider.stops = False
    asked_at = world.clock()

    def another() -> None:
        cancel(world, row)
        world.clock.advance(seconds=30)

    with monkeypatch.context() as patch:
        happened = once(patch, PredictionTable, "get", another, after=True)
        assert cancel(world, row).cancel_requested_at == asked_at
    assert happened
    assert world.provider.canceled == ["job-1"] * 2


def test_an_unknown_prediction(world: World) -> None:
    with pytest.raises(NotFound):
        world.cancel.prediction("acme", "pred_unknown")


def test_another_tenants_prediction_is_unknown(world: World) -> None:
    row = world.ask()
    before = world.cloud.state()
    with pytest.raises(NotFound):
        world.cancel.prediction("other", row.id)
    assert world.cloud.state() == before


# --- death at every step, then the reconciler ---

DEATHS = [
    pytest.param(where, step, after, id=f"{'after' if after else 'before'} {step}")
    for where, step in (
        (PredictionTable, "request_cancel"),
        (Provider, "cancel"),
        (Provider, "fetch"),
        (PredictionTable, "advance"),
        (StepFunctions, "fail"),
        (CallbacksQueue, "enqueue"),
        (PredictionTable, "announced"),
    )
    for after in (False, True)
]


@pytest.mark.parametrize("start", [Status.QUEUED, Status.SUBMITTED])
@pytest.mark.parametrize(("where", "step", "after"), DEATHS)
def test_a_death_at_any_step_is_made_up_for(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    where: type,
    step: str,
    after: bool,
    start: Status,
) -> None:
    row = queued(world, task_token=TOKEN, callback_url=CALLBACK_URL)
    if start is Status.SUBMITTED:
        world.submit.from_queue(row.id, TOKEN)

    with monkeypatch.context() as patch:
        happened = once(patch, where, step, die, after=after)
        with suppress(Death):
            cancel(world, row)
    asks = (PredictionTable, "request_cancel"), (Provider, "cancel"), (Provider, "fetch")
    assert bool(happened) == (start is Status.SUBMITTED or (where, step) not in asks)
    if world.row(row).cancel_requested_at is None:
        cancel(world, row)  # Nothing was written, so nothing was promised: they ask again.
    world.sweep(minutes=2)
    ended(world, row, in_time=True)
    assert {call["taskToken"] for call in world.cloud.operations("SendTaskFailure")} == {TOKEN}
    world.deliver_all()
    assert len({headers["webhook-id"] for _, _, headers in world.customer.got}) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("where", "step"),
    [(PredictionTable, "advance"), (PredictionTable, "postpone"), (Provider, "cancel")],
)
def test_a_death_of_the_submission_that_is_to_cancel(
    world: World, monkeypatch: pytest.MonkeyPatch, where: type, step: str, after: bool
) -> None:
    row = queued(world, model=makers.REPLICATE)

    def during(webhook_url: str | None, job: str) -> None:
        cancel(world, row)
        world.provider.found[webhook_url] = ProviderHandle(job)

    def accepted(*args: Any, **_: Any) -> bool:
        return step != "advance" or args[1] is Status.SUBMITTED

    world.provider.during_submit = during
    with monkeypatch.context() as patch:
        happened = once(patch, where, step, die, after=after, wanted=accepted)
        with pytest.raises(Death):
            world.submit.from_queue(row.id, TOKEN)
    assert happened
    world.sweep(minutes=3)
    ended(world, row, in_time=True)
    assert len(world.provider.submitted) == 1


def test_a_death_between_giving_back_and_canceling(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = queued(world)
    world.provider.answers = [NotCreated(UNAVAILABLE)]
    world.provider.during_submit = lambda *_: cancel(world, row)

    with monkeypatch.context() as patch:
        once(
            patch,
            PredictionTable,
            "advance",
            die,
            after=True,
            wanted=lambda _id, to, *_, **__: to is Status.QUEUED,
        )
        with pytest.raises(Death):
            world.submit.from_queue(row.id, TOKEN)
    assert world.row(row).status is Status.QUEUED
    world.sweep(minutes=6)
    ended(world, row, in_time=True)
    assert world.cloud.messages(world.cloud.submissions_url) == []


def test_a_flag_that_a_failure_did_not_see_cannot_be_lost(world: World) -> None:
    """Whatever the provider says of it, a prediction that is not wanted has no fallback."""
    row = world.ask()
    world.provider.stops = False
    cancel(world, row)
    for failure in FailureKind:
        assert not world.row(row).moves_on(Failure(failure, "x"))
    world.provider.outcomes["job-1"] = Failed(Failure(FailureKind.UNAVAILABLE, "broke"))
    world.sweep(minutes=2)
    assert ended(world, row, in_time=False).status is Status.FAILED


def test_a_pending_job_is_not_canceled_unless_asked(world: World) -> None:
    row = world.ask()
    world.provider.outcomes["job-1"] = Pending()
    world.sweep(minutes=2)
    assert world.provider.canceled == []
    assert world.row(row).cancel_requested_at is None
