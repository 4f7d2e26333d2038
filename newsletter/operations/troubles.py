"""What is stuck or wrong, and what to do about it, as sentences for operators: the most urgent first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.core.address import domain_of
from newsletter.core.alarm_words import words_of
from newsletter.core.alarms import OF_FILES, Alarm, Cause
from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import ListFileError
from newsletter.core.halt import Halt
from newsletter.core.reply_words import reply_in_words
from newsletter.core.text import counted
from newsletter.ports import HeldFiles, IssueSummary, PlacedDelivery, SlowDown, SlowDownKind, SourceHealth

# What these are about is a trouble of its own here.
_SAID_OTHERWISE = frozenset({*OF_FILES, Cause.RELAY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is stuck or wrong.

    Attributes:
        what: a sentence that says what.
        said: what more is known: whom it concerns, since when, when it goes on.
        advice: what to do, or nothing.
        page: the operator's page that tells more, as its path below `/-/admin/`; or nothing.
        link: the words of the link to it.
    """

    what: str
    said: str = ""
    advice: str = ""
    page: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What troubles are found in. Moments are aware.

    Attributes:
        wrong: what is wrong with list files, by list.
        held_files: files of lists that wait for the operator's word, by list.
        slow_downs: what holds mail up.
        halted: issues that have something left to do, and are paused or cancelled.
        stuck: the first deliveries that are deferred or uncertain.
        counts: how many deliveries are deferred, and how many uncertain.
        sources: how each source does.
        alarms: those that last.
    """

    wrong: Mapping[str, ListFileError]
    held_files: Mapping[str, HeldFiles]
    slow_downs: Sequence[SlowDown]
    halted: Sequence[IssueSummary]
    stuck: Sequence[PlacedDelivery]
    counts: Mapping[DeliveryState, int]
    sources: Sequence[SourceHealth]
    alarms: Sequence[Alarm] = ()


def troubles(facts: Facts, timezone: str, now: datetime) -> list[Trouble]:
    """Return what is stuck or wrong, the most urgent first.

    Args:
        facts: what is known.
        timezone: by whose clocks times are said (an IANA name).
        now: the present moment, aware.
    """
    clock = _Clock(timezone, now)
    return [
        *_wrong_files(facts.wrong),
        *_alarms(facts.alarms, clock),
        *_relays(facts.slow_downs, clock),
        *_quotas(facts.slow_downs, clock),
        *_held(facts.held_files),
        *_halted(facts.halted, clock),
        *_uncertain(facts.counts.get(DeliveryState.UNCERTAIN, 0)),
        *_deferred(facts.counts.get(DeliveryState.DEFERRED, 0), facts.stuck, clock),
        *_sources(facts.sources, clock),
    ]


class _Clock:
    """Says moments by the clocks of a zone: of today the time alone."""

    def __init__(self, timezone: str, now: datetime) -> None:
        self._zone = ZoneInfo(timezone)
        self._today = now.astimezone(self._zone).date()

    def __call__(self, moment: datetime) -> str:
        local = moment.astimezone(self._zone)
        return f"{local:%H:%M}" if local.date() == self._today else f"{local:%H:%M} on {local:%d %B}"


def _wrong_files(wrong: Mapping[str, ListFileError]) -> Iterable[Trouble]:
    for name, error in wrong.items():
        yield Trouble(
            what=f"The file of list {name} is wrong, so it gets no new issue.",
            said=f"{error.mistakes[0]}.",
            advice="Issues that are closed still go out.",
            page="errors/",
            link="See all mistakes" if len(error.mistakes) > 1 else "See it",
        )


def _alarms(alarms: Sequence[Alarm], clock: _Clock) -> Iterable[Trouble]:
    for alarm in alarms:
        if alarm.cause not in _SAID_OTHERWISE:
            words = words_of(alarm)
            yield Trouble(
                what=f"{words.headline[:1].upper()}{words.headline[1:]}.",
                said=f"Since {clock(alarm.since)}: {alarm.reason}.",
                advice=words.advice,
                page="errors/",
                link="See alarms",
            )


def _relays(slow_downs: Sequence[SlowDown], clock: _Clock) -> Iterable[Trouble]:
    for one in slow_downs:
        if one.kind is SlowDownKind.RELAY:
            until = f"; it is tried again at {clock(one.until)}" if one.until else ""
            yield Trouble(
                what=f"The relay {one.name} is in trouble.",
                said=f"Since {clock(one.since)}: {one.reason}{until}.",
                page="errors/",
                link="See it",
            )


def _quotas(slow_downs: Sequence[SlowDown], clock: _Clock) -> Iterable[Trouble]:
    for one in slow_downs:
        if one.kind is SlowDownKind.QUOTA and one.until:
            yield Trouble(
                what=f"The quota of the relay {one.name} is used up until {clock(one.until)}.",
                said=f"It is {one.reason}.",
                advice="What is left goes to the next relay, or waits within the list's deadline.",
                page="errors/",
                link="See it",
            )


def _held(held: Mapping[str, HeldFiles]) -> Iterable[Trouble]:
    for name, files in held.items():
        yield Trouble(
            what=f"The files of list {name} are not applied.",
            said=f"They name {files.removed:,} of {files.present:,} readers no longer.",
            advice=f"newsletter subscribers plan --list {name} says whom.",
            page="errors/",
            link="See it",
        )


def _halted(issues: Sequence[IssueSummary], clock: _Clock) -> Iterable[Trouble]:
    for issue in issues:
        if issue.halt is Halt.PAUSED and issue.halted_at:
            left = sum(issue.deliveries.get(state, 0) for state in (DeliveryState.QUEUED, DeliveryState.DEFERRED))
            yield Trouble(
                what=f"{issue.list} of {issue.day} is paused.",
                said=f"Since {clock(issue.halted_at)}; {counted(left, 'delivery waits', 'deliveries wait')}.",
                page=f"issues/{issue.list}/{issue.day}/",
                link="See the issue",
            )


def _uncertain(count: int) -> Iterable[Trouble]:
    if count:
        yield Trouble(
            what=f"{counted(count, 'delivery is', 'deliveries are')} uncertain.",
            said="What is cut off while it is sent may have arrived or not.",
            advice="Send it again, or count it as sent.",
            page="deliveries/?state=uncertain",
            link="Decide",
        )


def _deferred(count: int, stuck: Sequence[PlacedDelivery], clock: _Clock) -> Iterable[Trouble]:
    if not count:
        return
    records = [one.record for one in stuck if one.record.state is DeliveryState.DEFERRED]
    said = ""
    if records:
        domain, _ = Counter(domain_of(one.email) for one in records).most_common(1)[0]
        theirs = [one for one in records if domain_of(one.email) == domain]
        first = theirs[0]
        answer = reply_in_words(first.code, first.text, first.reason)
        since = clock(min(one.updated_at for one in theirs))
        said = f"{domain}, last at {since}: {answer}"
        if attempts := [one.next_attempt_at for one in theirs if one.next_attempt_at]:
            said += f"; the next attempt is at {clock(min(attempts))}"
        said += "."
    yield Trouble(
        what=f"{counted(count, 'delivery is', 'deliveries are')} deferred.",
        said=said,
        page="deliveries/?state=deferred",
        link="See them",
    )


def _sources(sources: Sequence[SourceHealth], clock: _Clock) -> Iterable[Trouble]:
    for source in sources:
        if source.error and source.tried_at:
            yield Trouble(
                what=f"The source {source.source} could not be read.",
                said=f"Tried at {clock(source.tried_at)}: {source.error}.",
                page="sources/",
                link="See sources",
            )
