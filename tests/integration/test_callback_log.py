"""The delivery log, and sending a callback again."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from storyhook.domain import callback_views
from storyhook.domain.callback import Callback, CallbackStatus
from storyhook.domain.errors import NotFound
from tests.fixtures import makers
from tests.fixtures.callbacks import finished, owed, sent_all, stored
from tests.fixtures.world import CALLBACK_URL, World, in_threads

PENDING, DELIVERED, FAILED = CallbackStatus


def listed(world: World, limit: int = 100, **filters: Any) -> list[str]:
    """Ids of the log, page after page."""
    given = {"status": None, "subject": None, **filters}
    found: list[str] = []
    cursor = None
    while True:
        page = world.callback_log.list("acme", limit, cursor, **given)
        assert len(page.items) <= limit
        found += [row.id for row, _ in page.items]
        cursor = page.cursor
        if cursor is None:
            return found


def shown(world: World, callback: Callback) -> dict[str, Any]:
    return callback_views.with_payload(*world.callback_log.get("acme", callback.id))


def three(world: World) -> list[Callback]:
    """One delivered, one failed for good, one pending, in this order."""
    made = []
    for answer in (200, 410, 500):
        callback = owed(world, f"{CALLBACK_URL}/{answer}")
        world.clock.advance(seconds=1)
        world.customer.answers = [answer]
        world.deliver(callback.id, 0)
        made.append(stored(world, callback.id))
    return made


def test_it_lists_the_newest_first_in_pages_and_by_status(world: World) -> None:
    delivered, failed, pending = (row.id for row in three(world))
    assert listed(world) == listed(world, limit=1) == [pending, failed, delivered]
    for status, id_ in ((PENDING, pending), (FAILED, failed), (DELIVERED, delivered)):
        assert listed(world, status=status) == listed(world, limit=1, status=status) == [id_]
    first = world.callback_log.list("acme", 1, None, DELIVERED, None)
    assert (first.items, first.cursor) == ((), pending), "filtered pages may be empty; go on"


def test_it_lists_what_belongs_to_a_prediction_or_to_a_board(world: World) -> None:
    own = owed(world)
    board = world.board(
        makers.scene(),
        callback_url=CALLBACK_URL,
        callback_events=("prediction.completed", "scene.completed", "storyboard.completed"),
    )
    [row] = sent_all(world, board)
    finished(world, row)
    world.assemble(board.id)
    kinds = [stored(world, id_).event for id_ in listed(world, subject=board.id)]
    assert sorted(kinds) == ["prediction.completed", "scene.completed", "storyboard.completed"]
    assert listed(world, subject=own.subject_id) == [own.id]
    assert len(listed(world, subject=row.id)) == 1
    assert listed(world, subject="pred_unknown") == []
    assert len(listed(world)) == 4


def test_a_callback_shows_every_try_and_what_was_sent(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [503, None]
    world.deliver(callback.id, 0)
    world.clock.advance(seconds=5)
    world.deliver(callback.id, 1)
    found = shown(world, callback)
    assert found["attempts"] == [
        {"at": "2026-01-01T00:00:10.000Z", "status_code": 503, "error": None,
         "duration_seconds": None, "response": None},
        {"at": "2026-01-01T00:00:15.000Z", "status_code": None, "error": "no answer",
         "duration_seconds": None, "response": None},
    ]  # fmt: skip
    assert (found["status"], found["next_attempt_at"]) == ("pending", "2026-01-01T00:05:15.000Z")
    assert found["address"] == {
        "status": "failing", "since": "2026-01-01T00:00:10.000Z", "reason": None,
    }  # fmt: skip
    assert json.dumps(found["payload"]).encode() == world.customer.got[0][1]
    assert (found["type"], found["subject"]) == ("prediction.completed", callback.subject_id)
    assert (found["sequence"], found["storyboard_id"]) == (1, None)
    world.clock.advance(minutes=5)
    world.deliver(callback.id, 2)
    found = shown(world, callback)
    assert (found["status"], found["next_attempt_at"]) == ("delivered", None)
    assert found["address"] == {"status": "active", "since": None, "reason": None}


def test_another_tenants_or_an_old_callback_is_not_there(world: World) -> None:
    callback = owed(world)
    world.deliver_all()
    for call in (world.callback_log.get, world.replay):
        with pytest.raises(NotFound):
            call("somebody-else", callback.id)
        with pytest.raises(NotFound):
            call("acme", "cb_unknown")
    assert world.callback_log.list("somebody-else", 10, None, None, None).items == ()
    world.clock.advance(days=30)
    assert listed(world) == [], "DynamoDB takes its time to remove it"
    for call in (world.callback_log.get, world.replay):
        with pytest.raises(NotFound):
            call("acme", callback.id)


def test_a_replay_sends_the_same_event_again(world: World) -> None:
    callback = owed(world)
    world.deliver_all()
    world.clock.advance(days=29)
    replayed, _ = world.replay("acme", callback.id)
    assert (replayed.status, replayed.next_at) == (PENDING, world.clock())
    world.deliver_all()
    first, second = world.customer.got
    assert (first[1], first[2]["webhook-id"]) == (second[1], second[2]["webhook-id"])
    times = [int(got[2]["webhook-timestamp"]) for got in (first, second)]
    assert times[1] - times[0] == 29 * 86400
    row = stored(world, callback.id)
    assert (row.status, [each.status_code for each in row.attempts]) == (DELIVERED, [200, 200])
    assert row.expires_at == (world.clock() + timedelta(days=30)).replace(microsecond=0)


def test_a_replay_has_a_fresh_schedule(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [500] * 4
    for turn in range(3):
        world.deliver(callback.id, turn)
    world.cloud.messages(world.cloud.callbacks_url)
    assert stored(world, callback.id).next_at == world.clock() + timedelta(minutes=30)
    replayed, _ = world.replay("acme", callback.id)
    [message] = world.cloud.messages(world.cloud.callbacks_url)
    assert world.deliver(callback.id, 3) is None, "the message of before is void"
    world.deliver(callback.id, message["turn"])
    assert message["turn"] == replayed.turn
    row = stored(world, callback.id)
    assert (len(row.attempts), row.next_at) == (4, world.clock() + timedelta(seconds=5))
    world.clock.advance(seconds=5)
    world.deliver(callback.id, row.turn)
    assert stored(world, callback.id).status is DELIVERED


def test_a_pending_one_is_sent_now(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [(503, "3600"), 200]
    world.deliver_all()
    world.clock.advance(seconds=30)
    world.replay("acme", callback.id)
    world.deliver_all()
    assert stored(world, callback.id).status is DELIVERED
    assert world.sweep(hours=2)["callbacks"] == 0
    assert len(world.customer.got) == 2


def test_replays_at_the_same_time_send_once(world: World) -> None:
    callback = owed(world)
    world.deliver_all()
    in_threads(8, lambda _: world.replay("acme", callback.id))
    messages = world.cloud.messages(world.cloud.callbacks_url)
    in_threads(len(messages), lambda n: world.deliver(callback.id, messages[n]["turn"]))
    assert len(world.customer.got) == 2
    assert len(stored(world, callback.id).attempts) == 2


def test_one_that_was_begun_meanwhile_is_not_replayed(world: World) -> None:
    seen = owed(world)
    world.deliver_all()
    assert world.callbacks.replay(seen, replace(seen, first_turn=1)) is None
    assert stored(world, seen.id).status is DELIVERED


def test_one_that_is_being_sent_is_left_alone(world: World) -> None:
    """Its try is not lost from the log, and the customer does not hear it twice."""
    callback = owed(world)
    world.cloud.messages(world.cloud.callbacks_url)
    world.customer.during_post = lambda: world.replay("acme", callback.id)
    world.deliver(callback.id, 0)
    world.deliver_all()
    row = stored(world, callback.id)
    assert (row.status, len(row.attempts), len(world.customer.got)) == (DELIVERED, 1, 1)


def test_one_whose_try_died_can_be_replayed_after_its_lease(world: World) -> None:
    callback = owed(world)
    world.cloud.messages(world.cloud.callbacks_url)
    until = world.clock() + timedelta(seconds=60)
    assert world.callbacks.begin_turn(
        callback.id, 0, until=until, expires_at=until + timedelta(days=9)
    )
    world.clock.advance(seconds=60)
    world.replay("acme", callback.id)
    world.deliver_all()
    assert stored(world, callback.id).status is DELIVERED


def test_a_replay_whose_message_is_lost_is_found_by_the_reconciler(world: World) -> None:
    callback = owed(world)
    world.deliver_all()
    world.replay("acme", callback.id)
    world.cloud.messages(world.cloud.callbacks_url)
    assert world.sweep(seconds=61)["callbacks"] == 1
    world.deliver_all()
    assert len(world.customer.got) == 2
