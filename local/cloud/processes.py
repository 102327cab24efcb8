"""Child processes of the supervisor: each in a process group of its own, with a log file.

The emulator starts a worker process per concurrent function call and leaves them behind when it
is killed outright. So whole groups are ended, and always by number, never by name.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.cloud.places import ROOT, Places

GRACE_SECONDS = 6.0  # the emulator takes up to 4 to stop its workers
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Child:
    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def ended(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Children:
    """All that the supervisor started. `end` is safe at any moment and as often as one likes."""

    places: Places
    running: list[Child] = field(default_factory=list)
    _guard: "subprocess.Popen[bytes] | None" = None

    def start(self, name: str, command: Sequence[str | Path], env: Mapping[str, str]) -> Child:
        guard = self._guard or self._start_guard()
        log = self.places.log(name)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=ROOT,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        child = Child(name, process, log)
        self.running.append(child)
        _tell(guard, f"+{child.pid}")
        return child

    def forget(self, child: Child) -> None:
        """A command that has done its work."""
        self.running.remove(child)
        if self._guard is not None:
            _tell(self._guard, f"-{child.pid}")

    def dead(self) -> str | None:
        """The name of a process that ended though nobody asked it to."""
        if self._guard is not None and self._guard.poll() is not None:
            return "guard"
        return next((child.name for child in self.running if child.ended()), None)

    def end(self) -> None:
        for child in self.running:
            _signal_group(child.pid, signal.SIGTERM)
        wait_for_groups([child.pid for child in self.running], reap=self._reap)
        for child in list(self.running):
            child.process.wait()
            self.forget(child)
        if self._guard is not None:
            guard, self._guard = self._guard, None
            assert guard.stdin is not None
            guard.stdin.close()  # nothing is left for it to do
            guard.wait()

    def _reap(self) -> None:
        for child in self.running:
            child.process.poll()

    def _start_guard(self) -> "subprocess.Popen[bytes]":
        self._guard = subprocess.Popen(
            [sys.executable, "-m", "local.cloud.guard", self.places.scratch.resolve()],
            cwd=ROOT,
            bufsize=0,  # each line is told at once, and none is left to fail at the close
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that what ends the supervisor does not end the guard
        )
        return self._guard


def wait_for_groups(groups: Iterable[int], reap: Callable[[], None] | None = None) -> None:
    """Wait for groups that were asked to end; after the grace they are not asked any more."""
    left = set(groups)
    deadline = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < deadline:
        if reap is not None:
            reap()
        left = {group for group in left if _signal_group(group, 0)}
        if left:
            time.sleep(_POLL_SECONDS)
    for group in left:
        _signal_group(group, signal.SIGKILL)


def end_groups(groups: Iterable[int]) -> None:
    groups = list(groups)
    for group in groups:
        _signal_group(group, signal.SIGTERM)
    wait_for_groups(groups)


def tail(log: Path, lines: int = 25) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "(nothing was logged)"
    return "\n".join(text.rstrip().splitlines()[-lines:])


def _signal_group(group: int, number: int) -> bool:
    """Whether there was anybody to get it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        return False
    return True


def _tell(guard: "subprocess.Popen[bytes]", line: str) -> None:
    assert guard.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # a dead guard is seen by `dead`
        guard.stdin.write(line.encode() + b"\n")
