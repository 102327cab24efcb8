"""What really happened in a run, seen from outside: at the wire, at the provider, at the customer.

The ledger believes nothing that the code under test says of itself. It is told of each request
that DynamoDB and Step Functions answered (`Cloud.watchers`) and, by whoever plays them, of the
provider's jobs and the customer's callbacks. Wrong steps are noted as they happen; what can only
be judged at the end is judged by `verdict`.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest import mock

import standardwebhooks.webhooks as official
from moto.dynamodb.models import dynamodb_backends

from storyhook.providers.callbacks import callback_secret
from tests.fixtures.cloud import MASTER_KEY, TABLE, Cloud

Item = dict[str, dict[str, Any]]

# Written down a second time, so that a mistake in the domain's own table is seen.
_OPEN = ("queued", "submitting", "submitted", "storing")
TERMINAL = frozenset({"succeeded", "failed", "blocked", "canceled", "expired"})
STEPS = frozenset(
    {
        ("queued", "submitting"),
        ("submitting", "queued"),
        ("queued", "submitted"),
        ("submitting", "submitted"),
        *((status, "storing") for status in _OPEN[:-1]),
        ("storing", "succeeded"),
        *((status, end) for status in _OPEN for end in TERMINAL - {"succeeded"}),
    }
)
ACCOUNT = "123456789012"  # moto's own
# What the end of a prediction fixes for ever.
_FIXED = (
    *("status", "images", "failure", "cost_actual", "completed_at", "seed_returned"),
    *("replaced_by", "callback_id"),
)
_CHANGES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


@dataclass
class Job:
    """One paid job at a provider.

    `findable`: its provider can be asked for it by webhook URL. `had_at`: when we were first told
    its name and answered. `gone`: its picture was asked for when the provider had none any more.
    """

    id: str
    row_id: str
    created_at: datetime
    findable: bool = False
    had_at: datetime | None = None
    gone: bool = False
    succeeded_at: datetime | None = None


@dataclass
class Received:
    """What the customer got under one callback id."""

    key_id: str | None
    bodies: set[bytes] = field(default_factory=set)
    answers: list[int | None] = field(default_factory=list)
    """Status codes that the customer gave; None is no answer."""


@dataclass
class Ledger:
    cloud: Cloud
    clock: Callable[[], datetime]
    jobs: dict[str, Job] = field(default_factory=dict)
    pictures: dict[str, tuple[str, str]] = field(default_factory=dict)
    """URL -> (the job it is of, SHA-256 of what was handed out)."""
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    """The table as its writes left it, by (pk, sk)."""
    received: dict[str, Received] = field(default_factory=dict)
    resumed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Task token -> the different things that it was told."""
    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Invariant -> what broke it."""
    on_write: Callable[[tuple[str, str], Item | None], None] = lambda _key, _item: None
    forging: str | None = None
    writes: int = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """See what the cloud is asked meanwhile."""
        self.cloud.watchers.append(self._wire)
        try:
            yield
        finally:
            self.cloud.watchers.remove(self._wire)

    # --- told by whoever plays the provider, the customer, the workflow ---

    def job_created(self, job_id: str, webhook_url: str | None, *, findable: bool = False) -> None:
        """A paid job exists. `findable`: we can ask for it whatever becomes of the answer."""
        row_id = (webhook_url or "").rpartition("/")[2].partition(".")[0]
        self.jobs[job_id] = Job(job_id, row_id, self.clock(), findable)

    def job_succeeded(self, job_id: str, at: datetime) -> None:
        self.jobs[job_id].succeeded_at = at

    def job_had(self, job_id: str) -> None:
        """A webhook told us its name, and we answered 2xx."""
        job = self.jobs[job_id]
        job.had_at = job.had_at or self.clock()

    def job_gone(self, job_id: str) -> None:
        """Its picture was asked for too late."""
        self.jobs[job_id].gone = True

    def picture(self, url: str, job_id: str, data: bytes) -> None:
        """A picture was handed out."""
        self.pictures[url] = (job_id, hashlib.sha256(data).hexdigest())

    def callback(self, body: bytes, headers: Mapping[str, str], answer: int | None) -> None:
        """The customer got a callback, verified it and gave this answer."""
        callback_id = headers["webhook-id"]
        row = self.items.get((f"CB#{callback_id}", "CB"), {})
        key_id = row.get("key_id", {}).get("S")
        secret = callback_secret(MASTER_KEY, key_id)
        try:
            with mock.patch.object(official, "datetime", _at(self.clock())):
                official.Webhook(secret).verify(body, dict(headers))
        except official.WebhookVerificationError as error:
            self.note("I4", f"{callback_id} does not verify: {error}")
        got = self.received.setdefault(callback_id, Received(key_id))
        got.bodies.add(body)
        got.answers.append(answer)

    def resume(self, task_token: str, told: str) -> None:
        """A task token was sent back, with this."""
        self.resumed[task_token].add(told)

    @contextmanager
    def forgery(self, what: str) -> Iterator[None]:
        """Nothing may change meanwhile."""
        self.forging = what
        try:
            yield
        finally:
            self.forging = None

    def note(self, invariant: str, what: str) -> None:
        self.wrong[invariant].append(f"{self.clock():%d %H:%M:%S} {what}")

    # --- seen at the wire ---

    def _wire(self, request: Any, answer: Any) -> None:
        target = request.headers.get("X-Amz-Target", b"")
        target = target.decode() if isinstance(target, bytes) else target
        service, _, operation = target.partition(".")
        if answer is None or answer.status_code != 200:
            return
        if service == "DynamoDB_20120810" and operation in _CHANGES:
            for pk, sk in _touched(operation, json.loads(request.body)):
                self._written(pk, sk)
        elif operation in ("SendTaskSuccess", "SendTaskFailure"):
            sent = json.loads(request.body)
            self.resume(sent.pop("taskToken"), f"{operation} {json.dumps(sent, sort_keys=True)}")
        elif request.method == "PUT" and self.forging:
            self.note("I6", f"{self.forging} wrote {request.url}")

    def _written(self, pk: str, sk: str) -> None:
        old, new = self.items.get((pk, sk)), _read(pk, sk)
        self.writes += 1
        if self.forging:
            self.note("I6", f"{self.forging} wrote {pk}")
        if new is None:
            self.items.pop((pk, sk), None)
        else:
            self.items[pk, sk] = new
        if pk.startswith("PRED#"):
            self._prediction_written(pk, old, new)
        elif sk == "SB" and old and _text(old, "status") != "running":
            fixed = ("status", "callback_id", "completed_at")
            self._unchanged(pk, old, new or {}, fixed)
        elif sk == "CB" and old and (old["body"] != (new or {}).get("body")):
            self.note("I4", f"{pk}: the body of a callback changed")
        if sk == "BUDGET" and new and float(new["left"]["N"]) < 0:
            self.note("I7", f"{pk} has {new['left']['N']} left")
        self.on_write((pk, sk), new)

    def _prediction_written(self, pk: str, old: Item | None, new: Item | None) -> None:
        if old is None:
            if new and _text(new, "status") not in ("queued", "submitting"):
                self.note("I3", f"{pk} began as {_text(new, 'status')}")
            return
        if new is None:
            board = _text(old, "storyboard_id")
            if board is None or (f"SB#{board}", "SB") in self.items:
                self.note("I1", f"{pk} was accepted and is deleted")
            return
        before, after = _text(old, "status") or "", _text(new, "status") or ""
        if before in TERMINAL:
            self._unchanged(pk, old, new, _FIXED)
        elif before != after and (before, after) not in STEPS:
            self.note("I3", f"{pk} went from {before} to {after}")
        # Of a row that may be paid for twice, the job counts that makes a picture first.
        once = int(new.get("max_paid_attempts", {"N": "1"})["N"]) == 1
        if once and "handle" in old and "handle" in new and not _same_job(old, new):
            self.note("I4", f"{pk} changed to another job")

    def _unchanged(self, pk: str, old: Item, new: Item, fixed: tuple[str, ...]) -> None:
        for name in fixed:
            if old.get(name) != new.get(name):
                self.note("I3", f"{pk} was over, and its {name} changed")


def _text(item: Item, name: str) -> str | None:
    value: str | None = item.get(name, {}).get("S")
    return value


def _same_job(old: Item, new: Item) -> bool:
    ids = [json.loads(item["handle"]["S"])["provider_id"] for item in (old, new)]
    return bool(ids[0] == ids[1])


def _read(pk: str, sk: str) -> Item | None:
    """The item as moto has it now, without a request."""
    backend = dynamodb_backends[ACCOUNT]["us-east-1"]
    found = backend.get_item(TABLE, {"pk": {"S": pk}, "sk": {"S": sk}})
    return found.to_json()["Attributes"] if found else None


def _touched(operation: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """Keys of the items that a request changed."""
    if operation == "BatchWriteItem":
        entries = [entry for table in body["RequestItems"].values() for entry in table]
        keys = [next(iter(entry.values())) for entry in entries]
    elif operation == "TransactWriteItems":
        writes = [e for e in body["TransactItems"] if "ConditionCheck" not in e]
        keys = [next(iter(entry.values())) for entry in writes]
    else:
        keys = [body]
    places = [entry.get("Key") or entry.get("Item") for entry in keys]
    return [(place["pk"]["S"], place["sk"]["S"]) for place in places]


def _at(now: datetime) -> type[datetime]:
    """A datetime class whose `now` is the virtual one: the library knows no clock but its own."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return now.astimezone(tz)

    return Then
