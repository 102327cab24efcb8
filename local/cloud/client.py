"""Starting, finding and stopping local clouds, from Python."""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from local.cloud import environments
from local.cloud.places import DEV_PYTHON, HOME, ROOT, Places
from local.cloud.processes import tail
from local.cloud.providers import Providers
from local.cloud.state import CloudState, StartFailed

type Progress = Callable[[str], None]

STOP_SECONDS = 180  # a busy machine deletes slowly what the emulator has unpacked
TAKEN_NAMES = 9


def _silent(_: str) -> None:
    pass


@dataclass
class LocalCloud:
    """A running local cloud. Leave the `with` block, or die, and it is gone."""

    state: CloudState
    _supervisor: "subprocess.Popen[str] | None" = None

    @classmethod
    def start(
        cls,
        name: str,
        progress: Progress = _silent,
        *,
        simulators: Mapping[str, Mapping[str, object]] | None = None,
        providers: Providers = Providers.SIMULATED,
        max_seconds: float = 2 * 3600,
    ) -> Self:
        """Takes `name-2`, `name-3` and so on while another run has the name.

        `simulators` maps "fal" and "replicate" to the settings that they start with.
        """
        launch = Launch(providers, max_seconds, simulators or {})
        for number in range(1, TAKEN_NAMES + 1):
            places = Places(name if number == 1 else f"{name}-{number}")
            supervisor = _launch(places, launch)
            try:
                if _follow(supervisor, places, progress):
                    return cls(_state_of(places), supervisor)
            except BaseException:  # Ctrl-C too
                _let_go(supervisor)
                raise
            _let_go(supervisor)
        raise StartFailed(f"{TAKEN_NAMES} local clouds named {name} are running already")

    @classmethod
    def up(
        cls,
        name: str,
        progress: Progress,
        max_seconds: float,
        own_keys: Mapping[str, str] | None = None,
    ) -> Self | None:
        """One that outlives its starter; None if it is there already. `down` ends it.

        With `own_keys`, by provider, it sends to the real providers.
        """
        places = Places(name)
        providers = Providers.LIVE if own_keys else Providers.SIMULATED
        launch = Launch(providers, max_seconds, keys=own_keys or {}, detach=True)
        supervisor = _launch(places, launch)
        try:
            if not _follow(supervisor, places, progress):
                return None
        except BaseException:
            _let_go(supervisor)
            raise
        return cls(_state_of(places))

    @classmethod
    def attach(cls, name: str) -> Self | None:
        """The running cloud of this name, if there is one."""
        places = Places(name)
        state = CloudState.read(places.state)
        if state is None or not _is_held(places):
            return None
        return cls(state)

    @classmethod
    def running(cls) -> list[Self]:
        found = (cls.attach(path.parent.name) for path in sorted(HOME.glob("*/state.json")))
        return [cloud for cloud in found if cloud is not None]

    def stop(self) -> None:
        """Returns when nothing of it is running any more."""
        if self._supervisor is not None:
            _let_go(self._supervisor)
            return
        places = Places(self.state.name)
        if _is_held(places):
            os.kill(self.state.supervisor_pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _is_held(places):
            if time.monotonic() > deadline:
                raise TimeoutError(f"supervisor {self.state.supervisor_pid} does not stop")
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def api_url(self) -> str:
        return self.state.api_url

    @property
    def api_key(self) -> str:
        return self.state.api_key

    @property
    def callback_secret(self) -> str:
        """What the API key's callbacks are signed with."""
        return self.state.callback_secret

    @property
    def fal_url(self) -> str:
        return self.state.fal_url

    @property
    def replicate_url(self) -> str:
        return self.state.replicate_url

    @property
    def endpoint_url(self) -> str:
        return self.state.endpoint_url

    @property
    def outputs(self) -> dict[str, str]:
        return self.state.outputs

    def client(self, service: str) -> Any:
        from local.cloud import aws  # here: boto3 takes longer to load than `down` takes to run

        return aws.client(service, self.endpoint_url)


@dataclass(frozen=True)
class Launch:
    """What a supervisor is told."""

    providers: Providers
    max_seconds: float
    simulators: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    detach: bool = False


def _launch(places: Places, launch: Launch) -> "subprocess.Popen[str]":
    places.folder.mkdir(parents=True, exist_ok=True)
    command = [str(DEV_PYTHON), "-m", "local.cloud.supervisor", "--name", places.name]
    command += ["--max-seconds", str(launch.max_seconds), "--providers", launch.providers]
    settings = {name: dict(of) for name, of in launch.simulators.items()}
    command += ["--simulators", json.dumps(settings)]
    if launch.detach:
        command.append("--detach")
    with places.log("supervisor").open("w") as log:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environments.supervisor(launch.keys),  # never on the command line
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is for the owner; the lifeline tells the supervisor
        )


def _follow(supervisor: "subprocess.Popen[str]", places: Places, progress: Progress) -> bool:
    """Until it is ready; False if the name is taken."""
    assert supervisor.stdout is not None
    for line in supervisor.stdout:
        report = json.loads(line)
        match report["event"]:
            case "progress":
                progress(report["text"])
            case "ready":
                return True
            case "taken":
                return False
            case "failed":
                raise StartFailed(f"the local cloud did not start: {report['text']}")
    raise StartFailed(f"the supervisor failed:\n{tail(places.log('supervisor'))}")


def _state_of(places: Places) -> CloudState:
    state = CloudState.read(places.state)
    if state is None:
        raise StartFailed(f"{places.state} is not there")
    return state


def _let_go(supervisor: "subprocess.Popen[str]") -> None:
    """Close the lifeline and wait until it has cleaned up."""
    assert supervisor.stdin is not None
    assert supervisor.stdout is not None
    supervisor.stdin.close()
    supervisor.stdout.close()
    try:
        supervisor.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()  # its guard ends the rest
        supervisor.wait()


def _is_held(places: Places) -> bool:
    """Whether its supervisor lives; a process number may have gone to another process."""
    try:
        with places.lock.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
