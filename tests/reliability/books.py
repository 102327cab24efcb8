"""I7: what budgets say, held against the rows that they are for and the jobs that were paid."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from storyhook.domain.prediction import Prediction
from tests.reliability.ledger import Item, Job

NONE = Decimal(0)


def wrong(
    budgets: Iterable[Item], rows: Iterable[Prediction], jobs: Mapping[str, Sequence[Job]]
) -> Iterator[str]:
    """Each budget that is overspent or does not balance, in words.

    A picture costs what was estimated; the jobs are what the providers really have to be paid.
    """
    of_budget: dict[str, list[Prediction]] = defaultdict(list)
    for row in rows:
        for name in row.hold.budgets if row.hold else ():
            of_budget[name].append(row)
    stored = {item["pk"]["S"].partition("#")[2]: item for item in budgets}
    for name in sorted(of_budget.keys() - stored.keys()):
        yield f"{name}: money is held, and there is no such budget"
    for name, item in stored.items():
        limit, left, spent = (Decimal(item[field]["N"]) for field in ("limit", "left", "spent"))
        mine = of_budget[name]
        held = sum((row.hold.amount for row in mine if row.hold and not _over(row)), NONE)
        charged = sum((row.charge for row in mine if _over(row)), NONE)
        made = sum((_made(row, jobs[row.id]) for row in mine), NONE)
        if limit - left - spent != held:
            yield f"{name}: {limit - left - spent} is reserved, and rows hold {held}"
        if spent != charged:
            yield f"{name}: {spent} is spent, and rows cost {charged}"
        if made > limit:
            yield f"{name}: pictures for {made} were made, and {limit} was allowed"


def _made(row: Prediction, jobs: Sequence[Job]) -> Decimal:
    return (row.cost_estimated or NONE) * sum(job.succeeded_at is not None for job in jobs)


def _over(row: Prediction) -> bool:
    return row.status.terminal
