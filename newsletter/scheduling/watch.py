"""Watches what no single run can see: what does not happen, what comes back, what does not get on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.core.alarms import OF_FILES, OF_ISSUE, OF_LISTS, Alarm, Cause
from newsletter.core.calendar import Slot, SlotState, late_before
from newsletter.core.delivery import DeliveryState
from newsletter.core.newsletter_list import WEEKLY_EDITION, Cadence, NewsletterList
from newsletter.core.text import counted
from newsletter.core.watching import WEEKS, Limit, silent_since, stuck_states
from newsletter.operations.cluster import ClusterReader
from newsletter.operations.doctor.machine import Space, space_of
from newsletter.pipeline.editions import edition_at
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.ports import Lists, LoadedLists, OperatorAlarm, Returned, SlowDownKind, Store
from newsletter.ports.listed import SourceNames

_MAIL_OF = timedelta(days=7)
# An issue takes some minutes to make; what is not there after so long is not being made.
_ISSUE_AFTER = timedelta(hours=1)

# What one machine finds another one may not: it is over when nobody has found it for so long.
_SEEN_NOWHERE = timedelta(minutes=20)
_MEGA = 10**6
_LITTLE_ROOM, _ROOM_AGAIN = 500 * _MEGA, 600 * _MEGA  # bytes that are free


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on something is trouble: the settings of alarms say it."""

    bounces: Limit
    complaints: Limit
    relay_after: timedelta
    no_worker_after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Looks at lists, sources, relays and mail, and rings the alarm or says that trouble is over.

    Attributes:
        store: the ledger.
        lists: the list files.
        source_names: returns the names of a list's sources.
        alarm: rings for the operator.
        limits: from when on something is trouble.
        cluster: reads what delivers.
        mark: notices that the ledger is an older copy.
        folder: that of the program's state, which must have room.
        model: the one that is asked for summaries; empty: none is.
        space: returns the room around a folder.
    """

    store: Store
    lists: Lists
    source_names: SourceNames
    alarm: OperatorAlarm
    limits: Limits
    cluster: ClusterReader
    mark: HighWaterMark
    folder: Path
    model: str = ""
    space: Callable[[Path], Space] = space_of

    async def look(self, now: datetime) -> None:
        """Look at all, at a moment (aware); safe to repeat, and in several processes at once.

        Raises:
            StoreError: the ledger cannot be read.
        """
        loaded = await asyncio.to_thread(self.lists.read)
        lasting = await self.store.alarms.lasting()
        await self._relays(lasting, now)
        await self._workers(lasting, now)
        await self._stuck(lasting, now)
        await self._returned(lasting, now)
        await self._issues(loaded, lasting, now)
        await self._sources(loaded, lasting, now)
        await self._gone(loaded, lasting)
        await self._over(Cause.SUMMARIES, lasting, but=[self.model])
        await self._restored(lasting, now)
        await self._disk(lasting, now)
        await self.store.alarms.forget_old(now=now)

    async def _relays(self, lasting: Iterable[Alarm], now: datetime) -> None:
        known = await self.store.slow_downs.known(now=now)
        relays = {one.name: one for one in known if one.kind is SlowDownKind.RELAY}
        for name, relay in relays.items():
            if now - relay.since >= self.limits.relay_after:
                await self.alarm.ring(Cause.RELAY, name, relay.reason or "no answer")
        await self._over(Cause.RELAY, lasting, but=relays)

    async def _workers(self, lasting: Iterable[Alarm], now: datetime) -> None:
        """Ring for queues with jobs that have been due for a while, and that no living worker takes."""
        unserved = (await self.cluster.read(now)).unserved(now, self.limits.no_worker_after)
        for queue, since in unserved.items():
            await self.alarm.ring(
                Cause.NO_WORKER, queue, f"the oldest is due since {since:%H:%M on %Y-%m-%d}, UTC"
            )
        await self._over(Cause.NO_WORKER, lasting, but=unserved)

    async def _stuck(self, lasting: Iterable[Alarm], now: datetime) -> None:
        """Ring for lists with deliveries that have been due for half the deadline, within the list's hours."""
        store = self.store
        uncertain = await store.outbox.issues_with(DeliveryState.UNCERTAIN)
        keys = dict.fromkeys([*await store.outbox.open_issues(), *uncertain])
        found = [one for key in keys if (one := await self._stuck_issue(key, now))]
        stuck = dict(reversed(found))  # of each list the oldest issue
        for list_name, reason in stuck.items():
            await self.alarm.ring(Cause.STUCK, list_name, reason)
        await self._over(Cause.STUCK, lasting, but=stuck)

    async def _stuck_issue(self, key: int, now: datetime) -> tuple[str, str] | None:
        """Return the list of an issue that does not get on, and why; None if it does."""
        store = self.store
        halted = await store.halts.of(key)
        counts = {} if halted.halt else await store.outbox.counts(key)
        states = stuck_states(counts)
        moments = [due for state in states if (due := await store.oversight.oldest_due(key, state))]
        issue = await store.issues.get(key) if moments else None
        if issue is None:
            return None
        half, due = replace(issue.terms, stale_after=issue.terms.stale_after / 2), min(moments)
        if due >= late_before(half, now - halted.paused_for):
            return None
        local = due.astimezone(ZoneInfo(issue.terms.timezone))
        waiting = ", ".join(f"{counts[state]:,} {state}" for state in states)
        since = f"{local:%H:%M on %Y-%m-%d}, {issue.terms.timezone}"
        return issue.list, f"issue of {issue.day}: {waiting}; the first is due since {since}"

    async def _returned(self, lasting: Iterable[Alarm], now: datetime) -> None:
        """Ring for lists of whose mail of the last week much came back, or drew complaints."""
        active = {(one.cause, one.subject) for one in lasting}
        found = await self.store.oversight.returned(now - _MAIL_OF)
        limits = ((Cause.BOUNCES, self.limits.bounces), (Cause.COMPLAINTS, self.limits.complaints))
        for cause, limit in limits:
            passed = []
            for one in found:
                part, whole, words = _share(one, cause)
                if limit.is_passed(part, whole, lasts=(cause, one.list) in active):
                    of = f"{part:,} of {counted(whole, 'mail')} of the last seven days"
                    await self.alarm.ring(cause, one.list, f"{of} {words} ({_percent(part, whole)})")
                    passed.append(one.list)
            await self._over(cause, lasting, but=passed)

    async def _issues(self, loaded: LoadedLists, lasting: Iterable[Alarm], now: datetime) -> None:
        """Ring for lists whose issue is due for long and not made, though nothing is known to be in the way."""
        known = {one.subject for one in lasting if one.cause in (OF_ISSUE | OF_FILES) - {Cause.NO_ISSUE}}
        for file in loaded.right.values():
            editions = [file.list]
            # Readers whom a file names since the last sync are not waited for: the file may be wrong.
            reads_weekly = self.store.subscribers.anyone_wants
            if file.list.weekly_edition and await reads_weekly(file.list.name, Cadence.WEEKLY):
                editions.append(file.list.weekly_edition)
            for list_ in editions:
                if list_.name in known:
                    await self.alarm.over([Cause.NO_ISSUE], list_.name)
                else:
                    await self._issue(list_, now)

    async def _issue(self, list_: NewsletterList, now: datetime) -> None:
        edition = await edition_at(self.store, list_, now=now)
        slot = edition.due_slot
        if slot is not None and not edition.is_made and await self._is_late(list_, slot, now):
            at = slot.at.astimezone(ZoneInfo(list_.timezone))
            reason = f"due since {at:%H:%M}, {list_.timezone}, and not made"
            await self.alarm.ring(Cause.NO_ISSUE, list_.name, reason, day=slot.day)
        elif edition.state is not SlotState.MISSED:
            await self.alarm.over([Cause.NO_ISSUE], list_.name)

    async def _is_late(self, list_: NewsletterList, slot: Slot, now: datetime) -> bool:
        """Return whether a slot should have its issue by now. A new list has time from when it is first seen."""
        first_seen = await self.store.slots.first_seen(list_.name, now=now)
        if now - max(slot.at, first_seen) < _ISSUE_AFTER:
            return False
        return await self.store.slots.in_vain(list_.name) != slot.day

    async def _sources(self, loaded: LoadedLists, lasting: Iterable[Alarm], now: datetime) -> None:
        names = {name for file in loaded.right.values() for name in self.source_names(file.list)}
        since = now.date() - timedelta(weeks=WEEKS)
        silent = {}
        for name in sorted(names):
            papers = await self.store.listed.days([name], since, now.date())
            tried = await self.store.oversight.tried_days(name, since)
            last = silent_since(papers, tried, now.date())
            if last is not None:
                health = await self.store.library.health(name)
                silent[name] = f"nothing since {last}" + (f"; {health.error}" if health.error else "")
        for name, reason in silent.items():
            await self.alarm.ring(Cause.SOURCE_SILENT, name, reason)
        await self._over(Cause.SOURCE_SILENT, lasting, but=silent)

    async def _gone(self, loaded: LoadedLists, lasting: Iterable[Alarm]) -> None:
        """Say that all trouble of lists is over whose files are gone."""
        for one in lasting:
            if one.cause in OF_LISTS and one.subject.removesuffix(WEEKLY_EDITION) not in loaded.names:
                await self.alarm.over([one.cause], one.subject)

    async def _restored(self, lasting: Iterable[Alarm], now: datetime) -> None:
        reason = "nothing is sent until you have decided" if await self.mark.is_older() else ""
        await self._of_this_machine(Cause.RESTORED, "ledger", reason, lasting, now)

    async def _disk(self, lasting: Iterable[Alarm], now: datetime) -> None:
        folder = self.folder.absolute()
        free = (await asyncio.to_thread(self.space, folder)).free
        known = any(one.cause is Cause.DISK and one.subject == str(folder) for one in lasting)
        is_full = 0 <= free < (_ROOM_AGAIN if known else _LITTLE_ROOM)
        reason = f"{free // _MEGA:,} MB are free" if is_full else ""
        await self._of_this_machine(Cause.DISK, str(folder), reason, lasting, now)

    async def _of_this_machine(
        self, cause: Cause, subject: str, reason: str, lasting: Iterable[Alarm], now: datetime
    ) -> None:
        """Ring for what is found on this machine; it is over once no machine has found it for a while."""
        if reason:
            await self.alarm.ring(cause, subject, reason)
            return
        for one in lasting:
            if (one.cause, one.subject) == (cause, subject) and now - one.seen_at >= _SEEN_NOWHERE:
                await self.alarm.over([cause], subject)

    async def _over(self, cause: Cause, lasting: Iterable[Alarm], *, but: Iterable[str]) -> None:
        """Say that trouble is over with all subjects but some."""
        still = set(but)
        for one in lasting:
            if one.cause is cause and one.subject not in still:
                await self.alarm.over([cause], one.subject)


def _share(one: Returned, cause: Cause) -> tuple[int, int, str]:
    """Return how many of how many mails drew what, in words; only who got a mail can complain of it."""
    if cause is Cause.BOUNCES:
        return one.refused + one.bounced, one.sent + one.refused, "were refused or came back"
    return one.complained, one.sent, "drew a complaint"


def _percent(part: int, whole: int) -> str:
    """Return a share as people read it: `0.12 %`, `7.5 %`, `100 %`."""
    share = 100 * part / max(whole, 1)
    return f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"  # noqa: PLR2004 -- two digits
