"""Find a CPython 3.13 that works, wherever it was installed from."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tools.run import Unavailable, run

if TYPE_CHECKING:
    from collections.abc import Iterator

# Run by each candidate: a name on PATH may be a shim that only prints an error, an alpha, a
# free-threaded build (which takes other wheels), or another virtual environment's python.
PROBE = """
import platform, sys, sysconfig
good = (
    platform.python_implementation() == "CPython"
    and (3, 13) <= sys.version_info[:2] < (3, 14)
    and sys.version_info.releaselevel == "final"
    and sys.maxsize > 2**32
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
)
if not good:
    sys.exit(1)
import ctypes, ssl, sqlite3, zlib  # a build that lacks one of these is of no use
print(getattr(sys, "_base_executable", None) or sys.executable)
"""
PLACES = (
    "/opt/homebrew/bin/python3.13",
    "/usr/local/bin/python3.13",
    "/usr/bin/python3.13",
    "/opt/homebrew/opt/python@3.13/bin/python3.13",
    "/usr/local/opt/python@3.13/bin/python3.13",
    "/Library/Frameworks/Python.framework/Versions/3.13/bin/python3.13",
    "/opt/python*/bin/python3.13",
    "/opt/python/*3.13*/bin/python3.13",
)


def find(uv: Path, tools: Path, environment: dict[str, str]) -> Path:
    tried = []
    for candidate in _installed(uv, environment):
        if candidate in tried:
            continue
        tried.append(candidate)
        python = _probe(candidate, environment)
        if python is not None:
            return python
    own = {**environment, "UV_PYTHON_INSTALL_DIR": str(tools / "python")}
    try:
        run([str(uv), "python", "install", "--no-bin", "3.13"], own)
        fetched = _probe(run([str(uv), *FIND, "--managed-python"], own), environment)
    except Unavailable as problem:
        raise Unavailable(
            f"CPython 3.13 was not found (tried: {', '.join(tried) or 'nothing'})\n"
            f"and could not be fetched: {problem}\n"
            "Install it in any way, put `python3.13` on PATH or name it in STORYHOOK_PYTHON."
        ) from problem
    if fetched is None:
        raise Unavailable("The CPython 3.13 that uv fetched does not run on this machine.")
    return fetched


FIND = ("python", "find", "--no-project", "--system", "3.13")


def _installed(uv: Path, environment: dict[str, str]) -> Iterator[str]:
    named = os.environ.get("STORYHOOK_PYTHON")
    if named:
        yield named
    for name in ("python3.13", "python3", "python"):
        found = shutil.which(name, path=environment.get("PATH"))
        if found:
            yield found
    # uv itself may stop at the first python that misbehaves, such as a version manager's shim.
    with contextlib.suppress(Unavailable):
        yield run([str(uv), *FIND], environment)
    home = Path.home()
    pyenv = os.environ.get("PYENV_ROOT") or str(home / ".pyenv")
    managers = (
        f"{pyenv}/versions/3.13.*/bin/python3.13",
        f"{home}/.asdf/installs/python/3.13.*/bin/python3.13",
        f"{home}/.local/share/mise/installs/python/3.13*/bin/python3.13",
    )
    for pattern in (*managers, *PLACES):
        yield from sorted(glob.glob(pattern), reverse=True)


def _probe(candidate: str, environment: dict[str, str]) -> Path | None:
    try:
        return Path(run([candidate, "-I", "-c", PROBE], environment))
    except Unavailable:
        return None
