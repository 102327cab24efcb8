"""Callbacks: each event is delivered at least once, or visibly failed (I5)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from storyhook.domain.callback import Callback, CallbackStatus
from storyhook.providers.callbacks import callback_secret
from tests.fixtures.cloud import MASTER_KEY
from tests.fixtures.world import CALLBACK_URL, World, done, in_threads


def owed(world: World) -> Callback:
    """A finished prediction whose callback waits in the queue."""
    row = world.ask(callback_url=CALLBACK_URL)
    world.webhook(row, done("fal", "job-1"))
    callback_id = world.row(row).callback_id
    assert callback_id is not None
    return stored(world, callback_id)


def stored(world: World, callback_id: str) -> Callback:
    found = world.callbacks.get(callback_id)
    assert found is not None
    return found


def test_the_customer_gets_the_prediction_signed(world: World) -> None:
    callback = owed(world)
    world.deliver_all()
    [(url, body, headers)] = world.customer.got
    assert url == CALLBACK_URL
    assert headers["webhook-id"] == callback.id
    assert headers["webhook-timestamp"] == str(int(world.clock().timestamp()))
    event = json.loads(body)
    assert event["type"] == "prediction.completed"
    assert event["data"]["id"] == callback.subject_id
    assert event["data"]["status"] == "succeeded"
    assert stored(world, callback.id).status is CallbackStatus.DELIVERED


def test_an_official_library_verifies_our_signature(world: World) -> None:
    owed(world)
    # The library knows no clock but the machine's.
    world.clock.now = datetime.now(UTC)
    world.deliver_all()
    [(_, body, headers)] = world.customer.got
    secret = callback_secret(MASTER_KEY, "key_1")
    assert Webhook(secret).verify(body, dict(headers))["type"] == "prediction.completed"


def test_each_key_has_its_own_secret() -> None:
    secrets = {callback_secret(MASTER_KEY, key) for key in ("key_1", "key_2", None)}
    assert len(secrets) == 3
    assert all(secret.startswith("whsec_") for secret in secrets)


def test_a_failed_delivery_is_tried_again_by_the_queue(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [503, None, 200]
    world.deliver_all()
    row = stored(world, callback.id)
    assert row.status is CallbackStatus.PENDING
    assert [attempt.status_code for attempt in row.attempts] == [503]
    [first, second] = world.cloud.sent(world.cloud.callbacks_url)
    assert (first["turn"], second["turn"], second["delay"]) == (0, 1, 5)
    world.clock.advance(seconds=5)
    world.deliver(callback.id, 1)
    assert world.cloud.sent(world.cloud.callbacks_url)[-1]["delay"] == 300
    world.clock.advance(minutes=5)
    world.deliver(callback.id, 2)
    row = stored(world, callback.id)
    assert row.status is CallbackStatus.DELIVERED
    assert [attempt.status_code for attempt in row.attempts] == [503, None, 200]
    assert {headers["webhook-id"] for _, _, headers in world.customer.got} == {callback.id}
    assert len({body for _, body, _ in world.customer.got}) == 1
    assert len({headers["webhook-timestamp"] for _, _, headers in world.customer.got}) == 3


def test_longer_waits_are_left_to_the_reconciler(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [500, 500, 500]
    for turn in range(3):
        world.deliver(callback.id, turn)
    row = stored(world, callback.id)
    assert row.due_at == world.clock() + timedelta(minutes=30)
    world.cloud.messages(world.cloud.callbacks_url)
    assert world.sweep(minutes=29)["callbacks"] == 0
    assert world.sweep(minutes=1)["callbacks"] == 1
    world.deliver_all()
    assert stored(world, callback.id).status is CallbackStatus.DELIVERED


def test_after_ten_attempts_over_three_days_it_is_failed(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [500] * 20
    begun = world.clock()
    for _ in range(300):
        world.deliver_all()
        row = stored(world, callback.id)
        if row.status is not CallbackStatus.PENDING:
            break
        world.sweep(minutes=10 if len(row.attempts) < 4 else 60)
    assert row.status is CallbackStatus.FAILED
    assert row.due_at is None
    assert len(row.attempts) == 10
    assert timedelta(hours=75) < row.attempts[-1].at - begun < timedelta(hours=80)
    assert world.sweep(days=9)["callbacks"] == 0


def test_gone_means_gone(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [410]
    world.deliver_all()
    row = stored(world, callback.id)
    assert (row.status, len(row.attempts)) == (CallbackStatus.FAILED, 1)
    assert len(world.cloud.sent(world.cloud.callbacks_url)) == 1


@pytest.mark.parametrize("status", [301, 302, 400, 429, 500])
def test_only_2xx_is_an_answer(world: World, status: int) -> None:
    callback = owed(world)
    world.customer.answers = [status]
    world.deliver_all()
    assert stored(world, callback.id).status is CallbackStatus.PENDING


def test_two_messages_for_one_turn_send_once(world: World) -> None:
    callback = owed(world)
    in_threads(20, lambda _: world.deliver(callback.id, 0))
    assert len(world.customer.got) == 1


def test_a_message_for_a_finished_or_unknown_callback_does_nothing(world: World) -> None:
    callback = owed(world)
    world.deliver_all()
    assert world.deliver(callback.id, 1) is None
    assert world.deliver("cb_unknown", 0) is None
    assert len(world.customer.got) == 1


def test_a_lost_message_is_found_by_the_reconciler(world: World) -> None:
    callback = owed(world)
    assert len(world.cloud.messages(world.cloud.callbacks_url)) == 1
    assert world.sweep(seconds=61)["callbacks"] == 1
    world.deliver_all()
    assert stored(world, callback.id).status is CallbackStatus.DELIVERED


def test_a_death_while_sending_is_followed_by_another_try(world: World) -> None:
    callback = owed(world)
    world.cloud.messages(world.cloud.callbacks_url)
    assert world.callbacks.begin_turn(
        callback.id, 0, until=world.clock() + timedelta(seconds=60), expires_at=world.clock()
    ), "a function begins its turn and dies"
    world.sweep(seconds=61)
    world.deliver_all()
    assert len(world.customer.got) == 1
    assert stored(world, callback.id).status is CallbackStatus.DELIVERED
