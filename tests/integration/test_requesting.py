"""A picture is asked for and sent to its provider: one row, one claim, one POST."""

import dataclasses
from datetime import timedelta

import pytest

from storyhook.domain.catalogue import Catalogue
from storyhook.domain.errors import (
    InvalidCallbackUrl,
    InvalidOption,
    SettingsError,
    StoryhookError,
    UnknownCharacter,
    UnknownModel,
)
from storyhook.domain.outcome import (
    Failure,
    FailureKind,
    NotCreated,
    OutcomeUnknown,
    ProviderHandle,
    Rejected,
)
from storyhook.domain.plan_views import plan_input
from storyhook.domain.prediction import QUEUE_PATIENCE, UNKNOWN_PATIENCE, Status
from storyhook.domain.requests import PredictionRequest
from storyhook.domain.story import Look
from storyhook.ports import ProviderClient
from tests.fixtures import makers
from tests.fixtures.world import CALLBACK_URL, THROTTLED, UNAVAILABLE, World, done, in_threads


def test_the_row_stands_before_the_provider_hears_of_it(world: World) -> None:
    seen = []

    def look(webhook_url: str, _job: str) -> None:
        row_id = webhook_url.rpartition("/")[2].partition(".")[0]
        row = world.predictions.get(row_id)
        assert row is not None
        seen.append((row.status, row.attempt))

    world.provider.during_submit = look
    row = world.ask()
    assert seen == [(Status.SUBMITTING, 1)]
    assert (row.status, row.handle) == (Status.SUBMITTED, ProviderHandle("job-1"))


def test_the_provider_gets_signed_references_and_a_secret_webhook_url(world: World) -> None:
    row = world.ask()
    [(endpoint, payload, webhook_url)] = world.provider.submitted
    assert endpoint == "fal-ai/flux-2-pro/edit"
    assert webhook_url == f"https://api.example.com/webhooks/fal/{row.id}.{row.token}"
    [url] = payload["image_urls"]
    assert "/references/acme/ref_elena_0.png" in url
    assert "X-Amz-Signature" in url
    assert "X-Amz" not in str(row.input)
    assert len(row.token) >= 22


def test_a_submitted_row_is_due_when_its_webhook_should_have_come(world: World) -> None:
    row = world.ask()
    assert row.due_at == world.clock() + timedelta(seconds=40)
    assert row.deadline_at == world.clock() + timedelta(hours=1, seconds=900)


def test_a_throttled_picture_is_accepted_and_goes_through_the_queue(world: World) -> None:
    world.provider.answers = [NotCreated(THROTTLED, 7.0)]
    row = world.ask()
    assert row.status is Status.QUEUED
    assert row.due_at == world.clock() + timedelta(seconds=7) + QUEUE_PATIENCE
    assert world.cloud.sent(world.cloud.submissions_url) == [{"prediction_id": row.id, "delay": 7}]
    assert world.submit.from_queue(row.id, None) is None
    assert world.row(row).status is Status.SUBMITTED
    assert world.row(row).attempt == 2


def test_a_throttled_message_waits_as_long_as_the_provider_says(world: World) -> None:
    world.provider.answers = [
        NotCreated(THROTTLED, 3.0),
        NotCreated(THROTTLED, 9000.0),
        NotCreated(UNAVAILABLE),
    ]
    row = world.ask()
    assert world.submit.from_queue(row.id, None) == 300.0
    assert world.submit.from_queue(row.id, None) == 10.0
    assert world.row(row).status is Status.QUEUED
    assert world.submit.from_queue(row.id, None) is None
    assert len(world.provider.submitted) == 4


def test_an_unknown_outcome_is_never_sent_again(world: World) -> None:
    """I2: the job may exist and cost, whatever comes by queue or clock."""
    world.provider.answers = [OutcomeUnknown("reset")]
    row = world.ask()
    assert row.status is Status.SUBMITTING
    assert row.due_at == world.clock() + UNKNOWN_PATIENCE
    assert world.cloud.sent(world.cloud.submissions_url) == []
    assert world.submit.from_queue(row.id, None) is None
    for _ in range(40):
        world.sweep(minutes=5)
    assert len(world.provider.submitted) == 1
    assert world.row(row).status is Status.EXPIRED
    failure = world.row(row).failure
    assert failure is not None
    assert "may have been paid" in failure.detail


def test_a_lost_answer_is_made_good_by_the_webhook(world: World) -> None:
    world.provider.answers = [OutcomeUnknown("reset")]
    row = world.ask()
    world.webhook(row, done("fal", "job-1"))
    assert world.row(row).status is Status.SUCCEEDED
    assert world.row(row).handle == ProviderHandle("job-1")


def test_a_refusal_ends_the_prediction_with_its_reason(world: World) -> None:
    failure = Failure(FailureKind.INVALID_INPUT, "fal: prompt: field required", "missing")
    world.provider.answers = [Rejected(failure)]
    row = world.ask(callback_url=CALLBACK_URL)
    assert (row.status, row.failure) == (Status.FAILED, failure)
    world.deliver_all()
    assert len(world.customer.got) == 1


def test_two_messages_for_one_prediction_pay_once(world: World) -> None:
    world.provider.answers = [NotCreated(THROTTLED, 1.0)]
    row = world.ask()
    in_threads(12, lambda _: world.submit.from_queue(row.id, None))
    assert len(world.provider.submitted) == 2  # the throttled one, and one more
    assert world.row(row).status is Status.SUBMITTED


def test_an_old_claim_cannot_give_back_a_newer_one(world: World) -> None:
    world.provider.answers = [NotCreated(THROTTLED, 1.0)]
    row = world.ask()
    old = world.predictions.advance(row.id, Status.SUBMITTING, {})
    assert old is not None
    assert world.predictions.advance(row.id, Status.QUEUED, {}, attempt=old.attempt)
    new = world.predictions.advance(row.id, Status.SUBMITTING, {})
    assert new is not None
    assert world.predictions.advance(row.id, Status.QUEUED, {}, attempt=old.attempt) is None
    assert world.row(row).status is Status.SUBMITTING


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"model": "no-such"}, UnknownModel),
        ({"callback_url": "http://app.example.com"}, InvalidCallbackUrl),
        ({"scene": makers.scene(position=0, characters=("nobody",))}, UnknownCharacter),
        ({"scene": makers.scene(position=0, options={"steps": 3})}, InvalidOption),
        ({"look": Look(aspect_ratio="7:1")}, InvalidOption),
    ],
)
def test_a_refused_request_writes_and_pays_nothing(
    world: World, values: dict[str, object], error: type[StoryhookError]
) -> None:
    world.characters.replace(makers.character(), None)
    before = world.cloud.state()
    wanted = {
        "model": makers.FAL,
        "scene": makers.scene(position=0),
        "look": Look(),
        "seed": None,
        "callback_url": None,
        **values,
    }
    with pytest.raises(error):
        world.request.accept(makers.KEY, PredictionRequest(**wanted), world.origin())  # type: ignore[arg-type]
    assert world.cloud.state() == before
    assert world.provider.submitted == []


def test_a_plan_of_one_picture_writes_and_pays_nothing(world: World) -> None:
    world.characters.replace(makers.character(), None)
    before = world.cloud.state()
    wanted = PredictionRequest(makers.FAL, makers.scene(position=0), Look(), 7, CALLBACK_URL)
    planned = world.request.plan(makers.KEY, wanted)
    assert world.cloud.state() == before
    assert world.provider.submitted == []
    row = world.request.send(world.request.accept(makers.KEY, wanted, world.origin()))
    assert row.input == plan_input(planned), "what was planned is what is sent"
    assert row.cost_estimated == planned.price.total


def test_an_unknown_character_is_named_with_its_place(world: World) -> None:
    world.characters.replace(makers.character(), None)
    wanted = PredictionRequest(
        makers.FAL, makers.scene(position=0, characters=("elena", "x")), Look(), None, None
    )
    with pytest.raises(UnknownCharacter) as caught:
        world.request.accept(makers.KEY, wanted, world.origin())
    assert [error.path for error in caught.value.errors] == ["characters[1]"]


def test_another_tenants_character_is_unknown(world: World) -> None:
    world.characters.replace(makers.character(tenant="somebody-else"), None)
    wanted = PredictionRequest(makers.FAL, makers.scene(position=0), Look(), None, None)
    with pytest.raises(UnknownCharacter):
        world.request.accept(makers.KEY, wanted, world.origin())


def test_a_picture_without_characters_goes_to_the_familys_text_model(world: World) -> None:
    wanted = PredictionRequest(
        "flux-2-pro", makers.scene(position=0, characters=()), Look(), None, None
    )
    row = world.request.send(world.request.accept(makers.KEY, wanted, world.origin()))
    assert row.model == "fal-flux2-pro"
    [(endpoint, payload, _)] = world.provider.submitted
    assert endpoint == "fal-ai/flux-2-pro"
    assert "image_urls" not in payload


def test_a_key_that_was_never_set_ends_the_prediction_with_the_reason(world: World) -> None:
    def provider(_name: str) -> ProviderClient:
        raise SettingsError("The secret /storyhook/test/fal-key is not set.")

    submit = dataclasses.replace(world.submit, provider=provider)
    row = makers.prediction(Status.QUEUED)
    world.predictions.add(row)
    assert submit.from_queue(row.id, None) is None
    after = world.row(row)
    assert after.status is Status.FAILED
    assert after.failure is not None
    assert "fal-key" in after.failure.detail


def test_a_row_whose_model_has_left_the_catalogue_is_sent_as_it_was_planned(world: World) -> None:
    models = {name: m for name, m in makers.MODELS.models.items() if name != makers.FAL}
    submit = dataclasses.replace(world.submit, catalogue=Catalogue(models, {}))
    row = makers.prediction(Status.QUEUED)
    world.predictions.add(row)
    assert submit.from_queue(row.id, None) is None
    [(endpoint, payload, _)] = world.provider.submitted
    assert (endpoint, payload["prompt"]) == (row.endpoint, row.input["prompt"])
    assert world.row(row).status is Status.SUBMITTED
