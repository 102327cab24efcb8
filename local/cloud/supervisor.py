"""python -m local.cloud.supervisor --name demo: one local cloud, from its start to its end.

Started by client.py. Its standard input is the lifeline that the owner holds; on standard output
it reports, one JSON object a line. It stops when the lifeline ends (with `--detach` that counts
only until the cloud is ready), on SIGTERM, after its longest life, or when a child ends.
"""

import argparse
import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.cloud import scratch, steps
from local.cloud.places import Places
from local.cloud.ports import Ports
from local.cloud.processes import Children
from local.cloud.providers import Providers, take_keys
from local.cloud.state import CloudState, StartFailed

LOOK_SECONDS = 0.5


class Stopped(Exception):
    """Somebody or something wants this cloud to end."""


@dataclass
class Life:
    ends: float
    lifeline: bool = True
    told: str = ""

    def tell(self, number: int, _frame: object) -> None:
        # Only a note: an exception here could strike between the start of a child and the line
        # that writes down its number.
        self.told = f"it was told to ({signal.Signals(number).name})"

    def wait(self, seconds: float) -> None:
        """Sleep, unless there is a reason to stop."""
        until = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            if self.told:
                raise Stopped(self.told)
            if now >= self.ends:
                raise Stopped("it has lived its longest life")
            left = max(0.0, until - now)
            watched = [0] if self.lifeline else []
            readable, _, _ = select.select(watched, [], [], left)
            if readable and not os.read(0, 512):
                raise Stopped("its owner is gone")
            if not readable:
                return


def main() -> None:
    options = _arguments()
    keys = take_keys()
    life = Life(time.monotonic() + options.max_seconds)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, life.tell)
    places = Places(options.name)
    places.folder.mkdir(parents=True, exist_ok=True)
    with places.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _report("taken")
            sys.exit(3)
        run(places, life, options, keys)


def run(places: Places, life: Life, options: argparse.Namespace, keys: dict[str, str]) -> None:
    children = Children(places)
    try:
        _clear(places)
        for provider, settings in json.loads(options.simulators).items():
            places.settings(provider).write_text(json.dumps(settings), encoding="utf-8")
        if options.providers.run_here:
            keys = steps.SIMULATORS_KEYS
        state = start(places, children, life, options, keys)
        state.write(places.state)
        life.lifeline = not options.detach
        _report("ready")
        while (dead := children.dead()) is None:
            life.wait(LOOK_SECONDS)
        _note(f"{dead} ended by itself; see its log")
    except StartFailed as problem:
        _report("failed", str(problem))
    except Stopped as reason:
        _note(str(reason))
        _report("failed", str(reason))
    finally:
        children.end()
        places.state.unlink(missing_ok=True)
        scratch.remove(places.scratch)


def start(
    places: Places,
    children: Children,
    life: Life,
    options: argparse.Namespace,
    keys: dict[str, str],
) -> CloudState:
    claims, providers = Ports(), options.providers
    ports = {name: claims.take(name) for name in steps.servers(providers)}
    endpoint, urls = steps.url_of(ports["emulator"]), steps.provider_urls(providers, ports)
    seconds: dict[str, float] = {}
    lifetime = ["--parent-pid", str(os.getpid()), "--max-seconds", str(options.max_seconds)]

    began = "start the emulator" + (" and the providers" if providers.run_here else "")
    with _timed(began, "start", seconds):
        steps.start_processes(children, places, ports, lifetime)
        build = steps.start_build(children, places)
        steps.wait_for_health(children, ports, life.wait)
        steps.prepare(endpoint, keys, urls["replicate"] if providers.can_call_back else None)
    with _timed("sam build", "build", seconds):
        steps.finish(children, build, life.wait)
    with _timed("sam deploy", "deploy", seconds):
        chosen = steps.parameters(providers, ports)
        steps.finish(children, steps.start_deploy(children, places, endpoint, chosen), life.wait)
    outputs = steps.stack_outputs(endpoint)
    if not providers.can_call_back:
        steps.start_ticker(children, endpoint, outputs["ReconcileFunctionName"], lifetime)
    key = steps.create_api_key(endpoint, outputs["TableName"])

    now = datetime.now(UTC)
    _held.append(claims)
    return CloudState(
        name=places.name,
        supervisor_pid=os.getpid(),
        started_at=now.isoformat(timespec="seconds"),
        ends_at=(now + timedelta(seconds=options.max_seconds)).isoformat(timespec="seconds"),
        endpoint_url=endpoint,
        providers=providers.value,
        fal_url=urls["fal"] if "fal" in keys else "",
        replicate_url=urls["replicate"] if "replicate" in keys else "",
        api_url=outputs["ApiUrl"].rstrip("/"),
        api_key=key.secret,
        api_key_id=key.issued.id,
        callback_secret=key.callback_secret,
        outputs=outputs,
        ports=ports,
        pids={child.name: child.pid for child in children.running},
        seconds=seconds,
    )


_held: list[Ports] = []  # claims on ports last as long as the process


def _clear(places: Places) -> None:
    """What an earlier cloud of this name left. The build and its cache stay: they save time."""
    places.state.unlink(missing_ok=True)
    old = [*places.folder.glob("*.log"), *places.folder.glob("*-settings.json")]
    for path in old:
        if path != places.log("supervisor"):  # this process writes to it
            path.unlink()
    scratch.make(places.scratch)


@contextmanager
def _timed(text: str, name: str, seconds: dict[str, float]) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[name] = round(time.monotonic() - began, 1)
    _report("progress", f"{text}: {seconds[name]} s")


def _report(event: str, text: str = "") -> None:
    with suppress(BrokenPipeError):  # the owner is gone; the lifeline says so too
        print(json.dumps({"event": event, "text": text}), flush=True)


def _note(text: str) -> None:
    print(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.cloud.supervisor")
    parser.add_argument("--name", required=True)
    parser.add_argument("--max-seconds", type=float, required=True)
    parser.add_argument("--providers", type=Providers, choices=Providers, required=True)
    parser.add_argument("--simulators", default="{}", help="start settings of each, as JSON")
    parser.add_argument("--detach", action="store_true", help="once ready, outlive the owner")
    return parser.parse_args()


if __name__ == "__main__":
    main()
