"""What is outside our functions: queues, workflow, provider, customer, and time, which is virtual.

A `Run` plays them against the real use cases. Each call of ours is an invocation of its own: when
it dies or fails only it is over, and whoever called it does what such a caller does: SQS and the
provider come again, the workflow tries again, a person asks again.
"""

import heapq
import itertools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from storyhook.aws import clients
from storyhook.aws.codec import TIME
from storyhook.domain.access import ApiKey
from storyhook.domain.callback import Attempt
from storyhook.domain.errors import BadSignature, RequestInProgress, WorkflowUnavailable
from storyhook.domain.idempotency import Asked
from storyhook.domain.outcome import Pending
from storyhook.domain.prediction import Prediction
from storyhook.domain.requests import PredictionRequest, SheetRequest, StoryboardRequest
from storyhook.domain.story import Look
from storyhook.domain.storyboard import Storyboard
from tests.fixtures import clock, makers, signing
from tests.fixtures.clock import Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.interruptions import Death
from tests.fixtures.pictures import picture
from tests.fixtures.world import CALLBACK_URL, Customer, Pictures, World
from tests.reliability.boundaries import Tracer
from tests.reliability.jobs import Job, Jobs
from tests.reliability.ledger import Item, Ledger
from tests.reliability.verdict import endings, verdict


class Receiver(Customer):
    """The customer's server, which keeps a ledger."""

    ledger: Ledger

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        attempt = super().post(url, body, headers)
        self.ledger.callback(body, headers, attempt.status_code)
        return attempt


REFERENCE_URL = "https://app.example.com/elena.png"
PARTS = {"provider": Jobs, "picture": Pictures, "customer": Receiver}
# Replicate's; fal comes again for longer.
WEBHOOK_RETRIES = (5, 20, 60)
ASSEMBLE_RETRIES = (2, 4, 8, 16, 32)
CHOOSE_RETRIES = (2, 4, 8, 16)
VISIBILITY = {"submissions": 180, "callbacks": 90}
MAX_RECEIVES = {"submissions": 20, "callbacks": 5}
_MOST_STEPS = 600


@dataclass
class Execution:
    """A board's workflow: the task tokens that wait, and those that were told."""

    board_id: str
    waiting: set[str]
    choosing: tuple[int, ...] = ()
    """Positions of the scenes that have several candidates."""
    told: list[str] = field(default_factory=list)
    assembled: bool = False


@dataclass
class Run:
    """One story, from its requests until nothing is due. A story sets the switches first."""

    cloud: Cloud
    tracer: Tracer
    webhooks: bool = True
    """Whether providers can reach us at all."""
    lost_webhooks: int = 0
    lost_messages: Counter[str] = field(default_factory=Counter)
    """How many of a queue's next messages never come."""
    twice: bool = False
    """Each webhook and each message comes twice."""
    sweep_minutes: int = 1
    """How often the reconciler runs."""
    asked_once: int | None = None
    """How many predictions its one request makes, however often its Idempotency-Key comes."""
    assembles: bool = True
    """Whether the workflow comes to its end; else only the reconciler ends a board."""

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.provider = Jobs(clock=self.clock, on_created=self._job_begins)
        pictures = Pictures({REFERENCE_URL: picture()})
        self.world = World(
            self.cloud,
            self.clock,
            provider=self.provider,
            pictures=pictures,
            webhooks=self.webhooks,
        )
        self.tracer.effect = self._effect
        self.ledger = Ledger(self.cloud, self.clock, on_write=self._written)
        self.world.customer = Receiver(self.clock)
        self.world.customer.ledger = self.ledger
        self.executions: dict[str, Execution] = {}
        self.errors: list[BaseException] = []
        self.wrong: list[str] = []
        self.ends: Counter[str] = Counter()
        """How the predictions ended."""
        self.accepted: list[Prediction | Storyboard] = []
        self._due: dict[tuple[str, str], datetime] = {}
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._next_sweep = self.clock()

    # --- those who ask ---

    def ask(
        self,
        model: str = makers.FAL,
        callback_url: str | None = CALLBACK_URL,
        max_paid_attempts: int = 1,
        key: ApiKey = makers.KEY,
        asked: Asked | None = None,
    ) -> None:
        """Somebody asks for a picture, and again if the answer was an error or none.

        With an Idempotency-Key (`asked`) until there is an answer.
        """
        wanted = PredictionRequest(
            model,
            makers.scene(id="the scene", position=0),
            Look(),
            seed=7,
            callback_url=callback_url,
            max_paid_attempts=max_paid_attempts,
        )

        def create() -> Prediction:
            made = self.world.once(
                key,
                asked,
                self.world.request.made,
                lambda origin: self.world.request.accept(key, wanted, origin),
            )
            row = made.thing
            try:
                return row if made.replayed else self.world.request.send(row)
            except Exception as error:  # noqa: BLE001 - as the function: the row is accepted by now
                self.errors.append(error)
                return row

        self._until_answered("create_prediction", create)

    def board(
        self,
        wanted: StoryboardRequest,
        asked: Asked | None = None,
        key: ApiKey = makers.KEY,
    ) -> None:
        """Somebody asks for a board."""

        def create() -> Storyboard:
            create_board = self.world.create_board
            return self.world.once(
                key,
                asked,
                create_board.made,
                lambda origin: create_board(key, wanted, origin)[0],
            ).thing

        self._until_answered("api", create)

    def sheet(
        self,
        character_id: str,
        wanted: SheetRequest,
        asked: Asked | None = None,
        key: ApiKey = makers.KEY,
    ) -> None:
        """Somebody asks for angles of a character."""

        def create() -> Prediction:
            sheet = self.world.sheet
            made = self.world.once(
                key,
                asked,
                lambda origin: sheet.made(key.tenant, character_id, origin),
                lambda origin: sheet.accept(key, character_id, wanted, origin),
            )
            rows = made.thing.rows
            try:
                if not made.replayed:
                    sheet.send(rows)
            except Exception as error:  # noqa: BLE001 - as the function: they are accepted by now
                self.errors.append(error)
            return rows[0]

        self._until_answered("api", create)

    def edit(self, work: Callable[[], Any]) -> Any:
        """Somebody changes the library; what they were answered in the end."""
        return self._insist("api", work)

    def cancel(self) -> None:
        """Whoever asked last does not want it any more."""
        if not self.accepted:
            return  # It was never answered: nobody knows its id.
        last, cancel = self.accepted[-1], self.world.cancel
        if isinstance(last, Prediction):
            self._until_answered("cancel", lambda: cancel.prediction(last.tenant, last.id))
        else:
            self._until_answered(
                "cancel", lambda: cancel.storyboard(last.tenant, last.id, lambda: True)[0]
            )

    def cancel_what_is_being_sent(self) -> None:
        """From elsewhere, by somebody who has seen its id in the list."""
        items = self.ledger.items.items()
        # The last: of a request that was cut short, an earlier one may still look so.
        *_, row_id = (pk.partition("#")[2] for (pk, _), item in items if _is_being_sent(item))
        self._until_answered("cancel", lambda: self.world.cancel.prediction("acme", row_id))

    def send_again(self) -> None:
        """Somebody looks into the log, and has the last callback sent once more."""
        self._insist("api", self._replay_last)

    def _replay_last(self) -> None:
        page = self.world.callback_log.list("acme", 1, None, None, None)
        for row, _ in page.items:
            self.world.replay("acme", row.id)

    def _until_answered(self, function: str, work: Callable[[], Any]) -> None:
        answer = self._insist(function, work)
        if not isinstance(answer, BaseException):
            self.accepted.append(answer)

    def _insist(self, function: str, work: Callable[[], Any]) -> Any:
        """As people do, who ask three times at most: the answer, or the last error."""
        left = 3
        while left:
            answer = self.invoke(function, work)
            if isinstance(answer, RequestInProgress):
                # As the answer says: later. That is no failure.
                self.clock.advance(seconds=answer.retry_after_seconds)
                continue
            if not isinstance(answer, BaseException):
                break
            left -= 1
        return answer

    def invoke(self, function: str, work: Callable[[], Any]) -> Any:
        """What it returned; or the error it raised, or the Death it died."""
        try:
            with self.tracer.invocation(function):
                return work()
        except (Exception, Death) as ended:  # noqa: BLE001 - its caller decides what follows
            self.errors.append(ended)
            return ended

    # --- time ---

    def at(self, when: datetime, action: Callable[[], None]) -> None:
        heapq.heappush(self._later, (when, next(self._order), action))

    def until_quiet(self) -> None:
        """All that comes by itself comes, and the reconciler runs, until nothing is due."""
        for _ in range(_MOST_STEPS):
            if not self.step():
                return
        raise AssertionError("it never comes to an end")

    def step(self) -> bool:
        """The next thing that happens; False when nothing will any more."""
        sweep = self._sweep_at()
        if self._later and (sweep is None or self._later[0][0] <= sweep):
            when, _, action = heapq.heappop(self._later)
            self.clock.now = max(self.clock.now, when)
            action()
        elif sweep:
            self.clock.now = max(self.clock.now, sweep)
            self.sweep()
        else:
            return False
        return True

    def sweep(self) -> None:
        self._next_sweep = self.clock() + timedelta(minutes=self.sweep_minutes)
        self.invoke("reconcile", lambda: self.world.reconcile(lambda: True))

    def everything_comes_again(self) -> None:
        """Every webhook there can be by now, every message, and the reconciler."""
        for job in self.provider.jobs:
            if job.webhook_url and job.ready_at <= self.clock():
                self.deliver_webhook(job, ())
        for pk, sk in list(self.ledger.items):
            if sk == "PRED":
                self._submit({"prediction_id": pk.partition("#")[2]}, MAX_RECEIVES["submissions"])
        self.sweep()

    def _sweep_at(self) -> datetime | None:
        """When the reconciler next finds something; runs that find nothing are left out."""
        if not self._due:
            return None
        due = min(self._due.values())
        every = timedelta(minutes=self.sweep_minutes)
        return max(self._next_sweep, due + (clock.NOW - due) % every)

    # --- the provider's webhooks ---

    def _job_begins(self, job: Job) -> None:
        listed = job.webhook_url is not None and job.path[0] == "replicate"
        # Without a URL the ledger cannot tell whose it is; the row that was asked for last is.
        sent = [pk for (pk, _), item in self.ledger.items.items() if _is_being_sent(item)]
        url = job.webhook_url or f"/{sent[-1].partition('#')[2]}."
        self.ledger.job_created(job.id, url, findable=listed)
        if not isinstance(job.ends, Pending):
            self.job_ends(job)

    def job_ends(self, job: Job) -> None:
        """It will be as `job.ends` says when it is ready, and its webhook comes then."""
        if job.makes_picture:
            made = picture(64 + len(self.provider.jobs), 48)
            self.world.pictures.files.setdefault(job.url, made)
            self.ledger.job_succeeded(job.id, job.ready_at)
            self.ledger.picture(job.url, job.id, made)
        if job.webhook_url and not self._lost():
            for _ in range(1 + self.twice):
                self.at(job.ready_at, lambda: self.deliver_webhook(job))

    def _lost(self) -> bool:
        self.lost_webhooks -= 1
        return self.lost_webhooks >= 0

    def deliver_webhook(self, job: Job, retries: tuple[int, ...] = WEBHOOK_RETRIES) -> None:
        """As the provider does; again after a while unless the answer is 200."""
        provider, tail = job.path
        data = json.dumps(job.body).encode()
        headers = signing.SIGNERS[provider](data, at=self.clock())
        answer = self.invoke("webhook", lambda: self.world.receive(provider, tail, headers, data))
        if not isinstance(answer, BaseException):
            self.ledger.job_had(job.id)
        elif retries:
            again = self.clock() + timedelta(seconds=retries[0])
            self.at(again, lambda: self.deliver_webhook(job, retries[1:]))

    # --- queues ---

    def _sent(self, queue: str, body: dict[str, Any], delay: float) -> None:
        if self.lost_messages[queue]:
            self.lost_messages[queue] -= 1
            return
        handle = {"submissions": self._submit, "callbacks": self._callback}[queue]
        for _ in range(1 + self.twice):
            self.at(self.clock() + timedelta(seconds=delay), lambda: handle(body, 1))

    def _submit(self, body: dict[str, Any], receive: int) -> None:
        hidden = float(VISIBILITY["submissions"])

        def deferred(seconds: float) -> None:
            nonlocal hidden
            hidden = seconds

        def handle() -> bool:
            """Whether the message is done with."""
            wait = self.world.submit.from_queue(body["prediction_id"], body.get("task_token"))
            if wait is not None:
                self.tracer.cross("sqs.ChangeMessageVisibility", {}, lambda: deferred(wait))
            return wait is None

        if self.invoke("submit", handle) is not True and receive < MAX_RECEIVES["submissions"]:
            again = self.clock() + timedelta(seconds=hidden)
            self.at(again, lambda: self._submit(body, receive + 1))

    def _callback(self, body: dict[str, Any], receive: int) -> None:
        answer = self.invoke(
            "callback", lambda: self.world.deliver(body["callback_id"], body["turn"])
        )
        if isinstance(answer, BaseException) and receive < MAX_RECEIVES["callbacks"]:
            again = self.clock() + timedelta(seconds=VISIBILITY["callbacks"])
            self.at(again, lambda: self._callback(body, receive + 1))

    # --- the workflow ---

    def _started(self, board_id: str, given: dict[str, Any]) -> None:
        if board_id in self.executions:
            return
        scenes = given.get("scenes", [])
        ids = given.get("predictions", [each for scene in scenes for each in scene["predictions"]])
        tokens = {f"token of {each}": each for each in ids}
        choosing = tuple(scene["position"] for scene in scenes if scene["chooses"])
        self.executions[board_id] = Execution(board_id, set(tokens), choosing)
        for token, prediction_id in tokens.items():
            self._sent("submissions", {"prediction_id": prediction_id, "task_token": token}, 0)

    def _told(self, token: str, call: str) -> None:
        [execution] = [e for e in self.executions.values() if token in (*e.waiting, *e.told)]
        if token in execution.told:
            errors = clients.client("stepfunctions").exceptions
            raise errors.TaskTimedOut({"Error": {"Code": "TaskTimedOut"}}, call)
        execution.waiting.remove(token)
        execution.told.append(token)
        if not execution.waiting and self.assembles:
            self.at(self.clock(), lambda: self._choose(execution, CHOOSE_RETRIES))

    def _choose(self, execution: Execution, retries: tuple[int, ...]) -> None:
        """Scene after scene; one that cannot be chosen for is left, and the board goes on."""
        if not execution.choosing:
            self._assemble(execution, ASSEMBLE_RETRIES)
            return
        position, *others = execution.choosing
        answer = self.invoke("choose", lambda: self.world.choose(execution.board_id, position))
        if isinstance(answer, BaseException) and retries:
            again = self.clock() + timedelta(seconds=retries[0])
            self.at(again, lambda: self._choose(execution, retries[1:]))
            return
        execution.choosing = tuple(others)
        self._choose(execution, CHOOSE_RETRIES)

    def _assemble(self, execution: Execution, retries: tuple[int, ...]) -> None:
        answer = self.invoke("assemble", lambda: self.world.assemble(execution.board_id))
        if not isinstance(answer, BaseException):
            execution.assembled = True
        elif retries:
            again = self.clock() + timedelta(seconds=retries[0])
            self.at(again, lambda: self._assemble(execution, retries[1:]))

    # --- what our calls of AWS bring about ---

    def _effect(self, call: str, parameters: Mapping[str, Any], answer: Any) -> None:
        match call:
            case "sqs.SendMessage":
                name = parameters["QueueUrl"].rpartition("/")[2]
                body = json.loads(parameters["MessageBody"])
                self._sent(name, body, parameters.get("DelaySeconds", 0))
            case "stepfunctions.StartExecution":
                given = json.loads(parameters["input"])
                self._started(given["storyboard_id"], given)
            case "stepfunctions.SendTaskSuccess" | "stepfunctions.SendTaskFailure":
                self._told(parameters["taskToken"], call.split(".")[1])

    def _written(self, key: tuple[str, str], item: Item | None) -> None:
        if item and "due_at" in item:
            self._due[key] = TIME.decode(item["due_at"])
        else:
            self._due.pop(key, None)

    # --- the end ---

    def judge(self) -> None:
        """Note in `wrong` all that does not hold at the end."""
        broken = verdict(self.ledger).wrong
        found = [f"{name}: {text}" for name, texts in broken.items() for text in texts]
        found += [f"{pk} is due at {when}" for (pk, _), when in self._due.items()]
        for execution in self.executions.values():
            found += [f"nobody resumes {token}" for token in execution.waiting]
        found += [f"unexpected: {error!r}" for error in self.errors if not self._expected(error)]
        made = [pk for pk, sk in self.ledger.items if sk == "PRED"]
        if self.asked_once is not None and len(made) != self.asked_once:
            found.append(f"one request made {made}")
        self.ends = endings(self.ledger)
        self.wrong = found

    def _expected(self, error: BaseException) -> bool:
        """Whether AWS failed, or the function died."""
        if isinstance(error, BaseExceptionGroup):
            return all(map(self._expected, error.exceptions))
        if self.provider.nameless and isinstance(error, BadSignature):
            return True  # Once a job is known, webhooks have to name it.
        return isinstance(
            error,
            Death | ClientError | ReadTimeoutError | WorkflowUnavailable | RequestInProgress,
        )


def _is_being_sent(item: Item) -> bool:
    return (item["sk"]["S"], item.get("status")) == ("PRED", {"S": "submitting"})
