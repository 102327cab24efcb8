"""What the local cloud does to the machine it runs on."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

from local.cloud import LocalCloud
from local.cloud.places import ROOT, Places
from tests.e2e.support import until

_LISTEN = "0A"
_LOOPBACK = "0100007F"

_OWNER = """
import json, sys, time
from dataclasses import asdict
from local.cloud import LocalCloud
cloud = LocalCloud.start("orphan")
print(json.dumps(asdict(cloud.state)), flush=True)
time.sleep(300)
"""


def test_it_listens_on_loopback_only(cloud: LocalCloud) -> None:
    ports = {f"{port:04X}": name for name, port in cloud.state.ports.items()}
    listening = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            address, _, state = line.split()[1:4]
            host, _, port = address.partition(":")
            if state == _LISTEN and port in ports:
                listening[ports[port]] = host
    assert set(listening) == set(cloud.state.ports)
    assert set(listening.values()) == {_LOOPBACK}


def test_nothing_outlives_an_owner_that_is_killed() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    with owner.stdout:
        state = json.loads(owner.stdout.readline())
        pids = [*state["pids"].values(), state["supervisor_pid"]]
        assert all(map(_lives, pids))
        assert all(map(_is_open, state["ports"].values()))
        scratch = Places("orphan").scratch.resolve()
        assert list(scratch.iterdir())

        owner.send_signal(signal.SIGKILL)
        owner.wait()

    until(lambda: [pid for pid in pids if _lives(pid)], lambda left: not left, 30, "processes left")
    assert not any(map(_is_open, state["ports"].values()))
    until(scratch.exists, lambda there: not there, 30, "what the emulator unpacked")


def _lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
