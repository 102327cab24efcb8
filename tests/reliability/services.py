"""SQS and Step Functions in virtual time, under the real adapters.

moto's SQS knows only the machine's clock, and its Step Functions runs no tasks; so these two
services are played here, at their clients: at least once, in no order, with a visibility time-out,
a delay and a dead-letter queue; and with task tokens that close.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tests.fixtures.template import resource
from tests.reliability.faults import Faults
from tests.reliability.ledger import Ledger
from tests.reliability.timeline import Timeline

Handler = Callable[[dict[str, Any], str], bool]
"""(message, receipt handle) -> whether the message is done with."""


@dataclass
class _Message:
    body: dict[str, Any]
    receives: int = 0
    coming: int = 0
    """Which of its planned receives counts; others were overtaken by a new time-out."""


@dataclass
class Queue:
    """One queue with its consumer, a Lambda function."""

    timeline: Timeline
    faults: Faults
    name: str
    handler: Handler = lambda _body, _receipt: True
    messages: dict[str, _Message] = field(default_factory=dict)
    dead: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        properties = resource(self.name)
        self._visibility: int = properties["VisibilityTimeout"]
        self._most: int = properties["RedrivePolicy"]["maxReceiveCount"]

    def send(self, body: dict[str, Any], delay: float = 0) -> None:
        copies = 2 if self.faults.happens("message_doubled") else 1
        for _ in range(copies):
            self.sent += 1
            receipt = f"{self.name}-{self.sent}"
            self.messages[receipt] = _Message(body)
            late = 20.0 if self.faults.happens("message_late") else 1.0
            self._plan(receipt, delay + self.timeline.random.uniform(0.02, late))

    def hide(self, receipt: str, seconds: float) -> None:
        if receipt in self.messages:
            self._plan(receipt, seconds)

    def _plan(self, receipt: str, seconds: float) -> None:
        message = self.messages[receipt]
        message.coming += 1
        turn = message.coming
        self.timeline.after(seconds, lambda: self._receive(receipt, turn))

    def _receive(self, receipt: str, turn: int) -> None:
        message = self.messages.get(receipt)
        if message is None or message.coming != turn:
            return
        message.receives += 1
        if message.receives > self._most:
            self.dead.append(self.messages.pop(receipt).body)
            return
        self._plan(receipt, self._visibility)
        lived, done = self.timeline.function(lambda: self.handler(message.body, receipt))
        if lived and done:
            self.messages.pop(receipt, None)


@dataclass
class Sqs:
    """What the adapters use of the SQS client."""

    queues: dict[str, Queue]
    faults: Faults

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> None:  # noqa: N803
        queue = self.queues[QueueUrl]
        self.faults.call("SendMessage", lambda: queue.send(json.loads(MessageBody), DelaySeconds))

    def change_message_visibility(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        ReceiptHandle: str,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
    ) -> None:
        queue = self.queues[QueueUrl]
        self.faults.call(
            "ChangeMessageVisibility", lambda: queue.hide(ReceiptHandle, VisibilityTimeout)
        )


class _Refused(ClientError):
    def __init__(self) -> None:
        code = type(self).__name__
        super().__init__({"Error": {"Code": code, "Message": code}}, "StepFunctions")


class ExecutionAlreadyExists(_Refused): ...


class TaskTimedOut(_Refused): ...


class TaskDoesNotExist(_Refused): ...


class InvalidToken(_Refused): ...


class _Exceptions:
    ExecutionAlreadyExists = ExecutionAlreadyExists
    TaskTimedOut = TaskTimedOut
    TaskDoesNotExist = TaskDoesNotExist
    InvalidToken = InvalidToken


@dataclass
class _Execution:
    """statemachine/storyboard.asl.json: a Map over the scenes, then Assemble."""

    name: str
    waiting: list[str]
    choosing: list[int] = field(default_factory=list)
    """Positions of the scenes with several candidates."""
    open: set[str] = field(default_factory=set)
    over: bool = False


_MAP_CONCURRENCY = 40
_TASK_SECONDS = 10800
_ASSEMBLE_RETRIES = 5
_CHOOSE_RETRIES = 4


@dataclass
class StepFunctionsClient:
    """What the adapter uses of the Step Functions client, and the workflow behind it."""

    timeline: Timeline
    faults: Faults
    ledger: Ledger
    submissions: Queue
    assemble: Callable[[str], Any]
    choose: Callable[[str, int], Any]
    executions: dict[str, _Execution] = field(default_factory=dict)
    tokens: dict[str, _Execution] = field(default_factory=dict)
    exceptions: type[_Exceptions] = _Exceptions

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: N803, A002
        self.faults.call("StartExecution", lambda: self._start(name, json.loads(input)))

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803
        told = f"success {output}"
        self.faults.call("SendTaskSuccess", lambda: self._resume(taskToken, told))

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> None:  # noqa: N803
        told = f"failure {error} {cause}"
        self.faults.call("SendTaskFailure", lambda: self._resume(taskToken, told))

    def _start(self, name: str, given: dict[str, Any]) -> None:
        if name in self.executions:
            raise ExecutionAlreadyExists
        scenes = given.get("scenes", [])
        ids = given.get("predictions", [each for scene in scenes for each in scene["predictions"]])
        choosing = [scene["position"] for scene in scenes if scene["chooses"]]
        execution = _Execution(name, list(ids), choosing)
        self.executions[name] = execution
        if self.faults.happens("workflow_lost"):
            self.timeline.soon(1, 60, lambda: self._stop(execution))
        self.timeline.soon(0.05, 0.5, lambda: self._go_on(execution))

    def _go_on(self, execution: _Execution) -> None:
        if execution.over:
            return
        while execution.waiting and len(execution.open) < _MAP_CONCURRENCY:
            prediction_id = execution.waiting.pop(0)
            token = f"token-of-{prediction_id}"
            execution.open.add(token)
            self.tokens[token] = execution
            self.submissions.send({"prediction_id": prediction_id, "task_token": token})
            self.timeline.after(_TASK_SECONDS, partial(self._close, execution, token))
        if not execution.open:
            execution.over = True
            self._choose(execution, 0)

    def _resume(self, token: str, told: str) -> None:
        self.ledger.resume(token, told)
        execution = self.tokens.get(token)
        if execution is None:
            raise InvalidToken
        if execution.over:
            raise TaskDoesNotExist
        if token not in execution.open:
            raise TaskTimedOut
        self._close(execution, token)

    def _close(self, execution: _Execution, token: str) -> None:
        if token in execution.open:
            execution.open.remove(token)
            self.timeline.soon(0.02, 0.2, lambda: self._go_on(execution))

    def _stop(self, execution: _Execution) -> None:
        execution.over = True

    def _choose(self, execution: _Execution, tries: int) -> None:
        """Scene after scene; one that cannot be chosen for is left, and the board goes on."""
        if not execution.choosing:
            self._assemble(execution.name, 0)
            return
        position = execution.choosing[0]
        lived, _ = self.timeline.function(lambda: self.choose(execution.name, position))
        if lived or tries == _CHOOSE_RETRIES:
            execution.choosing.pop(0)
            self._choose(execution, 0)
        else:
            self.timeline.soon(0, 2.0 * 2**tries, lambda: self._choose(execution, tries + 1))

    def _assemble(self, board_id: str, tries: int) -> None:
        lived, _ = self.timeline.function(lambda: self.assemble(board_id))
        if not lived and tries < _ASSEMBLE_RETRIES:
            self.timeline.soon(0, 2.0 * 2**tries, lambda: self._assemble(board_id, tries + 1))
