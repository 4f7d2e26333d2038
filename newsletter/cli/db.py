"""`db`: the database."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import bootstrap
from newsletter.cli.commands import Group
from newsletter.cli.moments import AssumeSentUntil, minute, read_moment
from newsletter.cli.output import say, say_json, waiting
from newsletter.cli.session import AsJson, now, settings
from newsletter.core.errors import UsageError
from newsletter.core.text import counted

if TYPE_CHECKING:
    from datetime import datetime

    from newsletter.composition.restoring import Restoration
    from newsletter.ports import LedgerKeeper
    from newsletter.settings import Settings

group = typer.Typer(cls=Group, no_args_is_help=True, help="The database.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="db")


@group.command()
def upgrade(*, as_json: AsJson = False) -> None:
    """Bring the database to this version's tables; safe to repeat."""
    import asyncio

    asyncio.run(bootstrap.upgrade_database(_of_folder()))
    if as_json:
        say_json({"up_to_date": True})
    else:
        say("the database is up to date")


@group.command()
def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="{date} and {time} in its name stand for the moment, in UTC.")
    ],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there already.")] = False,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            metavar="N",
            min=1,
            help="Remove older backups of this name with {date}: N stay, this one too.",
        ),
    ] = None,
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Leave out var/secret_key, without which old mails' links die.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a backup of the database, as it is at one moment, while other processes go on.

    It holds all but settings, list files and templates, and can be restored into SQLite and into PostgreSQL. Only
    you can read it: it holds your readers' addresses.
    """
    from newsletter.composition import backing_up

    loaded = _of_folder()
    with waiting(f"writing {file}"):
        made = backing_up.back_up(loaded, file, now=now(), replaces=force, keep=keep, with_key=not without_key)
    if as_json:
        say_json({"file": made.file, "at": made.at, "bytes": made.size, "removed": made.removed})
        return
    removed = f"; {counted(len(made.removed), 'older backup')} removed" if made.removed else ""
    say(f"{made.file}: {made.size:,} bytes{removed}")


@group.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, made from SQLite or from PostgreSQL.")],
    *,
    assume_sent_until: AssumeSentUntil = None,
    nothing_was_sent: Annotated[
        bool, typer.Option("--nothing-was-sent", help="What the backup does not know as sent is sent.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database, while nothing else uses that; the replaced one is kept.

    The backup does not know what was sent since it was made, so you say it. With --assume-sent-until nobody gets
    anything twice, and some readers may miss an issue. On a terminal you are asked. Where the replaced database
    can be read, who left since stays out.
    """
    from newsletter.composition import restoring

    if nothing_was_sent and assume_sent_until is not None:
        raise UsageError("--assume-sent-until and --nothing-was-sent say different things: write one of them")
    loaded = _of_folder()
    if assume_sent_until is None and not nothing_was_sent:
        assume_sent_until = _ask(restoring.moment_of(file))
    with waiting(f"restoring {file}"):
        done = restoring.restore(loaded, file, assume_sent_until=assume_sent_until, now=now())
    if as_json:
        say_json({**asdict(done), "file": file, "assume_sent_until": assume_sent_until})
    else:
        _say_restored(done, file, assume_sent_until)


def _ask(known_until: datetime | None) -> datetime:
    """Ask until when all that was due counts as sent.

    Raises:
        UsageError: there is nobody to ask.
    """
    since = "" if known_until is None else f" of {minute(known_until, 'UTC')} (UTC)"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"the backup{since} does not know what was sent since: say --assume-sent-until now (nobody gets "
            "anything twice, some may miss an issue) or --nothing-was-sent"
        )
    question = f"The backup{since} does not know what was sent since. All that was due counts as sent until"
    answer: datetime = typer.prompt(question, default="now", value_proc=read_moment, err=True)
    return answer


def _say_restored(done: Restoration, file: Path, assume_sent_until: datetime | None) -> None:
    known = "" if done.known_until is None else f", as of {minute(done.known_until, 'UTC')} (UTC)"
    say(f"restored from {file}{known}")
    if assume_sent_until is not None:
        until, number = minute(assume_sent_until, "UTC"), counted(done.counted, "delivery", "deliveries")
        say(f"all that was due until {until} (UTC) counts as sent; in the backup {number} were open")
    if done.carried is not None:
        left, erased = counted(done.carried.suppressions, "suppression"), counted(done.carried.erased, "erasure")
        say(f"carried over: {left}, {erased}, {counted(done.carried.readers, 'reader')} with what they chose")
    elif done.replaced is not None:
        say("the replaced database cannot be read: who left since the backup was made is on the list again")
    if done.replaced is not None:
        say(f"the replaced database is kept as {done.replaced}")
    if done.key:
        say(done.key)


@group.command()
def copy(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The ledger: sqlite:///FILE or postgresql://…")],
    target: Annotated[
        str | None,
        typer.Argument(metavar="TARGET", help="An empty database, or an SQLite file that is not there."),
    ] = None,
    *,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Let SOURCE be used again, though it was copied, or half of it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy a whole ledger into another database, while nothing uses it; then that one is the ledger.

    It is read back and compared. What is interrupted goes on when it is run again. From the beginning no command
    uses SOURCE any more, so that nobody is mailed from both.
    """
    from newsletter.composition import copying

    if reopen:
        if target is not None:
            raise UsageError("--reopen is about SOURCE alone: leave TARGET out")
        name, was_whole = copying.reopen_ledger(source)
        say_json({"source": name, "was_whole": was_whole}) if as_json else _say_reopened(name, was_whole=was_whole)
        return
    if target is None:
        raise UsageError("name TARGET, an empty database such as postgresql://user@host/name")
    with waiting("copying rows") as progress:
        done = copying.copy_ledger(settings(), source, target, now=now(), progress=progress)
    if as_json:
        say_json(asdict(done))
        return
    say(f"{done.rows:,} rows of {done.tables} tables are in {done.target}, as they are in {done.source}")
    say("from now on it is the ledger: set NEWSLETTER_DATABASE__URL to it; no command uses the other one")


def _say_reopened(name: str, *, was_whole: bool) -> None:
    say(f"{name}: can be used again")
    if was_whole:
        say("the copy of it can be used, too: use one of them alone, else readers get everything twice")


def _of_folder() -> Settings:
    """Return the settings, if this is a working folder; PostgreSQL can be reached from anywhere."""
    loaded = settings()
    if bootstrap.ledger_file(loaded) is not None:
        bootstrap.check_folder(loaded)
    return loaded


@group.command()
def pull(
    *,
    first: Annotated[
        bool, typer.Option("--first", help="Nothing was ever kept: it is no mistake if there is no branch.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch the ledger from the branch that keeps it; one that is here is put aside.

    The branch is NEWSLETTER_DATABASE__BRANCH of the folder's Git repository, at its remote `origin`.
    """
    keeper = _keeper(settings())
    is_fetched = keeper is not None and keeper.pull(now=now(), first=first)
    if as_json:
        say_json({"fetched": is_fetched, "branch": None if keeper is None else keeper.name})
    elif keeper is None:
        say("the ledger is in PostgreSQL: there is nothing to fetch")
    elif is_fetched:
        say(f"the ledger was fetched from {keeper.name}")
    else:
        say(f"{keeper.name}: there is none yet; the first run begins a new ledger")


@group.command()
def push(*, as_json: AsJson = False) -> None:
    """Put the ledger on the branch that keeps it, unless somebody else has changed that since it was fetched."""
    import asyncio

    loaded = settings()
    keeper, ledger = _keeper(loaded), bootstrap.ledger_file(loaded)
    is_kept = keeper is not None and ledger is not None and ledger.exists()
    if keeper is not None and is_kept:
        asyncio.run(keeper.keep())
    if as_json:
        say_json({"kept": is_kept, "branch": None if keeper is None else keeper.name})
    elif keeper is None or ledger is None:
        say("the ledger is in PostgreSQL: there is nothing to keep")
    elif not is_kept:
        say(f"{ledger}: there is no ledger yet, so there is nothing to keep")
    else:
        say(f"the ledger is kept on {keeper.name}")


def _keeper(loaded: Settings) -> LedgerKeeper | None:
    """Return what keeps the ledger on a branch; None where it is in PostgreSQL.

    Raises:
        UsageError: there is no branch.
    """
    from newsletter.parts import keeping

    if not loaded.database.branch:
        raise UsageError("NEWSLETTER_DATABASE__BRANCH is not set: the ledger is kept on no branch")
    return keeping.ledger_keeper(loaded)
