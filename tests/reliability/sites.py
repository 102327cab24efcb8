"""Every place in the use cases that calls a port, read from the source.

What the stories cross is held against this list: no new call goes untested.
"""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType

from storyhook import ports, usecases
from storyhook.ports import access, callbacks, exports, idempotency, library

USECASES = Path(usecases.__path__[0])
Place = tuple[CodeType, int]
"""What a stack frame says of a step: its code and where in it."""

# Calculations; or, as `urls`, something whose own calls are seen.
_NO_IO = {"sign", "sign_until", "form", "urls", "read", "check"}
_PROTOCOLS = {
    name: set(vars(protocol)) - _NO_IO
    for module in (ports, access, callbacks, exports, idempotency, library)
    for name, protocol in vars(module).items()
    if inspect.isclass(protocol) and getattr(protocol, "_is_protocol", False)
}
IO_METHODS = {
    method for methods in _PROTOCOLS.values() for method in methods if not method.startswith("_")
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


def site_of(place: Place) -> tuple[str, int, int]:
    """The (file, line, column) of the call that was under way there."""
    code, offset = place
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
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in IO_METHODS:
        return False
    receiver = node.func.value
    if isinstance(receiver, ast.Call):  # `self.provider(name).find(...)`
        receiver = receiver.func
    name = receiver.attr if isinstance(receiver, ast.Attribute) else ast.unparse(receiver)
    return name in _port_names()


@cache
def _port_names() -> set[str]:
    """Fields of use cases that hold or make a port, and what locals of that kind are called."""
    names = {"provider", "client"}
    for path in USECASES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                kinds = {n.id for n in ast.walk(node.annotation) if isinstance(n, ast.Name)}
                if kinds & _PROTOCOLS.keys():
                    names.add(node.target.id)
    return names
