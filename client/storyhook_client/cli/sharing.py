"""Commands about links to a board's page: make one, list them, revoke one."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial

import click

from storyhook_client.cli import tables
from storyhook_client.cli.session import Command, Group, Session, limit_option, pass_session
from storyhook_client.cli.trouble import EndedBadly

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_board = click.argument("board", metavar="BOARD")


def _lifetime(_: click.Context, __: click.Parameter, value: str) -> timedelta:
    """`90m`, `12h`, `7d`."""
    match = re.fullmatch(r"(\d{1,5})([mhd])", value, re.ASCII)
    if match is None:
        raise click.BadParameter(f"{value!r} is no time; write 90m, 12h or 7d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@click.command(cls=Command)
@_board
@click.option(
    "--expires",
    callback=_lifetime,
    default="7d",
    show_default=True,
    metavar="TIME",
    help="How long it works: 90m, 12h, 7d; at most 90d.",
)
@pass_session
def share(session: Session, board: str, expires: timedelta) -> None:
    """Make a link to a page of a board, for whoever you give it to. It is shown once."""
    made = session.client.storyboards.share(board, lifetime=expires)
    session.answer(made.to_json())
    if made.url is None:
        session.say(f"{made.id} was made, but its link got lost; revoke it, and share again")
        raise EndedBadly
    session.say(made.url)  # a line of its own, to be copied whole
    until = tables.moment(made.expires_at)
    session.say(f"until {until}; storyhook shares revoke {board} {made.id}", style="dim")


@click.group(cls=Group)
def shares() -> None:
    """Links to a board's page."""


@shares.command("list")
@_board
@limit_option("links")
@pass_session
def list_shares(session: Session, board: str, limit: int) -> None:
    """The newest links of a board, without their secrets."""
    session.newest(partial(session.client.storyboards.shares, board), limit, tables.shares)


@shares.command("revoke")
@_board
@click.argument("share_id", metavar="ID")
@pass_session
def revoke_share(session: Session, board: str, share_id: str) -> None:
    """The link shows nothing from a minute later on, for ever."""
    session.client.storyboards.revoke_share(board, share_id)
    session.answer({"id": share_id, "revoked": True})
    session.say(f"{share_id} is revoked")
