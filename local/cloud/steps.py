"""The steps that turn an empty emulator into our cloud, in the supervisor's hands."""

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.cloud import aws, environments
from local.cloud.places import CLOUD_PYTHON, DEV_PYTHON, ROOT, SAM, Places, host_architecture
from local.cloud.ports import HOST
from local.cloud.processes import Child, Children, tail
from local.cloud.state import StartFailed
from tools import setup

STAGE = "local"
STACK = "storyhook-local"
ARTIFACTS_BUCKET = "sam-artifacts"  # samconfig.toml names it
FAL_KEY = "sim-fal-key"
REPLICATE_TOKEN = "sim-replicate-token"
HEALTH = {
    "emulator": "/_ministack/health",
    "fal": "/_control/health",
    "replicate": "/_control/health",
}
PATIENCE_SECONDS = 60

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

type Wait = Callable[[float], None]  # sleeps; raises when the cloud has to stop


def url_of(port: int) -> str:
    return f"http://{HOST}:{port}"


def start_processes(
    children: Children, places: Places, ports: Mapping[str, int], lifetime: list[str]
) -> None:
    children.start(
        "emulator",
        [CLOUD_PYTHON, "-m", "ministack"],
        environments.emulator(ports["emulator"], places.scratch),
    )
    for provider in ("fal", "replicate"):
        command: list[str | Path] = [DEV_PYTHON, "-m", f"local.simulators.{provider}", *lifetime]
        command += ["--port", str(ports[provider])]
        if places.settings(provider).exists():
            command += ["--settings", places.settings(provider)]
        children.start(provider, command, environments.project())


def start_build(children: Children, places: Places) -> Child:
    return children.start(
        "sam-build",
        [
            *(SAM, "build", "--config-env", "local"),
            *("--build-dir", places.build, "--cache-dir", places.build_cache),
            *("--parameter-overrides", f"Architecture={host_architecture()}"),
        ],
        environments.sam(url_of(1), places.folder),  # a build asks nothing of any cloud
    )


def start_deploy(children: Children, places: Places, ports: Mapping[str, int]) -> Child:
    endpoint, fal, replicate = (url_of(ports[name]) for name in ("emulator", "fal", "replicate"))
    parameters = {
        "Stage": STAGE,
        "Architecture": host_architecture(),
        "EmulatorUrl": endpoint,
        "FalQueueUrl": fal,
        "FalJwksUrl": f"{fal}/.well-known/jwks.json",
        "ReplicateUrl": replicate,
        "ImageHosts": HOST,
    }
    return children.start(
        "sam-deploy",
        [
            *(SAM, "deploy", "--config-env", "local", "--config-file", ROOT / "samconfig.toml"),
            *("--template-file", places.built_template, "--no-progressbar"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
        ],
        environments.sam(endpoint, places.folder),
    )


def finish(children: Children, command: Child, wait: Wait) -> None:
    while not command.ended():
        complain_of_the_dead(children, allowed=command)
        wait(0.05)
    children.forget(command)
    if command.process.returncode != 0:
        raise StartFailed(f"{command.name} failed:\n{tail(command.log)}")


def wait_for_health(children: Children, ports: Mapping[str, int], wait: Wait) -> None:
    waiting = {name: url_of(ports[name]) + path for name, path in HEALTH.items()}
    for _ in range(PATIENCE_SECONDS * 20):
        waiting = {name: url for name, url in waiting.items() if not _answers(url)}
        complain_of_the_dead(children)
        if not waiting:
            return
        wait(0.05)
    slow = next(iter(waiting))
    log = children.places.log(slow)
    raise StartFailed(f"{slow} did not answer in {PATIENCE_SECONDS} s:\n{tail(log)}")


def complain_of_the_dead(children: Children, allowed: Child | None = None) -> None:
    for child in children.running:
        is_server = child.name in HEALTH
        if child is not allowed and is_server and child.ended():
            status = child.process.returncode
            raise StartFailed(f"{child.name} ended (status {status}):\n{tail(child.log)}")


def prepare(ports: Mapping[str, int]) -> None:
    """What must be there before `sam deploy`, as on AWS: its bucket, and our secrets."""
    endpoint = url_of(ports["emulator"])
    aws.client("s3", endpoint).create_bucket(Bucket=ARTIFACTS_BUCKET)
    replicate = url_of(ports["replicate"])
    setup.put_parameters(
        aws.client("ssm", endpoint),
        STAGE,
        {
            setup.FAL_KEY: FAL_KEY,
            setup.REPLICATE_TOKEN: REPLICATE_TOKEN,
            setup.REPLICATE_WEBHOOK_SECRET: setup.fetch_replicate_webhook_secret(
                replicate, REPLICATE_TOKEN
            ),
            setup.SIGNING_KEY: setup.new_signing_key(),
        },
    )


def stack_outputs(endpoint: str) -> dict[str, str]:
    found: Any = aws.client("cloudformation", endpoint).describe_stacks(StackName=STACK)
    return {o["OutputKey"]: o["OutputValue"] for o in found["Stacks"][0].get("Outputs", [])}


def create_api_key(endpoint: str, table: str) -> setup.ApiKey:
    dynamodb, ssm = aws.client("dynamodb", endpoint), aws.client("ssm", endpoint)
    return setup.create_api_key(dynamodb, ssm, table, STAGE)


def _answers(url: str) -> bool:
    try:
        with _direct.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
