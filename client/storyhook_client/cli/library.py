"""Commands about characters and their reference images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from storyhook_client.answers import Character
from storyhook_client.cli import tables
from storyhook_client.cli.boards import show_character
from storyhook_client.cli.session import Group, Session, chosen, limit_option, pass_session
from storyhook_client.cli.words import amount, counted, dollars
from storyhook_client.errors import NotFound

ROLES = ("face", "full_body", "outfit", "pose", "style", "place", "object")
ANGLES = ("front", "three_quarter", "profile", "back")
KINDS = ("character", "location", "prop")
_PICTURE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Group)
def characters() -> None:
    """Persons, places and things, with their reference images."""


@characters.command("list")
@limit_option("characters")
@pass_session
def list_characters(session: Session, limit: int) -> None:
    """The library."""
    session.newest(session.client.characters.list, limit, tables.characters)


@characters.command("show")
@click.argument("character_id", metavar="ID")
@pass_session
def show_one_character(session: Session, character_id: str) -> None:
    """One character with its references."""
    show_character(session, character_id)


@characters.command("create")
@click.argument("character_id", metavar="ID")
@click.option("--name", required=True)
@click.option("--description", required=True, help="What never changes: face, hair, body.")
@click.option("--outfit", help="What a scene may change.")
@click.option("--kind", type=chosen(KINDS), default="character")
@click.option("--picture", "pictures", type=_PICTURE, multiple=True, help="A file; the face first.")
@click.option("--picture-url", "urls", multiple=True, help="A picture that the stack fetches.")
@click.option("--replace", is_flag=True, help="Put it in the place of the one with this ID, whole.")
@pass_session
def create_character(
    session: Session,
    character_id: str,
    name: str,
    description: str,
    outfit: str | None,
    kind: str,
    pictures: tuple[Path, ...],
    urls: tuple[str, ...],
    replace: bool,
) -> None:
    """A new character. Of one that is there, `update` changes what you name, and keeps the rest."""
    if not replace:
        _refuse_if_there(session, character_id)
    references = [{"upload": session.client.uploads.send(path).id} for path in pictures]
    body: dict[str, Any] = {
        "id": character_id,
        "name": name,
        "description": description,
        "kind": kind,
        "references": [*references, *({"url": url} for url in urls)],
    }
    if outfit:
        body["outfit"] = outfit
    _changed(session, session.client.characters.create(body))


@characters.command("update")
@click.argument("character_id", metavar="ID")
@click.option("--name")
@click.option("--description", help="What never changes: face, hair, body.")
@click.option("--outfit", help='What a scene may change; "" takes it away.')
@click.option("--kind", type=chosen(KINDS))
@click.option("--if-version", "version", type=int, help="Refuse if that is not the newest.")
@pass_session
def update_character(
    session: Session,
    character_id: str,
    name: str | None,
    description: str | None,
    outfit: str | None,
    kind: str | None,
    version: int | None,
) -> None:
    """Change a character: its next version. What you do not name stays, its pictures too.

    Says which scenes show an older version, and what making them anew costs.
    """
    wanted = {"name": name, "description": description, "outfit": outfit, "kind": kind}
    changes: dict[str, Any] = {field: text for field, text in wanted.items() if text is not None}
    if not changes:
        raise click.UsageError("Say what to change: --name, --description, --outfit or --kind.")
    if outfit == "":
        changes["outfit"] = None
    if version is not None:
        changes["version"] = version
    _changed(session, session.client.characters.update(character_id, changes))


@characters.command("upload")
@click.argument("character_id", metavar="ID")
@click.argument("file", type=_PICTURE)
@click.option("--role", type=chosen(ROLES))
@click.option("--angle", type=chosen(ANGLES))
@pass_session
def upload(
    session: Session, character_id: str, file: Path, role: str | None, angle: str | None
) -> None:
    """Add a picture of your own to a character: its next version."""
    sent = session.client.uploads.send(file)
    body = {"upload": sent.id, **_view(role, angle)}
    _changed(session, session.client.characters.add_reference(character_id, body))


@characters.command("approve")
@click.argument("character_id", metavar="ID")
@click.argument("prediction_id", metavar="PREDICTION")
@click.option("--role", type=chosen(ROLES))
@click.option("--angle", type=chosen(ANGLES))
@pass_session
def approve(
    session: Session, character_id: str, prediction_id: str, role: str | None, angle: str | None
) -> None:
    """Make a finished picture a reference.

    One of a sheet has the role and angle that it was made for, any other the front, unless you
    say otherwise.
    """
    body = {"prediction": prediction_id, **_view(role, angle)}
    _changed(session, session.client.characters.add_reference(character_id, body))


@characters.command("delete")
@click.argument("character_id", metavar="ID")
@pass_session
def delete(session: Session, character_id: str) -> None:
    """Refused while a board that is running needs it."""
    session.client.characters.delete(character_id)
    session.answer({"id": character_id, "deleted": True})
    session.say(f"{character_id} is deleted")


@characters.command("sheet")
@click.argument("character_id", metavar="ID")
@click.option("--angle", "angles", type=chosen(ANGLES), multiple=True, help="Default: the missing.")
@click.option("--role", type=chosen(("face", "full_body")))
@click.option("--model")
@click.option("--max-cost", metavar="USD", help="Refuse if it would cost more.")
@click.option("--dry-run", is_flag=True, help="What it would cost; nothing is paid.")
@pass_session
def sheet(
    session: Session,
    character_id: str,
    angles: tuple[str, ...],
    role: str | None,
    model: str | None,
    max_cost: str | None,
    dry_run: bool,
) -> None:
    """Make the views that a character has no reference of; they cost like any picture."""
    wanted: dict[str, Any] = {
        "angles": list(angles), "role": role, "model": model, "max_cost": max_cost
    }  # fmt: skip
    body = {name: value for name, value in wanted.items() if value}
    if dry_run:
        planned = session.client.characters.estimate_sheet(character_id, body)
        session.answer(planned.to_json())
        session.show(tables.sheet(planned))
        session.say(f"{counted(len(planned.items), 'view')}, {dollars(planned.cost, over=False)}")
        return
    made = session.client.characters.sheet(character_id, body)
    session.answer(made.to_json())
    session.show(tables.predictions(made.items))
    session.say(f"{counted(len(made.items), 'view')}, {dollars(made.cost, over=False)}")
    for item in made.items:
        told = f"storyhook characters approve {character_id} {item.id}"
        session.say(f"{told}   # {item.angle}, once it is there", style="dim")


def _refuse_if_there(session: Session, character_id: str) -> None:
    """Sent whole, it would lose its pictures, approved ones among them."""
    try:
        there = session.client.characters.get(character_id)
    except NotFound:
        return
    count = counted(len(there.references), "reference image")
    raise click.UsageError(
        f"{character_id} is there, as version {there.version} with {count}. `storyhook characters "
        "update` changes it and `upload` adds a picture; --replace puts yours in its place."
    )


def _changed(session: Session, character: Character) -> None:
    session.answer(character.to_json())
    count = counted(len(character.references), "reference image")
    session.say(f"{character.id} is version {character.version}, with {count}")
    for board in character.stale.items if character.stale else ():
        scenes = counted(len(board.scenes), "scene")
        session.say(
            f"{board.storyboard_id} ({board.title}) has {scenes} of an older version; "
            f"making them anew costs {amount(board.cost)}",
            style="yellow",
        )


def _view(role: str | None, angle: str | None) -> dict[str, str]:
    """What a reference shows; what is not said is the API's to choose."""
    return {name: text for name, text in (("role", role), ("angle", angle)) if text}
