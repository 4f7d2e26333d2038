"""`db`: the database."""

from __future__ import annotations

import typer

from newsletter import bootstrap
from newsletter.cli.commands import Group
from newsletter.cli.output import say
from newsletter.cli.session import settings

group = typer.Typer(cls=Group, no_args_is_help=True, help="The database.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="db")


@group.command()
def upgrade() -> None:
    """Bring the database to this version's tables; safe to repeat."""
    import asyncio

    loaded = settings()
    if bootstrap.ledger_file(loaded) is not None:  # PostgreSQL is upgraded from anywhere
        bootstrap.check_folder(loaded)
    asyncio.run(bootstrap.upgrade_database(loaded))
    say("the database is up to date")
