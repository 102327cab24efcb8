"""storyhook: stories to pictures, from a terminal or a script."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from storyhook_client.cli import account, boards, exports, importing, library, listening, sharing
from storyhook_client.cli.session import Group, Session, json_option
from storyhook_client.cli.trouble import INTERRUPTED, EndedBadly, code_of, report
from storyhook_client.errors import StoryhookError


@click.group(cls=Group, params=[json_option()], context_settings={"max_content_width": 100})
@click.option("--profile", help="Of the configuration file, instead of the environment's stack.")
@click.version_option(package_name="storyhook-client", prog_name="storyhook")
@click.pass_context
def storyhook(ctx: click.Context, profile: str | None) -> None:
    """Stories to pictures in which the characters stay the same person.

    The stack is that of STORYHOOK_URL and STORYHOOK_API_KEY, or of a profile (`configure`).
    Exit codes: 0 well, 1 refused, 2 usage or a file, 3 not finished well, 4 no answer, 5 time up.
    """
    ctx.ensure_object(Session).profile = profile


for command in (
    *(boards.create, boards.estimate, boards.show, boards.watch, boards.cancel, boards.list_),
    *(boards.select, boards.download, exports.export, sharing.share, sharing.shares),
    *(account.models, account.callbacks, account.keys, importing.import_, listening.listen),
    *(library.characters, account.configure),
):
    storyhook.add_command(command)
storyhook.add_command(account.configure, "login")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    session = Session()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        storyhook.main(given, "storyhook", standalone_mode=False, obj=session)
    except (StoryhookError, EndedBadly, click.ClickException) as error:
        # A mistake in the arguments may be found before the flag is read.
        report(error, as_json=session.as_json or "--json" in given)
        return code_of(error)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    finally:
        session.close()
    return 0


def run() -> None:
    sys.exit(main())
