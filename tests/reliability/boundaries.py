"""Every I/O boundary of a run, numbered as it is crossed; at any of them the run can be cut short.

A boundary is one call of AWS, of a provider, of a picture's host or of the customer. Its name says
which function was running, which step of which use case called what, and the how-manieth it is:
`webhook: Settle._end dynamodb.UpdateItem #1`.
"""

import ast
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

from storyhook import ports, usecases

USECASES = Path(usecases.__path__[0])


class Death(BaseException):
    """The function ends here and now: no handler of `Exception` may go on."""


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

# What a stack frame says of a step: its code and where in it.
Place = tuple[CodeType, int]


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

    def cross(
        self, call: str, parameters: Mapping[str, Any], real: Callable[[], Any]
    ) -> Any:
        if not self._running:
            return real()
        boundary = self._enter(call)
        fault = self.faults.get(boundary.number)
        what = boundary.kind.partition(": ")[2]
        if self.outage[what] > 0:
            self.outage[what] -= 1
            fault = fault or Fault.THROTTLED
        if fault and fault not in boundary.faults:
            fault = Fault.DIES_AFTER

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


def throttling(call: str) -> ClientError:
    code = "SlowDown" if call.startswith("s3.") else "ThrottlingException"
    return ClientError({"Error": {"Code": code, "Message": "Rate exceeded"}}, call.split(".")[1])


def _whatever(done: Callable[[], Any]) -> None:
    """Carry it out; what it answers, a refusal too, nobody hears."""
    try:
        done()
    except ClientError:
        pass


def _usecase_frame(frame: FrameType | None) -> FrameType | None:
    while frame and not frame.f_globals["__name__"].startswith("storyhook.usecases."):
        frame = frame.f_back
    return frame


@contextmanager
def watched(tracer: Tracer, parts: Mapping[str, type]) -> Iterator[None]:
    """Let `tracer` see every boundary: of AWS, and the ports' methods that `parts` have, by kind."""
    make_call = BaseClient._make_api_call

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
            for method in sorted(_IO_METHODS.intersection(dir(part)))
        ]
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()


# --- what there is to cross, by the code ---

# Calculations; or, as `urls`, something whose own calls are seen.
_NO_IO = {"sign", "sign_until", "urls", "read", "check"}
_PROTOCOLS = {
    name: set(vars(protocol)) - _NO_IO
    for name, protocol in vars(ports).items()
    if inspect.isclass(protocol) and getattr(protocol, "_is_protocol", False)
}
_IO_METHODS = {
    method
    for methods in _PROTOCOLS.values()
    for method in methods
    if not method.startswith("_")
}


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A place in the use cases that calls a port."""

    file: str
    line: int
    column: int
    call: str = field(compare=False)
    step: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.file}: {self.step} {self.call}"


def sites() -> set[Site]:
    """All of them, read from the source."""
    found = set()
    for path in sorted(USECASES.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for owner, function in _functions(tree):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and _calls_a_port(node):
                    call = ast.unparse(node.func)
                    step = f"{owner}.{function.name}".lstrip(".")
                    found.add(Site(path.stem, node.lineno, node.col_offset, call, step))
    return found


def site_of(boundary: Boundary) -> tuple[str, int, int] | None:
    """The (file, line, column) from which a boundary was crossed."""
    if boundary.place is None:
        return None
    code, offset = boundary.place
    line, _, column, _ = _positions(code)[offset // 2]
    assert line is not None
    assert column is not None
    return Path(code.co_filename).stem, line, column


@cache
def _positions(code: CodeType) -> list[tuple[int | None, int | None, int | None, int | None]]:
    return list(code.co_positions())


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            yield from ((node.name, n) for n in node.body if isinstance(n, ast.FunctionDef))


def _calls_a_port(node: ast.Call) -> bool:
    """`<somebody>.<method of a port>(...)`, where somebody is named as a port is."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _IO_METHODS:
        return False
    receiver = node.func.value
    if isinstance(receiver, ast.Call):  # `self.provider(name).find(...)`
        receiver = receiver.func
    name = receiver.attr if isinstance(receiver, ast.Attribute) else ast.unparse(receiver)
    return name in _port_names()


@cache
def _port_names() -> set[str]:
    """Fields of use cases that hold a port, or make one; and what locals made of them are called."""
    names = {"provider", "client"}
    for path in USECASES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                kinds = {n.id for n in ast.walk(node.annotation) if isinstance(n, ast.Name)}
                if kinds & _PROTOCOLS.keys():
                    names.add(node.target.id)
    return names
