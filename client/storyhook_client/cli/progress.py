"""A storyboard while it is being made: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from storyhook_client.answers import OPEN, Scene, Storyboard
from storyhook_client.cli.words import printable

COLOURS = {
    "queued": "dim", "running": "cyan", "succeeded": "green", "blocked": "yellow",
    "failed": "red", "expired": "red", "canceled": "dim",
}  # fmt: skip
_NEARLY = 0.97  # a bar is full only when the picture is there
_USUAL_SECONDS = 10.0
_BAR_WIDTH = 36
_OTHER_LINES = 6  # of the terminal, which the scenes cannot have


class View(Protocol):
    def show(self, board: Storyboard) -> None: ...
    def __enter__(self) -> View: ...
    def __exit__(self, *_: object) -> None: ...


def view(console: Console, typical: Mapping[str, float]) -> View:
    """`typical`: the usual seconds of each model."""
    if console.is_terminal and not console.is_dumb_terminal:
        return Bars(console, typical)
    return Lines(console)


class Bars:
    """One bar per scene: time against what the model usually takes."""

    def __init__(self, console: Console, typical: Mapping[str, float]) -> None:
        self._console = console
        self._typical = typical
        self._running_since: dict[str, float] = {}
        self._board: Storyboard | None = None
        self._live = Live(console=console, get_renderable=self._picture, refresh_per_second=5)

    def __enter__(self) -> Bars:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, board: Storyboard) -> None:
        now = time.monotonic()
        for scene in board.scenes:
            if scene.status == "running":
                self._running_since.setdefault(scene.id, now)
        self._board = board
        self._live.refresh()

    def _picture(self) -> Group:
        scenes = self._board.scenes if self._board else ()
        shown = self._most_telling(scenes)
        table = Table.grid(padding=(0, 1))
        table.add_column(min_width=11, justify="right")
        table.add_column()
        for width in (9, 18):  # so that nothing moves about
            table.add_column(no_wrap=True, min_width=width)
        for scene in shown:
            table.add_row(*self._row(scene))
        if len(shown) == len(scenes):
            return Group(table)
        over = sum(scene.status not in OPEN for scene in scenes)
        bar = ProgressBar(max(1, len(scenes)), over, width=_BAR_WIDTH)
        total = Table.grid(padding=(0, 1))
        total.add_row(Text("all scenes"), bar, Text(f"{over} of {len(scenes)} are over"))
        return Group(table, total)

    def _row(self, scene: Scene) -> tuple[Text, ProgressBar, Text, Text]:
        status, colour = scene.status, COLOURS.get(scene.status, "")
        usual = self._typical.get(scene.model or "", _USUAL_SECONDS)
        seconds = scene.metrics.total_seconds
        share, clock = 1.0, "" if seconds is None else f"{seconds:.1f} s"
        if status in OPEN:
            began = self._running_since.get(scene.id)
            elapsed = 0.0 if began is None else time.monotonic() - began
            share = min(_NEARLY, elapsed / usual)
            clock = "" if began is None else f"{elapsed:.1f} of about {usual:g} s"
        bar = ProgressBar(
            1.0,
            share,
            width=_BAR_WIDTH,
            pulse=status in OPEN and share == _NEARLY,
            complete_style=colour,
            finished_style=colour,
        )
        told = Text(printable(status), style=colour)
        return Text(printable(scene.id)), bar, told, Text(clock, style="dim")

    def _most_telling(self, scenes: Sequence[Scene]) -> Sequence[Scene]:
        """As many as the terminal has lines for: those at work first, in their order."""
        room = max(3, self._console.height - _OTHER_LINES)
        if len(scenes) <= room:
            return scenes
        ranks = {"running": 0, "queued": 2}
        ranked = sorted(scenes, key=lambda scene: ranks.get(scene.status, 1))
        return sorted(ranked[:room], key=lambda scene: scene.position or 0)


class Lines:
    """One line whenever the status of a scene changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, str] = {}

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, board: Storyboard) -> None:
        for scene in board.scenes:
            status = scene.status
            if self._seen.get(scene.id) == status:
                continue
            self._seen[scene.id] = status
            seconds = scene.metrics.total_seconds
            after = "" if status in OPEN or seconds is None else f" after {seconds:.1f} s"
            line = f"{'':11}{scene.id} {status}{after} ({scene.model})"
            self._console.print(Text(printable(line)), soft_wrap=True)
