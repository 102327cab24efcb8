"""The demo from nothing to files: cloud, characters, storyboard, callback, contact sheet."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from local.cloud import LocalCloud
from local.demo import report, results
from local.demo.callbacks import Inbox
from local.demo.cast import with_references
from local.demo.listener import Listener
from local.demo.problem import DemoFailed, problem_text
from local.demo.story import Story
from storyhook_client import ApiError, NoAnswer, NotFinished, Storyhook
from storyhook_client.answers import Character, Storyboard
from storyhook_client.cli.progress import view
from storyhook_client.cli.words import counted, dollars, printable

Json = dict[str, Any]
Simulators = Mapping[str, Mapping[str, object]]

EVENT = "storyboard.completed"
STEP_SECONDS = 1
CALLBACK_SECONDS = 20.0
CLOUD_SECONDS = 3600.0
"""The local cloud ends itself then, whatever has become of the demo."""


def board_seconds(scenes: int) -> float:
    """How long a board may take here: far longer than it does, also on a slow machine."""
    return 120 + 3.0 * scenes


class Demo:
    def __init__(self, console: Console, story: Story, out: Path) -> None:
        self._console = console
        self._story = story
        self._out = out
        self._began = time.monotonic()
        self._inbox = Inbox()
        self._problems: list[str] = []

    def run(self, simulators: Simulators | None = None) -> None:
        """Raises DemoFailed, also when the board has not succeeded; StartFailed of the cloud."""
        story = self._story
        self._console.print(Text(f"Storyhook demo: {printable(story.title)}", style="bold"))
        with Listener(self._inbox.receive) as listener:
            cast = [
                with_references(character, story.folder, listener.serve)
                for character in story.characters
            ]
            results.prepare(self._out)
            with (
                self._cloud(simulators) as cloud,
                Storyhook(cloud.api_url, cloud.api_key) as api,
            ):
                self._inbox.expect(cloud.callback_secret)
                characters = self._register(api, cast)
                board = self._make(api, listener.callback_url)
                self._keep(api, board, characters)
        self._say("the local cloud is stopped, nothing is left running")
        report.print_table(self._console, board)
        report.print_sums(self._console, board)
        self._problems[:0] = report.troubles(board)
        if self._problems:
            raise DemoFailed("\n".join([f"the board is {board.status}", *self._problems]))

    @contextmanager
    def _cloud(self, simulators: Simulators | None) -> Iterator[LocalCloud]:
        self._say("starting a local cloud with simulated providers; no account, no keys")
        with self._busy("starting the local cloud"):
            cloud = LocalCloud.start(
                "demo", self._say, simulators=simulators, max_seconds=CLOUD_SECONDS
            )
        try:
            self._say("the local cloud is up")
            yield cloud
        finally:
            with self._busy("stopping the local cloud"):
                cloud.stop()

    def _register(self, api: Storyhook, cast: list[Json]) -> list[Character]:
        characters = []
        for index, body in enumerate(cast):
            try:
                character = api.characters.create(body)
            except ApiError as error:
                told = problem_text(error.document, f"characters[{index}].")
                raise DemoFailed(told) from error
            characters.append(character)
            count = len(character.references)
            images = f"with {counted(count, 'reference image')}" if count else "without an image"
            self._say(f"{printable(character.name)} is registered {images}")
        return characters

    def _make(self, api: Storyhook, callback_url: str) -> Storyboard:
        """From the request to the end of the board and its callback."""
        typical = {model.id: model.typical_seconds or 0.0 for model in api.models.list()}
        board = api.storyboards.create({**self._story.board, "callback_url": callback_url})
        self._say(f"storyboard {board.id} is accepted")
        models = ", ".join(dict.fromkeys(scene.model or "-" for scene in board.scenes))
        price = dollars(board.cost, over=False)
        self._say(f"{counted(len(board.scenes), 'scene')} by {models}, {price}")
        for warning in board.warnings:
            self._say(f"warning: {printable(warning)}")
        board = self._watch(api, board, typical)
        self._say(f"the storyboard's status is {board.status}")
        if board.is_over:
            self._await_callback(board)
        return board

    def _watch(self, api: Storyhook, board: Storyboard, typical: Mapping[str, float]) -> Storyboard:
        """The board as it is in the end, or when patience ends."""
        seconds = board_seconds(len(board.scenes))
        with view(self._console, typical) as shown:
            shown.show(board)
            try:
                snapshots = api.storyboards.watch(
                    board.id, timeout_seconds=seconds, step_seconds=STEP_SECONDS
                )
                for board in snapshots:
                    shown.show(board)
            except NotFinished:
                self._problems.append(f"it was not ready after {seconds:.0f} s")
            except NoAnswer as error:
                self._problems.append(str(error))
        return board

    def _await_callback(self, board: Storyboard) -> None:
        callback = self._inbox.wait_for(EVENT, board.id, CALLBACK_SECONDS)
        if callback is None:
            refused = f" ({self._inbox.refused} refused)" if self._inbox.refused else ""
            self._problems.append(f"no callback within {CALLBACK_SECONDS:.0f} s{refused}")
        elif callback.data["status"] != board.status:
            self._problems.append(f"the callback says that it is {callback.data['status']}")
        else:
            self._say(f"callback {EVENT} received, its signature is verified")

    def _keep(self, api: Storyhook, board: Storyboard, characters: list[Character]) -> None:
        done = api.storyboards.download(board, self._out)
        self._problems += done.problems
        faces = results.fetch_faces(api, characters)
        results.write_sheet(self._out, board, done.pictures, faces)
        results.write_story(self._out, self._story, characters, faces)
        files = len(done.pictures) + 3  # the board, the sheet and the story
        checked = f"the SHA-256 of {counted(len(done.pictures), 'picture')} checked"
        self._say(f"{counted(files, 'file')} written to {_short(self._out)}/, {checked}")

    def _say(self, text: str) -> None:
        elapsed = f"{time.monotonic() - self._began:7.1f} s  "
        line = Text.assemble((elapsed, "dim"), text)
        self._console.print(line, soft_wrap=not self._console.is_terminal)

    def _busy(self, text: str) -> Any:
        """A moving sign where there is a terminal for it."""
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            return self._console.status(text)
        return nullcontext()


def _short(path: Path) -> str:
    """From here, if it is below here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
