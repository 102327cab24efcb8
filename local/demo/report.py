"""The end of a demo in words: a table of the scenes, and what it cost and took."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.demo.progress import COLOURS, OPEN
from local.demo.results import file_name
from local.demo.words import counted, dollars

Json = Mapping[str, Any]


def print_table(console: Console, board: Json) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("scene", min_width=8)
    for heading in ("status", "model"):
        table.add_column(heading, no_wrap=True)
    for heading in ("provider", "total", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("file", no_wrap=True)
    for scene in board["scenes"]:
        metrics, status = scene["metrics"], scene["status"]
        table.add_row(
            Text(scene["id"]),
            Text(status, style=COLOURS.get(status, "")),
            scene["model"],
            _seconds(metrics["provider_seconds"]),
            _seconds(metrics["total_seconds"]),
            dollars(scene["cost"], over=status not in OPEN),
            file_name(scene) if scene["image"] else "-",
        )
    console.print()
    console.print(table)
    console.print()


def print_sums(console: Console, board: Json) -> None:
    paid = dollars(board["cost"], over=board["status"] != "running")
    console.print(Text(f"{counted(len(board['scenes']), 'scene')}, {paid}"))
    wall = wall_seconds(board)
    provider = [s["metrics"]["provider_seconds"] for s in board["scenes"]]
    took = [seconds for seconds in provider if seconds]
    if wall and took:
        one = median(took)
        times = f"{wall / one:.2f} x the {one:.1f} s of one scene at the provider"
        console.print(Text(f"{wall:.1f} s on a cloud just started: {times}"))


def troubles(board: Json) -> Sequence[str]:
    """One line for each scene without a picture."""
    lines = []
    for scene in board["scenes"]:
        if scene["status"] != "succeeded":
            error = scene["error"] or {}
            why = error.get("detail") or error.get("title")
            lines.append(f"{scene['id']} {scene['status']}" + (f": {why}" if why else ""))
    return lines


def wall_seconds(board: Json) -> float | None:
    if not board["completed_at"]:
        return None
    began, ended = (datetime.fromisoformat(board[name]) for name in ("created_at", "completed_at"))
    return (ended - began).total_seconds()


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
