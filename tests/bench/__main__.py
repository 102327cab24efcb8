"""python -m tests.bench [--only startup|boards|counts] [--quick]: measure against the budgets."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from rich.console import Console

from local.cloud import LocalCloud, StartFailed
from tests.bench import boards, counts, startup
from tests.bench.report import DOCUMENT, Section, setting, write
from tests.e2e.support import Caller, Customer, Simulator

PARTS = ("startup", "boards", "counts")
_MAX_SECONDS = 1800.0


def main() -> int:
    options = _arguments()
    console = Console()
    began = time.monotonic()

    def progress(text: str) -> None:
        console.print(f"{time.monotonic() - began:4.0f} s  {text}", style="dim", highlight=False)

    parts = (options.only,) if options.only else PARTS
    try:
        sections = list(_measure(parts, progress, quick=options.quick))
    except StartFailed as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; nothing is left running")
        return 130
    console.print()
    for section in sections:
        section.show(console)
    console.print(setting(), style="dim", highlight=False)
    if parts == PARTS and not options.quick:
        write(sections)
        console.print(f"written to {DOCUMENT.name} in {DOCUMENT.parent.name}/")
    return 0


def _measure(
    parts: tuple[str, ...], progress: startup.Progress, *, quick: bool
) -> Iterator[Section]:
    if "startup" in parts:
        yield startup.measure(progress, quick=quick)
    if {"boards", "counts"} & set(parts):
        with _cloud(progress) as (cloud, caller, customer):
            if "boards" in parts:
                yield boards.measure(caller, Simulator(cloud.fal_url), progress, quick=quick)
            if "counts" in parts:
                yield from counts.measure(cloud, caller, customer, progress, quick=quick)
        progress("the local cloud is stopped")


@contextmanager
def _cloud(progress: startup.Progress) -> Iterator[tuple[LocalCloud, Caller, Customer]]:
    settings = {"drawing": "plain", "latency_jitter": 0.0}
    with (
        LocalCloud.start(
            "bench",
            progress,
            simulators={"fal": settings, "replicate": settings},
            max_seconds=_MAX_SECONDS,
        ) as cloud,
        httpx.Client(headers={"authorization": f"Bearer {cloud.api_key}"}, timeout=40) as http,
        Customer() as customer,
    ):
        yield cloud, Caller(cloud, http), customer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=(__doc__ or "").partition(": ")[2]
    )
    parser.add_argument("--only", choices=PARTS, help="one part instead of all three")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a look")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
