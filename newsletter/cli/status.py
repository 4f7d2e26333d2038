"""`status`: what is due, sent and stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from newsletter.cli.exits import Exit
from newsletter.cli.issues import counted_states, states_in_words
from newsletter.cli.output import complain, say, say_json, table
from newsletter.cli.session import AsJson, now, within

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from newsletter.bootstrap import Program
    from newsletter.core.errors import ListFileError
    from newsletter.operations.status import ListStatus, Status


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(*, as_json: AsJson = False) -> None:
    """Show what is due, sent and stuck, list by list, and what holds mail up."""
    found, wrong = within(_status)
    for error in wrong:
        complain(str(error))
    if as_json:
        say_json([_as_json(row) for row in found.lists])
    else:
        _say_status(found)
    if wrong:
        raise typer.Exit(Exit.CONFIGURATION)


async def _status(program: Program) -> tuple[Status, Collection[ListFileError]]:
    """Return how lists stand, and what is wrong with list files."""
    from newsletter.operations.status import status as status_at

    lists = program.lists.read()
    found = await status_at(program.store, lists.right, now=now())
    return found, [*lists.wrong.values(), *found.wrong]


def _say_status(found: Status) -> None:
    table(("list", "newest issue", "deliveries", "stuck", "next issue"), (_row(row) for row in found.lists))
    for row in found.lists:
        if row.waits_until:
            say(f"\nMail of {row.list} waits until {row.waits_until.isoformat()}: the list has hours.")
    for held in found.held:
        say(
            f"\n{held.addresses} addresses of {held.domain} are held; it called them dead on {held.since:%F} UTC: "
            f"{held.reason}. The next issue asks again; see `newsletter suppressions list --held`."
        )
    if found.slow_downs:
        from newsletter.cli.deliveries import show_slow_downs

        say("")
        show_slow_downs(found.slow_downs)


def _row(row: ListStatus) -> tuple[object, ...]:
    newest = row.newest
    deliveries = states_in_words(newest.deliveries) if newest else "-"
    return (row.list, newest.day if newest else "none yet", deliveries, row.stuck or "-", _text(row.next))


def _as_json(row: ListStatus) -> dict[str, Any]:
    return {
        "list": row.list,
        "issue": row.newest.day.isoformat() if row.newest else None,
        "subject": row.newest.subject if row.newest else None,
        "deliveries": counted_states(row.newest.deliveries) if row.newest else {},
        "waits_until": _text(row.waits_until),
        "stuck": row.stuck,
        "next": _text(row.next),
        "subscribers": row.subscribers,
        "held": row.held,
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
