"""The environment variables of each process: none of the user's AWS settings may get through.

A profile or an endpoint that leaked in would let a local run touch a real account.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from local.cloud.places import ROOT
from local.cloud.ports import HOST
from local.cloud.providers import KEY_VARIABLES

REGION = "us-east-1"
_NOWHERE = os.devnull
_DIRECT = f"{HOST},localhost"
# The project's settings for its own development; in a function's process they would be wrong.
_NOT_FOR_TOOLS = ("AWS_", "SAM_CLI_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "__PYVENV_LAUNCHER__")
# Keys that cost money go to the one process that puts them where secrets belong.
_NOT_FOR_ANYONE = ("FAL_", "REPLICATE_")


def emulator(port: int, scratch: Path) -> dict[str, str]:
    """As little as possible: every function that the emulator runs inherits it."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",  # else it listens on 0.0.0.0:8883 all the same
        "SFTP_ENABLED": "0",
    }


def supervisor(keys: Mapping[str, str]) -> dict[str, str]:
    """As `project`, and with the user's own keys, by provider."""
    return {**project(), **{KEY_VARIABLES[name]: key for name, key in keys.items()}}


def project() -> dict[str, str]:
    """For the project's own processes."""
    return {
        **_cleaned(),
        "PYTHONPATH": str(ROOT / "layers" / "storyhook" / "python"),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": _DIRECT,
        "no_proxy": _DIRECT,
    }


def sam(endpoint_url: str, folder: Path) -> dict[str, str]:
    """The SAM CLI, pointed at the emulator and at nothing else."""
    return {
        **_cleaned(),
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": _NOWHERE,
        "AWS_SHARED_CREDENTIALS_FILE": _NOWHERE,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",  # seconds; the usual 5 is for a cloud farther away
        "__SAM_CLI_APP_DIR": str(folder / "sam-cli"),
        "NO_PROXY": _DIRECT,
        "no_proxy": _DIRECT,
    }


def _cleaned() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith((*_NOT_FOR_TOOLS, *_NOT_FOR_ANYONE))
    }
