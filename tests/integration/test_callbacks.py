"""Callbacks: each event is delivered at least once, or visibly failed (I5)."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from storyhook.domain.callback import MAX_BODY_BYTES, MAX_TURNS, Attempt, CallbackStatus
from tests.fixtures import cloud as clouds
from tests.fixtures import template
from tests.fixtures.callbacks import dying_at, owed, stored, worn_out
from tests.fixtures.clock import Clock, Entropy
from tests.fixtures.interruptions import Death, die
from tests.fixtures.world import CALLBACK_URL, World, in_threads


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


@pytest.mark.parametrize("answer", [200, 503, 410])
def test_a_death_before_any_call_of_a_delivery_is_followed_by_another_try(answer: int) -> None:
    """At least once: the customer may hear it twice, with the same id, but never not at all."""
    with clouds.running() as cloud:
        world = World(cloud, Clock())
        callback = owed(world)
        world.customer.answers = [answer]
        with dying_at(cloud, -1) as calls:
            world.deliver(callback.id, 0)
    assert len(calls) >= 4
    for number in range(len(calls)):
        with clouds.running() as cloud:
            world = World(cloud, Clock())
            callback = owed(world)
            world.customer.answers = [answer]
            with dying_at(cloud, number):
                world.deliver(callback.id, 0)
            world.cloud.messages(cloud.callbacks_url)
            row = worn_out(world, callback.id)
            gone = answer == 410 and len(world.customer.got) == 1
            assert row.status is (CallbackStatus.FAILED if gone else CallbackStatus.DELIVERED)
            assert {headers["webhook-id"] for _, _, headers in world.customer.got} == {callback.id}
            assert len(world.customer.got) <= 3


def test_a_death_between_the_post_and_the_log_sends_it_again(world: World) -> None:
    callback = owed(world)
    world.cloud.messages(world.cloud.callbacks_url)
    world.customer.during_post = die
    with pytest.raises(Death):
        world.deliver(callback.id, 0)
    world.customer.during_post = None
    row = worn_out(world, callback.id)
    assert (row.status, len(world.customer.got)) == (CallbackStatus.DELIVERED, 2)


def test_tries_that_always_die_are_given_up_with_a_reason(world: World) -> None:
    callback = owed(world)
    for turn in range(MAX_TURNS):
        begun = world.callbacks.begin_turn(
            callback.id, turn, until=world.clock(), expires_at=world.clock()
        )
        assert begun is not None
    tried = world.deliver(callback.id, MAX_TURNS)
    assert tried is not None
    assert (tried.callback.status, world.customer.got) == (CallbackStatus.FAILED, [])
    assert "ended without a word" in (stored(world, callback.id).error or "")


def test_a_callback_expires_long_after_its_last_try(world: World) -> None:
    callback = owed(world)
    assert callback.expires_at == (world.clock() + timedelta(days=30)).replace(microsecond=0)
    world.customer.answers = [500]
    world.clock.advance(days=2)
    world.deliver_all()
    expires_at = stored(world, callback.id).expires_at
    assert expires_at == (world.clock() + timedelta(days=30)).replace(microsecond=0)
    [item] = [item for item in world.cloud.rows() if item["pk"]["S"] == f"CB#{callback.id}"]
    assert item["expires_at"] == {"N": str(int(world.clock().timestamp()) + 30 * 86400)}
    assert template.resource("Table")["TimeToLiveSpecification"] == {
        "AttributeName": "expires_at", "Enabled": True,
    }  # fmt: skip


def test_the_log_of_a_callback_stays_far_below_what_a_row_holds(world: World) -> None:
    callback = owed(world)
    for _ in range(60):
        attempt = Attempt(world.clock(), 500, response="\ufffd" * 500)
        callback = callback.tried(attempt)
    noise = base64.b64encode(Entropy()(180_000)).decode()
    big = replace(callback, id="cb_big", body=json.dumps({"data": noise}))
    assert 200_000 < len(big.body) < MAX_BODY_BYTES
    assert world.callbacks.add(big)
    assert len(stored(world, "cb_big").attempts) == 20
    assert big.tries == 60
    [item] = [item for item in world.cloud.rows() if item["pk"]["S"] == "CB#cb_big"]
    assert len(item["attempts"]["S"]) + len(item["body"]["B"]) < 320_000
