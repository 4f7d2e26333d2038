"""`deliveries`: who got an issue, who not yet, and what the operator does about it."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.commands import Group
from newsletter.cli.exits import Exit
from newsletter.cli.moments import Clocks, minute
from newsletter.cli.output import file_on_stdout, plain, say, say_json, say_left_out, table
from newsletter.cli.session import AsJson, Day, Limit, ListName, check_list, now, within, zone_of
from newsletter.core.csv_cells import masked
from newsletter.core.delivery import DeliveryState
from newsletter.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date, datetime

    from newsletter.bootstrap import Program
    from newsletter.ports import DeliveryRecord, SlowDown

group = typer.Typer(cls=Group, no_args_is_help=True, help="Who got it, and who not yet.")

_STATE_HELP = f"Only {', '.join(DeliveryState)}; may be repeated."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="deliveries")


@group.command("list")
def list_deliveries(
    *,
    list_name: ListName = None,
    date: Day = None,
    state: Annotated[
        list[DeliveryState] | None,
        typer.Option(metavar="STATE", help=_STATE_HELP),
    ] = None,
    limit: Limit = 1000,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    as_json: AsJson = False,
) -> None:
    """List deliveries with their state and what the relay said."""
    records, total = within(lambda program: _records(program, list_name, date, frozenset(state or ()), limit))
    if as_json:
        say_json([_record_json(record) for record in records])
    elif as_csv:
        _write_csv(records)
    else:
        _show(records)
    say_left_out(len(records), total, "deliveries", is_result=not (as_json or as_csv))


async def _records(
    program: Program, list_name: str | None, day: date | None, states: Collection[DeliveryState], limit: int
) -> tuple[list[DeliveryRecord], int]:
    """Return the deliveries that are shown, and how many there are.

    Raises:
        UsageError: there is no such list, and no delivery of it.
    """
    outbox = program.store.outbox
    records = await outbox.records(list_name=list_name, day=day, states=states, limit=limit)
    if len(records) < limit:
        if not records:
            await check_list(program, list_name)
        return records, len(records)
    return records, await outbox.count(list_name=list_name, day=day, states=states)


def _show(records: Sequence[DeliveryRecord]) -> None:
    if not records:
        say("no such deliveries")
        return
    clocks = Clocks((record.timezone for record in records), below=sys.stdout.isatty())
    table(
        ("list", "day", "state", "tries", clocks.heading("when"), "address", "what the relay said"),
        (
            (
                record.list,
                record.day,
                record.state,
                record.attempts,
                clocks.shown(_when(record), record.timezone),
                record.email,
                _answer(record),
            )
            for record in records
        ),
        folds={"what the relay said"},
    )
    if clocks.note:
        say(clocks.note)


@group.command()
def retry(*, list_name: ListName = None, date: Day = None, as_json: AsJson = False) -> None:
    """Make deferred deliveries due now, however late; the next `run` or the scheduler sends them."""
    from newsletter.operations import operate

    async def act(program: Program) -> int:
        count = await operate.retry(program.store.outbox, list_name=list_name, day=date, now=now())
        if not count:
            await check_list(program, list_name)
        return count

    count = within(act)
    _say_count(count, "due now", as_json=as_json)


@group.command()
def release(
    *,
    list_name: ListName = None,
    date: Day = None,
    as_sent: Annotated[
        bool, typer.Option("--as-sent", help="They arrived: count them as sent, send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Queue uncertain deliveries that are held: they are sent again, under the same Message-ID."""
    from newsletter.operations import operate

    done = "counted as sent" if as_sent else "queued again"

    async def act(program: Program) -> int:
        outbox = program.store.outbox
        count = await operate.release(outbox, as_sent=as_sent, list_name=list_name, day=date, now=now())
        if not count:
            await check_list(program, list_name)
        return count

    count = within(act)
    _say_count(count, done, as_json=as_json)


@group.command()
def slow_downs(*, as_json: AsJson = False) -> None:
    """List what holds mail up: domains that asked to slow down, relays in trouble, quotas that are used up."""
    from newsletter.operations.status import slow_downs_for_operators

    async def act(program: Program) -> tuple[list[SlowDown], str]:
        known = await slow_downs_for_operators(program.store.slow_downs, now=now())
        return known, await zone_of(program) if known and not as_json else ""

    found, zone = within(act)
    if as_json:
        say_json([_slow_down_json(slow_down) for slow_down in found])
    else:
        _show_slow_downs(found, zone)


def _slow_down_json(slow_down: SlowDown) -> dict[str, Any]:
    values = asdict(slow_down)
    del values["forgotten_at"]
    return {**values, "kind": slow_down.kind.value}


def _say_count(count: int, done: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"deliveries": count})
    else:
        say(f"{counted(count, 'delivery', 'deliveries')} {done}")
    raise typer.Exit(Exit.DONE)


def _write_csv(records: list[DeliveryRecord]) -> None:
    from newsletter.ports import DeliveryRecord

    writer = csv.writer(file_on_stdout())
    writer.writerow(name for name in DeliveryRecord.__dataclass_fields__ if name != "timezone")
    for record in records:
        writer.writerow([_cell(value) for value in _record_json(record).values()])


def _cell(value: object) -> str:
    return masked("" if value is None else plain(value))


def _when(record: DeliveryRecord) -> datetime:
    return record.next_attempt_at or (record.due_at if record.state is DeliveryState.QUEUED else record.updated_at)


def _answer(record: DeliveryRecord) -> str:
    if record.state is DeliveryState.WITHDRAWN:
        return f"{record.reason}: {record.text}" if record.text else record.reason
    return " ".join(str(part) for part in (record.code, record.text, record.reason) if part)


def _record_json(record: DeliveryRecord) -> dict[str, Any]:
    values = asdict(record)
    del values["timezone"]
    return {**values, "state": record.state.value}


def _show_slow_downs(slow_downs: list[SlowDown], zone: str) -> None:
    from newsletter.cli.status import until_in_words

    if not slow_downs:
        say("nothing holds mail up")
        return
    moment = now()
    table(
        ("what", "name", f"since ({zone})", f"until ({zone})", "what it said"),
        (
            (
                slow_down.kind,
                slow_down.name,
                minute(slow_down.since, zone),
                until_in_words(slow_down, moment, zone),
                slow_down.reason,
            )
            for slow_down in slow_downs
        ),
        folds={"what it said"},
    )
