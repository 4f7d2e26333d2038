"""`doctor`: whether mail can go out and arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.output import fold, in_colour, say, say_json, waiting
from newsletter.cli.session import AsJson, ListName, no_list, settings
from newsletter.core.diagnosis import Health
from newsletter.core.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from newsletter.core.diagnosis import Diagnosis

# SGR codes (ECMA-48, 8.3.117).
_COLOURS = {Health.OK: "32", Health.WARN: "33;1", Health.FAIL: "31;1"}
_STATUS, _CHECK = 6, 12  # columns


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    *,
    list_name: ListName = None,
    send_to: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Send this address a mail, and say what the relay does to it; it is read back by IMAP.",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check all that mail depends on: settings, database, relay, DNS, public pages; exit 1 on a failure.

    Each line is ok, warn or fail, with what to do. Nothing is changed, and no reader gets a mail.
    """
    found = _examined(list_name, _address(send_to))
    if as_json:
        from newsletter.operations.doctor.kept import as_json as shown

        say_json(shown(found))
    else:
        _show(found)
    raise typer.Exit(Exit.CHECK_FAILED if any(one.status is Health.FAIL for one in found) else Exit.DONE)


def _address(text: str) -> str:
    from newsletter.lists.addresses import Addresses

    try:
        return text and Addresses().read(text.strip())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--send-to'") from None


def _examined(list_name: str | None, send_to: str) -> list[Diagnosis]:
    """Examine what the settings of this folder say.

    Raises:
        UsageError: there is no list of that name.
    """
    import asyncio

    from newsletter import bootstrap
    from newsletter.composition import examining

    try:
        loaded = settings()
    except ConfigurationError as error:
        return examining.unreadable_settings(error)
    if list_name is not None:
        lists = bootstrap.list_files(loaded)
        if list_name not in lists.read().names:
            raise UsageError(no_list(lists, list_name))
    with waiting("checking"):
        found = asyncio.run(examining.examine(loaded, list_name=list_name, send_to=send_to))
    if list_name is None:
        examining.keep(loaded, found)
    return found


def _show(found: Sequence[Diagnosis]) -> None:
    import sys

    for one in found:
        status = in_colour(f"{one.status.value:{_STATUS}}", _COLOURS[one.status], sys.stdout)
        todo = f"; to do: {one.do}" if one.do else ""
        say(fold(f"{status}{one.check:{_CHECK}} {one.says}{todo}", indent=_STATUS + _CHECK + 1))
    counts = {status: sum(one.status is status for one in found) for status in Health}
    say(f"{counts[Health.FAIL]} failed, {counts[Health.WARN]} warnings, {counts[Health.OK]} ok")
