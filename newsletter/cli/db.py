"""`db`: the database."""

from __future__ import annotations

import asyncio

import typer

from newsletter import bootstrap
from newsletter.cli.output import say
from newsletter.cli.panels import SETTING_UP
from newsletter.cli.session import settings

group = typer.Typer(no_args_is_help=True, help="The database.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="db", rich_help_panel=SETTING_UP)


@group.command()
def upgrade() -> None:
    """Bring the database to this version's tables; safe to repeat."""
    loaded = settings()
    if bootstrap.ledger_file(loaded) is not None:  # PostgreSQL is upgraded from anywhere
        bootstrap.check_folder(loaded)
    asyncio.run(bootstrap.upgrade_database(loaded))
    say("the database is up to date")
