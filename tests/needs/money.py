"""What functions do for callers whose key has limits: each a story of its own."""

from decimal import Decimal

from storyhook.aws.budgets import BudgetTable
from storyhook.domain.budget import Budget, Reservation, budget_of_key
from storyhook.domain.prediction import Prediction, Status
from tests.fixtures import events, makers, signing
from tests.fixtures.functions import Stage
from tests.fixtures.server import Reply

PART = Decimal("0.0450")


def what_is_asked_within_limits(stage: Stage) -> None:
    """Accepted until now; then refused by the provider, which settles it."""
    stage.seed_all()
    stage.seed_key(id=makers.KEY.id)
    board = {**events.STORYBOARD, "model": "rep-flux2-pro", "max_cost": "5.00"}
    for _ in range(2):  # The second time there is a budget to be read.
        _ask(stage, "POST /predictions", "create_prediction", events.PREDICTION)
        _ask(stage, "POST /storyboards", "api", board)
        _ask(stage, "POST /characters/elena/sheet", "api", {})
    stage.providers.answer = lambda _: Reply(422, signing.example("fal_422_validation"))
    before = _budget(stage)
    _ask(stage, "POST /predictions", "create_prediction", events.PREDICTION)
    assert _budget(stage) == before


def webhook_settles(stage: Stage) -> None:
    row = _reserved(stage, "replicate", Status.SUBMITTED)
    stage.run("webhook", events.read("webhook/replicate_succeeded"))
    _settled(stage, row, Status.SUCCEEDED)


def submit_settles(stage: Stage) -> None:
    row = _reserved(stage, "fal", Status.QUEUED)
    stage.clock.advance(hours=9)  # too late to be sent
    stage.run("submit", events.queue("submissions", {"prediction_id": row.id}))
    _settled(stage, row, Status.EXPIRED)


def cancel_settles(stage: Stage) -> None:
    row = _reserved(stage, "fal", Status.QUEUED)
    stage.run("cancel", events.cancel("prediction", row.id))
    _settled(stage, row, Status.CANCELED)


def reconcile_settles(stage: Stage) -> None:
    row = _reserved(stage, "fal", Status.QUEUED)
    stage.clock.advance(hours=9)
    stage.run("reconcile", events.read("reconcile/every_minute"))
    _settled(stage, row, Status.EXPIRED)


STORIES = (
    what_is_asked_within_limits,
    webhook_settles,
    submit_settles,
    cancel_settles,
    reconcile_settles,
)


def _ask(stage: Stage, route: str, function: str, body: object) -> None:
    assert stage.run(function, events.http(route, body))["statusCode"] == 202


def _reserved(stage: Stage, provider: str, status: Status) -> Prediction:
    limit = {budget_of_key(makers.KEY.id, stage.clock()): Decimal(25)}
    return stage.seed(provider, status, Reservation(PART, limit))


def _budget(stage: Stage) -> Budget:
    found = BudgetTable(stage.cloud.table).get(budget_of_key(makers.KEY.id, stage.clock()))
    assert found is not None
    return found


def _settled(stage: Stage, row: Prediction, status: Status) -> None:
    found = stage.predictions.get(row.id)
    assert found is not None
    assert found.status is status
    assert _budget(stage).reserved == 0
