"""What the simulator remembers: every job it ever accepted, and the requests it counted."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from local.simulators.catalogue import Model
from local.simulators.files import StoredFile
from local.simulators.pricing import NO_BILL, NOTHING, Bill
from local.simulators.validation import Problem

Kind = Literal[
    "succeeded", "invalid", "bad_reference", "moderation", "nsfw", "failed", "timeout",
    "canceled", "aborted",
]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How a job ended, in neutral words."""

    kind: Kind
    pictures: tuple[StoredFile, ...] = ()
    bill: Bill = NO_BILL
    problems: tuple[Problem, ...] = ()
    message: str = ""


@dataclass
class Attempt:
    """One webhook attempt."""

    event: str
    number: int
    at: float
    seconds: float
    status_code: int | None
    error: str | None


@dataclass
class Job:
    id: str
    endpoint: str
    model: Model
    input: dict[str, Any]
    webhook_url: str | None
    faults: frozenset[str]
    seed: int
    created_at: float = field(default_factory=time.time)
    events_filter: list[str] | None = None
    problems: tuple[Problem, ...] = ()
    latency: float = 0.0
    start_deadline: float | None = None
    """Simulated seconds from creation within which it must start."""
    run_deadline: float | None = None
    """Simulated seconds from creation within which it must end (Replicate's Cancel-After)."""
    started_at: float | None = None
    completed_at: float | None = None
    outcome: Outcome | None = None
    cancel_requested: bool = False
    reference_count: int = 0
    size: tuple[int, int] | None = None
    logs: list[tuple[float, str]] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """The first attempt to deliver the terminal webhook is over (or there is none)."""

    @property
    def prompt(self) -> str:
        prompt = self.input.get("prompt")
        return prompt if isinstance(prompt, str) else ""

    @property
    def bill(self) -> Bill:
        return NO_BILL if self.outcome is None else self.outcome.bill

    @property
    def status(self) -> str:
        if self.outcome is not None:
            return self.outcome.kind
        return "queued" if self.started_at is None else "running"

    def expired(self, retention_seconds: float) -> bool:
        """Whether the provider has thrown its results away by now."""
        return self.completed_at is not None and time.time() - self.completed_at > retention_seconds

    def log(self, text: str) -> None:
        self.logs.append((time.time(), text))

    def row(self) -> dict[str, Any]:
        """The job as /_control/predictions shows it."""
        return {
            "id": self.id,
            "endpoint": self.endpoint,
            "prompt": self.prompt,
            "seed": self.seed,
            "reference_count": self.reference_count,
            "status": self.status,
            "faults": sorted(self.faults),
            "created_at": timestamp(self.created_at),
            "started_at": timestamp(self.started_at),
            "completed_at": timestamp(self.completed_at),
            "size": self.size,
            "price": None if self.bill.amount is None else str(self.bill.amount),
            "price_known": self.bill.amount is not None,
            "webhook_url": self.webhook_url,
            "input": self.input,
            "deliveries": [
                {
                    "event": attempt.event,
                    "attempt": attempt.number,
                    "at": timestamp(attempt.at),
                    "seconds": round(attempt.seconds, 4),
                    "status_code": attempt.status_code,
                    "error": attempt.error,
                }
                for attempt in self.attempts
            ],
        }


class Book:
    """All jobs by id, in the order in which they came."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.requests: Counter[str] = Counter()

    def add(self, job: Job) -> None:
        self.jobs[job.id] = job

    def get(self, job_id: str) -> Job | None:
        return self.jobs.get(job_id)

    def clear(self) -> None:
        self.jobs.clear()
        self.requests.clear()

    def summary(self) -> dict[str, Any]:
        """`price` is what is known of it; `price_unknown` counts the jobs without a price."""
        amounts = [job.bill.amount for job in self.jobs.values()]
        return {
            "count": len(self.jobs),
            "by_status": dict(Counter(job.status for job in self.jobs.values())),
            "price": str(sum((amount for amount in amounts if amount is not None), NOTHING)),
            "price_unknown": amounts.count(None),
            "requests": dict(self.requests),
        }


def timestamp(seconds: float | None) -> str | None:
    """RFC 3339 in UTC with milliseconds, as both providers print times."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
