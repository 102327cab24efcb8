"""Make `.tools/`: the virtual environments that everything else in this project runs with.

    .tools/uv      the installer, pinned
    .tools/dev     this project's code, client, tests, demo, linters
    .tools/cloud   the local cloud's emulator; apart, because functions can see its packages
    .tools/sam     the SAM CLI; apart, because it pins a great deal
    .tools/guard   checkov and pip-audit; made only for `make template` and `make audit`
    .tools/fuzz    schemathesis; made only for `make fuzz`

Started with `python3 -m tools.bootstrap [guard|fuzz]`; `make` does so before what needs them.
Needs only a python3 of 3.9 or later and a way to reach a Python package index; standard library
only. A stamp in each environment makes repeated runs instant. Nothing outside the project's
folder is written, apart from the installers' own download caches.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tools import find_python
from tools.run import Unavailable, clean_environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
UV = TOOLS / "uv" / "bin" / "uv"
ENVIRONMENTS = ("dev", "cloud", "sam")
ON_DEMAND = ("fuzz", "guard")


def main() -> None:
    if sys.version_info < (3, 9):
        fail(f"This needs python3 of 3.9 or later to start with; {sys.executable} is older.")
    unknown = [name for name in sys.argv[1:] if name not in ON_DEMAND]
    if unknown:
        fail(f"There is no environment {unknown[0]}; made on demand: {', '.join(ON_DEMAND)}.")
    wanted = (*ENVIRONMENTS, *sys.argv[1:])
    if all(is_ready(name) for name in wanted):
        return
    TOOLS.mkdir(exist_ok=True)
    try:
        with one_at_a_time(TOOLS / "lock"):
            make_all(wanted)
    except Unavailable as problem:
        fail(str(problem))
    except KeyboardInterrupt:
        fail("Interrupted. The next run goes on from here.")


def make_all(wanted: tuple[str, ...]) -> None:
    started = time.monotonic()
    environment = clean_environment()
    if not UV.exists():
        with step("uv, the installer"):
            install_uv(environment)
    python: Path | None = None
    for name in wanted:
        if is_ready(name):
            continue
        if python is None:
            with step("find CPython 3.13"):
                python = find_python.find(UV, TOOLS, environment)
        with step(f"environment .tools/{name}"):
            make_environment(name, python, environment)
    say(f"ready in {time.monotonic() - started:.0f} s")


def install_uv(environment: dict[str, str]) -> None:
    """Three ways, because a bare python3 may lack pip, or venv, or both."""
    home = TOOLS / "uv"
    requirements = ["--require-hashes", "-r", str(ROOT / "requirements" / "uv.txt")]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    problems = []
    for way in ("pip", "venv", "PATH"):
        shutil.rmtree(home, ignore_errors=True)
        try:
            if way == "pip":
                target = ["--target", str(home), "--no-deps"]
                run([sys.executable, "-m", "pip", "install", *quiet, *target, *requirements])
            elif way == "venv":
                run([sys.executable, "-m", "venv", str(home)])
                pip = [str(home / "bin" / "python"), "-m", "pip"]
                run([*pip, "install", *quiet, *requirements])
            else:
                found = shutil.which("uv")
                if found is None:
                    raise Unavailable("no uv on PATH")
                UV.parent.mkdir(parents=True)
                UV.symlink_to(Path(found).resolve())
            run([str(UV), "--version"], environment)
            return
        except Unavailable as problem:
            problems.append(f"by {way}: {problem}")
    shutil.rmtree(home, ignore_errors=True)
    raise Unavailable(
        "uv, the package installer, could not be had.\n"
        + "\n".join(problems)
        + "\nInstall pip for this python3 (Debian, Ubuntu: apt install python3-pip python3-venv),"
        "\nor put uv on PATH, and check that a Python package index can be reached."
    )


def make_environment(name: str, python: Path, environment: dict[str, str]) -> None:
    folder = TOOLS / name
    stamp = folder / ".stamp"
    was_complete = stamp.exists()
    stamp.unlink(missing_ok=True)
    if not (was_complete and runs_on(folder, python)):
        # Half an environment (an interrupted run) or another interpreter: start afresh.
        shutil.rmtree(folder, ignore_errors=True)
        run([str(UV), "venv", "--quiet", "--python", str(python), str(folder)], environment)
    run(
        [
            *(str(UV), "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode"),
            *("--python", str(folder / "bin" / "python")),
            str(ROOT / "requirements" / f"{name}.txt"),
        ],
        environment,
    )
    if name == "dev":
        install_client(folder, environment)
    partial = stamp.with_suffix(".partial")
    partial.write_text(wanted_stamp(name), encoding="utf-8")
    partial.replace(stamp)


def install_client(folder: Path, environment: dict[str, str]) -> None:
    """The project's own client, as it stands in client/, with its command `storyhook`.

    What it needs is among the pins, and the installer builds it by itself.
    """
    own = ["--quiet", "--no-deps", "--offline", "--editable", str(ROOT / "client")]
    python = ["--python", str(folder / "bin" / "python")]
    run([str(UV), "pip", "install", *python, *own], environment)


def runs_on(folder: Path, python: Path) -> bool:
    link = folder / "bin" / "python"
    return link.exists() and link.resolve() == python.resolve()


def is_ready(name: str) -> bool:
    folder = TOOLS / name
    try:
        made = (folder / ".stamp").read_text(encoding="utf-8")
    except OSError:
        return False
    return made == wanted_stamp(name) and (folder / "bin" / "python").exists()


def wanted_stamp(name: str) -> str:
    """The folder is part of it: scripts in an environment hold absolute paths."""
    made_from = (ROOT / "requirements" / f"{name}.txt").read_bytes()
    if name == "dev":
        made_from += (ROOT / "client" / "pyproject.toml").read_bytes()
    return f"{hashlib.sha256(made_from).hexdigest()} {TOOLS / name}\n"


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Two `make`s at once: the second waits, then finds the work done. Ends with the process."""
    import fcntl

    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another run is making the tools; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def step(what: str) -> Iterator[None]:
    started = time.monotonic()
    say(f"{what} ...")
    yield
    say(f"{what}: {time.monotonic() - started:.1f} s")


def say(text: str) -> None:
    print(f"[tools] {text}", file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    say(text)
    sys.exit(1)


if __name__ == "__main__":
    main()
