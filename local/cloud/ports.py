"""Ports for a local cloud: the usual ones when they are free, others when not.

A claim is a lock on a file, held for the supervisor's life: two clouds that start at the same
moment, in this or another copy of the project, must not both take 4566 and then one of them
talk to the other's emulator.
"""

import fcntl
import socket
import tempfile
from pathlib import Path
from typing import TextIO

HOST = "127.0.0.1"
PREFERRED = {"emulator": 4566, "fal": 4571, "replicate": 4572}

_TRIES = 50


class Ports:
    def __init__(self) -> None:
        self._claims: list[TextIO] = []
        self._folder = Path(tempfile.gettempdir()) / "storyhook-ports"

    def take(self, process: str) -> int:
        if self._claim(PREFERRED[process]):
            return PREFERRED[process]
        for _ in range(_TRIES):
            port = _any_free()
            if self._claim(port):
                return port
        raise OSError(f"no free port on {HOST} after {_TRIES} tries")

    def _claim(self, port: int) -> bool:
        self._folder.mkdir(mode=0o777, exist_ok=True)
        try:
            claim = (self._folder / f"{port}.lock").open("w")
        except PermissionError:  # another user's cloud has it, or had it
            return False
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
            return False
        if not _is_free(port):
            claim.close()
            return False
        self._claims.append(claim)
        return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
