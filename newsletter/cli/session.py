"""What commands share: the options they have in common, and a program built for the time of one command."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from newsletter import bootstrap
from newsletter.cli.output import complain
from newsletter.composition import first_use
from newsletter.core.days import read_day
from newsletter.core.errors import ConfigurationError, StoppedError, UsageError
from newsletter.core.newsletter_list import WEEKLY_EDITION

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from newsletter.bootstrap import Program
    from newsletter.cli.exits import Exit
    from newsletter.core.errors import ListFileError
    from newsletter.ports import ListFile, Lists
    from newsletter.settings import Settings

T = TypeVar("T")

ENV_FILE = Path(".env")
_NO_LISTS = "there are no lists: `newsletter init` writes a first one into subscribers/"


def parse_day(text: str) -> date:
    """Read a day of the command line."""
    try:
        return read_day(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_address(text: str) -> str:
    """Read a mail address of the command line."""
    from newsletter.lists.addresses import Addresses

    try:
        return Addresses().read(text.strip())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _list_names(incomplete: str) -> list[str]:
    from newsletter.cli.completion import list_names

    return list_names(ENV_FILE, incomplete)


ListName = Annotated[
    str | None,
    typer.Option("--list", "-l", metavar="NAME", help="One list; else all.", autocompletion=_list_names),
]
OneList = Annotated[
    str, typer.Option("--list", "-l", metavar="NAME", help="The list.", autocompletion=_list_names)
]
Day = Annotated[
    date | None, typer.Option("--date", "-d", metavar="YYYY-MM-DD", parser=parse_day, help="The issue's day.")
]
AsReader = Annotated[
    str | None,
    typer.Option("--subscriber", metavar="ADDRESS", parser=parse_address, help="As this reader gets it."),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many at most, the newest first.")]
ShownLimit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many rows are shown at most.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]


def settings(*, quiet: bool = False) -> Settings:
    """Return the settings of `.env` and the environment, with logging set up as they say.

    Args:
        quiet: whether to log nothing, whatever the settings say.
    """
    from newsletter.logs import configure_logging
    from newsletter.settings import load

    loaded = load(ENV_FILE)
    configure_logging(loaded.log, quiet=quiet)
    return loaded


def doubtful_templates(loaded: Settings) -> list[str]:
    """Return a line for each of the operator's templates whose original has changed, or that nothing uses."""
    from newsletter.composition import own_templates

    return list(own_templates.doubtful_templates(loaded))


def within(action: Callable[[Program], Awaitable[T]]) -> T:
    """Build the program, run one action in it and take it down again.

    Raises:
        ConfigurationError: a setting is wrong, or this is no working folder; nothing is written then.
        ListFileError: nothing was done in this folder yet, and no list file is right; nothing is written then.
    """
    loaded = settings()
    first_use.check_first_use(loaded)
    return _within(loaded, action)


def looking(action: Callable[[Program], Awaitable[T]]) -> T:
    """Do as `within` does, for an action that changes nothing: where there is no ledger yet, none is made.

    Raises:
        ConfigurationError: as there.
    """
    return _within(first_use.for_looking(settings()), action)


def _within(loaded: Settings, action: Callable[[Program], Awaitable[T]]) -> T:
    from newsletter.scheduling import loop as runtime

    bootstrap.check_folder(loaded)

    async def act() -> T:
        async with bootstrap.build(loaded) as program:
            return await action(program)

    # While threads sign, asyncio's own loop is as fast as uvloop or faster: it lets go of the interpreter, which
    # they wait for, whenever it sends.
    return runtime.run(act(), fast=loaded.dkim.key_file is None)


def until_signal(
    action: Callable[[Program, asyncio.Event], Awaitable[T]],
    *,
    cut_off: Exit,
    quiet: bool = False,
    waits_for_lists: bool = True,
    only_looks: bool = False,
) -> T:
    """Run one action within the program; SIGTERM or SIGINT asks it to end, and it does within ten seconds.

    Args:
        action: is handed the program and the event that a signal sets.
        cut_off: what the command exits with if the action had to be cut off.
        quiet: whether to log nothing.
        waits_for_lists: whether the action goes on where no list file is right, until one is.
        only_looks: whether the action changes nothing: where there is no ledger yet, none is made.

    Raises: as `within` does.
    """
    loaded = settings(quiet=quiet)  # first, so that `newsletter.logs` and nobody else loads structlog
    if only_looks:
        loaded = first_use.for_looking(loaded)
    elif not waits_for_lists:
        first_use.check_first_use(loaded)
    from newsletter.scheduling.signals import LastResort, run_until_signal

    last_resort = LastResort(cut_off)

    async def act(program: Program) -> T:
        return await run_until_signal(partial(action, program), last_resort=last_resort)

    try:
        return _within(loaded, act)
    except StoppedError as error:
        complain(str(error))
        raise typer.Exit(cut_off) from None


def chosen(lists: Lists, name: str | None) -> list[ListFile]:
    """Return the list of that name, or all lists.

    Raises:
        ListFileError: the file of one that was asked for is wrong.
        UsageError: there is no such list, or none at all.
    """
    if name is not None:
        return [lists.read().named(name)]
    files = lists.load()
    if not files:
        raise UsageError(_NO_LISTS)
    return list(files.values())


def chosen_with_wrong(lists: Lists, name: str | None) -> tuple[list[ListFile], list[ListFileError]]:
    """Return the list of that name, or all lists; and apart from them what is wrong with the files of others.

    Raises:
        UsageError: there is no such list, or none at all.
    """
    files, wrong = right_and_wrong(lists, name)
    if not files and not wrong:
        raise UsageError(no_list(lists, name))
    return files, list(wrong.values())


def right_and_wrong(lists: Lists, name: str | None) -> tuple[list[ListFile], dict[str, ListFileError]]:
    """Return the list of that name, or all lists; and what is wrong with files, by the names of their lists."""
    loaded = lists.read()
    return (
        [file for known, file in loaded.right.items() if name in {None, known}],
        {known: error for known, error in loaded.wrong.items() if name in {None, known}},
    )


def no_list(lists: Lists, name: str | None) -> str:
    """Return in words that there is no list of a name, or none at all, and what to do."""
    known = ", ".join(lists.read().names)
    return f"there is no list {name!r}; there are: {known}" if name and known else _NO_LISTS


async def zone_of(program: Program, name: str | None = None) -> str:
    """Return the zone of a list, or that which all lists share, for moments of no list alone; else UTC."""
    import asyncio

    from newsletter.cli.moments import common_zone

    try:
        files, _ = await asyncio.to_thread(right_and_wrong, program.lists, name)
    except ConfigurationError:  # there is no folder of list files any more
        files = []
    return common_zone(file.list.timezone for file in files)


async def check_list(program: Program, name: str | None) -> None:
    """Make sure that a list that was named is there: an empty answer would hide a typo.

    Raises:
        UsageError: there is no list file of that name, right or wrong.
    """
    import asyncio

    if name is None:
        return
    lists = await asyncio.to_thread(program.lists.read)
    if name.removesuffix(WEEKLY_EDITION) not in lists.names:
        raise UsageError(no_list(program.lists, name))


def now() -> datetime:
    """Return the present moment: the command line is an edge."""
    return bootstrap.utc_now()
