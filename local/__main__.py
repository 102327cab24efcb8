"""python -m local up | down | status: a local cloud to work with.

python -m local up                    start one, print how to reach it, return
python -m local up --name mine        another one beside it
python -m local up --live             one that sends to the real providers, with your keys
python -m local status                what is running
python -m local down                  stop it
"""

import argparse
import os
import sys
import time

from local.cloud import LocalCloud, Providers, StartFailed, own_keys
from local.cloud.providers import KEY_VARIABLES

DEFAULT_NAME = "local"
MAX_HOURS = 8.0
_LABELS = {"fal": "fal", "replicate": "Replicate"}


def main() -> int:
    options = _arguments()
    commands = {"up": up, "down": down, "status": status}
    try:
        return commands[options.command](options)
    except StartFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing is left running", file=sys.stderr)
        return 130


def up(options: argparse.Namespace) -> int:
    began = time.monotonic()
    keys = own_keys(os.environ) if options.live else None
    cloud = LocalCloud.up(options.name, print, options.max_hours * 3600, keys)
    if cloud is not None:
        print(f"ready in {time.monotonic() - began:.0f} s")
        return status(options)
    there = LocalCloud.attach(options.name)
    if there is not None and options.live != (there.state.providers == Providers.LIVE):
        kind = "the real" if there.state.providers == Providers.LIVE else "simulated"
        raise StartFailed(
            f"{options.name} is running already, with {kind} providers; `make down` it first, "
            "or choose another NAME"
        )
    print(f"{options.name} is running already, or is being started; what has changed since in")
    print("code or catalogue is not in it: `make down` it first for that")
    return status(options)


def down(options: argparse.Namespace) -> int:
    clouds = [
        cloud for cloud in LocalCloud.running() if options.all or cloud.state.name == options.name
    ]
    for cloud in clouds:
        cloud.stop()
        print(f"{cloud.state.name} is stopped")
    if not clouds and not options.all:
        print(f"no local cloud named {options.name} is running")
    return 0


def status(_: argparse.Namespace) -> int:
    running = LocalCloud.running()
    if not running:
        print("no local cloud is running")
    for cloud in running:
        mine = cloud.state.name
        down = "make down" if mine == DEFAULT_NAME else f"make down NAME={mine}"
        print(f"{mine} is up; `{down}` ends it, and it ends itself at {cloud.state.ends_at}")
        print(f"  API        {cloud.api_url}")
        print(f"  API key    {cloud.api_key}")
        print(f"  callbacks  {cloud.callback_secret}   (their secret, until you rotate it)")
        print(f"  AWS        {cloud.endpoint_url}   (AWS_ENDPOINT_URL)")
        for name, url in (("fal", cloud.fal_url), ("replicate", cloud.replicate_url)):
            print(f"  {_LABELS[name]:9}  {_provider(cloud, name, url)}")
        print(f"  logs       .local/{mine}/ (emulator.log has the functions')")
        print("  for `storyhook` and the examples of the README:")
        print(f"    export STORYHOOK_URL='{cloud.api_url}' STORYHOOK_API_KEY='{cloud.api_key}'")
    return 0


def _provider(cloud: LocalCloud, name: str, url: str) -> str:
    if not url:
        return f"off, because {KEY_VARIABLES[name]} was not set"
    live = cloud.state.providers == Providers.LIVE
    return f"{url}   (the real one: predictions cost money)" if live else url


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local", description="A local cloud: the template without an AWS account."
    )
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--name", default=DEFAULT_NAME, help="several can run side by side")
    parser.add_argument(
        "--live", action="store_true", help="up: with your FAL_KEY, REPLICATE_API_TOKEN or both"
    )
    parser.add_argument("--all", action="store_true", help="down: whatever its name")
    parser.add_argument("--max-hours", type=float, default=MAX_HOURS, help="it ends itself then")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
