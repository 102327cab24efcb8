"""AWS that throttles, or cannot be reached, told as what it is: come again later."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

from storyhook.domain.errors import Busy

# Answered with status 400 all the same; any 429 or 5xx counts too.
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500


@contextmanager
def busy_when_throttled() -> Iterator[None]:
    """Raises Busy for what another try may mend; all else as it is.

    The clients have tried four times by then. A TimeoutError is the table's own: DynamoDB left
    items of a batch undone again and again.
    """
    try:
        yield
    except (ConnectionError, HTTPClientError, TimeoutError) as error:
        raise Busy from error
    except ClientError as error:
        if _will_pass(error.response):
            raise Busy from error
        raise


def _will_pass(answer: Mapping[str, Any]) -> bool:
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reasons = [reason.get("Code") for reason in answer.get("CancellationReasons", ())]
    codes = {answer.get("Error", {}).get("Code"), *reasons}
    return status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR or bool(codes & _THROTTLED)
