"""What AWS charges, us-east-1 without the free tier, and what is assumed where nothing can be
counted without AWS."""

from dataclasses import dataclass

MILLION = 1_000_000
THOUSAND = 1_000
GIGA = 1_000_000_000

LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_SECOND = 0.000_013_333_4  # arm64
TRANSITION = 25.0 / MILLION
HTTP_REQUEST = 1.00 / MILLION
WRITE_UNIT = 0.625 / MILLION
READ_UNIT = 0.125 / MILLION
S3_PUT = 5.00 / MILLION
S3_GET = 0.40 / MILLION
SQS_REQUEST = 0.40 / MILLION
LOG_BYTE = 0.50 / GIGA

# Billed seconds of a warm invocation; submit and callback per message. The first two are measured
# on comparable functions, the others are set high on purpose.
SECONDS = {
    "SubmitFunction": 0.15,
    "WebhookFunction": 0.40,
    "CreatePredictionFunction": 0.40,
    "ApiFunction": 0.50,
    "AssembleFunction": 0.40,
    "CallbackFunction": 0.20,
    "AuthorizerFunction": 0.03,
}

# A webhook that brings no picture: Replicate also tells when a prediction starts.
SECONDS_NO_PICTURE = 0.05
# Where they are stored, in the row of a scene that a workflow waits for; at most 2,048.
TASK_TOKEN_BYTES = 800

MONTH_MINUTES = 43_800


@dataclass(frozen=True)
class Line:
    """One line of the bill, per image."""

    what: str
    count: float
    price: float

    @property
    def per_thousand(self) -> float:
        return self.count * self.price * THOUSAND


def standing() -> float:
    """Dollars a month for waiting: the reconciler's minutes, and Lambda's pollers at two queues."""
    minutes = MONTH_MINUTES
    reconcile = minutes * (LAMBDA_REQUEST + 0.2 * 0.5 * LAMBDA_GB_SECOND + 4 * 0.5 * READ_UNIT)
    pollers, polls_a_minute, queues = 5, 3, 2
    return reconcile + minutes * pollers * polls_a_minute * queues * SQS_REQUEST
