"""A callback URL that fails for long is disabled, says so, and is enabled by a replay."""

import json
import logging
from typing import Any

import pytest

from storyhook.domain.callback import Callback, CallbackStatus
from storyhook.web.request import Answer
from tests.fixtures import events, functions
from tests.fixtures.callbacks import owed, stored
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.world import CALLBACK_URL, World, in_threads

OTHER_URL = "https://other.example.com/hooks"


def address(world: World, url: str = CALLBACK_URL) -> Any:
    return world.addresses.find("acme", url)


def tried(world: World, answer: int, url: str = CALLBACK_URL) -> Callback:
    """One event more, and the answer to it."""
    callback = owed(world, url)
    world.cloud.messages(world.cloud.callbacks_url)
    world.customer.answers = [answer]
    world.deliver(callback.id, 0)
    world.customer.answers = []
    return stored(world, callback.id)


def test_a_url_that_works_costs_one_read_and_no_write(world: World) -> None:
    callback = owed(world)
    begun = len(world.cloud.calls)
    world.deliver(callback.id, 0)
    rows = [
        (operation, values.get("Key", values.get("Item", {}))["pk"]["S"].split("#")[0])
        for service, operation, values in world.cloud.calls[begun:]
        if service == "dynamodb"
    ]
    assert rows == [
        ("UpdateItem", "CB"), ("GetItem", "ADDR"), ("GetItem", "SIGN"), ("UpdateItem", "CB"),
    ]  # fmt: skip


def test_gone_disables_at_once_and_nothing_is_sent_there_any_more(world: World) -> None:
    waiting = owed(world)
    world.customer.answers = [500]
    world.deliver(waiting.id, 0)
    world.clock.advance(seconds=1)
    gone = tried(world, 410)
    assert (gone.status, len(gone.attempts)) == (CallbackStatus.FAILED, 1)
    assert address(world).disabled_at == world.clock()
    posts = len(world.customer.got)
    later = owed(world)
    for row in (waiting, later):
        row = stored(world, row.id)
        world.deliver(row.id, row.turn)
        row = stored(world, row.id)
        assert (row.status, row.due_at) == (CallbackStatus.FAILED, None)
        assert row.error == (
            "This callback URL is disabled since 2026-01-01T00:00:11Z, because it answered 410 "
            "Gone; nothing is sent to it. Mend it, then replay this callback (POST "
            "/callbacks/{id}/replay): an answer of 2xx enables the URL again."
        )
    assert len(world.customer.got) == posts
    assert world.sweep(days=9)["callbacks"] == 0


def test_others_urls_and_tenants_are_none_of_its_business(world: World) -> None:
    tried(world, 410)
    assert tried(world, 200, OTHER_URL).status is CallbackStatus.DELIVERED
    assert world.addresses.find("somebody-else", CALLBACK_URL) is None


@pytest.mark.parametrize(
    ("days_between", "failures", "disabled"),
    [([1] * 4, 5, False), ([1, 1, 1, 1, 0.99], 6, False), ([1, 1, 1, 1, 1], 6, True),
     ([5], 2, False), ([2, 2, 1], 4, False), ([2, 1, 1, 1], 5, True)],
)  # fmt: skip
def test_five_days_of_failures_only_disable(
    world: World, days_between: list[float], failures: int, disabled: bool
) -> None:
    tried(world, 500)
    for days in days_between:
        world.clock.advance(days=days)
        last = tried(world, 503)
    assert address(world).failures == failures
    assert (address(world).disabled_at is not None) is disabled
    if disabled:
        assert last.status is CallbackStatus.FAILED
        assert f"because all {failures} tries of the last 5 days failed" in (last.error or "")
    else:
        assert last.status is CallbackStatus.PENDING


def test_one_success_starts_the_clock_again(world: World) -> None:
    for _ in range(6):
        tried(world, 500)
        world.clock.advance(hours=20)
    tried(world, 200)
    assert address(world) is None
    world.clock.advance(hours=1)
    tried(world, 500)
    assert (address(world).failing_since, address(world).failures) == (world.clock(), 1)


def test_failures_at_the_same_time_are_all_counted_and_disable_once(world: World) -> None:
    tried(world, 500)
    callbacks = [owed(world) for _ in range(10)]
    world.clock.advance(days=6)
    world.customer.answers = [500] * 10
    results = in_threads(10, lambda n: world.deliver(callbacks[n].id, 0))
    assert address(world).failures >= 5
    assert sum(result.disabled is not None for result in results) == 1


def test_a_replay_is_sent_in_spite_of_it_and_a_success_enables_it(world: World) -> None:
    gone = tried(world, 410)
    world.replay("acme", gone.id)
    world.deliver_all()
    assert stored(world, gone.id).status is CallbackStatus.DELIVERED
    assert address(world) is None
    assert tried(world, 200).status is CallbackStatus.DELIVERED


def test_a_replay_that_fails_leaves_it_disabled_and_is_not_tried_again(world: World) -> None:
    gone = tried(world, 410)
    world.customer.answers = [500]
    world.replay("acme", gone.id)
    posts = len(world.customer.got)
    world.deliver_all()
    row = stored(world, gone.id)
    assert len(world.customer.got) == posts + 1
    assert (row.status, [each.status_code for each in row.attempts]) == (
        CallbackStatus.FAILED, [410, 500],
    )  # fmt: skip
    assert "disabled since" in (row.error or "")
    assert world.sweep(days=9)["callbacks"] == 0


def test_that_an_address_is_disabled_is_said_loudly(
    cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "https://app.example.com/hooks?token=the-customers-own"
    world = World(cloud, clock)
    callback = owed(world, url)
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.web.pages[url] = Answer(410, b"", False)
        stage.run("callback", events.queue("callbacks", _message(callback)))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[:1] == "{"]
    [line] = [each for each in lines if each["message"] == "callback address disabled"]
    assert line["level"] == logging.getLevelName(logging.WARNING)
    assert (line["host"], line["tenant"]) == ("app.example.com", "acme")
    assert line["reason"] == "it answered 410 Gone"
    assert "the-customers-own" not in json.dumps(lines)


def test_one_bad_message_takes_no_other_along(
    cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(cloud, clock)
    callback = owed(world)
    with functions.staged(cloud, clock, monkeypatch) as stage:
        event = events.queue("callbacks", {"no": "sense"}, _message(callback))
        answer = stage.run("callback", event)
    [bad, _] = event["Records"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": bad["messageId"]}]}
    assert stored(world, callback.id).status is CallbackStatus.DELIVERED


def _message(callback: Callback) -> dict[str, Any]:
    return {"callback_id": callback.id, "turn": 0}
