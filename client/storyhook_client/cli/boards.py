"""Commands about boards and single pictures: make, look, wait, stop, fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from storyhook_client.answers import Choice, Prediction, Scene, Storyboard
from storyhook_client.boardfile import load, with_uploads
from storyhook_client.cli import tables
from storyhook_client.cli.progress import view
from storyhook_client.cli.session import Command, Session, limit_option, pass_session
from storyhook_client.cli.trouble import EndedBadly, explained
from storyhook_client.cli.words import amount, counted, dollars
from storyhook_client.errors import ApiError
from storyhook_client.imports.located import Located

Json = dict[str, Any]

_BOARD_FILE = click.Path(dir_okay=False, path_type=Path)
_timeout = click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=1),
    default=3600,
    show_default=True,
    help="Seconds to wait at most; the work goes on after.",
)
_model = click.option("--model", help="Another model than the file's.")


@click.command(cls=Command)
@click.argument("file", type=_BOARD_FILE)
@click.option("--watch", "-w", is_flag=True, help="Stay until it is over.")
@click.option("--dry-run", is_flag=True, help="The same as `storyhook estimate FILE`.")
@click.option("--max-cost", metavar="USD", help="Refuse if it would cost more.")
@click.option("--callback-url", metavar="URL", help="Where to be told of its end.")
@_model
@_timeout
@pass_session
def create(
    session: Session,
    file: Path,
    watch: bool,
    dry_run: bool,
    max_cost: str | None,
    callback_url: str | None,
    model: str | None,
    timeout_seconds: float,
) -> None:
    """Make a storyboard of a board file (YAML or JSON)."""
    board = _read(file, model=model, max_cost=max_cost, callback_url=callback_url)
    if dry_run:
        _estimate(session, board)
        return
    made = _sent(session, board)
    if not watch:
        session.answer(made.to_json())
    _accepted(session, made)
    if watch:
        _watch_board(session, made, timeout_seconds)
    else:
        session.say(f"storyhook watch {made.id}", style="dim")


@click.command(cls=Command)
@click.argument("file", type=_BOARD_FILE)
@click.option("--max-cost", metavar="USD", help="Refuse if it would cost more.")
@_model
@pass_session
def estimate(session: Session, file: Path, max_cost: str | None, model: str | None) -> None:
    """What a board file would cost, and what each scene would be told. Nothing is paid.

    Pictures that the file names by `file` are uploaded, since the price depends on them.
    """
    _estimate(session, _read(file, model=model, max_cost=max_cost))


@click.command(cls=Command)
@click.argument("thing", metavar="ID")
@pass_session
def show(session: Session, thing: str) -> None:
    """A board (sb_…), prediction (pred_…), callback (cb_…) or character as it is now."""
    client = session.client
    if thing.startswith("pred_"):
        prediction = client.predictions.get(thing)
        session.answer(prediction.to_json())
        _show_prediction(session, prediction)
    elif thing.startswith("cb_"):
        show_callback(session, thing)
    elif thing.startswith("sb_"):
        board = client.storyboards.get(thing)
        session.answer(board.to_json())
        _show_board(session, board)
    else:
        show_character(session, thing)


@click.command(cls=Command)
@click.argument("thing", metavar="ID")
@_timeout
@pass_session
def watch(session: Session, thing: str, timeout_seconds: float) -> None:
    """Stay with a board or prediction until it is over."""
    if thing.startswith("pred_"):
        prediction = session.client.predictions.wait(thing, timeout_seconds=timeout_seconds)
        session.answer(prediction.to_json())
        _show_prediction(session, prediction)
        if prediction.status != "succeeded":
            raise EndedBadly
        return
    _watch_board(session, session.client.storyboards.get(thing), timeout_seconds)


@click.command(cls=Command)
@click.argument("board", metavar="BOARD")
@click.argument("scene", metavar="SCENE")
@click.argument("prediction", metavar="PREDICTION")
@pass_session
def select(session: Session, board: str, scene: str, prediction: str) -> None:
    """Take another of a scene's candidates as its picture; `show` names them."""
    selected = session.client.storyboards.select(board, scene, prediction)
    session.answer(selected.to_json())
    session.say(f"{selected.id} shows {selected.chosen}")


@click.command(cls=Command)
@click.argument("thing", metavar="ID")
@pass_session
def cancel(session: Session, thing: str) -> None:
    """Stop a board or prediction: what waits is not sent, what runs is canceled."""
    client = session.client
    done: Prediction | Storyboard
    if thing.startswith("pred_"):
        done = client.predictions.cancel(thing)
    else:
        done = client.storyboards.cancel(thing)
    session.answer(done.to_json())
    wish = "" if done.is_over else "; it is asked to stop"
    session.say(f"{done.id} is {done.status}{wish}")


@click.command("list", cls=Command)
@click.option("--predictions", is_flag=True, help="Single pictures instead of boards.")
@limit_option("things")
@pass_session
def list_(session: Session, predictions: bool, limit: int) -> None:
    """The newest boards."""
    if predictions:
        session.newest(session.client.predictions.list, limit, tables.predictions)
    else:
        session.newest(session.client.storyboards.list, limit, tables.boards)


@click.command(cls=Command)
@click.argument("thing", metavar="ID")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Default: a folder of the board's id; for a prediction, here.",
)
@pass_session
def download(session: Session, thing: str, out: Path | None) -> None:
    """A board's pictures and board.json, or a prediction's picture, each checked."""
    if thing.startswith("pred_"):
        prediction = session.client.predictions.get(thing)
        if prediction.output is None:
            session.answer({"pictures": []})
            session.say(f"{thing} has no picture; it is {prediction.status}", style="red")
            raise EndedBadly
        paths = session.client.predictions.download(prediction, out or Path())
        session.answer({"pictures": [str(path) for path in paths]})
        for path in paths:
            session.say(str(path))
        return
    folder = out or Path(thing)
    done = session.client.storyboards.download(thing, folder)
    files = {scene: str(path) for scene, path in done.pictures.items()}
    session.answer({"board": str(done.board), "pictures": files, "problems": list(done.problems)})
    session.say(f"{counted(len(files), 'picture')} in {folder}/, and {done.board.name}")
    for problem in done.problems:
        session.say(problem, style="red")
    if done.problems:
        raise EndedBadly


def _read(file: Path, **changes: str | None) -> Located:
    """The board file, with what the command line changes."""
    board = load(file)
    board.document.update({name: value for name, value in changes.items() if value is not None})
    return board


def _estimate(session: Session, board: Located) -> None:
    try:
        body = with_uploads(board, session.client.uploads)
        planned = session.client.storyboards.estimate(body)
    except ApiError as error:
        raise explained(error, board, session.client) from error
    session.answer(planned.to_json())
    session.show(tables.plan(planned))
    for warning in planned.warnings:
        session.say(f"warning: {warning}", style="yellow")
    total = f"about {amount(planned.cost.estimated)}"
    if planned.cost.estimated is None:
        total = f"{amount(planned.cost.known)} and those scenes whose price is not known"
    session.say(f"{counted(len(planned.scenes), 'scene')}, {total}; nothing was paid")


def _sent(session: Session, board: Located) -> Storyboard:
    try:
        return session.client.storyboards.create(with_uploads(board, session.client.uploads))
    except ApiError as error:
        raise explained(error, board, session.client) from error


def _accepted(session: Session, board: Storyboard) -> None:
    models = ", ".join(dict.fromkeys(scene.model or "-" for scene in board.scenes))
    session.say(f"storyboard {board.id} is accepted")
    session.say(
        f"{counted(len(board.scenes), 'scene')} by {models}, {dollars(board.cost, over=False)}"
    )
    for warning in board.warnings:
        session.say(f"warning: {warning}", style="yellow")
    session.say(f"storyhook share {board.id} makes a link to a page of it", style="dim")


def _watch_board(session: Session, board: Storyboard, timeout_seconds: float) -> None:
    if session.as_json:
        board = session.client.storyboards.wait(board.id, timeout_seconds=timeout_seconds)
        session.answer(board.to_json())
    else:
        typical = {m.id: m.typical_seconds for m in session.client.models.list()}
        known = {name: seconds for name, seconds in typical.items() if seconds}
        with view(session.console, known) as shown:
            snapshots = session.client.storyboards.watch(board.id, timeout_seconds=timeout_seconds)
            for board in snapshots:
                shown.show(board)
        _show_board(session, board)
    if any(scene.image for scene in board.scenes):
        session.say(f"storyhook download {board.id}", style="dim")
    if board.status != "succeeded":
        raise EndedBadly


def _show_board(session: Session, board: Storyboard) -> None:
    session.show(tables.board(board))
    for scene in board.scenes:
        if scene.choice:
            session.say(_chosen(scene, scene.choice))
        why = scene.error.detail or scene.error.title if scene.error else None
        if why and scene.status != "canceled":  # by whom is known
            session.say(f"{scene.id} {scene.status}: {why}", style="red")
    cost = dollars(board.cost, over=board.is_over)
    session.say(f"{board.title}: {board.status}, {counted(len(board.scenes), 'scene')}, {cost}")


def _chosen(scene: Scene, choice: Choice) -> str:
    """Which of its candidates a scene shows, by whom and why, and which are the others."""
    why = "".join(f" {reason}" for reason in choice.reasons)
    others = ", ".join(each for each in scene.candidates if each != scene.chosen)
    return f"{scene.id} shows {scene.chosen}, chosen by {choice.by}.{why} Others: {others or '-'}"


def _show_prediction(session: Session, prediction: Prediction) -> None:
    session.show(tables.prediction(prediction))
    for image in prediction.output.images if prediction.output else ():
        session.say(image.url)  # a line of its own, to be copied whole
    if prediction.error:
        session.say(prediction.error.detail or prediction.error.title or "", style="red")


def show_callback(session: Session, callback_id: str) -> None:
    callback = session.client.callbacks.get(callback_id)
    session.answer(callback.to_json())
    session.show(tables.callbacks([callback]))
    session.show(tables.attempts(callback))


def show_character(session: Session, character_id: str) -> None:
    character = session.client.characters.get(character_id)
    session.answer(character.to_json())
    session.show(tables.characters([character]))
    session.show(tables.references(character))
