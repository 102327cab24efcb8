"""Every I/O boundary of a run, numbered as it is crossed; at any of them the run can be cut short.

A boundary is one call of AWS, of a provider, of a picture's host or of the customer. Its name says
which function was running, which step of which use case called what, and the how-manieth it is:
`webhook: Settle._end dynamodb.UpdateItem #1`.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import FrameType
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.fixtures.interruptions import Death
from tests.reliability.sites import IO_METHODS, Place


class Fault(StrEnum):
    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    # Those below are for AWS only: its client tries four times, then raises.
    THROTTLED = "throttled"
    TIMED_OUT = "timed out"
    """Nothing happened, and nobody knows."""
    ANSWER_LOST = "answer lost"
    """It happened, and nobody knows."""
    SENT_TWICE = "sent twice"
    """It happened, its answer was lost, and the AWS client sent it again by itself."""


DEATHS = (Fault.DIES_BEFORE, Fault.DIES_AFTER)
AWS_FAILS = (Fault.THROTTLED, Fault.TIMED_OUT, Fault.ANSWER_LOST, Fault.SENT_TWICE)
_READS = ("Get", "BatchGet", "Query", "List")


@dataclass(frozen=True, slots=True)
class Boundary:
    number: int
    name: str
    call: str
    """`dynamodb.UpdateItem`, `provider.submit`, `picture.fetch`, `customer.post`."""
    place: Place | None
    begins: bool
    """Whether its invocation has crossed none before."""

    @property
    def deaths(self) -> tuple[Fault, ...]:
        """The different ones: to die before it is to have died after the one before it."""
        return DEATHS if self.begins else (Fault.DIES_AFTER,)

    @property
    def kind(self) -> str:
        """The name without the how-manieth."""
        return self.name.rpartition(" #")[0]

    @property
    def of_aws(self) -> bool:
        return self.call.split(".")[0] not in ("provider", "picture", "customer")

    @property
    def different(self) -> tuple[Fault, ...]:
        """Of its faults those that leave another state, or raise another error.

        A read that is not answered is a read that was not done, and to read twice is to read.
        """
        if not self.of_aws:
            return self.deaths
        reads = self.call.partition(".")[2].startswith(_READS)
        nothing_done = (Fault.THROTTLED, Fault.TIMED_OUT)[self.number % 2]
        done = () if reads else (Fault.ANSWER_LOST, Fault.SENT_TWICE)
        return (*self.deaths, nothing_done, *done)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return DEATHS + AWS_FAILS if self.of_aws else DEATHS


Effect = Callable[[str, Mapping[str, Any], Any], None]


@dataclass
class Tracer:
    """`faults`: what happens at which boundary of this run. `effect` hears of each AWS call that
    was carried out: its name, parameters and answer; it may refuse as AWS would.

    `outage`: what AWS refuses so many times (`<step> <call>`): a part of the story, not a crash.
    """

    faults: Mapping[int, Fault] = field(default_factory=dict)
    effect: Effect = lambda *_: None
    outage: Counter[str] = field(default_factory=Counter)
    meanwhile: dict[int, Callable[[], object]] = field(default_factory=dict)
    """What else happens, whole, just before a boundary is crossed."""
    trace: list[Boundary] = field(default_factory=list)
    _running: list[str] = field(default_factory=list)
    _begins: bool = True
    _names: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def invocation(self, function: str) -> Iterator[None]:
        """Between these, calls are the function's; else they are the test's own."""
        self._running.append(function)
        self._begins = True
        try:
            yield
        finally:
            self._running.pop()

    def cross(self, call: str, parameters: Mapping[str, Any], real: Callable[[], Any]) -> Any:
        if not self._running:
            return real()
        boundary = self._enter(call)
        self.meanwhile.pop(boundary.number, _nothing)()
        fault = self._fault(boundary)

        def done() -> Any:
            answer = real()
            if boundary.of_aws:
                self.effect(call, parameters, answer)
            return answer

        match fault:
            case None:
                return done()
            case Fault.DIES_BEFORE:
                raise Death
            case Fault.THROTTLED:
                raise throttling(call)
            case Fault.TIMED_OUT:
                raise ReadTimeoutError(endpoint_url=call)
            case Fault.SENT_TWICE:
                _whatever(done)
                return done()
        _whatever(done)
        raise Death if fault is Fault.DIES_AFTER else ReadTimeoutError(endpoint_url=call)

    def _fault(self, boundary: Boundary) -> Fault | None:
        fault = self.faults.get(boundary.number)
        what = boundary.kind.partition(": ")[2]
        if self.outage[what] > 0:
            self.outage[what] -= 1
            fault = fault or Fault.THROTTLED
        return Fault.DIES_AFTER if fault and fault not in boundary.faults else fault

    def _enter(self, call: str) -> Boundary:
        frame = _usecase_frame(sys._getframe(2))
        step = frame.f_code.co_qualname.partition(".<locals>")[0] if frame else "handler"
        label = f"{self._running[-1]}: {step} {call}"
        self._names[label] += 1
        place = (frame.f_code, frame.f_lasti) if frame else None
        name = f"{label} #{self._names[label]}"
        boundary = Boundary(len(self.trace), name, call, place, self._begins)
        self._begins = False
        self.trace.append(boundary)
        return boundary


def _nothing() -> None:
    pass


def throttling(call: str) -> ClientError:
    code = "SlowDown" if call.startswith("s3.") else "ThrottlingException"
    return ClientError({"Error": {"Code": code, "Message": "Rate exceeded"}}, call.split(".")[1])


def _whatever(done: Callable[[], Any]) -> None:
    """Carry it out; what it answers, a refusal too, nobody hears."""
    with suppress(ClientError):
        done()


def _usecase_frame(frame: FrameType | None) -> FrameType | None:
    while frame and not frame.f_globals["__name__"].startswith("storyhook.usecases."):
        frame = frame.f_back
    return frame


@contextmanager
def watched(tracer: Tracer, parts: Mapping[str, type]) -> Iterator[None]:
    """Let `tracer` see every call of AWS, and of the ports' methods that `parts` (by kind) have."""
    make_call: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def aws(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        call = f"{client.meta.service_model.service_name}.{operation}"
        # A copy each time: botocore puts a stream in the place of a body.
        return tracer.cross(
            call, parameters, lambda: make_call(client, operation, dict(parameters))
        )

    def other(kind: str, method: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **values: Any) -> Any:
            return tracer.cross(f"{kind}.{method}", {}, lambda: real(*args, **values))

        return call

    with mock.patch.object(BaseClient, "_make_api_call", aws):
        patches = [
            mock.patch.object(part, method, other(kind, method, getattr(part, method)))
            for kind, part in parts.items()
            for method in sorted(IO_METHODS.intersection(dir(part)))
        ]
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()
