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


# Lambda's five pollers at each of three queues, three times a minute.
POLLS = MONTH_MINUTES * 5 * 3 * 3
_DUE_READS = MONTH_MINUTES * 4 * 0.5 * READ_UNIT


def standing() -> float:
    """Dollars a month for waiting: the reconciler's minutes, and Lambda's pollers at the queues."""
    reconcile = MONTH_MINUTES * (LAMBDA_REQUEST + 0.2 * 0.5 * LAMBDA_GB_SECOND) + _DUE_READS
    return reconcile + POLLS * SQS_REQUEST


def idle_beyond_free() -> float:
    """Dollars a month for waiting in an account without others: a million requests each of Lambda
    and SQS, ten alarms and three dashboards are free for ever."""
    alarms = max(0, ALARMS - FREE_ALARMS) * ALARM
    return _DUE_READS + max(0, POLLS - MILLION) * SQS_REQUEST + alarms


# --- a month, for docs/operations.md: python -m tests.bench.prices ---

# Per 1,000 images, the dearest kind of a board of 8 in docs/benchmarks.md, with its callback.
PER_THOUSAND_IMAGES = 0.0685
# With alarms and dashboard in an account whose free ones are taken: eleven alarms, a dashboard, and
# the stack's own metrics (docs/operations.md), each billed for the hours in which it is counted.
ALARM, DASHBOARD, METRIC, ALARMS, METRICS = 0.10, 3.00, 0.30, 11, 20
FREE_ALARMS = 10
STORED_GB, SENT_GB = 0.023, 0.09
# A picture of 1.5 MB, kept, and fetched once from the bucket by its customer.
IMAGE_GB = 0.0015


def month(images: int) -> dict[str, float]:
    """Dollars of a month by part, at list prices without any free tier."""
    return {
        "waiting: reconciler and pollers": standing(),
        "alarms and dashboard": ALARMS * ALARM + DASHBOARD,
        "metrics": METRICS * METRIC if images else 0.0,
        "images, all of AWS's requests": images / THOUSAND * PER_THOUSAND_IMAGES,
        "images, stored for the month": images * IMAGE_GB * STORED_GB,
        "images, fetched once": images * IMAGE_GB * SENT_GB,
    }


def month_table(*images: int) -> str:
    """Markdown, a column for each number of images."""
    months = [month(number) for number in images]
    rows = [[part, *(f"{each[part]:.2f}" for each in months)] for part in months[0]]
    rows.append(["all", *(f"{sum(each.values()):.2f}" for each in months)])
    head = ["a month, USD", *(f"{number:,} images" for number in images)]
    lines = [head, ["---", *("--:" for _ in images)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(month_table(0, 1_000, 1_000_000))
