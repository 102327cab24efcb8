"""A board as one file: asked for, waited for, fetched."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from storyhook_client.answers import Export
from storyhook_client.cli.session import Command, Session, chosen, pass_session
from storyhook_client.cli.trouble import EndedBadly

EXTENSIONS = {
    "contact_sheet": "png", "pdf": "pdf", "cbz": "cbz", "epub": "epub", "csv": "csv",
    "zip": "zip", "vistorybench": "vistorybench.zip",  # two files of one board
}  # fmt: skip


@click.command(cls=Command)
@click.argument("board", metavar="BOARD")
@click.option(
    "--format", "form", type=chosen(tuple(EXTENSIONS)), required=True, help="Of the file."
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="A file or a folder. Default: the board's id and the format's ending, here.",
)
@click.option("--no-notes", is_flag=True, help="PDF, EPUB: captions only.")
@click.option("--page", type=chosen(("a4", "letter")), help="PDF: the size of its pages.")
@click.option("--method", help="ViStoryBench: the folder of the method.")
@click.option("--mode", help="ViStoryBench: the folder of its variant. Default: the model.")
@click.option("--language", type=chosen(("en", "ch")), help="ViStoryBench: of the story.")
@click.option("--story", help="ViStoryBench: the story's number.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=1),
    default=900,
    show_default=True,
    help="Seconds to wait at most; it is made all the same.",
)
@pass_session
def export(
    session: Session,
    /,
    board: str,
    form: str,
    out: Path | None,
    no_notes: bool,
    timeout_seconds: float,
    **options: str | None,
) -> None:
    """A finished board as a contact sheet, PDF, comic book, e-book, shot list or ZIP."""
    exports = session.client.exports
    made = exports.create(board, form, notes=False if no_notes else None, **options)
    if not made.is_over:
        session.say(f"{made.id} is being made; it is kept, and found again by the same command")
    with _working(session, made):
        made = exports.wait(made, timeout_seconds=timeout_seconds)
    if made.file is None:
        session.answer(made.to_json())
        why = made.error.detail or made.error.title if made.error else None
        session.say(f"{made.id} {made.status}: {why}", style="red")
        raise EndedBadly
    path = exports.download(made, _file(made, out))
    session.answer({**made.to_json(), "path": str(path)})
    session.say(f"{path} ({_size(path.stat().st_size)})")


def _working(session: Session, made: Export) -> AbstractContextManager[object]:
    if session.as_json or made.is_over or not session.console.is_terminal:
        return nullcontext()
    return session.console.status(f"making the {made.format.replace('_', ' ')}")


def _file(made: Export, out: Path | None) -> Path:
    name = f"{made.storyboard_id}.{EXTENSIONS.get(made.format, 'bin')}"
    if out is None:
        return Path(name)
    return out / name if out.is_dir() else out


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f} MB" if size_bytes >= 100_000 else f"{size_bytes} bytes"
