"""Running one command of the set-up, away from whatever environment the user is in."""

from __future__ import annotations

import os
import subprocess
import sys

# What says where an index is and how to reach it is the user's to decide. Everything else of
# uv's and pip's settings, and any active environment, would change what is installed or where.
KEPT_UV = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_CACHE_DIR")
KEPT_UV_WORDS = ("INDEX", "TLS", "CERT", "TIMEOUT", "RETRIES", "OFFLINE", "INSECURE", "KEYRING")
DROPPED = ("VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__")
DROPPED_PIP = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_CONSTRAINT")


class Unavailable(Exception):
    """Something the set-up needs could not be had; the text says what and what to do."""


def clean_environment() -> dict[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in DROPPED and name not in DROPPED_PIP and _is_kept(name)
    }
    environment["PIP_USER"] = "0"
    if not any(name in environment for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")):
        index = _index_of_pip(environment)
        if index:
            environment["UV_DEFAULT_INDEX"] = index
    return environment


def _is_kept(name: str) -> bool:
    if not name.startswith(("UV_", "PYTHON")):
        return True
    return name in KEPT_UV or any(word in name for word in KEPT_UV_WORDS)


def _index_of_pip(environment: dict[str, str]) -> str:
    """uv does not read pip's settings; where pip is pointed at a mirror, uv must be too."""
    if "PIP_INDEX_URL" in environment:
        return environment["PIP_INDEX_URL"]
    try:
        return run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], environment)
    except Unavailable:
        return ""


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Its output; raises Unavailable with the last lines of what it said."""
    if environment is None:
        environment = clean_environment()
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as problem:
        raise Unavailable(f"{command[0]}: {problem.strerror}") from problem
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()[-12:]
        raise Unavailable("\n    ".join([f"{command[0]} failed:", *said]))
    return done.stdout.strip()
