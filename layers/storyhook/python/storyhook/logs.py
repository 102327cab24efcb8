"""One way to log: powertools' logger. Keys of the story on every line, secrets on none."""

import time
from decimal import Decimal
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """The function's logger; service and level come from the environment."""
    return Logger()


def handled(what: str, **keys: Any) -> None:
    """One line about one thing done, with its prediction_id or storyboard_id."""
    logger().info(
        what, extra={name: value for name, value in keys.items() if value is not None}, stacklevel=2
    )


def count_spent(amount: Decimal) -> None:
    """A metric of money spent, in CloudWatch's embedded format: SpentUsd, by service."""
    metric = {
        "Namespace": "Storyhook",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "SpentUsd", "Unit": "None"}],
    }
    embedded = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}
    logger().info("spent", extra={"_aws": embedded, "SpentUsd": float(amount)})
