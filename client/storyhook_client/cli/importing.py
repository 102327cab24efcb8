"""The command that makes board files of other formats."""

from __future__ import annotations

from pathlib import Path

import click

from storyhook_client.boardfile import dump
from storyhook_client.cli.session import Command, Session, chosen, pass_session
from storyhook_client.cli.words import counted
from storyhook_client.errors import BadFile
from storyhook_client.imports import formats, vistorybench


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "form", type=chosen(formats.FORMATS), help="Default: by the content.")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The board file, .yaml or .json; else it is printed.",
)
@click.option(
    "--characters",
    "cast",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CSV of the cast, for a shot table.",
)
@click.option("--language", type=chosen(vistorybench.LANGUAGES), default="en", show_default=True)
@click.option("--title")
@click.option("--model", help=f"Default: the file's, or {formats.DEFAULT_MODEL}.")
@click.option("--style", help="One sentence for all scenes.")
@click.option("--aspect-ratio", metavar="W:H")
@click.option("--seed", type=int)
@pass_session
def import_(
    session: Session,
    /,
    file: Path,
    form: str | None,
    out: Path | None,
    cast: Path | None,
    language: str,
    **settings: str | int | None,
) -> None:
    """A story as a board file: Storyhook's, a CSV shot table, ViStoryBench's or ViMax's.

    docs/importing.md has what becomes of each field. Nothing is sent.
    """
    story = formats.load(file, form, settings=settings, cast=cast, language=language)
    body = story.seen_from(out.parent if out else Path())
    text = dump(body, out or Path("board.yaml"))
    if out:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise BadFile(out, error.strerror or str(error)) from error
    session.answer({"out": str(out) if out else None, "warnings": story.warnings, "board": body})
    if session.as_json:
        return
    if not out:
        click.echo(text, nl=False)
    for warning in story.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    if out:
        scenes, people = len(body["scenes"]), len(body.get("characters", ()))
        session.say(f"{counted(scenes, 'scene')} and {counted(people, 'character')} in {out}")
        session.say(f"storyhook estimate {out}", style="dim")
