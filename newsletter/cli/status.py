"""`status`: how lists stand, and what does not go on and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from newsletter.cli.clusters import cluster_facts, cluster_json, rate_of
from newsletter.cli.exits import Exit
from newsletter.cli.issues import counted_states, states_in_words
from newsletter.cli.moments import common_zone, minute
from newsletter.cli.output import complain, fold, say, say_json
from newsletter.cli.session import AsJson, looking, now
from newsletter.core.alarm_words import headline, told_of, words_of
from newsletter.core.alarms import OF_LISTS, Alarm
from newsletter.core.delivery import DeliveryState
from newsletter.core.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from newsletter.bootstrap import Program
    from newsletter.core.errors import ListFileError
    from newsletter.operations.status import Inbound, ListStatus, Status, UnfinishedIssue
    from newsletter.ports import HeldDomain, ModelUsage, NoticeCounts, SlowDown, SourceHealth

_LABEL = 13  # columns for what a line is about


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is shown: how lists stand, the relays by name, what is wrong with list files, and the moment of it."""

    status: Status
    relays: Sequence[str]
    wrong: Sequence[ListFileError]
    at: datetime


def status(*, as_json: AsJson = False) -> None:
    """Show readers, the last and the next issue, and what does not go on and why."""
    found = looking(_status)
    for error in found.wrong:
        complain(str(error))
    if as_json:
        say_json([_as_json(row, found) for row in found.status.lists])
    else:
        for line in _lines(found):
            say(fold(line, indent=_LABEL + 2))
    if found.wrong:
        raise typer.Exit(Exit.CONFIGURATION)


async def _status(program: Program) -> _Found:
    from newsletter.composition.clustering import cluster_reader
    from newsletter.operations.status import status as status_at
    from newsletter.parts.relaying import quotas_of

    lists, at = program.lists.read(), now()
    names = {name: program.source_names(file.list) for name, file in lists.right.items()}
    quotas = quotas_of(program.settings)
    found = await status_at(program.store, lists.right, names, cluster_reader(program), quotas, now=at)
    smtp = program.settings.smtp
    relays = [f"{relay.host}:{relay.port}" for relay in (smtp, *smtp.relays)]
    return _Found(status=found, relays=relays, wrong=[*lists.wrong.values(), *found.wrong], at=at)


def _lines(found: _Found) -> Iterator[str]:
    zone = common_zone(row.timezone for row in found.status.lists)
    if found.status.alarms:
        yield f"what needs you, times in {zone}"
        for alarm in found.status.alarms:
            yield f"  {alarm.cause.value:{_LABEL}} {_alarm(alarm, zone)}"
        yield ""
    for row in found.status.lists:
        edition = " (weekly edition)" if row.has_file and row.readers is None else ""
        yield f"{row.list}: {one_line(row.title)}{edition}, times in {row.timezone}"
        for about, said in _facts(row, found):
            yield f"  {about:{_LABEL}}{said}"
        yield ""
    yield f"mail, times in {zone}"
    for about, said in _mail(found, zone):
        yield f"  {about:{_LABEL}}{said}"


def _mail(found: _Found, zone: str) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of the mail of all lists: what it is about, and how it stands."""
    slow_downs = {(one.kind.value, one.name): one for one in found.status.slow_downs}
    for relay in found.relays:
        trouble = slow_downs.pop(("relay", relay), None)
        fine = "its quota is used up" if ("quota", relay) in slow_downs else "no known trouble"
        said = _slow_down(trouble, found.at, zone) if trouble else fine
        yield "relay", f"{relay}: {said}{rate_of(found.status.cluster, relay)}"
    for (kind, name), slow_down in slow_downs.items():
        yield kind, f"{name}: {_slow_down(slow_down, found.at, zone)}"
    yield from cluster_facts(found.status.cluster, found.at, zone)
    for held in found.status.held:
        yield "held", _held(held, zone)
    if came_back := _came_back(found.status.inbound):
        yield "came back", f"in the last week: {came_back}"
    for counts in found.status.notices:
        yield "told", _told(counts)
    for name, usage in found.status.models.items():
        yield "model", f"{one_line(name)}: {_used(usage)} this month"


def _alarm(alarm: Alarm, zone: str) -> str:
    """Return in words what is wrong, since when, why, and what to do."""
    reason, advice = alarm.reason.rstrip("."), words_of(alarm).advice
    return f"{headline(alarm)}, since {minute(alarm.since, zone)}: {reason}. {advice}"


def _told(counts: NoticeCounts) -> str:
    """Return in words how notices to a webhook or a channel stand."""
    given_up = f", {counts.given_up:,} given up in the last two weeks" if counts.given_up else ""
    why = f": {counts.reason}" if counts.reason else ""
    return f"{counts.receiver}: {counts.waiting:,} waiting{given_up}{why}"


def _used(usage: ModelUsage) -> str:
    """Return in words what was asked of a model."""
    refused = f", {counted(usage.refused, 'answer')} not used" if usage.refused else ""
    tokens = f"{usage.tokens_in:,} tokens read and {usage.tokens_out:,} written"
    return f"{counted(usage.requests, 'request')}{refused}, {tokens}"


def _came_back(inbound: Inbound) -> str:
    """Return in words what came back, or nothing where nothing did."""
    each = ", ".join(f"{number:,} {outcome}" for outcome, number in inbound.processed.items())
    parts = (
        f"{sum(inbound.processed.values()):,} processed ({each})" if each else "",
        f"{inbound.forged:,} forged" if inbound.forged else "",
        f"{inbound.unknown:,} of nobody known" if inbound.unknown else "",
    )
    return ", ".join(part for part in parts if part)


def _facts(row: ListStatus, found: _Found) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a list: what it is about, and how it stands."""
    if not row.has_file:
        yield "file", "its list file is wrong or gone: what is closed is still delivered, nothing new is made"
    yield from _readers(row)
    if row.held_files:
        gone = f"{row.held_files.removed:,} of {row.held_files.present:,} readers"
        hint = f"`newsletter subscribers plan --list {row.list}`"
        yield "files", f"not applied: they name {gone} no longer; see {hint}"
    if row.held:
        yield "held", f"{counted(row.held, 'address', 'addresses')} called dead, which is in doubt: see below"
    if row.newest is None:
        yield "last issue", "none yet"
    else:
        newest = row.newest
        yield "last issue", f"{newest.day}, no. {newest.number}: {states_in_words(newest.deliveries)}"
    for unfinished in row.unfinished:
        for said in _unfinished(unfinished, row, found):
            yield "unfinished", f"{unfinished.issue.day}: {said}"
    if row.has_file:
        yield "next issue", minute(row.next, row.timezone) if row.next else "none: the list has no days"
    for source in row.sources:
        yield "source", _source(source, row.timezone)


def _readers(row: ListStatus) -> Iterator[tuple[str, str]]:
    """Yield who reads a list, and who signed up for it."""
    if row.readers is not None:
        left = f"; {row.left:,} left or bounced since the last issue" if row.left else ""
        yield "readers", f"{row.readers:,}{left}"
    if row.funnel is not None:
        asked, mailed, done = row.funnel.asked, row.funnel.mailed, row.funnel.confirmed
        yield "sign-ups", f"{asked:,} asked in the last 30 days, {mailed:,} got a mail, {done:,} confirmed it"


def _hint(one: UnfinishedIssue) -> str:
    """Return what to do about an issue that the operator has halted."""
    issue = one.issue
    if issue.halt == "paused":
        return f". `newsletter issues resume --list {issue.list} --date {issue.day}` goes on with it"
    return (
        ""
        if one.waiting.keys() <= {DeliveryState.UNCERTAIN}
        else ". `newsletter run` withdraws what is left of it"
    )


def _unfinished(one: UnfinishedIssue, row: ListStatus, found: _Found) -> Iterator[str]:
    """Yield what of an issue did not reach its readers yet, why, and what to do."""
    from newsletter.operations.status import quotas_used_up_until

    day = one.issue.day
    when = f"the next at {minute(one.next_due, row.timezone)}" if one.next_due else "a run has them in hand"
    is_due = one.next_due is not None and one.next_due <= found.at
    full_until = quotas_used_up_until(found.status.slow_downs, found.relays, now=found.at)
    why = f": {one_line(one.said)}" if one.said else ""
    why += f"; {one.advice}" if one.advice else ""
    if one.issue.halt and one.issue.halted_at:
        yield f"{one.issue.halt} since {minute(one.issue.halted_at, row.timezone)}{_hint(one)}"
    for state, count in one.waiting.items():
        if one.issue.halt and state in {DeliveryState.QUEUED, DeliveryState.DEFERRED}:
            yield f"{count:,} {state.value}"
        elif state is DeliveryState.UNCERTAIN:
            does = "lets `newsletter run` withdraw them" if one.issue.halt == "cancelled" else "sends them again"
            release = f"`newsletter deliveries release --list {row.list} --date {day}`"
            release = f"{release} {does}, with --as-sent counts them as sent"
            yield f"{count:,} uncertain: cut off while they were sent. {release}"
        elif state is DeliveryState.SENDING:
            yield f"{count:,} being sent, or cut off meanwhile: a worker or the next `newsletter run` finds out"
        elif state is DeliveryState.QUEUED and row.waits_until and row.newest == one.issue:
            yield f"{count:,} wait until {minute(row.waits_until, row.timezone)}, when the list's hours begin"
        elif is_due and full_until:
            quota = f"the quota is used up until {minute(full_until, row.timezone)}"
            yield f"{count:,} {state.value}, due by now{why}: {quota}; `newsletter run` sends them after that"
        elif is_due:
            yield f"{count:,} {state.value}, due by now{why}. `newsletter run` sends them"
        else:
            yield f"{count:,} {state.value}, {when}{why}"


def _source(source: SourceHealth, timezone: str) -> str:
    read = f"last read {minute(source.read_at, timezone)}" if source.read_at else "never read yet"
    return f"{source.source}: {read}{f'; the last try failed: {one_line(source.error)}' if source.error else ''}"


def _slow_down(slow_down: SlowDown, at: datetime, timezone: str) -> str:
    if slow_down.kind.value == "quota":
        return f"used up {until_in_words(slow_down, at, timezone)}: {one_line(slow_down.reason)}"
    since = f"in trouble since {minute(slow_down.since, timezone)}, {until_in_words(slow_down, at, timezone)}"
    return f"{since}: {one_line(slow_down.reason)}"


def until_in_words(slow_down: SlowDown, at: datetime, timezone: str) -> str:
    """Return in words until when something holds mail up."""
    if slow_down.until:
        is_over = slow_down.until <= at
        return "now tried with one message" if is_over else f"until {minute(slow_down.until, timezone)}"
    return "tried again by the next run" if slow_down.given_up else "until it works"


def _held(held: HeldDomain, timezone: str) -> str:
    return (
        f"{held.addresses} addresses of {held.domain} are held: it called them dead on "
        f"{minute(held.since, timezone)}: {one_line(held.reason)}. The next issue asks again; see "
        "`newsletter suppressions list --held`"
    )


def _unfinished_json(one: UnfinishedIssue) -> dict[str, Any]:
    return {
        "day": one.issue.day,
        "number": one.issue.number,
        "halt": one.issue.halt,
        "deliveries": counted_states(one.waiting),
        "next_due": one.next_due,
        "said": one.said,
        "advice": one.advice,
    }


def _as_json(row: ListStatus, found: _Found) -> dict[str, Any]:
    return {
        "list": row.list,
        "title": row.title,
        "timezone": row.timezone,
        "has_file": row.has_file,
        "files_held": row.held_files is not None,
        "issue": row.newest.day if row.newest else None,
        "number": row.newest.number if row.newest else None,
        "subject": row.newest.subject if row.newest else None,
        "deliveries": counted_states(row.newest.deliveries) if row.newest else {},
        "unfinished": [_unfinished_json(one) for one in row.unfinished],
        "waits_until": row.waits_until,
        "stuck": row.stuck,
        "next": row.next,
        "readers": row.readers,
        "subscribers": row.subscribers,
        "left": row.left,
        "signups": None if row.funnel is None else asdict(row.funnel),
        "held": row.held,
        "sources": [asdict(source) for source in row.sources],
        # Relays and domains are those of all lists; they stand with each, as the answer is an array of lists.
        "relays": list(found.relays),
        "slow_downs": [asdict(slow_down) for slow_down in found.status.slow_downs],
        "held_domains": [asdict(held) for held in found.status.held],
        "inbound": _inbound_json(found.status.inbound),
        "notices": [asdict(counts) for counts in found.status.notices],
        "models": {name: asdict(usage) for name, usage in found.status.models.items()},
        **cluster_json(found.status.cluster),
        "alarms": [told_of(alarm) for alarm in _alarms_of(row, found.status.alarms)],
    }


def _alarms_of(row: ListStatus, alarms: Sequence[Alarm]) -> list[Alarm]:
    """Return the alarms that concern a list: its own, and those of no list."""
    return [alarm for alarm in alarms if alarm.cause not in OF_LISTS or alarm.subject == row.list]


def _inbound_json(inbound: Inbound) -> dict[str, Any]:
    processed = sum(inbound.processed.values())
    numbers = {"processed": processed, "forged": inbound.forged, "unknown": inbound.unknown}
    return {**numbers, "outcomes": dict(inbound.processed)}
