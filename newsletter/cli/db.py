"""`db`: the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import bootstrap
from newsletter.cli.commands import Group
from newsletter.cli.output import say
from newsletter.cli.session import now, settings
from newsletter.core.errors import UsageError

if TYPE_CHECKING:
    from newsletter.ports import LedgerKeeper
    from newsletter.settings import Settings

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


@group.command()
def pull(
    *,
    first: Annotated[
        bool, typer.Option("--first", help="Nothing was ever kept: it is no mistake if there is no branch.")
    ] = False,
) -> None:
    """Fetch the ledger from the branch that keeps it; one that is here is put aside.

    The branch is NEWSLETTER_DATABASE__BRANCH of the folder's Git repository, at its remote `origin`.
    """
    keeper = _keeper(settings())
    if keeper is None:
        say("the ledger is in PostgreSQL: there is nothing to fetch")
    elif keeper.pull(now=now(), first=first):
        say(f"the ledger was fetched from {keeper.name}")
    else:
        say(f"{keeper.name}: there is none yet; the first run begins a new ledger")


@group.command()
def push() -> None:
    """Put the ledger on the branch that keeps it, unless somebody else has changed that since it was fetched."""
    import asyncio

    loaded = settings()
    keeper, ledger = _keeper(loaded), bootstrap.ledger_file(loaded)
    if keeper is None or ledger is None:
        say("the ledger is in PostgreSQL: there is nothing to keep")
    elif not ledger.exists():
        say(f"{ledger}: there is no ledger yet, so there is nothing to keep")
    else:
        asyncio.run(keeper.keep())
        say(f"the ledger is kept on {keeper.name}")


def _keeper(loaded: Settings) -> LedgerKeeper | None:
    """Return what keeps the ledger on a branch; None where it is in PostgreSQL.

    Raises:
        UsageError: there is no branch.
    """
    from newsletter import keeping

    if not loaded.database.branch:
        raise UsageError("NEWSLETTER_DATABASE__BRANCH is not set: the ledger is kept on no branch")
    return keeping.ledger_keeper(loaded)
