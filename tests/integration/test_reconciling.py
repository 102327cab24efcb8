"""The one net: whatever is overdue is found, taken over once, and brought on."""

from datetime import timedelta

import pytest

from storyhook.domain.errors import DownloadFailed
from storyhook.domain.outcome import (
    Failed,
    Failure,
    FailureKind,
    NotCreated,
    Outcome,
    OutcomeUnknown,
    ProviderHandle,
    Succeeded,
)
from storyhook.domain.prediction import Status
from tests.fixtures import makers
from tests.fixtures.world import CALLBACK_URL, IMAGE_URL, UNAVAILABLE, World, done, in_threads


def test_nothing_is_looked_at_before_it_is_due(world: World) -> None:
    world.ask()
    assert world.sweep(seconds=39) == {
        "predictions": 0,
        "storyboards": 0,
        "callbacks": 0,
        "exports": 0,
    }
    assert world.provider.fetched == []


def test_a_lost_webhook_is_found(world: World) -> None:
    row = world.ask(callback_url=CALLBACK_URL)
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,), seed=3)
    assert world.sweep(seconds=41)["predictions"] == 1
    assert world.row(row).status is Status.SUCCEEDED
    world.deliver_all()
    assert len(world.customer.got) == 1


def test_a_running_job_is_asked_for_less_and_less_often(world: World) -> None:
    row = world.ask()
    gaps = []
    for _ in range(7):
        due = world.row(row).due_at
        assert due is not None
        world.clock.now = due
        world.sweep()
        again = world.row(row).due_at
        assert again is not None
        gaps.append((again - due).total_seconds())
    assert gaps == [15, 30, 60, 120, 240, 300, 300]
    assert world.row(row).checks == 7


def test_a_failed_job_without_webhook_ends_with_its_reason(world: World) -> None:
    row = world.ask()
    failure = Failure(FailureKind.BLOCKED, "flagged", "content_policy_violation")
    world.provider.outcomes["job-1"] = Failed(failure)
    world.sweep(minutes=1)
    assert (world.row(row).status, world.row(row).failure) == (Status.BLOCKED, failure)


def test_a_provider_that_cannot_be_asked_is_asked_again(world: World) -> None:
    row = world.ask()
    world.provider.outcomes["job-1"] = DownloadFailed("down", retryable=True)
    world.sweep(minutes=1)
    assert world.row(row).status is Status.SUBMITTED
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.sweep(minutes=1)
    assert world.row(row).status is Status.SUCCEEDED


def test_beyond_its_deadline_a_job_is_told_to_stop_and_expires(world: World) -> None:
    row = world.ask(callback_url=CALLBACK_URL)
    world.sweep(hours=1, minutes=16)
    after = world.row(row)
    assert after.status is Status.EXPIRED
    assert world.provider.canceled == ["job-1"]
    assert len(world.cloud.sent(world.cloud.callbacks_url)) == 1


def test_a_result_at_the_deadline_still_counts(world: World) -> None:
    row = world.ask()
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.sweep(hours=9)
    assert world.row(row).status is Status.SUCCEEDED
    assert world.provider.canceled == []


def test_a_lost_queue_message_is_sent_again(world: World) -> None:
    row = makers.prediction(Status.QUEUED, due_at=world.clock())
    world.predictions.add(row)
    world.sweep()
    [message] = world.cloud.messages(world.cloud.submissions_url)
    assert message["prediction_id"] == row.id
    assert world.row(row).due_at == world.clock() + timedelta(minutes=5)
    assert world.submit.from_queue(row.id, None) is None
    assert world.row(row).status is Status.SUBMITTED


def test_a_row_that_never_gets_its_turn_expires_unsent(world: World) -> None:
    row = makers.prediction(Status.QUEUED, callback_url=CALLBACK_URL)
    world.predictions.add(row)
    world.sweep(hours=3)
    after = world.row(row)
    assert after.status is Status.EXPIRED
    assert after.failure is not None
    assert "could not be sent" in after.failure.detail
    assert world.provider.submitted == []


def test_a_job_whose_answer_was_lost_is_found_by_its_webhook_url(world: World) -> None:
    world.provider.answers = [OutcomeUnknown("reset")]
    row = world.ask(makers.REPLICATE)
    [(_, _, webhook_url)] = world.provider.submitted
    world.provider.found[webhook_url] = ProviderHandle("job-found")
    world.sweep(minutes=3)
    assert world.row(row).handle == ProviderHandle("job-found")
    world.provider.outcomes["job-found"] = Succeeded((IMAGE_URL,))
    world.sweep(seconds=1)
    assert world.row(row).status is Status.SUCCEEDED
    assert len(world.provider.submitted) == 1


def test_a_provider_that_is_down_does_not_stop_the_others(world: World) -> None:
    world.provider.answers = [OutcomeUnknown("reset")]
    lost = world.ask(makers.REPLICATE)
    world.clock.advance(seconds=1)
    row = world.ask()
    world.provider.silences = 1
    world.provider.outcomes["job-2"] = Succeeded((IMAGE_URL,))
    assert world.sweep(minutes=5)["predictions"] == 2
    assert world.row(row).status is Status.SUCCEEDED
    assert world.row(lost).status is Status.SUBMITTING


def test_a_job_that_only_its_url_names_is_found_while_storing(world: World) -> None:
    """A webhook without an id brought the row to `storing`, then its function died."""
    row = makers.prediction(Status.STORING, model=makers.REPLICATE, due_at=world.clock())
    world.predictions.add(row)
    world.provider.found[world.submit.webhook_url(row)] = ProviderHandle("job-7")
    world.provider.outcomes["job-7"] = Succeeded((IMAGE_URL,))
    for _ in range(3):
        world.sweep(minutes=2)
    assert world.row(row).status is Status.SUCCEEDED


def test_two_reconcilers_ask_once(world: World) -> None:
    world.ask()
    world.clock.advance(minutes=1)
    in_threads(10, lambda _: world.reconcile(lambda: True))
    assert len(world.provider.fetched) == 1


def test_an_announcement_that_was_cut_short_is_made_up_for(world: World) -> None:
    """Death between the commit and the announcement: the row still owes it."""
    row = world.ask(callback_url=CALLBACK_URL)
    world.predictions.advance(row.id, Status.STORING, {})
    world.predictions.advance(
        row.id,
        Status.FAILED,
        {
            "failure": Failure(FailureKind.UNKNOWN, "failed"),
            "callback_id": "cb_1",
            "due_at": world.clock() + timedelta(seconds=90),
        },
    )
    world.sweep(seconds=91)
    world.deliver_all()
    [(url, _, headers)] = world.customer.got
    assert (url, headers["webhook-id"]) == (CALLBACK_URL, "cb_1")
    assert world.row(row).due_at is None


def test_it_stops_when_its_time_is_up(world: World) -> None:
    for _ in range(3):
        world.predictions.add(makers.prediction(Status.QUEUED, due_at=world.clock()))
    left = iter([True, False])
    assert world.reconcile(lambda: next(left))["predictions"] == 1


def test_finished_rows_are_never_looked_at_again(world: World) -> None:
    row = world.ask()
    world.webhook(row, done("fal", "job-1"))
    assert world.sweep(days=3) == {"predictions": 0, "storyboards": 0, "callbacks": 0, "exports": 0}


@pytest.mark.parametrize("lost", ["message", "webhook", "both"])
def test_no_accepted_prediction_is_lost(world: World, lost: str) -> None:
    """I1: the clock alone brings every row to its end."""
    if lost != "webhook":
        world.provider.answers = [NotCreated(UNAVAILABLE)]
    row = world.ask()
    if lost != "message":
        world.provider.outcomes = {f"job-{n}": Succeeded((IMAGE_URL,)) for n in (1, 2)}
    for _ in range(60):
        world.sweep(minutes=2)
        for message in world.cloud.messages(world.cloud.submissions_url):
            world.submit.from_queue(message["prediction_id"], None)
    wanted = Status.EXPIRED if lost == "message" else Status.SUCCEEDED
    assert world.row(row).status is wanted
    assert world.row(row).due_at is None


def test_a_row_that_fails_does_not_stop_the_others_nor_stays_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = makers.prediction(due_at=world.clock(), handle=ProviderHandle("broken"))
    world.predictions.add(broken)
    fetch = world.provider.fetch

    def breaking(endpoint: str, handle: ProviderHandle) -> Outcome:
        if handle.provider_id == "broken":
            raise RuntimeError("a bug")
        return fetch(endpoint, handle)

    monkeypatch.setattr(world.provider, "fetch", breaking)
    world.clock.advance(seconds=1)
    row = makers.prediction(due_at=world.clock(), handle=ProviderHandle("job-1"))
    world.predictions.add(row)
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    with pytest.raises(ExceptionGroup, match="1 of 2 rows failed"):
        world.sweep()
    assert world.row(row).status is Status.SUCCEEDED
    for minutes in (180, *[2] * 40):
        assert world.row(broken).status is Status.SUBMITTED
        with pytest.raises(ExceptionGroup, match="1 of 1 rows failed"):
            world.sweep(minutes=minutes)
    assert world.row(broken).status is Status.EXPIRED


def test_a_reconciler_that_comes_late_asks_again_when_the_provider_is_silent(world: World) -> None:
    """Found by the campaign: a picture was thrown away because one question had no answer."""
    row = world.ask()
    world.provider.outcomes["job-1"] = DownloadFailed("down", retryable=True)
    world.sweep(hours=1, minutes=40)
    assert world.row(row).status is Status.SUBMITTED
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.sweep(minutes=2)
    assert world.row(row).status is Status.SUCCEEDED


@pytest.mark.parametrize("silent", [2, 20, 39])
def test_however_late_it_comes_questions_without_an_answer_are_what_counts(
    world: World, silent: int
) -> None:
    """Found by the campaign: a reconciler that was hours behind took two silences for the end."""
    row = world.ask()
    world.provider.outcomes["job-1"] = DownloadFailed("down", retryable=True)
    world.sweep(hours=9)
    for _ in range(silent - 1):
        world.sweep(minutes=2)
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.sweep(minutes=2)
    assert world.row(row).status is Status.SUCCEEDED


def test_a_copy_that_comes_late_is_tried_again_after_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = world.ask()
    world.predictions.advance(row.id, Status.STORING, {"due_at": world.clock()})
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    put = world.images.put

    def failing(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(type(world.images), "put", failing)
    with pytest.raises(ExceptionGroup, match="1 of 1 rows failed"):
        world.sweep(hours=1, minutes=40)
    assert world.row(row).status is Status.STORING
    monkeypatch.setattr(type(world.images), "put", lambda _self, *given: put(*given))
    world.sweep(minutes=2)
    assert world.row(row).status is Status.SUCCEEDED


def test_a_lost_job_is_looked_for_again_when_the_provider_is_silent(world: World) -> None:
    world.provider.answers = [OutcomeUnknown("reset")]
    row = world.ask(makers.REPLICATE)
    [(_, _, webhook_url)] = world.provider.submitted
    world.provider.silences = 1
    world.sweep(hours=1, minutes=40)
    assert world.row(row).status is Status.SUBMITTING
    world.provider.found[webhook_url] = ProviderHandle("job-1")
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    for _ in range(2):
        world.sweep(minutes=2)
    assert world.row(row).status is Status.SUCCEEDED


def test_a_provider_that_stays_silent_is_not_waited_for_for_ever(world: World) -> None:
    """An hour of questions without an answer, and that is all."""
    row = world.ask()
    world.provider.outcomes["job-1"] = DownloadFailed("down", retryable=True)
    world.sweep(hours=1, minutes=40)
    for _ in range(40):
        assert world.row(row).failure is None
        world.sweep(seconds=90)
    failure = world.row(row).failure
    assert failure is not None
    assert failure.kind is FailureKind.EXPIRED_AT_PROVIDER
