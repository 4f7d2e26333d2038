"""`init`, `db upgrade` and `demo`: setting up and trying out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from newsletter import bootstrap, scaffold
from newsletter.cli.output import say
from newsletter.cli.session import settings
from newsletter.demo.demo import run_demo

_PANEL = "Setting up"

database = typer.Typer(no_args_is_help=True, help="The database.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=_PANEL)(init)
    app.add_typer(database, name="db", rich_help_panel=_PANEL)
    app.command(rich_help_panel=_PANEL)(demo)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; made if it is not there.")] = Path(),
    *,
    templates: Annotated[
        bool, typer.Option("--templates", help="Copy the mail's templates too, to change them.")
    ] = False,
) -> None:
    """Scaffold a working folder: settings, a first list, a CI workflow; overwrites nothing."""
    for line in scaffold.scaffold(folder, templates=bootstrap.packaged_templates() if templates else None):
        say(line)
    enter = "" if folder == Path() else f"`cd {folder}`, then "
    say(f"next: {enter}`newsletter collect` and `newsletter preview`; to send, set the SMTP host in .env")


@database.command()
def upgrade() -> None:
    """Bring the database to this version's tables; safe to repeat."""
    loaded = settings()
    if bootstrap.ledger_file(loaded) is not None:  # PostgreSQL is upgraded from anywhere
        bootstrap.check_folder(loaded)
    asyncio.run(bootstrap.upgrade_database(loaded))
    say("the database is up to date")


def demo(
    *,
    state: Annotated[Path, typer.Option(help="Where the demo keeps its database and inbox.")] = Path("var"),
) -> None:
    """Send the sample issue to a local inbox: sample listings, three readers, no account, no network."""

    async def tell() -> None:
        async for line in run_demo(state):
            say(line)

    asyncio.run(tell())
