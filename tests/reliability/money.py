"""Stories of callers whose key may spend only so much: in the end the books balance."""

from decimal import Decimal

from storyhook.domain.access import ApiKey
from storyhook.domain.outcome import OutcomeUnknown
from storyhook.domain.requests import SheetRequest
from tests.fixtures import makers
from tests.reliability.jobs import BROKEN
from tests.reliability.outside import Run
from tests.reliability.wishes import KEY, wanted

LIMITED = ApiKey("key_limited", "acme")


def _limited(run: Run, pictures: int = 20) -> None:
    """Enough for every time that a caller asks again because the answer was lost."""
    limits = {"max_cost_per_month": Decimal("0.0450") * pictures, "predictions_per_minute": 20}
    run.world.keys.add(makers.issued(LIMITED, **limits))


def picture_within_budget(run: Run) -> None:
    _limited(run)
    run.ask(key=LIMITED)


def no_picture_within_budget(run: Run) -> None:
    _limited(run)
    run.provider.ends = [BROKEN]
    run.ask(key=LIMITED)


def pays_again_within_budget(run: Run) -> None:
    _limited(run)
    run.lost_webhooks = 1
    run.provider.answers = [OutcomeUnknown("reset")]
    run.ask(makers.FAL, max_paid_attempts=2, key=LIMITED)
    run.clock.advance(hours=1)


def board_within_budget(run: Run) -> None:
    """One of its scenes falls back to a model that costs more."""
    _limited(run)
    run.provider.ends = [BROKEN]
    board = wanted(
        2, "fal-flux2-pro", fallback_models=("rep-nano-banana-2",), max_cost=Decimal("0.5000")
    )
    run.board(board, key=LIMITED)


def sheet_within_budget(run: Run) -> None:
    """Asked for twice, since the first answer might have got lost."""
    _limited(run)
    run.asked_once = 2
    sheet = SheetRequest(angles=("profile", "back"), seed=7, max_cost=Decimal("0.5000"))
    for _ in range(2):
        run.sheet("elena", sheet, asked=KEY, key=LIMITED)


def board_may_not_fall_back(run: Run) -> None:
    """The model that it would fall back to costs more than is left of max_cost."""
    run.provider.ends = [BROKEN]
    run.board(
        wanted(1, "fal-flux2-pro", fallback_models=("rep-nano-banana-2",), max_cost=Decimal("0.05"))
    )
