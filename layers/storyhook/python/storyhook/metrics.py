"""What is counted when something has ended, in the one place where it has."""

from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import Storyboard
from storyhook.logs import counted, handled


def ended(thing: Prediction | Storyboard) -> None:
    """Told of each prediction and each board once, by whoever wrote its end."""
    if isinstance(thing, Prediction):
        _prediction(thing)
    else:
        _board(thing)


def late(rows: int) -> None:
    """How many rows were due long ago; nothing is counted, and billed, where there are none."""
    if rows:
        handled("rows are overdue", **counted({"OverdueRows": rows}))


def _prediction(row: Prediction) -> None:
    if row.status is Status.SUCCEEDED:
        metrics: dict[str, float] = {"PicturesMade": len(row.images)}
        if row.completed_at:
            metrics["PredictionSeconds"] = (row.completed_at - row.created_at).total_seconds()
        if row.cost_actual is not None:
            metrics["SpentUsd"] = float(row.cost_actual)
        counts = counted(metrics)
    else:
        kind = row.failure.kind if row.failure else row.status
        counts = counted({"PredictionsFailed": 1}, {"Kind": kind.value})
    handled("ended", prediction_id=row.id, storyboard_id=row.storyboard_id, **counts)


def _board(board: Storyboard) -> None:
    metrics: dict[str, float] = {"BoardsEnded": 1}
    if board.completed_at:
        metrics["BoardSeconds"] = (board.completed_at - board.created_at).total_seconds()
    counts = counted(metrics, {"Status": board.status.value})
    handled("ended", storyboard_id=board.id, **counts)
