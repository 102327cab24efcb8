"""A webhook is a hint: twice, late, out of order, forged or early, the result is the same."""

import dataclasses
import hashlib
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from storyhook.domain.errors import BadSignature, DownloadFailed, NotFound
from storyhook.domain.outcome import Accepted, OutcomeUnknown, ProviderHandle, Succeeded
from storyhook.domain.prediction import MAX_STORE_ATTEMPTS, Status
from tests.fixtures import makers, signing
from tests.fixtures.pictures import picture
from tests.fixtures.world import CALLBACK_URL, IMAGE_URL, World, done, in_threads

BOTH = pytest.mark.parametrize("model", [makers.FAL, makers.REPLICATE])


@BOTH
def test_a_picture_is_copied_checked_and_announced(world: World, model: str) -> None:
    row = world.ask(model, callback_url=CALLBACK_URL)
    world.clock.advance(seconds=9)
    world.webhook(row, done(row.provider, "job-1"))
    row = world.row(row)
    assert row.status is Status.SUCCEEDED
    key = f"images/acme/{row.id}/0.png"
    assert world.cloud.objects() == {key: picture()}
    [stored] = row.images
    assert (stored.key, stored.width, stored.height) == (key, 64, 48)
    assert stored.sha256 == hashlib.sha256(picture()).hexdigest()
    assert str(row.cost_actual) == "0.045"
    assert row.due_at is None
    [message] = world.cloud.sent(world.cloud.callbacks_url)
    assert message == {"callback_id": row.callback_id, "turn": 0, "delay": 0}


@BOTH
def test_fifty_deliveries_at_once_have_one_effect(world: World, model: str) -> None:
    """I4."""
    row = world.ask(model, callback_url=CALLBACK_URL)
    body = done(row.provider, "job-1")
    results = in_threads(50, lambda _: world.webhook(row, body))
    assert [r for r in results if isinstance(r, Exception)] == []
    assert world.row(row).status is Status.SUCCEEDED
    assert len(world.pictures.fetched) == 1
    assert len(world.cloud.operations("PutObject")) == 1
    assert len(world.cloud.sent(world.cloud.callbacks_url)) == 1


def test_a_second_delivery_later_changes_nothing(world: World) -> None:
    row = world.ask(callback_url=CALLBACK_URL)
    world.webhook(row, done("fal", "job-1"))
    before = world.cloud.state()
    world.clock.advance(hours=1)
    world.webhook(row, done("fal", "job-1"))
    world.webhook(row, {"request_id": "job-1", "status": "ERROR", "error": "late"})
    assert world.cloud.state() == before


def test_a_webhook_may_come_before_the_submit_answer(world: World) -> None:
    def arrive(webhook_url: str, job: str) -> None:
        row_id = webhook_url.rpartition("/")[2].partition(".")[0]
        row = world.predictions.get(row_id)
        assert row is not None
        world.webhook(row, done("fal", job))

    world.provider.during_submit = arrive
    answered = ProviderHandle("job-1", status_url="https://queue.fal.run/x/status")
    world.provider.answers = [Accepted(answered)]
    row = world.ask()
    assert row.status is Status.SUCCEEDED
    assert row.handle == answered, "the webhook names the job, the answer its URLs"
    assert len(world.provider.submitted) == 1


def test_a_webhook_may_come_for_a_row_that_went_back_to_the_queue(world: World) -> None:
    """A 503 after which the job existed all the same."""
    row = makers.prediction(Status.QUEUED)
    world.predictions.add(row)
    world.webhook(row, done("fal", "job-x"))
    assert world.row(row).status is Status.SUCCEEDED
    assert world.submit.from_queue(row.id, None) is None
    assert world.provider.submitted == []


@pytest.mark.parametrize(
    ("example", "status", "code"),
    [
        ("fal_webhook_error", Status.FAILED, "value_error.missing"),
        ("fal_webhook_content_policy_error", Status.BLOCKED, "content_policy_violation"),
        ("fal_webhook_flux2turbo_edit_nsfw_ok", Status.BLOCKED, "has_nsfw_concepts"),
        ("replicate_webhook_failed_nsfw_e005", Status.BLOCKED, "E005"),
        ("replicate_webhook_failed_nsfw_cog", Status.BLOCKED, "NSFW"),
        ("replicate_webhook_canceled", Status.CANCELED, None),
        ("replicate_prediction_aborted", Status.FAILED, "aborted"),
    ],
)
def test_what_providers_say_of_failures(
    world: World, example: str, status: Status, code: str | None
) -> None:
    body = signing.example(example)
    job = body.get("request_id") or body["id"]
    model = makers.FAL if example.startswith("fal") else makers.REPLICATE
    row = makers.prediction(model=model, handle=ProviderHandle(job))
    world.predictions.add(row)
    world.webhook(row, body)
    after = world.row(row)
    assert after.status is status
    assert after.failure is not None
    assert after.failure.provider_code == code
    assert world.cloud.objects() == {}


def test_a_blanked_picture_among_others_is_left_out_and_counted(world: World) -> None:
    row = makers.prediction(model="fal-flux2-turbo-edit", handle=ProviderHandle("job-1"))
    world.predictions.add(row)
    body = done("fal", "job-1")
    body["payload"] |= {
        "images": [{"url": IMAGE_URL}] * 2,
        "has_nsfw_concepts": [True, False],
    }
    world.webhook(row, body)
    after = world.row(row)
    assert (after.status, len(after.images)) == (Status.SUCCEEDED, 1)
    # Two pictures and a reference, each billed as one megapixel.
    assert after.cost_actual == 3 * Decimal("0.008")


@pytest.mark.parametrize("status", ["starting", "processing"])
def test_a_word_in_between_changes_nothing(world: World, status: str) -> None:
    row = world.ask(makers.REPLICATE)
    before = world.cloud.state()
    world.webhook(row, {"id": "job-1", "status": status, "output": None})
    assert world.cloud.state() == before


@BOTH
def test_bad_signatures_and_wrong_urls_change_nothing(world: World, model: str) -> None:
    """I6."""
    row = world.ask(model, callback_url=CALLBACK_URL)
    other = makers.prediction(model=model, handle=ProviderHandle("job-9"), token="another-token")
    world.predictions.add(other)
    before = world.cloud.state()
    data = json.dumps(done(row.provider, "job-1")).encode()
    headers = signing.SIGNERS[row.provider](data)
    path = f"{row.id}.{row.token}"

    def deliver(token: str = path, body: bytes = data, **changed: Any) -> None:
        world.receive(changed.pop("provider", row.provider), token, {**headers, **changed}, body)

    with pytest.raises(BadSignature):
        deliver(body=data + b" ")
    with pytest.raises(BadSignature, match="another job"):
        deliver(token=f"{other.id}.{other.token}")
    for token in (row.id, f"{row.id}.", f"{row.id}.{row.token}x", f"{other.id}.{row.token}", ""):
        with pytest.raises(NotFound):
            deliver(token=token)
    for token in ("x" * 65 + ".y", "pred_0.none", "." + row.token):
        with pytest.raises(NotFound):
            deliver(token=token)
    with pytest.raises(NotFound):
        deliver(provider="midjourney")
    assert world.cloud.state() == before


def test_a_webhook_for_the_other_providers_row_is_unknown(world: World) -> None:
    row = world.ask(makers.REPLICATE)
    data = json.dumps(done("fal", "job-1")).encode()
    with pytest.raises(NotFound):
        world.receive("fal", f"{row.id}.{row.token}", signing.fal(data), data)


def test_another_accounts_webhook_is_refused(world: World) -> None:
    row = world.ask()
    with pytest.raises(BadSignature, match="another account"):
        world.webhook(row, done("fal", "job-1"), user_id="github|somebody")


@BOTH
def test_a_stale_signature_makes_us_ask_the_provider(world: World, model: str) -> None:
    row = world.ask(model)
    old = world.clock() - timedelta(seconds=301)
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.webhook(row, done(row.provider, "job-1", url="https://evil.example/x.png"), at=old)
    assert world.row(row).status is Status.SUBMITTED
    assert world.row(row).due_at == world.clock()
    assert world.provider.fetched == []
    world.sweep(seconds=1)
    assert world.row(row).status is Status.SUCCEEDED
    assert world.pictures.fetched == [IMAGE_URL]


def test_a_stale_signature_for_a_finished_row_changes_nothing(world: World) -> None:
    row = world.ask()
    world.webhook(row, done("fal", "job-1"))
    before = world.cloud.state()
    world.webhook(row, done("fal", "job-1"), at=world.clock() - timedelta(hours=1))
    assert world.cloud.state() == before


def test_a_null_payload_succeeded_elsewhere_and_is_fetched(world: World) -> None:
    row = world.ask()
    body = {**signing.example("fal_webhook_payload_error"), "request_id": "job-1"}
    world.webhook(row, body)
    assert world.row(row).status is Status.SUBMITTED
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,), seed=5)
    world.sweep(seconds=1)
    assert world.row(row).status is Status.SUCCEEDED
    assert world.row(row).seed_returned == 5


def test_a_success_without_a_picture_is_asked_for_at_replicate_too(world: World) -> None:
    row = world.ask(makers.REPLICATE)
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.webhook(row, {"id": "job-1", "status": "succeeded", "output": None})
    assert world.row(row).status is Status.SUBMITTED
    world.sweep(seconds=1)
    assert world.row(row).status is Status.SUCCEEDED


def test_a_null_payload_after_a_lost_answer_still_names_the_job(world: World) -> None:
    """The webhook is the only one who knows the job's id; without it a paid picture is lost."""
    world.provider.answers = [OutcomeUnknown("reset")]
    row = world.ask()
    body = {**signing.example("fal_webhook_payload_error"), "request_id": "job-1"}
    world.webhook(row, body)
    assert world.row(row).handle == ProviderHandle("job-1")
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.sweep(seconds=1)
    assert world.row(row).status is Status.SUCCEEDED


@pytest.mark.parametrize(
    "problem",
    [
        DownloadFailed("answered 503", retryable=True),
        DownloadFailed("answered 404", retryable=False),
        b"<html>gone</html>",
        picture()[:-20],
    ],
)
def test_a_failed_copy_is_made_good_later(world: World, problem: bytes | Exception) -> None:
    """I8: never succeeded before the picture can be read from our bucket."""
    row = world.ask()
    world.pictures.files[IMAGE_URL] = problem
    world.webhook(row, done("fal", "job-1"))
    assert world.row(row).status is Status.STORING
    assert world.cloud.objects() == {}
    world.pictures.files[IMAGE_URL] = picture()
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    assert world.sweep(seconds=5)["predictions"] == 0
    world.sweep(minutes=2)
    assert world.row(row).status is Status.SUCCEEDED
    assert len(world.cloud.objects()) == 1


def test_a_picture_that_cannot_be_copied_is_given_up_in_the_end(world: World) -> None:
    row = world.ask(callback_url=CALLBACK_URL)
    world.pictures.files.clear()
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.webhook(row, done("fal", "job-1"))
    for _ in range(MAX_STORE_ATTEMPTS):
        assert world.row(row).status is Status.STORING
        world.sweep(minutes=6)
        if world.row(row).status.terminal:
            break
    after = world.row(row)
    assert after.status is Status.FAILED
    assert after.failure is not None
    assert after.failure.kind.value == "lost-result"
    assert len(world.pictures.fetched) == MAX_STORE_ATTEMPTS


def test_a_death_while_copying_is_taken_over(world: World) -> None:
    row = world.ask()
    world.predictions.advance(
        row.id,
        Status.STORING,
        {"due_at": world.clock() + timedelta(seconds=90), "storing_at": world.clock()},
    )
    world.webhook(row, done("fal", "job-1"))
    assert world.pictures.fetched == [], "somebody may still be copying"
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    world.sweep(seconds=91)
    assert world.row(row).status is Status.SUCCEEDED


def test_several_pictures_are_stored_each_under_its_own_key(world: World) -> None:
    row = world.ask(makers.REPLICATE)
    second = "https://replicate.delivery/two.png"
    world.pictures.files[second] = picture(80, 80)
    body = {**done("replicate", "job-1"), "output": [IMAGE_URL, second]}
    world.webhook(row, body)
    assert [image.width for image in world.row(row).images] == [64, 80]
    assert len(world.cloud.objects()) == 2


def test_the_rows_own_id_wins_over_what_a_webhook_names(world: World) -> None:
    row = makers.prediction(handle=ProviderHandle("job-1", response_url="https://queue.fal.run/x"))
    world.predictions.add(row)
    world.webhook(row, done("fal", "job-1"))
    assert world.row(row).handle == row.handle
    assert dataclasses.replace(world.row(row), status=row.status).token == row.token
