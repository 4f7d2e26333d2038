"""How lists stand: who reads them, what went out, what does not go on and why, what comes next."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from newsletter.core.address import domain_of
from newsletter.core.alarms import Alarm
from newsletter.core.bounces import Outcome
from newsletter.core.calendar import agenda
from newsletter.core.delivery import WAITING, DeliveryState
from newsletter.core.errors import ListFileError
from newsletter.core.newsletter_list import Cadence, NewsletterList, SignUpRule
from newsletter.core.quotas import QuotaOf
from newsletter.core.reply_words import advice_on_reply
from newsletter.operations.cluster import Cluster, ClusterReader
from newsletter.ports import (
    Funnel,
    HeldDomain,
    HeldFiles,
    IssueSummary,
    ListFile,
    ModelUsage,
    NoticeCounts,
    SlowDown,
    SlowDownKind,
    SourceHealth,
    Store,
)
from newsletter.readers.next_issue import next_issue

_LATELY = timedelta(days=7)
_DAYS_OF_FUNNEL = timedelta(days=30)
_FOR_OPERATORS = {SlowDownKind.DOMAIN, SlowDownKind.RELAY}
_STUCK = (DeliveryState.DEFERRED, DeliveryState.UNCERTAIN, DeliveryState.SENDING)
_UNFINISHED = (*_STUCK, DeliveryState.QUEUED)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedIssue:
    """An issue that did not reach everybody yet."""

    issue: IssueSummary
    next_due: datetime | None  # when the next delivery that waits is due; None: none waits
    said: str  # why one of them waits: what the relay said of it, or what went wrong; empty: nothing has
    advice: str = ""  # what to do about that, if it is known

    @property
    def waiting(self) -> dict[DeliveryState, int]:
        """Return how many of its deliveries are not done, by state; only the states in which there are any."""
        return {state: count for state in _UNFINISHED if (count := self.issue.deliveries.get(state, 0))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatus:
    """How one list stands, or the weekly edition of one. All moments are aware, in UTC."""

    list: str
    title: str
    timezone: str  # the IANA name
    newest: IssueSummary | None  # None: it has no issue yet
    unfinished: tuple[UnfinishedIssue, ...] = ()  # the oldest first
    waits_until: datetime | None = None  # when its hours begin, if deliveries of the newest issue wait for them
    next: datetime | None = None  # when the next issue is due; None: never, or it has no file
    has_file: bool = True  # whether there is a list file that is right
    readers: int | None = None  # active subscribers; None: of a weekly edition, or without a file
    subscribers: int = 0  # that its files named at the last sync; that they name, if there was none
    left: int = 0  # subscribers who left by their own wish since the newest issue
    held: int = 0  # subscribers whose addresses were called dead, which is in doubt
    sources: tuple[SourceHealth, ...] = ()
    held_files: HeldFiles | None = None  # the list's files, if they wait for the operator's word
    funnel: Funnel | None = (
        None  # who signed up on the web in the last 30 days; None: readers cannot, and nobody did
    )

    @property
    def stuck(self) -> int:
        """Return how many deliveries neither arrived nor failed for good, and were tried."""
        return sum(issue.waiting.get(state, 0) for issue in self.unfinished for state in _STUCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What came back in the last week: how many events came to what, and how many were forged or nobody's."""

    processed: Mapping[Outcome, int]
    forged: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How all lists stand, and what holds mail up."""

    lists: list[ListStatus]
    slow_downs: list[SlowDown]
    held: list[HeldDomain]
    inbound: Inbound
    notices: list[NoticeCounts]  # to webhooks and channels, where some wait or were given up
    wrong: list[ListFileError]  # of lists that were never synced, as their members files are wrong
    alarms: list[Alarm]  # that last, the oldest first
    cluster: Cluster  # what delivers
    models: Mapping[str, ModelUsage]  # what was asked of each in this month (UTC)


async def status(
    store: Store,
    files: Mapping[str, ListFile],
    sources_of: Mapping[str, Sequence[str]],
    cluster: ClusterReader,
    quotas: Iterable[QuotaOf],
    *,
    now: datetime,
) -> Status:
    """Return how lists stand at a moment.

    Args:
        store: the ledger.
        files: the lists by name. Of other lists, those are there that have something left to deliver.
        sources_of: the names of the sources of each list.
        cluster: reads what delivers.
        quotas: those of relays, as they are set now.
        now: the moment, aware.
    """
    rows, wrong = [], []
    funnels = await store.signups.funnels(since=(now - _DAYS_OF_FUNNEL).date())
    for file in files.values():
        try:
            daily, *weekly = await _editions_of(store, file, sources_of[file.list.name], now)
            is_closed = file.list.signup is SignUpRule.CLOSED
            rows += [replace(daily, funnel=funnels.get(daily.list, None if is_closed else Funnel())), *weekly]
        except ListFileError as error:
            wrong.append(error)
    rows += [await _without_file(store, name) for name in await _names_without_file(store, files.values())]
    return Status(
        lists=rows,
        slow_downs=await slow_downs_for_operators(store, quotas, now=now),
        held=await store.suppressions.held(),
        inbound=await _inbound(store, now),
        notices=await store.notices.counts(),
        wrong=wrong,
        alarms=await store.alarms.lasting(),
        cluster=await cluster.read(now),
        models=await store.machine_texts.usage(since=now.astimezone(UTC).replace(day=1)),
    )


async def _inbound(store: Store, now: datetime) -> Inbound:
    """Return what came back lately."""
    numbers: Counter[Outcome] = Counter()
    for one in await store.inbound.counts(since=(now - _LATELY).date()):
        numbers[one.outcome] += one.number
    forged, unknown = numbers.pop(Outcome.FORGED, 0), numbers.pop(Outcome.UNKNOWN, 0)
    return Inbound(processed=dict(sorted(numbers.items())), forged=forged, unknown=unknown)


async def _names_without_file(store: Store, files: Iterable[ListFile]) -> list[str]:
    """Return the lists and weekly editions that have open issues, and whose file is wrong or gone."""
    with_file = {edition for file in files for edition in file.list.masthead.editions}
    issues = await store.issues.summaries(await store.outbox.open_issues())
    return sorted({issue.list for issue in issues.values()} - with_file)


async def _without_file(store: Store, name: str) -> ListStatus:
    """Return how a list stands whose file is wrong or gone: it has no next issue, and no subscribers in a file."""
    outline, newest = await store.issues.outline(name), await _newest(store, name)
    return ListStatus(
        list=name,
        title=outline.masthead.title if outline else name,
        timezone=newest.timezone if newest else "UTC",
        newest=newest,
        unfinished=await _unfinished(store, name),
        has_file=False,
        held=await store.suppressions.held_on(name),
    )


async def slow_downs_for_operators(store: Store, quotas: Iterable[QuotaOf], *, now: datetime) -> list[SlowDown]:
    """Return what holds mail up that an operator may do something about.

    That leaves out a relay that takes one message at a time, which costs a round trip. Whether quotas are used up
    is found out anew: they may have been changed since a process noted it.

    Args:
        store: the ledger.
        quotas: those of relays, as they are set now.
        now: the moment, aware.
    """
    known = [one for one in await store.slow_downs.known(now=now) if one.kind in _FOR_OPERATORS]
    for relay, account, quota in quotas:
        room = await store.relay_usage.room(account, quota, now=now)
        if until := room.opens_at:
            kind = SlowDownKind.QUOTA
            known.append(
                SlowDown(kind=kind, name=relay, since=now, until=until, reason=room.said, forgotten_at=until)
            )
    return known


def quotas_used_up_until(
    slow_downs: Iterable[SlowDown], relays: Iterable[str], *, now: datetime
) -> datetime | None:
    """Return when one of the relays may be handed mail again; None: the quota of one of them is not used up.

    Args:
        slow_downs: what holds mail up.
        relays: all relays by name.
        now: the moment, aware.
    """
    quotas = {one.name: one.until for one in slow_downs if one.kind is SlowDownKind.QUOTA}
    until = [quotas.get(relay) or now for relay in relays]
    return min(until) if until and min(until) > now else None


async def _editions_of(store: Store, file: ListFile, sources: Sequence[str], now: datetime) -> list[ListStatus]:
    """Return how a list stands, and how its weekly edition does if anybody reads that."""
    list_ = file.list
    daily = await _edition(store, list_, now)
    since = daily.newest.frozen_at if daily.newest else now
    synced = await store.subscribers.synced_files(list_.name)
    known = await store.subscribers.count(list_.name, since=since)
    checked = None if synced else await asyncio.to_thread(file.roster.check)
    named = synced.members if synced else checked.members if checked else 0
    found = [
        replace(
            daily,
            # Before the first sync the ledger knows at most those who came by another way than the files.
            readers=known.active if synced else known.active + named,
            subscribers=named,
            left=known.left,
            held=await store.suppressions.held_on(list_.name),
            sources=tuple([await store.library.health(source) for source in sources]),
            held_files=await held_files(store, file),
        )
    ]
    is_read_weekly = await store.subscribers.anyone_wants(list_.name, Cadence.WEEKLY) or (
        checked is not None and Cadence.WEEKLY in checked.cadences
    )
    if list_.weekly_edition is not None and is_read_weekly:
        found.append(await _edition(store, list_.weekly_edition, now))
    return found


async def held_files(store: Store, file: ListFile) -> HeldFiles | None:
    """Return the list's files as they are, if they are not applied because they would remove many."""
    held = await store.subscribers.held_files(file.list.name)
    if held is None or await asyncio.to_thread(file.roster.as_seen, held.seen) is None:
        return None
    return held


async def _edition(store: Store, list_: NewsletterList, now: datetime) -> ListStatus:
    at = agenda(list_, now)
    newest = await _newest(store, list_.name)
    upcoming = await next_issue(store.issues, list_, now)
    waits = at.opens > now and newest is not None and any(newest.deliveries.get(state) for state in WAITING)
    return ListStatus(
        list=list_.name,
        title=list_.masthead.title,
        timezone=list_.timezone,
        newest=newest,
        unfinished=await _unfinished(store, list_.name),
        waits_until=at.opens if waits else None,
        next=upcoming.at if upcoming else None,
    )


async def _newest(store: Store, name: str) -> IssueSummary | None:
    return next(iter(await store.issues.history(name, limit=1)), None)


async def _unfinished(store: Store, name: str) -> tuple[UnfinishedIssue, ...]:
    """Return all issues of a list that did not reach everybody yet, the oldest first."""
    outbox = store.outbox
    keys = {
        *await outbox.open_issues(name),
        *await outbox.issues_with(DeliveryState.UNCERTAIN, list_name=name),
    }
    found = await store.issues.summaries(keys)
    unfinished = []
    for key, issue in reversed(found.items()):
        said, outline = await _said(store, name, issue), await store.issues.outline(name, issue.day)
        domain = domain_of(outline.masthead.sender.rstrip(">")) if outline and said else ""
        unfinished.append(
            UnfinishedIssue(
                issue=issue,
                next_due=await outbox.next_due(key),
                said=said,
                advice=advice_on_reply(said, domain),
            )
        )
    return tuple(unfinished)


async def _said(store: Store, name: str, issue: IssueSummary) -> str:
    """Return why one of an issue's deliveries waits, or nothing where none met with trouble."""
    for state in (DeliveryState.DEFERRED, DeliveryState.QUEUED):
        if not issue.deliveries.get(state):
            continue
        for record in await store.outbox.records(list_name=name, day=issue.day, states=[state], limit=1):
            if said := " ".join(str(part) for part in (record.code, record.text or record.reason) if part):
                return said
    return ""
