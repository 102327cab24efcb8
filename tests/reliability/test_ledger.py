"""The ledger sees what happens; each kind of wrong is counted under its invariant."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from storyhook.aws import clients
from storyhook.aws.predictions import prediction_key, to_item
from storyhook.domain.prediction import SOURCES, Prediction
from tests.fixtures import makers, signing
from tests.fixtures.cloud import BUCKET, TABLE
from tests.fixtures.pictures import picture
from tests.fixtures.world import CALLBACK_URL, IMAGE_URL, World, done
from tests.reliability.ledger import STEPS, Ledger
from tests.reliability.verdict import verdict


@pytest.fixture
def ledger(world: World) -> Iterator[Ledger]:
    ledger = Ledger(world.cloud, world.clock)
    with ledger.watching():
        yield ledger


def finished(world: World, ledger: Ledger) -> Prediction:
    """One prediction from its request to its delivered callback, without any fault."""
    row = world.ask(callback_url=CALLBACK_URL)
    job = f"job-{len(world.provider.submitted)}"
    ledger.job_created(job, world.provider.submitted[-1][2])
    ledger.job_succeeded(job, world.clock())
    ledger.job_had(job)
    ledger.picture(IMAGE_URL, job, picture())
    world.webhook(row, done("fal", job))
    world.deliver_all()
    for _, body, headers in world.customer.got:
        ledger.callback(body, headers, 200)
    return world.row(row)


def broken(ledger: Ledger) -> set[str]:
    return {name for name, count in verdict(ledger).counts.items() if count}


def overwrite(row: Prediction, **values: str) -> None:
    """Write past every condition."""
    item = {**to_item(row), **{name: {"S": value} for name, value in values.items()}}
    clients.client("dynamodb").put_item(TableName=TABLE, Item=item)


def test_the_steps_are_those_of_the_domain() -> None:
    assert {(str(a), str(to)) for to, sources in SOURCES.items() for a in sources} == STEPS


def test_all_is_well_without_faults(world: World, ledger: Ledger) -> None:
    finished(world, ledger)
    assert verdict(ledger).holds
    assert ledger.writes > 5


def test_an_open_row_is_lost(world: World, ledger: Ledger) -> None:
    world.ask()
    assert broken(ledger) == {"I1"}


def test_a_deleted_row_is_lost(world: World, ledger: Ledger) -> None:
    row = finished(world, ledger)
    clients.client("dynamodb").delete_item(TableName=TABLE, Key=prediction_key(row.id))
    assert "I1" in broken(ledger)


def test_a_picture_that_was_made_and_thrown_away_is_lost(world: World, ledger: Ledger) -> None:
    row = world.ask()
    ledger.job_created("job-1", world.provider.submitted[0][2])
    ledger.job_succeeded("job-1", world.clock())
    world.webhook(row, {"request_id": "job-1", "status": "ERROR", "error": "", "payload": {}})
    assert broken(ledger) == {"I1"}


def test_two_jobs_of_one_row_are_paid_twice(world: World, ledger: Ledger) -> None:
    finished(world, ledger)
    ledger.job_created("job-2", world.provider.submitted[0][2])
    assert broken(ledger) == {"I2"}


@pytest.mark.parametrize("status", ["submitted", "failed"])
def test_a_row_that_was_over_and_changes(world: World, ledger: Ledger, status: str) -> None:
    row = finished(world, ledger)
    overwrite(row, status=status)
    assert "I3" in broken(ledger)


def test_another_picture_after_the_end(world: World, ledger: Ledger) -> None:
    row = finished(world, ledger)
    overwrite(row, completed_at="2026-01-02T00:00:00.000000+00:00")
    assert broken(ledger) == {"I3"}


def test_a_second_callback_for_one_event(world: World, ledger: Ledger) -> None:
    row = finished(world, ledger)
    assert row.callback_id
    item = dict(ledger.items[f"CB#{row.callback_id}", "CB"])
    item |= {"pk": {"S": "CB#cb_2"}, "id": {"S": "cb_2"}}
    clients.client("dynamodb").put_item(TableName=TABLE, Item=item)
    assert broken(ledger) == {"I4", "I5"}  # The copy says delivered, but nobody got that id.


def test_two_bodies_under_one_callback_id(world: World, ledger: Ledger) -> None:
    finished(world, ledger)
    [(_, body, headers)] = world.customer.got
    ledger.callback(body + b" ", headers, 200)
    wrong = verdict(ledger).wrong["I4"]
    assert len(wrong) == 2
    assert "does not verify" in wrong[0]
    assert "2 bodies" in wrong[1]


def test_a_task_token_that_hears_two_things(world: World, ledger: Ledger) -> None:
    world.workflow.resume("token", {"status": "succeeded"})
    world.workflow.resume("token", {"status": "succeeded"})
    assert not broken(ledger)
    world.workflow.fail("token", "Storyhook.Failed", "no")
    assert broken(ledger) == {"I4"}


def test_a_callback_that_nobody_took_is_not_delivered(world: World, ledger: Ledger) -> None:
    row = finished(world, ledger)
    assert row.callback_id
    ledger.received[row.callback_id].answers = [500, None]
    assert broken(ledger) == {"I5"}


def test_a_callback_that_is_never_sent(world: World, ledger: Ledger) -> None:
    row = world.ask(callback_url=CALLBACK_URL)
    world.webhook(row, {"request_id": "job-1", "status": "ERROR", "error": "", "payload": {}})
    assert broken(ledger) == {"I5"}


def test_a_forged_webhook_that_writes(world: World, ledger: Ledger) -> None:
    row = world.ask()
    # Correctly signed, an hour ago: it makes the reconciler ask, which is a write.
    headers = signing.fal(b"{}", at=world.clock() - timedelta(hours=1))
    with ledger.forgery("a test"):
        world.receive("fal", f"{row.id}.{row.token}", headers, b"{}")
    assert "I6" in broken(ledger)


def test_a_picture_that_is_gone(world: World, ledger: Ledger) -> None:
    row = finished(world, ledger)
    clients.client("s3").delete_object(Bucket=BUCKET, Key=row.images[0].key)
    assert broken(ledger) == {"I8"}


def test_a_picture_of_another_job(world: World, ledger: Ledger) -> None:
    row = finished(world, ledger)
    data = picture(colour="red")
    clients.client("s3").put_object(Bucket=BUCKET, Key=row.images[0].key, Body=data)
    assert broken(ledger) == {"I8"}


def test_a_board_that_ends_wrong(world: World, ledger: Ledger) -> None:
    board = world.board(makers.scene())
    [row] = world.rows_of(board)
    world.submit.from_queue(row.id, "token")
    ledger.job_created("job-1", world.provider.submitted[0][2])
    ledger.picture(IMAGE_URL, "job-1", picture())
    world.webhook(row, done("replicate", "job-1"))
    world.assemble(board.id)
    assert not broken(ledger)
    item = dict(ledger.items[f"SB#{board.id}", "SB"])
    clients.client("dynamodb").put_item(TableName=TABLE, Item={**item, "status": {"S": "partial"}})
    assert broken(ledger) == {"boards", "I3"}
