"""python -m local up | down | status: a local cloud to work with.

python -m local up                    start one, print how to reach it, return
python -m local up --name mine        another one beside it
python -m local status                what is running
python -m local down                  stop it
"""

import argparse
import sys
import time

from local.cloud import LocalCloud, StartFailed

MAX_HOURS = 8.0


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
    cloud = LocalCloud.up(options.name, print, options.max_hours * 3600)
    if cloud is None:
        print(f"{options.name} is running already, or is being started")
    else:
        print(f"ready in {time.monotonic() - began:.0f} s")
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
        print(f"{cloud.state.name} is up; it ends itself at {cloud.state.ends_at}")
        print(f"  API        {cloud.api_url}")
        print(f"  API key    {cloud.api_key}")
        print(f"  callbacks  {cloud.callback_secret}   (verify them with this secret)")
        print(f"  AWS        {cloud.endpoint_url}   (AWS_ENDPOINT_URL)")
        print(f"  fal        {cloud.fal_url}")
        print(f"  Replicate  {cloud.replicate_url}")
        print(f"  logs       .local/{cloud.state.name}/ (emulator.log has the functions')")
        print("  for the examples of the README:")
        print(f"    API='{cloud.api_url}' KEY='{cloud.api_key}'")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local", description="A local cloud: the template without an AWS account."
    )
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--name", default="local", help="several can run side by side")
    parser.add_argument("--all", action="store_true", help="down: whatever its name")
    parser.add_argument("--max-hours", type=float, default=MAX_HOURS, help="it ends itself then")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
