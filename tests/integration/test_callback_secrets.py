"""The secret of an API key's callbacks: derived, rotated with a day's overlap, never stored."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from storyhook.domain.errors import RotationTooSoon
from storyhook.providers.callbacks import callback_secret
from storyhook.usecases.callback_secrets import ShownSecret
from tests.fixtures.callbacks import owed
from tests.fixtures.cloud import MASTER_KEY
from tests.fixtures.world import World, in_threads

KEY = "key_1"


@pytest.fixture
def world(world: World) -> World:
    """The official library knows no clock but the machine's."""
    world.clock.now = datetime.now(UTC)
    return world


def verified(secret: str, got: tuple[str, bytes, Any]) -> bool:
    _, body, headers = got
    try:
        Webhook(secret).verify(body, dict(headers))
    except WebhookVerificationError:
        return False
    return True


def delivered(world: World) -> tuple[str, bytes, Any]:
    callback = owed(world)
    world.cloud.messages(world.cloud.callbacks_url)
    world.deliver(callback.id, 0)
    return world.customer.got[-1]


def signatures(got: tuple[str, bytes, Any]) -> list[str]:
    header: str = got[2]["webhook-signature"]
    return header.split(" ")


def test_each_key_and_version_has_its_own_secret() -> None:
    made = [callback_secret(MASTER_KEY, key) for key in ("key_1", "key_2", None)]
    made += [callback_secret(MASTER_KEY, "key_1", version) for version in (2, 3)]
    assert len(set(made)) == 5
    assert all(secret.startswith("whsec_") for secret in made)
    # Whoever has it from before rotations were known goes on verifying.
    assert callback_secret("master", "key_1") == callback_secret("master", "key_1", 1)
    assert (
        callback_secret("master", "key_1") == "whsec_BrFOVA19Dg+PMjcBadF3fvmdwmkJs1Zw2oPYOA24m7o="
    )


def test_a_key_begins_at_version_one_with_one_signature(world: World) -> None:
    shown = world.callback_secrets.read(KEY)
    assert shown == ShownSecret(callback_secret(MASTER_KEY, KEY), 1, None)
    got = delivered(world)
    assert len(signatures(got)) == 1
    assert verified(shown.secret, got)
    assert json.loads(got[1])["type"] == "prediction.completed"


def test_for_a_day_both_secrets_verify_then_the_new_one_alone(world: World) -> None:
    old = world.callback_secrets.read(KEY)
    new = world.callback_secrets.rotate(KEY)
    assert (new.version, new.previous_expires_at) == (2, world.clock() + timedelta(hours=24))
    assert new.secret == callback_secret(MASTER_KEY, KEY, 2) != old.secret
    assert world.callback_secrets.read(KEY) == new
    got = delivered(world)
    assert len(signatures(got)) == 2
    assert verified(new.secret, got)
    assert verified(old.secret, got)
    assert not verified(callback_secret(MASTER_KEY, KEY, 3), got)
    alone = (got[0], got[1], {**got[2], "webhook-signature": signatures(got)[0]})
    assert verified(new.secret, alone), "the new one comes first"
    world.clock.advance(hours=24)
    got = delivered(world)
    assert len(signatures(got)) == 1
    shown = world.callback_secrets.read(KEY)
    assert (shown.version, shown.previous_expires_at) == (2, None)
    world.clock.now = datetime.now(UTC)


def test_other_keys_keep_theirs(world: World) -> None:
    world.callback_secrets.rotate("key_2")
    assert world.callback_secrets.read(KEY).version == 1
    assert len(signatures(delivered(world))) == 1


def test_a_second_rotation_waits_until_the_first_is_through(world: World) -> None:
    until = world.callback_secrets.rotate(KEY).previous_expires_at
    assert until is not None
    with pytest.raises(RotationTooSoon) as caught:
        world.callback_secrets.rotate(KEY)
    assert until.isoformat(timespec="seconds").replace("+00:00", "Z") in caught.value.detail
    assert world.callback_secrets.read(KEY).version == 2
    world.clock.advance(hours=24)
    assert world.callback_secrets.rotate(KEY).version == 3


def test_a_leaked_secret_is_dropped_at_once_by_force(world: World) -> None:
    first = world.callback_secrets.read(KEY)
    second = world.callback_secrets.rotate(KEY)
    third = world.callback_secrets.rotate(KEY, force=True)
    assert third.version == 3
    got = delivered(world)
    assert [verified(s.secret, got) for s in (third, second, first)] == [True, True, False]


def test_rotations_at_the_same_time_lose_no_version(world: World) -> None:
    results = in_threads(8, lambda _: world.callback_secrets.rotate(KEY))
    made = [each for each in results if isinstance(each, ShownSecret)]
    assert [each.version for each in made] == [2]
    assert sum(isinstance(each, RotationTooSoon) for each in results) == 7
    forced = in_threads(8, lambda _: world.callback_secrets.rotate(KEY, force=True))
    assert sorted(each.version for each in forced) == list(range(3, 11))
    assert world.callback_secrets.read(KEY).version == 10


def test_a_version_is_read_once_a_minute(world: World) -> None:
    def reads() -> int:
        keys = [values["Key"]["pk"]["S"] for values in world.cloud.operations("GetItem")]
        return keys.count(f"SIGN#{KEY}")

    delivered(world)
    delivered(world)
    assert reads() == 1
    world.callback_secrets.rotate(KEY)
    seen = reads()
    assert len(signatures(delivered(world))) == 1, "the old one is still valid"
    world.clock.advance(seconds=60)
    assert len(signatures(delivered(world))) == 2
    assert reads() == seen + 1


def test_a_retry_is_signed_with_what_is_valid_then(world: World) -> None:
    callback = owed(world)
    world.customer.answers = [500]
    world.deliver(callback.id, 0)
    new = world.callback_secrets.rotate(KEY)
    world.clock.advance(seconds=60)
    world.deliver(callback.id, 1)
    first, second = world.customer.got
    assert first[1] == second[1]
    assert not verified(new.secret, first)
    assert verified(new.secret, second)


def test_while_the_master_is_rotated_both_sign(world: World) -> None:
    old = world.callback_secrets.read(KEY).secret
    world.masters = ("another-master", MASTER_KEY)
    new = world.callback_secrets.read(KEY).secret
    assert new == callback_secret("another-master", KEY) != old
    got = delivered(world)
    assert len(signatures(got)) == 2
    assert verified(new, got)
    assert verified(old, got)
    world.callback_secrets.rotate(KEY)
    world.clock.advance(seconds=60)
    assert len(signatures(delivered(world))) == 4
    world.masters = ("another-master",)
    assert len(signatures(delivered(world))) == 2


def test_no_secret_is_in_the_table(world: World) -> None:
    shown = world.callback_secrets.rotate(KEY)
    delivered(world)
    assert shown.secret.removeprefix("whsec_") not in str(world.cloud.rows())
    assert MASTER_KEY not in str(world.cloud.rows())
