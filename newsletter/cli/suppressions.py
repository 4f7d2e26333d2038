"""`suppressions`: addresses that are never mailed, and those that relays call dead."""

from __future__ import annotations

import sys
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.commands import Group
from newsletter.cli.exits import Exit
from newsletter.cli.moments import minute
from newsletter.cli.output import mistakes_json, say, say_json, table
from newsletter.cli.session import AsJson, ListName, now, within
from newsletter.core.errors import ListFileError, UsageError
from newsletter.core.text import counted

if TYPE_CHECKING:
    from newsletter.bootstrap import Program
    from newsletter.ports import Suppression

_PRIVATE = 0o600  # it holds people's addresses

group = typer.Typer(cls=Group, no_args_is_help=True, help="Addresses that are never mailed.")

_BY_OPERATOR, _IMPORTED = "by the operator", "imported"

OfList = Annotated[
    str | None, typer.Option("--list", "-l", metavar="NAME", help="On this list alone; else on all lists.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="suppressions")


@group.command("list")
def list_suppressions(
    *,
    list_name: ListName = None,
    held: Annotated[
        bool, typer.Option("--held", help="Only addresses that are held: called dead, many of a domain at once.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List suppressed addresses and those that are held, with the reason and since when."""
    shown = within(lambda program: program.store.suppressions.find(list_name=list_name, held=held or None))
    if as_json:
        say_json([_as_json(entry) for entry in shown])
        return
    if not shown:
        say("no such addresses")
        return
    table(
        ("address", "list", "since (UTC)", "state", "reason"),
        (
            (
                entry.address,
                entry.list or "all",
                minute(entry.since, "UTC"),
                "held" if entry.held else "suppressed",
                entry.reason,
            )
            for entry in shown
        ),
        folds={"reason"},
    )


@group.command()
def add(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS", help="Whom never to mail again.")],
    *,
    list_name: OfList = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; for whoever looks at it later.")
    ] = _BY_OPERATOR,
    as_json: AsJson = False,
) -> None:
    """Never mail these addresses again; what is not sent to them yet is withdrawn."""
    from newsletter.ports import Suppression

    moment = now()
    why = " ".join(reason.split()) or _BY_OPERATOR
    wanted = [
        Suppression(address=address, list=list_name, reason=why, since=moment) for address in _checked(addresses)
    ]
    _say_added(_add(wanted, of_lists=[list_name]), len(wanted), as_json=as_json)


@group.command()
def remove(
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="ADDRESS", help="Whom to mail again.", show_default=False)
    ] = None,
    *,
    list_name: OfList = None,
    domain: Annotated[
        str | None, typer.Option(metavar="DOMAIN", help="All addresses of a domain that are held.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Mail addresses again, suppressed or held; their subscribers are active again."""
    if bool(addresses) == bool(domain):
        raise UsageError("name addresses, or one domain by --domain")
    count = within(lambda program: _remove(program, _checked(addresses or []), list_name, domain))
    if as_json:
        say_json({"removed": count})
    else:
        say(f"{counted(count, 'address', 'addresses')} mailed again")


@group.command("import")
def import_suppressions(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV: a header row with address, list, reason, since.")
    ],
    *,
    list_name: Annotated[
        str | None,
        typer.Option("--list", "-l", metavar="NAME", help="The list of rows without one; else all lists."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Suppress the addresses of a CSV file, such as `export` writes: all of them, or none if a line is wrong."""
    from newsletter.lists.suppressions import read_suppressions

    try:
        wanted = read_suppressions(file, list_name=list_name, reason=_IMPORTED, now=now())
    except ListFileError as error:
        if as_json:
            say_json({"added": 0, "known": 0, "mistakes": mistakes_json(error.mistakes)})
        else:
            sys.stderr.write(f"{error}\n")
        raise typer.Exit(Exit.CHECK_FAILED) from None
    _say_added(_add(wanted, of_lists=[list_name]), len(wanted), as_json=as_json)


@group.command("export")
def export_suppressions(
    *,
    list_name: ListName = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; else printed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print all suppressed addresses as CSV, for `import` or a spreadsheet; those that are held are left out."""
    from newsletter.lists.suppressions import write_suppressions
    from newsletter.whole_files import write_whole

    suppressed = within(lambda program: program.store.suppressions.find(list_name=list_name, held=False))
    if as_json:
        say_json([_as_json(entry) for entry in suppressed])
    elif output is None:
        write_suppressions(suppressed, sys.stdout)
    else:
        text = StringIO(newline="")
        write_suppressions(suppressed, text)
        try:
            write_whole(output, text.getvalue().encode(), mode=_PRIVATE)
        except OSError as error:
            raise UsageError(f"{output}: cannot be written: {error.strerror}") from None


def _add(wanted: list[Suppression], *, of_lists: list[str | None]) -> int:
    async def act(program: Program) -> int:
        _check_lists(program, of_lists)
        return await program.store.suppressions.add(wanted, now=now())

    return within(act)


async def _remove(program: Program, addresses: list[str], list_name: str | None, domain: str | None) -> int:
    from newsletter.core.address import domain_key, domain_of

    _check_lists(program, [list_name])
    if domain:
        held = [entry.address for entry in await program.store.suppressions.find(held=True)]
        addresses = [entry for entry in held if domain_of(entry) == domain_key(domain)]
        if not addresses:
            raise UsageError(f"no address of {domain} is held: see `newsletter suppressions list --held`")
    await program.store.suppressions.lift(addresses, list_name=list_name, now=now())
    return len(addresses)


def _check_lists(program: Program, names: list[str | None]) -> None:
    """Say so if a list that was named is not there: a suppression for it would do nothing."""
    wanted = [name for name in names if name is not None]
    known = program.lists.load() if wanted else {}
    for name in wanted:
        if name not in known:
            raise UsageError(f"there is no list {name!r}; there are: {', '.join(sorted(known)) or 'none'}")


def _checked(addresses: list[str]) -> list[str]:
    """Return addresses that are ones, each once."""
    from newsletter.core.address import address_key
    from newsletter.lists.addresses import Addresses

    read = Addresses().read
    try:
        return list({address_key(entry): entry for entry in map(read, addresses)}.values())
    except ValueError as error:
        raise UsageError(str(error)) from None


def _say_added(news: int, count: int, *, as_json: bool) -> None:
    if as_json:
        say_json({"added": news, "known": count - news})
    else:
        say(f"{news} suppressed, {count - news} known already")


def _as_json(entry: Suppression) -> dict[str, Any]:
    return asdict(entry)
