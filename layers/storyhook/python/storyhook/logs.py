"""One way to log: powertools' logger. Keys of the story on every line, secrets on none.

Metrics are part of a line, in CloudWatch's embedded metric format: a line costs what it costs
anyway, no call is made, and nothing is billed while nothing happens.
"""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

NAMESPACE = "Storyhook"
# Every metric that there is, by name, with its unit.
METRICS = {
    "PicturesMade": "Count",
    "SpentUsd": "None",
    "PredictionSeconds": "Seconds",
    "PredictionsFailed": "Count",
    "BoardsEnded": "Count",
    "BoardSeconds": "Seconds",
    "CallbacksDelivered": "Count",
    "CallbackTriesFailed": "Count",
    "CallbacksFailed": "Count",
    "AddressesDisabled": "Count",
    "OverdueRows": "Count",
    "WebhooksForged": "Count",
}
_SERVICE = "storyhook-"


@cache
def logger() -> Logger:
    """The function's logger; service and level come from the environment."""
    return Logger()


def handled(what: str, **keys: Any) -> None:
    """One line about one thing done, with its prediction_id or storyboard_id."""
    logger().info(
        what, extra={name: value for name, value in keys.items() if value is not None}, stacklevel=2
    )


def counted(metrics: Mapping[str, float], by: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The keys that make a line count, as CloudWatch reads them.

    By stage, and `by` further dimensions: of few values each, for each is billed.
    """
    by = by or {}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Stage", *by]],
        "Metrics": [{"Name": name, "Unit": METRICS[name]} for name in metrics],
    }
    stage = str(logger().service).removeprefix(_SERVICE)
    # The line's own clock, as the logger's.
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": about, "Stage": stage, **by, **metrics}
