"""What went wrong: for people or for machines, and the number that the command ends with."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from storyhook_client import errors
from storyhook_client.bodies import field_meant
from storyhook_client.cli.words import printable
from storyhook_client.client import Storyhook
from storyhook_client.imports.located import Located

Json = dict[str, Any]

REFUSED, USAGE, NOT_WELL, NO_ANSWER, TOO_LONG, INTERRUPTED = 1, 2, 3, 4, 5, 130
"""Exit codes; 0 is success. docs/client.md lists them."""

_CODES: dict[type[errors.StoryhookError], int] = {
    errors.BadFile: USAGE,
    errors.BadConfiguration: USAGE,
    errors.NoAnswer: NO_ANSWER,
    errors.UnexpectedAnswer: NO_ANSWER,
    errors.BadDownload: NO_ANSWER,
    errors.NotFinished: TOO_LONG,
}


class EndedBadly(Exception):
    """The work is over and not all of it is well; everything has been said."""


class Refused(errors.StoryhookError):
    """The API's refusal, with what this side knows of it: lines of the file, names meant."""

    def __init__(self, error: errors.ApiError, problem: Json) -> None:
        super().__init__(str(error))
        self.error, self.problem = error, problem


def explained(error: errors.ApiError, board: Located | None, client: Storyhook) -> Refused:
    """`board` is the file that was sent. Adds `where` and `did_you_mean` to each wrong field."""
    found = []
    for wrong in error.errors:
        entry: Json = {"path": wrong.path, "message": wrong.message}
        line = board.line_of(wrong.path) if board else None
        if board:
            entry["where"] = f"{board.path}:{line}" if line else str(board.path)
        meant = _meant(error, wrong, board, client)
        if meant:
            entry["did_you_mean"] = meant
        found.append(entry)
    return Refused(error, {**error.document, **({"errors": found} if found else {})})


def _meant(
    error: errors.ApiError, wrong: errors.FieldError, board: Located | None, client: Storyhook
) -> str | None:
    if isinstance(error, errors.UnknownCharacter) and board:
        name = value_at(board.document, wrong.path)
        known = [character.id for character in client.characters.list(limit=100)]
        near = get_close_matches(name, known, 1) if isinstance(name, str) else []
        return near[0] if near else None
    if isinstance(error, errors.InvalidRequest):
        return field_meant(wrong.path)
    return None


def value_at(document: Any, place: str) -> Any:
    """What stands at `scenes[2].characters[0]`; None if nothing does."""
    try:
        for step in place.replace("]", "").replace("[", ".").split("."):
            document = document[int(step) if isinstance(document, list) else step]
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return document


def code_of(error: Exception) -> int:
    if isinstance(error, EndedBadly):
        return NOT_WELL
    if isinstance(error, click.ClickException):
        return USAGE
    api = error.error if isinstance(error, Refused) else error
    if isinstance(api, errors.ApiError):
        return NO_ANSWER if api.status >= 500 else REFUSED
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), REFUSED)


def report(error: Exception, *, as_json: bool) -> None:
    """On stderr; a machine gets one problem document (RFC 9457) with the exit code."""
    if isinstance(error, EndedBadly):
        return
    if as_json:
        document = {**_problem(error), "exit_code": code_of(error)}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False), err=True)
        return
    console = Console(stderr=True, highlight=False)
    console.print(Text(_text(error), style="red"), soft_wrap=True)


def _problem(error: Exception) -> Json:
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, errors.ApiError):
        return error.document
    name = "usage" if isinstance(error, click.ClickException) else _slug(type(error).__name__)
    return {"type": f"/problems/{name}", "title": name.replace("-", " "), "detail": _text(error)}


def _slug(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def _text(error: Exception) -> str:
    if isinstance(error, click.UsageError):
        where = f"\n`{error.ctx.command_path} --help` says more." if error.ctx else ""
        return error.format_message() + where
    if isinstance(error, click.ClickException):
        return error.format_message()
    if not isinstance(error, Refused):
        return "\n".join(printable(line) for line in str(error).split("\n"))
    api = error.error
    lines = [printable(f"{api.title}. {api.detail}".strip())]
    for wrong in error.problem.get("errors", ()):
        place = wrong.get("where", wrong["path"])
        what = f"{wrong['path']}: " if wrong.get("where") else ""
        meant = f" Did you mean {wrong['did_you_mean']}?" if "did_you_mean" in wrong else ""
        said = "" if wrong["message"] == api.detail else wrong["message"]
        lines.append(printable(f"  {place}: {what}{said}{meant}".rstrip(": ")))
    return "\n".join(lines)
