"""What one image asks of AWS and of its provider, counted on the local cloud, and its price."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from local.cloud import LocalCloud
from tests.bench import prices
from tests.bench.meter import Call, Meter, functions, metered
from tests.bench.prices import Line
from tests.bench.report import Section, verdict
from tests.e2e.support import Caller, Customer, Simulator

type Progress = Callable[[str], None]

STORY, LONG, SINGLES, QUICK_SINGLES = 8, 40, 20, 4
BUDGET = 0.07  # dollars per 1,000 images of a board
LATENCY_SECONDS = 2.0
FAL_MODEL, REPLICATE_MODEL = "flux-2-pro", "rep-flux2-pro"

_HTTP = ("ApiFunction", "CreatePredictionFunction", "WebhookFunction")
_FROM_QUEUES = ("SubmitFunction", "CallbackFunction")
# What the simulated providers call the requests that ask how a job is doing, and those that pay.
_POLLS = ("GET status", "GET result", "GET /v1/predictions", "GET /v1/predictions/{id}")
_SUBMITS = ("POST submit", "POST /v1/predictions")
_QUIET_SECONDS = 30.0
_LOG_EVENT_BYTES = 26  # what CloudWatch adds to each
_LOG_GROUP = "/storyhook/local"
_SAYINGS = {
    "accepted": "CreatePredictionFunction",
    "submitted": "SubmitFunction",
    "settled": "WebhookFunction",
    "assembled": "AssembleFunction",
    "callback attempted": "CallbackFunction",
    "reconciled": "ReconcileFunction",
}


_WRITES_NOTE = (
    "Write units: each update is billed by the size of the whole row, and each move in an index by "
    f"two more; a refused conditional write counts as one. {prices.TASK_TOKEN_BYTES} bytes are "
    "assumed for a task token on AWS, where the emulator's are short."
)
_QUEUES_NOTE = (
    "SQS: sends, and per batch that Lambda takes one receive and one delete. The emulator and AWS "
    "form batches differently."
)
_MEMORY = (
    f"A webhook without a picture: {prices.SECONDS_NO_PICTURE:g}. Memory as in the template; cold "
    "starts, about one in a hundred, are left out."
)
_NOT_IN_IT = (
    "The customer's own reads, storage, and the pictures' way to the customer ($0.09/GB) are not "
    "in it."
)
_WAITING = (
    "the reconciler's minutes, and Lambda's five pollers at each of two queues (which SQS's free "
    "tier covers)."
)


@dataclass
class Counted:
    """Of one kind of request, for `images` pictures."""

    images: int
    calls: list[Call] = field(default_factory=list)
    board: bool = False
    invocations: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    memory: dict[str, float] = field(default_factory=dict)
    transitions: int = 0
    queued_by_workflow: int = 0
    submits: int = 0
    polls: int = 0
    log_bytes: int = 0

    def per_image(self, count: float) -> float:
        return count / self.images

    def operations(self) -> Counter[str]:
        return Counter(f"{call.service} {call.operation}" for call in self.calls)

    def of(self, operation: str) -> int:
        return self.operations()[operation]

    @property
    def http_requests(self) -> int:
        return sum(self.invocations[name] for name in _HTTP)

    @property
    def gb_seconds(self) -> float:
        total = 0.0
        for name, invoked in self.invocations.items():
            times = self.messages.get(name, invoked)
            total += times * prices.SECONDS[name] * self.memory[name]
        others = self.invocations["WebhookFunction"] - self.messages["WebhookFunction"]
        return total + others * prices.SECONDS_NO_PICTURE * self.memory["WebhookFunction"]

    @property
    def sqs_requests(self) -> int:
        """Sends, and for each batch that Lambda takes one receive and one delete."""
        sent = self.of("SQS SendMessage") + self.queued_by_workflow
        batches = sum(self.invocations[name] for name in _FROM_QUEUES)
        return sent + 2 * batches + self.of("SQS ChangeMessageVisibility")

    @property
    def write_units(self) -> float:
        return sum(call.write_units for call in self.calls)

    @property
    def read_units(self) -> float:
        return sum(call.read_units for call in self.calls)

    def bill(self) -> list[Line]:
        invoked = sum(self.invocations.values())
        lines = {
            "Step Functions transitions": (self.transitions, prices.TRANSITION),
            "DynamoDB write units": (self.write_units, prices.WRITE_UNIT),
            "DynamoDB read units": (self.read_units, prices.READ_UNIT),
            "S3 PUT": (self.of("S3 PutObject"), prices.S3_PUT),
            "S3 GET": (self.of("S3 GetObject"), prices.S3_GET),
            "SQS requests": (self.sqs_requests, prices.SQS_REQUEST),
            "HTTP API requests": (self.http_requests, prices.HTTP_REQUEST),
            "Lambda invocations": (invoked, prices.LAMBDA_REQUEST),
            "Lambda GB-seconds": (self.gb_seconds, prices.LAMBDA_GB_SECOND),
            "CloudWatch Logs": (self.log_bytes, prices.LOG_BYTE),
        }
        return [Line(what, self.per_image(n), price) for what, (n, price) in lines.items()]

    def dollars(self) -> float:
        """Per 1,000 images."""
        return sum(line.per_thousand for line in self.bill())


def measure(
    cloud: LocalCloud, caller: Caller, customer: Customer, progress: Progress, *, quick: bool
) -> list[Section]:
    fal, replicate = Simulator(cloud.fal_url), Simulator(cloud.replicate_url)
    for simulator in (fal, replicate):
        simulator.configure(latency_seconds=LATENCY_SECONDS)
    with metered(cloud) as meter:
        progress("counts: a character, and one picture of each kind first")
        _create_character(caller, customer)
        bench = _Bench(cloud, caller, customer, meter)
        kinds: dict[str, tuple[Callable[[int], _Run], int]] = {
            f"board of {STORY}, fal": (lambda n: bench.board(FAL_MODEL, n), STORY),
            f"board of {STORY}, Replicate": (lambda n: bench.board(REPLICATE_MODEL, n), STORY),
            f"board of {LONG}, fal": (lambda n: bench.board(FAL_MODEL, n), LONG),
            "single, fal": (bench.singles, QUICK_SINGLES if quick else SINGLES),
        }
        if quick:
            del kinds[f"board of {LONG}, fal"]
        for run, _ in kinds.values():
            run(2)
        counted = {}
        for name, (run, images) in kinds.items():
            progress(f"counts: {name}")
            counted[name] = bench.counted(run, images, fal, replicate)
    return [_table(counted), _bill(counted)]


@dataclass(frozen=True)
class _Logs:
    invocations: int
    size: int


@dataclass(frozen=True)
class _Run:
    storyboard_id: str | None


@dataclass(frozen=True)
class _Bench:
    cloud: LocalCloud
    caller: Caller
    customer: Customer
    meter: Meter

    def board(self, model: str, scenes: int) -> _Run:
        path = f"/hooks/{time.monotonic_ns()}"
        answer = self.caller.post(
            "/storyboards",
            {
                "title": "Counted",
                "model": model,
                "callback_url": self.customer.url(path),
                "scenes": [
                    {"description": f"Elena crosses field {n}", "characters": ["elena"]}
                    for n in range(scenes)
                ],
            },
        )
        answer.raise_for_status()
        [callback] = self.customer.wait_for(path, seconds=90)
        if callback.event["data"]["status"] != "succeeded":
            raise RuntimeError(f"a board ended as {callback.event['data']['status']}")
        return _Run(answer.json()["id"])

    def singles(self, number: int) -> _Run:
        path = f"/hooks/{time.monotonic_ns()}"
        for n in range(number):
            self.caller.post(
                "/predictions",
                {
                    "model": "flux-2-pro",
                    "prompt": f"Elena crosses field {n}",
                    "characters": ["elena"],
                    "callback_url": self.customer.url(path),
                },
            ).raise_for_status()
        self.customer.wait_for(path, count=number, seconds=90)
        return _Run(None)

    def counted(self, run: Callable[[int], _Run], images: int, *simulators: Simulator) -> Counted:
        self._wait_until_quiet()
        logs_before = self._logs()
        requests_before = [_requests(each) for each in simulators]
        self.meter.calls.clear()
        done = run(images)
        self._wait_until_quiet()
        found = Counted(images, calls=self.meter.of_requests())
        for name, logs in self._logs().items():
            found.invocations[name] = logs.invocations - logs_before[name].invocations
            found.log_bytes += logs.size - logs_before[name].size
        found.memory = {
            name: function["MemorySize"] / 1024 for name, function in functions(self.cloud).items()
        }
        requests = sum(
            (_requests(each) - old for each, old in zip(simulators, requests_before, strict=True)),
            Counter[str](),
        )
        found.polls = sum(requests[route] for route in _POLLS)
        found.submits = sum(requests[route] for route in _SUBMITS)
        found.board = done.storyboard_id is not None
        if done.storyboard_id:
            self._read_history(found, done.storyboard_id)
        found.messages = self._messages(found)
        return found

    def _messages(self, found: Counted) -> Counter[str]:
        """What takes the time: messages, whatever the batches, and webhooks with a picture."""
        return Counter(
            SubmitFunction=found.queued_by_workflow,
            CallbackFunction=found.invocations["CallbackFunction"],
            WebhookFunction=found.of("S3 PutObject"),
        )

    def _logs(self) -> dict[str, _Logs]:
        """Of each function that requests cause; they share one group, with a stream for each
        invocation, and what a function says tells which it is."""
        pages = self.cloud.client("logs").get_paginator("filter_log_events")
        streams: dict[str, list[str]] = {}
        for page in pages.paginate(logGroupName=_LOG_GROUP):
            for event in page["events"]:
                streams.setdefault(event["logStreamName"], []).append(event["message"])
        logs = {name: _Logs(0, 0) for name in functions(self.cloud)}
        for lines in streams.values():
            name = _speaker(lines)
            old = logs[name]
            logs[name] = _Logs(
                old.invocations + sum(line.startswith("START ") for line in lines),
                old.size + sum(len(line.encode()) + _LOG_EVENT_BYTES for line in lines),
            )
        del logs["ReconcileFunction"]
        return logs

    def _read_history(self, found: Counted, storyboard_id: str) -> None:
        """The emulator shows every task, but of the states inside the Map no StateEntered."""
        client = self.cloud.client("stepfunctions")
        machine = self.cloud.outputs["StateMachineArn"]
        arn = machine.replace(":stateMachine:", ":execution:") + f":{storyboard_id}"
        pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        kinds = Counter(event["type"] for event in events)
        tasks = max(kinds["TaskScheduled"], kinds["TaskStateEntered"])
        others = sum(n for kind, n in kinds.items() if kind.endswith("StateEntered"))
        found.transitions = tasks + others - kinds["TaskStateEntered"]
        found.queued_by_workflow = sum(
            "sqs:sendMessage" in event["taskScheduledEventDetails"]["resource"]
            for event in events
            if event["type"] == "TaskScheduled"
        )

    def _wait_until_quiet(self) -> None:
        """What comes after the callback has been counted too."""
        deadline = time.monotonic() + _QUIET_SECONDS
        last = -1
        while last != len(self.meter.calls) and time.monotonic() < deadline:
            last = len(self.meter.calls)
            time.sleep(1.5)


def _create_character(caller: Caller, customer: Customer) -> None:
    caller.post(
        "/characters",
        {
            "id": "elena",
            "name": "Elena",
            "description": "young woman with long red hair, green eyes",
            "outfit": "brown leather jacket",
            "reference_image_url": customer.url("/elena.png"),
        },
    ).raise_for_status()


def _requests(simulator: Simulator) -> Counter[str]:
    answer = httpx.get(f"{simulator.url}/_control/summary").raise_for_status()
    return Counter(answer.json()["requests"])


def _table(counted: dict[str, Counted]) -> Section:
    operations = sorted({name for one in counted.values() for name in one.operations()})
    rows = [
        _row("provider: submits", counted, lambda one: one.submits),
        _row("provider: polls", counted, lambda one: one.polls),
        _row("provider: webhooks taken", counted, lambda one: one.invocations["WebhookFunction"]),
    ]
    names = sorted({n for one in counted.values() for n, times in one.invocations.items() if times})
    rows += [_row(f"Lambda: {_short(name)}", counted, _invoked(name)) for name in names]
    rows += [_row(operation, counted, _called(operation)) for operation in operations]
    rows += [
        _row("AWS calls of our code, all", counted, lambda one: len(one.calls)),
        _row("Step Functions transitions", counted, lambda one: one.transitions),
        _row("SQS requests", counted, lambda one: one.sqs_requests),
        _row("DynamoDB write units", counted, lambda one: one.write_units),
        _row("DynamoDB read units", counted, lambda one: one.read_units),
    ]
    return Section(
        "Per image: counts",
        "Counted while boards, or predictions of their own, were made: one character with one "
        "reference in each picture, and a callback at the end of each board or prediction.",
        ("per image", *counted),
        rows,
        [
            "S3 GetObject is the provider reading references through presigned URLs.",
            "Transitions are states entered: the Map, a task for each scene, the task at the end.",
            _WRITES_NOTE,
            _QUEUES_NOTE,
        ],
    )


def _price(line: Line) -> str:
    if line.price == prices.LOG_BYTE:
        return f"${line.price * prices.GIGA:g}/GB"
    return f"${line.price * prices.MILLION:g}/M"


def _short(function: str) -> str:
    return function.removesuffix("Function")


def _invoked(name: str) -> Callable[[Counted], float]:
    return lambda one: one.invocations[name]


def _called(operation: str) -> Callable[[Counted], float]:
    return lambda one: one.of(operation)


def _row(
    name: str, counted: dict[str, Counted], count: Callable[[Counted], float]
) -> tuple[str, ...]:
    return (name, *(f"{one.per_image(count(one)):.2f}" for one in counted.values()))


def _bill(counted: dict[str, Counted]) -> Section:
    bills = {name: one.bill() for name, one in counted.items()}
    rows: list[tuple[str, ...]] = []
    for lines in zip(*bills.values(), strict=True):
        cells = (f"{line.per_thousand:.4f}" for line in lines)
        rows.append((f"{lines[0].what} ({_price(lines[0])})", *cells))
    rows.append(("all", *(f"{one.dollars():.4f}" for one in counted.values())))
    verdicts = {
        name: verdict(one.dollars(), BUDGET if one.board else None) for name, one in counted.items()
    }
    rows.append(("budget", *(budget for budget, _ in verdicts.values())))
    rows.append(("", *(word for _, word in verdicts.values())))
    seconds = ", ".join(f"{_short(name)} {each:g}" for name, each in prices.SECONDS.items())
    return Section(
        "Per 1,000 images: dollars to AWS",
        "The counts above at list prices (us-east-1, arm64, no free tier, November 2026).",
        ("line of the bill", *counted),
        rows,
        [
            f"Assumed billed seconds, warm (Submit, Callback: of a message): {seconds}. {_MEMORY}",
            _NOT_IN_IT,
            f"Beside it ${prices.standing():.2f} a month for waiting: {_WAITING}",
        ],
    )


def _speaker(lines: list[str]) -> str:
    """The function whose invocation wrote these lines. The authorizer says nothing."""
    said = [json.loads(line)["message"] for line in lines if line.startswith("{")]
    if not said:
        return "AuthorizerFunction"
    # What has ended is counted by whichever function ended it.
    return next((_SAYINGS[each] for each in said if each in _SAYINGS), "ApiFunction")
