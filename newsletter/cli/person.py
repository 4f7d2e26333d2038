"""`subscribers show` and `erase`, and the export of one person: all that is known of somebody, on all lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import typer

from newsletter.cli.moments import minute
from newsletter.cli.output import say, say_json, table, warn, write_json
from newsletter.cli.session import AsJson, looking, now, within
from newsletter.core.errors import UsageError
from newsletter.core.newsletter_list import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import TextIO

    from newsletter.bootstrap import Program
    from newsletter.core.examples import GivenPaper
    from newsletter.ports import Erasure, SubscriberRecord

_NEWEST = 20  # rows of a kind that are shown
_UTC = "UTC"

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mail address.")]


def show(address: Address, *, as_json: AsJson = False) -> None:
    """Show all that is known of an address on all lists: wishes, suppressions, feedback, deliveries."""
    person, zones = looking(lambda program: _person_and_zones(program, address))
    if as_json:
        say_json(person)
        return
    for record in person.pop("lists"):
        zone = zones.get(record["list"], _UTC)
        say(f"on {record['list']} (times in {zone}):")
        for field, value in record.items():
            if field != "list" and value not in (None, "", []):
                say(f"  {field.replace('_', ' ')}: {_shown(value, zone)}")
    if person["erased"]:
        say(f"erased {_shown(person['erased'], _UTC)} (UTC)")
    for heading, rows in person.items():
        if isinstance(rows, list) and rows:
            _say_rows(heading, rows, zones)


def _say_rows(heading: str, rows: list[dict[str, Any]], zones: Mapping[str, str]) -> None:
    """Print the newest rows of a kind, with the times of their lists; in UTC where there is no such list."""
    shown = [(row, zones.get(row.get("list") or "", _UTC)) for row in rows[:_NEWEST]]
    among = {zone for _, zone in shown}
    times = f"times in {among.pop()}" if len(among) == 1 else f"each time as its list has it, else in {_UTC}"
    newest = f", the newest {_NEWEST} of {len(rows)}" if len(rows) > _NEWEST else ""
    say(f"{heading.replace('_', ' ')} ({times}{newest}):")
    columns = [name for name in rows[0] if any(row[name] not in (None, "") for row, _ in shown)]
    table(columns, [[_shown(row[name], zone) for name in columns] for row, zone in shown])


def export_person(address: str, file: TextIO) -> None:
    """Write all that is known of a person as JSON.

    Raises:
        UsageError: nothing is.
    """
    write_json(looking(lambda program: _person(program, address)), file)


def erase(
    address: Address,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase all that is known of an address, on all lists (GDPR); what is not sent to it yet is withdrawn.

    A keyed hash of the address stays, so that no list file, import or command brings the person back; a sign-up of
    their own does. The counts of past issues stay. Your list files, backups and the mail system's logs are yours
    to clean.
    """
    if not yes:
        _ask(address)
    done, named_in = within(lambda program: _erase(program, address))
    if as_json:
        say_json({"erased": done.is_news, "since": done.since, "rows": done.rows, "named_in": named_in})
        return
    for place in named_in:
        warn(f"{place} still names {address}: remove it there")
    rows = ", ".join(f"{count} of {name.replace('_', ' ')}" for name, count in done.rows.items() if count)
    say(f"{address} is erased: {rows}" if rows else f"{address} is erased since {done.since:%F}")


def _ask(address: str) -> None:
    """Ask whether to erase; without anybody to ask, that is a no.

    Raises:
        UsageError: it is not to be.
    """
    import sys

    if not sys.stdin.isatty():
        raise UsageError(f"this erases all that is known of {address}, for good: say --yes")
    if not typer.confirm(f"Erase all that is known of {address}, for good?", err=True):
        raise UsageError("nothing was erased")


async def _erase(program: Program, address: str) -> tuple[Erasure, list[str]]:
    """Erase a person; return what that came to, and which list files name them.

    Raises:
        UsageError: nothing is known of them.
    """
    import asyncio

    from newsletter.core.address import address_key

    email, data = checked(address), program.store.personal_data
    lists, keys = await asyncio.to_thread(program.lists.read), {address_key(email)}
    named_in = [file.roster.place for file in lists.right.values() if any(file.roster.named(keys))]
    if not named_in and await data.erased_since(email) is None:
        await _person(program, address)
    return await data.erase(email, now=now()), named_in


async def _person(program: Program, address: str) -> dict[str, Any]:
    """Return all that is known of an address.

    Raises:
        UsageError: nothing is.
    """
    email = checked(address)
    known = await program.store.personal_data.known(email)
    if not known.is_anything:
        raise UsageError(f"nothing is known of {address}")
    lists = [record_json(record) for record in known.records]
    return {"address": email, "lists": lists, "erased": known.erased, **known.rows}


async def _person_and_zones(program: Program, address: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return all that is known of an address, and the time zone of each list whose file is right, by its name.

    Raises:
        UsageError: nothing is.
    """
    import asyncio

    from newsletter.core.newsletter_list import editions_of

    lists = await asyncio.to_thread(program.lists.read)
    zones = {name: file.list.timezone for name, file in lists.right.items()}
    of_editions = {edition: zone for name, zone in zones.items() for edition in editions_of(name)}
    return await _person(program, address), zones | of_editions


def checked(address: str) -> str:
    """Return an address as the ledger has it.

    Raises:
        UsageError: it is none.
    """
    from newsletter.lists.addresses import Addresses

    try:
        return Addresses().read(address)
    except ValueError as error:
        raise UsageError(str(error)) from None


class RecordJson(TypedDict):
    """A subscriber as JSON shows it."""

    list: str
    address: str
    name: str
    status: str
    origin: str
    since: datetime
    changed: datetime
    topics: Sequence[str]
    topics_mode: str | None
    follows: Sequence[str]
    interest: str
    examples: Sequence[str]
    text: str
    cadence: str | None
    hour: str | None
    timezone: str | None
    days: Sequence[str] | None
    language: str | None
    paused_until: str | None
    own_wishes_since: datetime | None
    no_mail_because: str | None


RECORD_FIELDS = tuple(RecordJson.__annotations__)


def record_json(record: SubscriberRecord) -> RecordJson:
    """Return a subscriber as JSON shows it."""
    one = record.subscriber
    return {
        "list": one.list,
        "address": one.email,
        "name": one.name,
        "status": one.status,
        "origin": one.origin,
        "since": record.joined_at,
        "changed": record.changed_at,
        "topics": list(one.topics),
        "topics_mode": one.topics_mode,
        "follows": [str(follow) for follow in one.follows],
        "interest": one.interest,
        "examples": [_example(paper) for paper in one.examples],
        "text": one.text,
        "cadence": one.cadence,
        "hour": None if one.hour is None else f"{one.hour:%H:%M}",
        "timezone": one.timezone,
        "days": None if one.days is None else [WEEKDAYS[day] for day in one.days],
        "language": one.language,
        "paused_until": None if one.paused_until is None else f"{one.paused_until:%F}",
        "own_wishes_since": record.own_wishes_since,
        "no_mail_because": None if record.barred is None else str(record.barred),
    }


def _example(paper: GivenPaper) -> str:
    return paper.arxiv_id or paper.doi or paper.title


def _shown(value: object, zone: str) -> object:
    """Return a value for people: lists as words, moments in a zone to the minute."""
    from datetime import datetime

    if isinstance(value, datetime):
        return minute(value, zone)
    return ", ".join(map(str, value)) if isinstance(value, list) else ("" if value is None else value)
