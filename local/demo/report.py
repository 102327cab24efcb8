"""The end of a demo in words: a table of the scenes, and what it cost and took."""

from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table
from rich.text import Text

from storyhook_client.answers import Storyboard
from storyhook_client.cli.progress import COLOURS
from storyhook_client.cli.words import counted, dollars, seconds
from storyhook_client.downloads import file_name


def print_table(console: Console, board: Storyboard) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("scene", min_width=8)
    for heading in ("status", "model"):
        table.add_column(heading, no_wrap=True)
    for heading in ("provider", "total", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("file", no_wrap=True)
    for scene in board.scenes:
        table.add_row(
            Text(scene.id),
            Text(scene.status, style=COLOURS.get(scene.status, "")),
            scene.model,
            seconds(scene.metrics.provider_seconds),
            seconds(scene.metrics.total_seconds),
            dollars(scene.cost, over=scene.is_over),
            file_name(scene) if scene.image else "-",
        )
    console.print()
    console.print(table)
    console.print()


def print_sums(console: Console, board: Storyboard) -> None:
    paid = dollars(board.cost, over=board.is_over)
    console.print(Text(f"{counted(len(board.scenes), 'scene')}, {paid}"))
    wall = wall_seconds(board)
    provider = [scene.metrics.provider_seconds for scene in board.scenes]
    took = [each for each in provider if each]
    if wall and took:
        one = median(took)
        times = f"{wall / one:.2f} x the {one:.1f} s of one scene at the provider"
        console.print(Text(f"{wall:.1f} s on a cloud just started: {times}"))


def troubles(board: Storyboard) -> Sequence[str]:
    """One line for each scene without a picture."""
    lines = []
    for scene in board.scenes:
        if scene.status != "succeeded":
            why = scene.error and (scene.error.detail or scene.error.title)
            lines.append(f"{scene.id} {scene.status}" + (f": {why}" if why else ""))
    return lines


def wall_seconds(board: Storyboard) -> float | None:
    if not (board.created_at and board.completed_at):
        return None
    return (board.completed_at - board.created_at).total_seconds()
