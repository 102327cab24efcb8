"""What goes wrong in a run, how often, and how often it did. One seed makes one run."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import botocore.client
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.fixtures.interruptions import Death

# What the rates of a Mix are called in tables.
NAMES = {
    "doubled": "webhooks doubled",
    "lost": "webhooks lost",
    "reordered": "webhooks reordered",
    "late": "webhooks very late (10 min to 2 h)",
    "early": "webhooks before the submit answer was stored",
    "stale": "webhooks with a stale timestamp",
    "forged": "webhooks forged",
    "failed": "jobs that failed",
    "moderated": "of these, blocked by moderation",
    "null_payload": "results with a null payload (fal)",
    "overdue": "jobs that ran past their deadline",
    "throttled": "submits answered 429",
    "unavailable": "submits answered 503",
    "rejected": "submits answered 422",
    "answer_lost": "submit answers lost, job created",
    "nothing_created": "submit answers lost, no job created",
    "unreachable": "status requests without an answer",
    "cancel_late": "cancels that came too late",
    "copy_fails": "pictures that failed to copy at first",
    "customer": "callbacks answered 5xx, 429, 302 or not at all",
    "gone": "callbacks answered 410",
    "down": "callbacks to addresses that never take any",
    "message_doubled": "queue messages delivered twice",
    "message_late": "queue messages reordered",
    "canceled": "predictions and boards canceled by their callers",
    "pays_again": "requests that agree to pay twice",
    "workflow_lost": "workflows stopped from outside",
    "died": "functions that died at an AWS or network call",
    "aws_error": "AWS calls refused (throttled)",
    "aws_silent": "AWS calls without an answer, no effect",
    "aws_answer_lost": "AWS calls without an answer, with effect",
    "aws_repeated": "AWS calls repeated by the client after their effect",
    "interleaved": "functions that ran in the middle of another",
}


@dataclass(frozen=True)
class Mix:
    """Chances in [0, 1): per webhook, job, submit, callback, message, board or AWS call."""

    doubled: float = 0.20
    lost: float = 0.10
    reordered: float = 0.20
    late: float = 0.05
    early: float = 0.02
    stale: float = 0.30
    """Of late webhooks and of retries: whether the first timestamp is kept."""
    forged: float = 0.05
    failed: float = 0.05
    moderated: float = 0.40
    null_payload: float = 0.05
    overdue: float = 0.01
    throttled: float = 0.08
    unavailable: float = 0.03
    rejected: float = 0.01
    answer_lost: float = 0.02
    nothing_created: float = 0.005
    unreachable: float = 0.05
    cancel_late: float = 0.30
    copy_fails: float = 0.05
    customer: float = 0.12
    gone: float = 0.01
    down: float = 0.02
    """Of the customers' addresses."""
    message_doubled: float = 0.03
    message_late: float = 0.10
    canceled: float = 0.05
    pays_again: float = 0.15
    workflow_lost: float = 0.03
    died: float = 0.002
    aws_error: float = 0.002
    aws_silent: float = 0.001
    aws_answer_lost: float = 0.001
    aws_repeated: float = 0.001
    interleaved: float = 0.01


@dataclass
class Faults:
    mix: Mix
    random: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    between: Callable[[], None] = lambda: None
    """Called where another function may act in the middle of this one."""
    depth: int = 0
    """How many functions are running, one in the middle of another; none: nothing fails."""
    calls: int = 0

    def happens(self, name: str) -> bool:
        if self.random.random() >= getattr(self.mix, name):
            return False
        self.counts[name] += 1
        return True

    def may_die(self) -> None:
        if self.depth and self.happens("died"):
            raise Death

    def call(self, operation: str, work: Callable[[], Any]) -> Any:
        """One call of AWS, as its client's caller sees it after the client's own retries."""
        if not self.depth:
            return work()
        self.calls += 1
        if self.happens("interleaved"):
            self.between()
        self.may_die()
        if self.happens("aws_error"):
            code = "ThrottlingException"
            raise ClientError({"Error": {"Code": code, "Message": "Rate exceeded"}}, operation)
        if self.happens("aws_silent"):
            raise ReadTimeoutError(endpoint_url=operation)
        answer = work()
        if self.happens("aws_repeated"):
            # The first answer was lost; the client tried again by itself.
            answer = work()
        if self.happens("aws_answer_lost"):
            raise ReadTimeoutError(endpoint_url=operation)
        self.may_die()
        return answer

    @contextmanager
    def in_aws_calls(self) -> Iterator[None]:
        """Let the real clients' calls fail meanwhile."""
        base: Any = botocore.client.BaseClient
        answer = base._make_api_call

        def call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            # A client changes what it is given: each try has its own.
            return self.call(operation, lambda: answer(client, operation, {**parameters}))

        with mock.patch.object(base, "_make_api_call", call):
            yield
