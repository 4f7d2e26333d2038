"""`subscribers`: what the list files would change, and who reads a list."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.commands import Group
from newsletter.cli.importing import import_subscribers
from newsletter.cli.output import JsonArray, plain, say, say_json, say_left_out, table, text_file
from newsletter.cli.person import RECORD_FIELDS, checked, erase, export_person, record_json, show
from newsletter.cli.session import AsJson, Limit, ListName, OneList, ShownLimit, chosen, looking, now, within
from newsletter.core.errors import UsageError
from newsletter.core.subscriber import SubscriberStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from newsletter.bootstrap import Program
    from newsletter.core.syncing import SyncCounts
    from newsletter.ports import SubscriberRecord
    from newsletter.readers.planning import SyncPlan

group = typer.Typer(cls=Group, no_args_is_help=True, help="Who reads, and what the list files would change.")

_STATUS_HELP = f"Only {', '.join(SubscriberStatus)}; may be repeated."
_BY_OPERATOR, _REMOVED = "removed by the operator", "subscribers remove"
_OF_SEVERAL = {"stays out": "stay out", "keeps own wishes": "keep own wishes"}

group.command("import")(import_subscribers)
group.command()(show)
group.command()(erase)

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mail address.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="subscribers")


@group.command()
def plan(*, list_name: ListName = None, limit: ShownLimit = 1000, as_json: AsJson = False) -> None:
    """Show whom the list files would add, change, bring back or remove, and who stays out; nothing is changed."""

    async def act(program: Program) -> list[SyncPlan]:
        from newsletter.readers.planning import plan

        return [
            await plan(program.store.subscribers, file, limit=limit) for file in chosen(program.lists, list_name)
        ]

    plans = looking(act)
    if as_json:
        say_json([_plan_json(each) for each in plans])
        return
    for each in plans:
        say(f"{each.list}: {_in_words({str(kind): number for kind, number in each.numbers.items()}, each.counts)}")
        if each.changes:
            rows = [(change.kind, change.email, change.reason) for change in each.changes]
            table(("change", "address", "why"), rows, folds=("why",))
        say_left_out(len(each.changes), len(each.changes) + each.left_out, "people", is_result=True)


@group.command()
def apply(
    *,
    list_name: ListName = None,
    allow_mass_removal: Annotated[
        bool,
        typer.Option(
            "--allow-mass-removal", help="Remove whom the files name no longer, even more than a fifth at once."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the subscribers into line with the list files, as `plan` shows; each list in one transaction."""

    async def act(program: Program) -> dict[str, SyncCounts]:
        from newsletter.readers.sync import sync

        return {
            file.list.name: await sync(
                program.store.subscribers, file, now=now(), allow_mass_removal=allow_mass_removal
            )
            for file in chosen(program.lists, list_name)
        }

    done = within(act)
    if as_json:
        say_json([{"list": name, **_counts_json(counts)} for name, counts in done.items()])
        return
    for name, counts in done.items():
        say(f"{name}: {_in_words(_done(counts), counts)}")


@group.command("list")
def list_subscribers(
    *,
    list_name: ListName = None,
    status: Annotated[list[SubscriberStatus] | None, typer.Option(metavar="STATUS", help=_STATUS_HELP)] = None,
    limit: Limit = 1000,
    as_json: AsJson = False,
) -> None:
    """List subscribers: how they came, since when, and why no mail goes to those who get none."""
    statuses = frozenset(status or ())

    async def act(program: Program) -> tuple[list[SubscriberRecord], int]:
        _check_list(program, list_name)
        subscribers = program.store.subscribers
        found = await subscribers.records(list_name=list_name, statuses=statuses, limit=limit)
        total = len(found)
        if total == limit:
            total = await subscribers.number(list_name=list_name, statuses=statuses)
        return found, total

    records, total = looking(act)
    if as_json:
        say_json([record_json(record) for record in records])
    else:
        table(
            ("list", "address", "status", "came by", "since", "no mail because"),
            [_row(record) for record in records],
            folds=("no mail because",),
        )
    say_left_out(len(records), total, "subscribers", is_result=not as_json)


@group.command()
def add(
    address: Address,
    *,
    list_name: OneList,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What mails call the reader.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put an address on a list, as a reader of its own: the list files neither change nor remove it."""

    async def act(program: Program) -> bool:
        from newsletter.core.subscriber import Member, Origin
        from newsletter.core.text import one_line

        _check_list(program, list_name)
        member = Member(checked(address), one_line(name))
        return await program.store.subscribers.add(list_name, member, Origin.COMMAND, now=now())

    is_new = within(act)
    if as_json:
        say_json({"added": is_new})
    else:
        say(f"{address} {'now reads' if is_new else 'reads already:'} {list_name}")


@group.command()
def remove(address: Address, *, list_name: OneList, as_json: AsJson = False) -> None:
    """Take an address off a list for good: it is suppressed there, so that no file or import brings it back."""

    async def act(program: Program) -> bool:
        _check_list(program, list_name)
        return await program.store.subscribers.suppress(
            checked(address), list_name=list_name, reason=_BY_OPERATOR, now=now(), evidence=_REMOVED
        )

    is_new = within(act)
    if as_json:
        say_json({"removed": is_new})
    else:
        say(f"{address} gets {'no more mail' if is_new else 'no mail already'} of {list_name}")


@group.command("export")
def export_subscribers(
    *,
    list_name: ListName = None,
    subscriber: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="All that is known of one person, on all lists, as JSON."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; else printed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print all subscribers as CSV, with status and origin; or all that is known of one person, as JSON.

    No cell is a formula to a spreadsheet.
    """
    if subscriber is not None and list_name is not None:
        raise UsageError("--subscriber is of all lists: leave --list out")
    with text_file(output) as file:
        if subscriber is not None:
            export_person(subscriber, file)
        else:
            looking(lambda program: (_export_json if as_json else _export)(program, list_name, file))


async def _export(program: Program, list_name: str | None, file: TextIO) -> None:
    """Write subscribers, some at a time: there may be a million."""
    from newsletter.core.csv_cells import masked

    _check_list(program, list_name)
    writer, last = csv.DictWriter(file, RECORD_FIELDS, lineterminator="\n"), 0
    writer.writeheader()
    while records := await program.store.subscribers.records(list_name=list_name, after=last):
        for record in records:
            writer.writerow({name: masked(_cell(value)) for name, value in record_json(record).items()})
        last = records[-1].key


async def _export_json(program: Program, list_name: str | None, file: TextIO) -> None:
    """Write subscribers as an array of JSON, some at a time."""
    _check_list(program, list_name)
    array, last = JsonArray(file), 0
    while records := await program.store.subscribers.records(list_name=list_name, after=last):
        array.add(record_json(record) for record in records)
        last = records[-1].key
    array.end()


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ";".join(value)
    return "" if value is None else plain(value)


def _check_list(program: Program, name: str | None) -> None:
    if name is not None:
        program.lists.read().named(name)


def _done(counts: SyncCounts) -> dict[str, int]:
    return {
        "added": counts.added,
        "changed": counts.changed,
        "reactivated": counts.reactivated,
        "removed": counts.removed,
    }


def _in_words(numbers: Mapping[str, int], counts: SyncCounts) -> str:
    """Return `3 add, 1 remove, 40 as they are`, or that there is nothing to do."""
    named = [(number, _OF_SEVERAL.get(word, word) if number > 1 else word) for word, number in numbers.items()]
    parts = [f"{number} {word}" for number, word in named if number]
    if not counts.differ:
        parts.insert(0, "nothing to do")
    return ", ".join([*parts, f"{counts.unchanged} as they are"])


def _plan_json(each: SyncPlan) -> dict[str, Any]:
    return {
        "list": each.list,
        **_counts_json(each.counts),
        "keeping_own_wishes": each.counts.keeping,
        "staying_out": each.staying_out,
        "changes": [
            {"change": change.kind, "address": change.email, "why": change.reason} for change in each.changes
        ],
    }


def _counts_json(counts: SyncCounts) -> dict[str, int]:
    return {**_done(counts), "unchanged": counts.unchanged}


def _row(record: SubscriberRecord) -> tuple[object, ...]:
    one = record.subscriber
    return one.list, one.email, one.status, one.origin, f"{record.joined_at:%F}", record.barred or ""
