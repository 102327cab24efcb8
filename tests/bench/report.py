"""Tables: the same ones on the terminal and in docs/benchmarks.md."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.cloud.places import ROOT

DOCUMENT = ROOT / "docs" / "benchmarks.md"
OVER, UNDER = "over", "ok"
_PACKAGES = ("boto3", "botocore", "pydantic", "aws-lambda-powertools", "fal-client", "replicate")


@dataclass(frozen=True)
class Section:
    """One table with its meaning before it and its fine print after it."""

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=list)

    def show(self, console: Console) -> None:
        table = Table(title=self.title, title_justify="left", caption_justify="left")
        for number, name in enumerate(self.columns):
            table.add_column(name, justify="right" if number else "left", no_wrap=not number)
        for row in self.rows:
            style = "red" if OVER in row else None
            table.add_row(*row, style=style)
        console.print(table)
        for note in self.notes:
            console.print(f"  {note}", style="dim", markup=False, highlight=False)
        console.print()

    def markdown(self) -> str:
        lines = [f"## {self.title}", "", self.text, ""]
        lines.append("| " + " | ".join(self.columns) + " |")
        lines.append("|" + "|".join(["-"] + ["-:"] * (len(self.columns) - 1)) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        if self.notes:
            lines += ["", *(f"* {note}" for note in self.notes)]
        return "\n".join(lines) + "\n"


def verdict(value: float, budget: float | None) -> tuple[str, str]:
    """The columns `budget` and over or ok, which are empty where there is none."""
    if budget is None:
        return "", ""
    return f"{budget:g}", OVER if value > budget else UNDER


def setting() -> str:
    """When, on what and with what."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{datetime.now(UTC):%d %B %Y}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, {_processor()}, CPython {platform.python_version()}, {packages}."
    )


def write(sections: Sequence[Section], path: Path = DOCUMENT) -> None:
    tables = "\n".join(section.markdown() for section in sections)
    path.write_text(_DOCUMENT.format(setting=setting(), tables=tables), encoding="utf-8")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", info.read_text(), re.M) if info.exists() else None
    return found.group(1) if found else platform.processor() or "unknown processor"


_DOCUMENT = """\
# Benchmarks

`make bench` measures all of this again in some five minutes, on a local cloud that it starts and
stops itself, and writes this page. `make bench ARGS="--quick"` takes fewer repetitions and
`ARGS="--only startup"` (or `boards`, `counts`) one part; neither touches this page.

The last run: {setting}

{tables}
## What these numbers do not show

* **No AWS account was used.** Counts come from the emulator and are exact for what our code asks
  for; prices are list prices; durations on Lambda are assumptions, named above.
* **The machine is not Lambda.** Its processor and its neighbours differ: the ratios, taken within
  one run, carry over, the milliseconds do not. Lambda adds some 80 ms for its own runtime.
* **Start-up ends where work begins.** A first https connection also loads the certificates, about
  17 ms of CPU for each AWS service and each host; the local cloud speaks plain http.
* **Boards share the machine** with the emulator, the simulated provider, and a process for every
  function that runs at the same time. AWS has no such queue for two cores.
"""
