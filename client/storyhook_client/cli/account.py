"""Commands about what belongs to the customer: which stack, API keys, callbacks."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

from storyhook_client import profiles
from storyhook_client.answers import CallbackSecret
from storyhook_client.cli import tables
from storyhook_client.cli.boards import show_callback
from storyhook_client.cli.session import Command, Group, Session, chosen, limit_option, pass_session
from storyhook_client.cli.words import amount
from storyhook_client.client import Storyhook


@click.command(cls=Command)
@click.option("--url", prompt="URL of the stack", help="As `make up` or `make deploy` prints it.")
@click.option("--key-stdin", is_flag=True, help="Read the API key from standard input.")
@click.option("--name", default=profiles.DEFAULT, show_default=True, help="Of the profile.")
@click.option("--no-check", is_flag=True, help="Do not ask the stack whether it knows the key.")
@pass_session
def configure(session: Session, url: str, key_stdin: bool, name: str, no_check: bool) -> None:
    """Keep a stack's URL and API key in the configuration file, for its owner alone."""
    key = sys.stdin.readline() if key_stdin else click.prompt("API key", hide_input=True, err=True)
    path = profiles.path_of()
    profile = profiles.Profile(url.strip().rstrip("/"), key.strip())
    if not no_check:
        with Storyhook(profile.url, profile.key) as client:
            client.storyboards.page(limit=1)
    profiles.save(path, name, profile)
    session.answer({"profile": name, "path": str(path)})
    use = "" if name == profiles.DEFAULT else f"; use it with --profile {name}"
    session.say(f"{name} is written to {path}{use}")


@click.group(cls=Group)
def keys() -> None:
    """API keys; for keys with the scope admin."""


@keys.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=chosen(("read", "write", "admin")))
@click.option("--per-minute", type=click.IntRange(1), help="Predictions per minute at most.")
@click.option("--per-month", metavar="USD", help="Cost per month at most.")
@click.option("--expires-at", metavar="TIME", help="RFC 3339, in UTC.")
@pass_session
def create_key(
    session: Session,
    name: str,
    scopes: tuple[str, ...],
    per_minute: int | None,
    per_month: str | None,
    expires_at: str | None,
) -> None:
    """A new key. It is shown once."""
    wanted: dict[str, Any] = {
        "name": name,
        "scopes": list(scopes),
        "limits": _given({"predictions_per_minute": per_minute, "max_cost_per_month": per_month}),
        "expires_at": expires_at,
    }
    key = session.client.keys.create(_given(wanted))
    session.answer(key.to_json())
    session.say(f"{key.id} ({key.name}): {' '.join(key.scopes)}")
    session.say(f"API key    {key.secret}")
    session.say(f"callbacks  {key.callback_secret}   (their secret, until you rotate it)")
    session.say("Keep the key now: it is not shown again.", style="yellow")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, [], {})}


@keys.command("list")
@limit_option("keys")
@pass_session
def list_keys(session: Session, limit: int) -> None:
    """All keys of the tenant."""
    session.newest(session.client.keys.list, limit, tables.keys)


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
@pass_session
def revoke_key(session: Session, key_id: str) -> None:
    """The key is refused from a minute later on, for ever."""
    session.client.keys.revoke(key_id)
    session.answer({"id": key_id, "revoked": True})
    session.say(f"{key_id} is revoked")


@click.group(cls=Group)
def callbacks() -> None:
    """What was sent to your URL, and every try."""


@callbacks.command("list")
@click.option("--status", type=chosen(("pending", "delivered", "failed")))
@click.option("--subject", metavar="ID", help="A prediction's or board's id.")
@limit_option("callbacks")
@pass_session
def list_callbacks(session: Session, status: str | None, subject: str | None, limit: int) -> None:
    """The newest callbacks."""
    ask = partial(session.client.callbacks.list, status=status, subject=subject)
    session.newest(ask, limit, tables.callbacks)


@callbacks.command("show")
@click.argument("callback_id", metavar="ID")
@pass_session
def show_one_callback(session: Session, callback_id: str) -> None:
    """One callback with every try."""
    show_callback(session, callback_id)


@callbacks.command("replay")
@click.argument("callback_id", metavar="ID")
@pass_session
def replay(session: Session, callback_id: str) -> None:
    """Send one again, now."""
    callback = session.client.callbacks.replay(callback_id)
    session.answer(callback.to_json())
    session.say(f"{callback.id} is {callback.status}; it is sent again now")


@callbacks.command("secret")
@pass_session
def secret(session: Session) -> None:
    """The secret that your callbacks are signed with."""
    _show_secret(session, session.client.callbacks.secret())


@callbacks.command("rotate")
@click.option("--force", is_flag=True, help="While two sign: drop the older within a minute.")
@pass_session
def rotate(session: Session, force: bool) -> None:
    """Make the next secret; for a day both sign."""
    _show_secret(session, session.client.callbacks.rotate_secret(force=force))


def _show_secret(session: Session, found: CallbackSecret) -> None:
    session.answer(found.to_json())
    session.say(found.secret)
    if found.previous_expires_at:
        until = tables.moment(found.previous_expires_at)
        session.say(f"the one before signs too until {until}", style="dim")


@click.command(cls=Command)
@click.option("--sort", type=chosen(("price", "speed", "consistency")))
@pass_session
def models(session: Session, sort: str | None) -> None:
    """The catalogue: what each model takes and costs."""
    found = session.client.models.list(sort=sort)
    session.listed(found, tables.models)
    known = [m.price.example.cost for m in found if m.price.example.cost is not None]
    if known:
        session.say(
            f"{len(found)} models from {amount(min(known))} to {amount(max(known))} a picture"
        )
