"""`deliveries`: who got an issue, who not yet, and what the operator does about it."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

import typer

from newsletter.bootstrap import Program
from newsletter.cli.exits import Exit
from newsletter.cli.hindrances import find_hindrances, show_hindrances
from newsletter.cli.output import say, say_json, table
from newsletter.cli.session import AsJson, Day, ListName, now, within
from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.text import counted
from newsletter.ports import DeliveryRecord, Hindrance

group = typer.Typer(no_args_is_help=True, help="Who got it, and who not yet.")

_ALL = 1_000_000
# What a spreadsheet would take for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="deliveries", rich_help_panel="What went out")


@group.command("list")
def list_deliveries(
    *,
    list_name: ListName = None,
    date: Day = None,
    state: Annotated[list[DeliveryState] | None, typer.Option(help="Only these; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 1000,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    as_json: AsJson = False,
) -> None:
    """List deliveries with their state and what the relay said."""
    records = within(
        lambda program: program.store.outbox.records(
            list_name=list_name, day=date, states=frozenset(state or ()), limit=limit
        )
    )
    if as_json:
        say_json([_record_json(record) for record in records])
        return
    if as_csv:
        _write_csv(records)
        return
    table(
        ("list", "day", "address", "state", "tries", "when", "what the relay said"),
        ((one.list, one.day, one.email, one.state, one.attempts, _when(one), _answer(one)) for one in records),
    )


@group.command()
def retry(*, list_name: ListName = None, date: Day = None, as_json: AsJson = False) -> None:
    """Make deferred deliveries due now, however late; the next `run` or the scheduler sends them."""
    _tell(within(lambda program: _retry(program, list_name, date)), "due now", as_json=as_json)


async def _retry(program: Program, list_name: str | None, day: date | None) -> int:
    deferred = frozenset({DeliveryState.DEFERRED})
    records = await program.store.outbox.records(list_name=list_name, day=day, states=deferred, limit=_ALL)
    await _hasten(program, records, DeliveryState.DEFERRED)
    return len(records)


async def _hasten(program: Program, records: list[DeliveryRecord], state: DeliveryState) -> None:
    """Make deliveries that are in a state due now: whom the operator asks for isn't withdrawn as late."""
    for name, on in {(record.list, record.day) for record in records}:
        issue = await program.store.issues.find(name, on)
        if issue is not None:
            await program.store.outbox.hasten(issue.key, now=now(), states=[state])


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
    """Let go of uncertain deliveries that were held: sent again under the same Message-ID."""
    done = "counted as sent" if as_sent else "queued again"
    _tell(within(lambda program: _release(program, list_name, date, as_sent=as_sent)), done, as_json=as_json)


async def _release(program: Program, list_name: str | None, day: date | None, *, as_sent: bool) -> int:
    outbox, moment = program.store.outbox, now()
    held = await outbox.records(
        list_name=list_name, day=day, states=frozenset({DeliveryState.UNCERTAIN}), limit=_ALL
    )
    await _hasten(program, held, DeliveryState.UNCERTAIN)
    state = DeliveryState.SENT if as_sent else DeliveryState.QUEUED
    changes = [
        Change(
            key=one.key, state=state, at=moment, attempts=one.attempts, relay=one.relay, reason="by the operator"
        )
        for one in held
    ]
    return len(changes) - len(await outbox.record(changes))


@group.command()
def hindrances(*, as_json: AsJson = False) -> None:
    """List what holds mail up: domains that asked to slow down, relays in trouble."""
    found = within(find_hindrances)
    if as_json:
        say_json([_hindrance_json(one) for one in found])
    else:
        show_hindrances(found)


def _hindrance_json(one: Hindrance) -> dict[str, Any]:
    values = asdict(one)
    del values["forgotten_at"]
    return {**values, "kind": one.kind.value}


def _tell(count: int, done: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"deliveries": count})
    else:
        say(f"{counted(count, 'delivery', 'deliveries')} {done}")
    raise typer.Exit(Exit.DONE)


def _write_csv(records: list[DeliveryRecord]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(DeliveryRecord.__dataclass_fields__)
    for record in records:
        writer.writerow([_cell(value) for value in _record_json(record).values()])


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _when(record: DeliveryRecord) -> datetime:
    return record.next_attempt_at or (record.due_at if record.state is DeliveryState.QUEUED else record.updated_at)


def _answer(record: DeliveryRecord) -> str:
    if record.state is DeliveryState.WITHDRAWN:
        return f"{record.reason}: {record.text}" if record.text else record.reason
    return " ".join(str(part) for part in (record.code, record.text, record.reason) if part)


def _record_json(record: DeliveryRecord) -> dict[str, Any]:
    return {**asdict(record), "state": record.state.value}
