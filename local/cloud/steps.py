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
from local.cloud.providers import REAL_URLS, Providers
from local.cloud.state import StartFailed
from storyhook.usecases.keys import NewKey
from tools import setup

STAGE = "local"
STACK = "storyhook-local"
ARTIFACTS_BUCKET = "sam-artifacts"  # samconfig.toml names it
SIMULATORS_KEYS = {"fal": "sim-fal-key", "replicate": "sim-replicate-token"}
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


def servers(providers: Providers) -> list[str]:
    """The processes that need a port of their own."""
    return [name for name in HEALTH if name == "emulator" or providers.run_here]


def provider_urls(providers: Providers, ports: Mapping[str, int]) -> dict[str, str]:
    return {name: url_of(ports[name]) for name in REAL_URLS} if providers.run_here else REAL_URLS


def start_processes(
    children: Children, places: Places, ports: Mapping[str, int], lifetime: list[str]
) -> None:
    """The servers that `ports` name."""
    children.start(
        "emulator",
        [CLOUD_PYTHON, "-m", "ministack"],
        environments.emulator(ports["emulator"], places.scratch),
    )
    for provider in ports.keys() - {"emulator"}:
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


def parameters(providers: Providers, ports: Mapping[str, int]) -> dict[str, str]:
    """The template's parameters. Its defaults are the real providers, which can reach it."""
    chosen = {
        "Stage": STAGE,
        "Architecture": host_architecture(),
        "EmulatorUrl": url_of(ports["emulator"]),
    }
    if not providers.can_call_back:
        chosen["Webhooks"] = "off"
    if providers.run_here:
        urls = provider_urls(providers, ports)
        chosen |= {
            "FalQueueUrl": urls["fal"],
            "FalJwksUrl": f"{urls['fal']}/.well-known/jwks.json",
            "ReplicateUrl": urls["replicate"],
            "ImageHosts": HOST,
        }
    return chosen


def start_deploy(
    children: Children, places: Places, endpoint: str, chosen: Mapping[str, str]
) -> Child:
    return children.start(
        "sam-deploy",
        [
            *(SAM, "deploy", "--config-env", "local", "--config-file", ROOT / "samconfig.toml"),
            *("--template-file", places.built_template, "--no-progressbar"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in chosen.items())),
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


def start_ticker(children: Children, endpoint: str, function: str, lifetime: list[str]) -> None:
    command: list[str | Path] = [DEV_PYTHON, "-m", "local.cloud.ticker", *lifetime]
    command += ["--endpoint-url", endpoint, "--function", function]
    children.start("ticker", command, environments.project())


def wait_for_health(children: Children, ports: Mapping[str, int], wait: Wait) -> None:
    waiting = {name: url_of(port) + HEALTH[name] for name, port in ports.items()}
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


def prepare(endpoint: str, keys: Mapping[str, str], webhooks_of: str | None) -> None:
    """What must be there before `sam deploy`, as on AWS: its bucket, and our secrets.

    `keys` by provider; `webhooks_of` is the URL of the Replicate whose webhooks will come.
    """
    aws.client("s3", endpoint).create_bucket(Bucket=ARTIFACTS_BUCKET)
    names = {"fal": setup.FAL_KEY, "replicate": setup.REPLICATE_TOKEN}
    values = {names[provider]: key for provider, key in keys.items()}
    values[setup.SIGNING_KEY] = setup.new_signing_key()
    if webhooks_of is not None:
        values[setup.REPLICATE_WEBHOOK_SECRET] = setup.fetch_replicate_webhook_secret(
            webhooks_of, keys["replicate"]
        )
    setup.put_parameters(aws.client("ssm", endpoint), STAGE, values)


def stack_outputs(endpoint: str) -> dict[str, str]:
    found: Any = aws.client("cloudformation", endpoint).describe_stacks(StackName=STACK)
    return {o["OutputKey"]: o["OutputValue"] for o in found["Stacks"][0].get("Outputs", [])}


def create_api_key(endpoint: str, table: str) -> NewKey:
    dynamodb, ssm = aws.client("dynamodb", endpoint), aws.client("ssm", endpoint)
    return setup.create_api_key(dynamodb, ssm, table, STAGE)


def _answers(url: str) -> bool:
    try:
        with _direct.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
