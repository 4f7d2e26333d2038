"""`suppressions`: addresses that are never mailed, and those that relays call dead."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.commands import Group
from newsletter.cli.exits import Exit
from newsletter.cli.moments import minute
from newsletter.cli.output import JsonArray, mistakes_json, say, say_json, say_left_out, table, text_file
from newsletter.cli.session import AsJson, Limit, ListName, check_list, now, within, zone_of
from newsletter.core.errors import ListFileError, UsageError
from newsletter.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TextIO

    from newsletter.bootstrap import Program
    from newsletter.ports import Suppression

group = typer.Typer(cls=Group, no_args_is_help=True, help="Addresses that are never mailed.")

_BY_OPERATOR, _IMPORTED = "by the operator", "imported"
_AT_ONCE = 1000  # suppressions that are held at once
_SENTENCES = ("reason", "evidence")  # columns that may be folded

Addresses = Annotated[
    list[str], typer.Argument(metavar="ADDRESS", help="An address, or a whole domain as @example.org.")
]

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
    limit: Limit = 1000,
    as_json: AsJson = False,
) -> None:
    """List suppressed addresses and domains, and addresses that are held: why, since when, by whom."""

    async def act(program: Program) -> tuple[list[Suppression], int, str]:
        await check_list(program, list_name)
        found = program.store.suppressions
        shown = await found.find(list_name=list_name, held=held or None, limit=limit)
        total = len(shown)
        if total == limit:
            total = await found.number(list_name=list_name, held=held or None)
        return shown, total, await zone_of(program, list_name) if shown and not as_json else ""

    shown, total, zone = within(act)
    if as_json:
        say_json([_as_json(entry) for entry in shown])
    elif not shown:
        say("no such addresses")
    else:
        rows = [_row(entry, zone) for entry in shown]
        table(("address", "list", f"since ({zone})", "state", "by", "reason", "evidence"), rows, folds=_SENTENCES)
    say_left_out(len(shown), total, "suppressions", is_result=not as_json)


def _row(entry: Suppression, zone: str) -> tuple[object, ...]:
    state = "held" if entry.held else "suppressed"
    since = minute(entry.since, zone)
    return entry.address, entry.list or "all", since, state, entry.by, entry.reason, entry.evidence


@group.command()
def add(
    addresses: Addresses,
    *,
    list_name: OfList = None,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; for whoever looks at it later.")
    ] = _BY_OPERATOR,
    evidence: Annotated[
        str, typer.Option(metavar="TEXT", help="What shows it: a letter, a ticket, a bounce.")
    ] = "suppressions add",
    as_json: AsJson = False,
) -> None:
    """Never mail addresses or domains again; what is not sent to them yet is withdrawn.

    @example.org stands for all addresses of that domain; its subdomains are domains of their own. No sign-up ends
    what you suppress, only `newsletter suppressions remove` does.
    """
    from newsletter.core.text import one_line
    from newsletter.ports import Suppression

    moment, why, shown = now(), one_line(reason) or _BY_OPERATOR, one_line(evidence)
    wanted = [
        Suppression(address=address, list=list_name, reason=why, since=moment, evidence=shown)
        for address in _checked(addresses)
    ]
    _say_added(_add(lambda: wanted, list_name), len(wanted), as_json=as_json)


@group.command()
def remove(
    addresses: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ADDRESS", help="Whom to mail again; a whole domain as @example.org.", show_default=False
        ),
    ] = None,
    *,
    list_name: OfList = None,
    domain: Annotated[
        str | None, typer.Option(metavar="DOMAIN", help="All addresses of a domain that are held.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Mail addresses or domains again, suppressed, held or erased; their subscribers are active again."""
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
        Path,
        typer.Argument(metavar="FILE", help="CSV: a header row with address, list, reason, since, by, evidence."),
    ],
    *,
    list_name: Annotated[
        str | None,
        typer.Option("--list", "-l", metavar="NAME", help="The list of rows without one; else all lists."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Suppress addresses and domains of a CSV file, such as `export` writes: none of them if a line is wrong."""
    from newsletter.lists.suppressions import read_suppressions

    moment, count = now(), 0

    def read() -> Iterator[Suppression]:
        return read_suppressions(file, list_name=list_name, reason=_IMPORTED, now=moment)

    try:
        count = sum(1 for _ in read())  # all is right before anything is written
        news = _add(read, list_name)
    except ListFileError as error:
        if as_json:
            say_json({"added": 0, "known": 0, "mistakes": mistakes_json(error.mistakes)})
        else:
            sys.stderr.write(f"{error}\n")
        raise typer.Exit(Exit.CHECK_FAILED) from None
    _say_added(news, count, as_json=as_json)


@group.command("export")
def export_suppressions(
    *,
    list_name: ListName = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; else printed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print all suppressed addresses and domains as CSV, for `import` or a spreadsheet; held ones are left out."""
    with text_file(output) as file:
        within(lambda program: _export(program, list_name, file, as_json=as_json))


async def _export(program: Program, list_name: str | None, file: TextIO, *, as_json: bool) -> None:
    """Write suppressions, some at a time: there may be a million."""
    from newsletter.lists.suppressions import begin_suppressions, write_suppressions

    await check_list(program, list_name)
    array, last = JsonArray(file), None
    if not as_json:
        begin_suppressions(file)
    while some := await program.store.suppressions.find(
        list_name=list_name, held=False, after=last, limit=_AT_ONCE
    ):
        if as_json:
            array.add(map(_as_json, some))
        else:
            write_suppressions(some, file)
        last = some[-1]
    if as_json:
        array.end()


def _add(read: Callable[[], Iterable[Suppression]], list_name: str | None) -> int:
    """Suppress what is read, some at a time; return how many are news."""

    async def act(program: Program) -> int:
        from itertools import islice

        _check_list(program, list_name)
        wanted, news = iter(read()), 0
        while some := list(islice(wanted, _AT_ONCE)):
            news += await program.store.suppressions.add(some, now=now())
        return news

    return within(act)


async def _remove(program: Program, addresses: list[str], list_name: str | None, domain: str | None) -> int:
    from newsletter.core.address import domain_key, domain_of

    _check_list(program, list_name)
    if domain:
        held = [entry.address for entry in await program.store.suppressions.find(held=True)]
        addresses = [entry for entry in held if domain_of(entry) == domain_key(domain)]
        if not addresses:
            raise UsageError(f"no address of {domain} is held: see `newsletter suppressions list --held`")
    await program.store.suppressions.lift(addresses, list_name=list_name, now=now())
    return len(addresses)


def _check_list(program: Program, name: str | None) -> None:
    """Say so if a list that was named is not there: a suppression for it would do nothing."""
    if name is not None and name not in (known := program.lists.load()):
        raise UsageError(f"there is no list {name!r}; there are: {', '.join(sorted(known)) or 'none'}")


def _checked(addresses: list[str]) -> list[str]:
    """Return addresses and domains that are right, each once."""
    from newsletter.core.address import address_key
    from newsletter.lists.addresses import Addresses

    read = Addresses().read_suppressed
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
