"""Fifty deliveries of one webhook in threads, among everything else that may run beside them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storyhook.domain.outcome import Accepted, ProviderHandle, Succeeded
from storyhook.domain.prediction import Prediction, Status
from tests.fixtures import makers
from tests.fixtures.pictures import picture
from tests.fixtures.world import CALLBACK_URL, IMAGE_URL, World, done, in_threads
from tests.reliability.ledger import Ledger
from tests.reliability.verdict import verdict

TOKEN = "task-token"
FIFTY = 50


@pytest.fixture
def ledger(world: World) -> Iterator[Ledger]:
    ledger = Ledger(world.cloud, world.clock)
    with ledger.watching():
        yield ledger


def noted(ledger: Ledger, row_url: str) -> None:
    """The provider has this one job, and its picture."""
    ledger.job_created("job-1", row_url)
    ledger.job_succeeded("job-1", ledger.clock())
    ledger.job_had("job-1")
    ledger.picture(IMAGE_URL, "job-1", picture())


def one_effect(world: World, ledger: Ledger, row: Prediction) -> None:
    """One job, one copy, one callback, one word to the workflow; nothing is owed."""
    after = world.row(row)
    assert (after.status, after.due_at) == (Status.SUCCEEDED, None)
    assert len(world.provider.submitted) == 1
    assert world.pictures.fetched == [IMAGE_URL]
    assert len(world.cloud.operations("PutObject")) == 1
    callbacks = [item for item in world.cloud.rows() if item["pk"]["S"].startswith("CB#")]
    told = world.cloud.operations("SendTaskSuccess")
    assert [call["taskToken"] for call in told] == ([TOKEN] if row.storyboard_id else [])
    sent = world.cloud.sent(world.cloud.callbacks_url)
    ids = [after.callback_id] if after.callback_url else []
    assert [item["id"]["S"] for item in callbacks] == ids
    assert [message["callback_id"] for message in sent] == ids
    assert ledger.wrong == {}


def of_a_board(world: World) -> Prediction:
    board = world.board(makers.scene(), model=makers.REPLICATE)
    [row] = world.rows_of(board)
    world.submit.from_queue(row.id, TOKEN)
    return world.row(row)


@pytest.mark.parametrize("kind", ["fal", "replicate", "board"])
def test_fifty_deliveries_have_one_effect(world: World, ledger: Ledger, kind: str) -> None:
    """I4."""
    if kind == "board":
        row = of_a_board(world)
    else:
        model = makers.FAL if kind == "fal" else makers.REPLICATE
        row = world.ask(model, callback_url=CALLBACK_URL)
    noted(ledger, f"/{row.id}.")
    body = done(row.provider, "job-1")
    results = in_threads(FIFTY, lambda _: world.webhook(row, body))
    assert [r for r in results if isinstance(r, Exception)] == []
    one_effect(world, ledger, row)


@pytest.mark.parametrize("kind", ["single", "board"])
@pytest.mark.parametrize("_again", range(3))
def test_among_reconcilers_and_messages_too(
    world: World, ledger: Ledger, kind: str, _again: int
) -> None:
    """It is just due: reconcilers ask the provider while its webhook comes, and messages again."""
    row = of_a_board(world) if kind == "board" else world.ask(callback_url=CALLBACK_URL)
    noted(ledger, f"/{row.id}.")
    body = done(row.provider, "job-1")
    world.provider.outcomes["job-1"] = Succeeded((IMAGE_URL,))
    due = world.row(row).due_at
    assert due is not None
    world.clock.now = due
    others: list[Callable[[], Any]] = [
        lambda: world.reconcile(lambda: True),
        lambda: world.submit.from_queue(row.id, None),
    ]
    works = [others[n % 2] if n % 5 == 0 else lambda: world.webhook(row, body) for n in range(60)]
    results = in_threads(60, lambda n: works[n]())
    assert [r for r in results if isinstance(r, Exception)] == []
    one_effect(world, ledger, row)
    assert verdict(ledger).wrong["I1"] == []


@pytest.mark.parametrize("_again", range(3))
def test_while_the_answer_to_the_submission_comes(
    world: World, ledger: Ledger, _again: int
) -> None:
    """Webhooks, reconcilers and a second message come while the POST is being answered."""
    board = world.board(makers.scene(), model=makers.REPLICATE)
    [row] = world.rows_of(board)
    body = done(row.provider, "job-1")
    answered = ProviderHandle("job-1", status_url="https://api.replicate.com/x")
    world.provider.answers = [Accepted(answered)]
    noted(ledger, f"/{row.id}.")
    results: list[Any] = []

    def others(n: int) -> Any:
        if n == 0:
            return world.submit.from_queue(row.id, None)
        if n % 10 == 0:
            return world.reconcile(lambda: True)
        return world.webhook(row, body)

    def meanwhile(*_: str) -> None:
        world.provider.during_submit = None
        results.extend(in_threads(FIFTY, others))

    world.provider.during_submit = meanwhile
    world.submit.from_queue(row.id, TOKEN)
    assert [r for r in results if isinstance(r, Exception)] == []
    assert world.row(row).handle == answered, "the webhook names the job, the answer its URLs"
    after = world.row(row)
    assert (after.status, after.task_token) == (Status.SUCCEEDED, TOKEN)
    one_effect(world, ledger, after)
