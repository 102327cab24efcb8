"""Secrets that change while functions run: read again when needed, not once per forgery."""

import json

import pytest

from storyhook.aws import clients
from storyhook.aws.secrets import ProviderKeys, RotatingSecret, Secrets
from storyhook.domain.errors import BadSignature, ProviderKeyMissing, SettingsError
from storyhook.domain.prediction import Status
from tests.fixtures import makers, signing
from tests.fixtures.cloud import SECRETS, Cloud
from tests.fixtures.world import World, done
from tools import setup

NAME = "replicate-webhook-secret"
NEW = "whsec_" + "bmV3IHNlY3JldCBvZiAyNCBieXRlcyE="


class Monotonic:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture
def secret(cloud: Cloud, monotonic: Monotonic) -> RotatingSecret:
    return RotatingSecret(Secrets(clients.client("ssm"), SECRETS, monotonic), NAME)


def store(value: str) -> None:
    clients.client("ssm").put_parameter(
        Name=f"{SECRETS}/{NAME}", Value=value, Type="SecureString", Overwrite=True
    )


def test_two_may_be_valid_at_once(secret: RotatingSecret) -> None:
    store(f"{NEW}  {signing.REPLICATE_SECRET}\n")
    assert secret.all() == (NEW, signing.REPLICATE_SECRET)


def test_it_is_read_once_in_five_minutes(
    cloud: Cloud, secret: RotatingSecret, monotonic: Monotonic
) -> None:
    for seconds in (0, 100, 199):
        monotonic.seconds += seconds
        assert secret.all() == (signing.REPLICATE_SECRET,)
    assert len(cloud.operations("GetParameter")) == 1
    store(NEW)
    monotonic.seconds += 2
    assert secret.all() == (NEW,)


def test_a_look_for_a_newer_one_is_made_once_a_minute(
    cloud: Cloud, secret: RotatingSecret, monotonic: Monotonic
) -> None:
    secret.all()
    store(NEW)
    assert not secret.refresh(), "it was read a moment ago"
    monotonic.seconds += 61
    assert secret.refresh()
    assert secret.all() == (NEW,)
    for _ in range(100):
        assert not secret.refresh()
        monotonic.seconds += 1
    assert len(cloud.operations("GetParameter")) == 3


def test_a_secret_that_was_never_set_is_a_setting_to_mend(cloud: Cloud) -> None:
    with pytest.raises(SettingsError):
        RotatingSecret(Secrets(clients.client("ssm"), SECRETS), "not-there").all()


def test_replicates_new_secret_loses_no_webhook(
    world: World, monotonic: Monotonic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replicate signs with a new secret from one moment to the next; the old one stays good."""
    monkeypatch.setattr(world.secrets, "monotonic", monotonic)
    first, second, third = (world.ask(makers.REPLICATE) for _ in range(3))
    world.webhook(first, done("replicate", "job-1"))
    with pytest.raises(BadSignature):
        world.webhook(second, done("replicate", "job-2"), secret=NEW)
    store(f"{NEW} {signing.REPLICATE_SECRET}")
    monotonic.seconds += 61
    world.webhook(second, done("replicate", "job-2"), secret=NEW)
    world.webhook(third, done("replicate", "job-3"))
    assert {world.row(row).status for row in (first, second, third)} == {Status.SUCCEEDED}


def test_a_flood_of_forgeries_costs_one_look_a_minute(
    world: World, monotonic: Monotonic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.secrets, "monotonic", monotonic)
    row = world.ask(makers.REPLICATE)
    body = json.dumps(done("replicate", "job-1")).encode()
    before = world.cloud.rows()
    for _ in range(120):
        with pytest.raises(BadSignature):
            world.webhook(row, body, secret=NEW)
        monotonic.seconds += 1
    reads = [v for v in world.cloud.operations("GetParameter") if v["Name"].endswith(NAME)]
    assert len(reads) == 2
    assert world.cloud.rows() == before


def test_forgeries_at_a_door_without_a_secret_cost_one_look_a_minute(
    cloud: Cloud, monotonic: Monotonic
) -> None:
    """Who uses fal alone has none; anybody may knock at Replicate's door all the same."""
    secrets = Secrets(clients.client("ssm"), SECRETS, monotonic, absent_seconds=60)
    secret = RotatingSecret(secrets, "not-there")
    for _ in range(61):
        with pytest.raises(SettingsError):
            secret.all()
        monotonic.seconds += 1
    assert len(cloud.operations("GetParameter")) == 2
    clients.client("ssm").put_parameter(Name=f"{SECRETS}/not-there", Value=NEW, Type="SecureString")
    monotonic.seconds += 60
    assert secret.all() == (NEW,)


@pytest.mark.usefixtures("cloud")
def test_a_providers_key_that_was_missing_works_as_soon_as_it_is_there() -> None:
    ssm = clients.client("ssm")
    ssm.delete_parameter(Name=f"{SECRETS}/fal-key")
    keys = ProviderKeys(Secrets(ssm, SECRETS))
    for ask in (keys.get, keys.check):
        with pytest.raises(ProviderKeyMissing):
            ask("fal")
    ssm.put_parameter(Name=f"{SECRETS}/fal-key", Value="a-key", Type="SecureString")
    keys.check("fal")
    assert keys.get("fal") == "a-key"


@pytest.mark.usefixtures("cloud")
def test_setting_up_puts_a_new_secret_before_the_old_one() -> None:
    ssm = clients.client("ssm")
    assert setup.rotate(ssm, "test", NAME, NEW)
    secrets = Secrets(ssm, SECRETS)
    assert RotatingSecret(secrets, NAME).all() == (NEW, signing.REPLICATE_SECRET)
    assert not setup.rotate(ssm, "test", NAME, NEW), "it is the present one"
    assert setup.rotate(ssm, "test", NAME, "whsec_third")
    secrets = Secrets(ssm, SECRETS)  # As in another function: what was read is kept a while.
    assert RotatingSecret(secrets, NAME).all() == ("whsec_third", NEW), "two at most"
