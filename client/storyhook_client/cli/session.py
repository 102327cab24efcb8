"""What every command has: the client of the chosen stack, and where its words go."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

import click
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from storyhook_client.answers import Answer
from storyhook_client.cli.words import printable
from storyhook_client.client import Storyhook

Json = dict[str, Any]
A = TypeVar("A", bound=Answer)


_WIDE = 200


def _console() -> Console:
    """In a pipe or a file there is no edge at which to cut ids."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDE
    return console


@dataclass
class Session:
    as_json: bool = False
    profile: str | None = None
    console: Console = field(default_factory=_console)

    @cached_property
    def client(self) -> Storyhook:
        return Storyhook.configured(self.profile)

    def close(self) -> None:
        if "client" in vars(self):
            self.client.close()

    def say(self, text: str, style: str = "") -> None:
        """A line for people; nothing with --json."""
        if not self.as_json:
            self.console.print(Text(printable(text), style=style), soft_wrap=True)

    def show(self, picture: RenderableType) -> None:
        if not self.as_json:
            # Ids stay whole: a line that is too long is the terminal's to break.
            self.console.print(picture, crop=False)

    def answer(self, document: Any) -> None:
        """The one document that --json prints."""
        if self.as_json:
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))

    def newest(
        self, ask: Callable[..., Iterator[A]], limit: int, as_table: Callable[[Sequence[A]], Table]
    ) -> None:
        """The first `limit` of a list, which is asked for by pages of at most 100."""
        self.listed(list(islice(ask(limit=min(limit, 100)), limit)), as_table)

    def listed(self, items: Sequence[A], as_table: Callable[[Sequence[A]], Table]) -> None:
        self.answer({"items": [item.to_json() for item in items]})
        if items:
            self.show(as_table(items))
        else:
            self.say("nothing here yet", style="dim")


pass_session = click.make_pass_decorator(Session)


class Command(click.Command):
    """A command that takes --json, as all do."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.params.append(json_option())


class Group(click.Group):
    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = get_close_matches(name, self.list_commands(ctx), 1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {name!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)


Group.group_class = Group


def json_option() -> click.Option:
    return click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        callback=_to_json,
        help="Print JSON only, errors too.",
    )


def _to_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Session).as_json = True


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def limit_option(what: str) -> Decorator:
    return click.option(
        "--limit", type=click.IntRange(1), default=20, show_default=True, help=f"How many {what}."
    )


def chosen(names: Sequence[str]) -> click.Choice[str]:
    return click.Choice(list(names), case_sensitive=False)
