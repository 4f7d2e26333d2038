"""The order of the stages: collect, freeze the issue if due, deliver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from newsletter.core.calendar import (
    Slot,
    SlotState,
    comes_out_on,
    last_slot,
    opening,
    slot_on,
)
from newsletter.core.errors import MissedError, NewsletterError, SourceError, StoppedError
from newsletter.core.issue import Issue
from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.pipeline.collect import Collected, collect
from newsletter.pipeline.deliver import ClosedIssues, Delivering
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.pipeline.publish import Published, draft, lookback, newest_slot, publish
from newsletter.pipeline.report import (
    IssueReport,
    RunReport,
    RunStatus,
    missed_in_words,
    next_in_words,
    status_of,
    waits_in_words,
)
from newsletter.pipeline.stopping import unless_stopped
from newsletter.ports import (
    ChunkReport,
    Clock,
    ListFile,
    Message,
    Progress,
    Renderer,
    Source,
    Store,
)
from newsletter.readers.sync import sync

log = structlog.get_logger(__name__)

_WORTH_LOGGING = timedelta(minutes=30)  # of an issue that comes after its hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A list's way from its sources to its readers' inboxes.

    Every method is safe to repeat and safe to run twice at once: the store decides who makes an issue and
    who delivers to whom. `check` raises LintError if an issue must not go out.
    """

    store: Store
    renderer: Renderer
    closed: ClosedIssues
    delivering: Delivering
    sources_of: Callable[[NewsletterList], Sequence[Source]]
    check: Callable[[Issue, Message], None]
    clock: Clock
    mark: HighWaterMark
    # Ticks come every few seconds; a source that had nothing for an issue is not asked at each of them.
    retry_after: timedelta = timedelta(minutes=30)
    _tried: dict[tuple[str, date], datetime] = field(default_factory=dict)
    _missed: set[tuple[str, date]] = field(default_factory=set)  # what a tick has told once

    async def run(
        self,
        file: ListFile,
        *,
        day: date | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> RunReport:
        """Collect, freeze the issue if due, deliver what is due; then the same for the list's weekly edition.

        Args:
            file: the list and its subscribers.
            day: makes or finishes the issue of that day, its deliveries due at once, whatever the list's hours;
                None: today's, if due.
            progress: hears of each delivery.
            stop: when set, what is in flight is finished and the rest left for the next run.

        Raises:
            ConfigurationError: the database is an older copy of the one that was used last.
        """
        await self.mark.check()
        list_ = file.list
        report = await self._run(file, list_, day, progress, stop)
        weekly = await self._weekly(file, day)
        if weekly is None:
            return report
        return replace(report, weekly=await self._run(file, weekly, day, progress, stop))

    async def _run(
        self,
        file: ListFile,
        list_: NewsletterList,
        day: date | None,
        progress: Progress | None,
        stop: asyncio.Event | None,
    ) -> RunReport:
        at_once = day is not None
        newest, state = (slot_on(list_, day), SlotState.DUE) if day else await self.newest_slot(list_)
        slot = newest if state is SlotState.DUE else None
        collected = await unless_stopped(stop, self.collect(list_, slot.day if slot else self.today(list_)))
        await self.sync(file)
        published = await self._publish(list_, slot, collected, at_once=at_once) if slot else None
        issues = [published.issue] if published and published.issue else []
        if at_once:
            if published and published.issue and not published.created:
                await self.store.outbox.hasten(published.issue.key, now=self.clock())
        else:
            known = {issue.key for issue in issues}
            open_issues = await self.delivering.open_issues(lists=[list_.name])
            issues += [issue for issue in open_issues if issue.key not in known]
        deliver = self.delivering.deliver
        delivered = {
            issue.key: await deliver(issue, at_once=at_once, progress=progress, stop=stop) for issue in issues
        }
        now = self.clock()
        opens = now if at_once or not issues else opening(issues[0].terms, now)
        report = await self._report(list_, slot, collected, published, issues, delivered, opens=opens)
        if newest is None or state is not SlotState.MISSED:
            return report
        reason = missed_in_words(list_, newest)
        log.warning("slot_missed", list=list_.name, day=str(newest.day), reason=reason)
        return replace(report, date=newest.day, status=RunStatus.MISSED, reason=reason)

    async def tick(self, file: ListFile, *, stop: asyncio.Event | None = None) -> None:
        """Do what is due by now: like `run`, but sources are asked only if there is an issue to make.

        Raises:
            NewsletterError: an issue that is due cannot be made; what was left of earlier ones is delivered.
            ConfigurationError: the database is an older copy of the one that was used last.
            StoppedError: `stop` was set while sources were being read.
        """
        await self.mark.check()
        trouble = await self._attempt(file, file.list, stop)
        weekly = await self._weekly(file, None)
        if weekly is not None:
            trouble = await self._attempt(file, weekly, stop) or trouble
        if trouble is not None:
            raise trouble

    async def _attempt(
        self, file: ListFile, list_: NewsletterList, stop: asyncio.Event | None
    ) -> NewsletterError | None:
        """Make and deliver what is due of one edition, and return what kept an issue from being made."""
        slot, state = await self.newest_slot(list_)
        trouble: NewsletterError | None = None
        if slot is not None and state is SlotState.MISSED and (list_.name, slot.day) not in self._missed:
            self._missed.add((list_.name, slot.day))
            trouble = MissedError(missed_in_words(list_, slot))
        if slot is not None and state is SlotState.DUE and await self._is_to_be_made(list_, slot):
            try:
                collected = await unless_stopped(stop, self.collect(list_, slot.day))
                await self.sync(file)
                published = await self._publish(list_, slot, collected, at_once=False)
                if published.issue is None and collected.nothing_answered:
                    trouble = SourceError("; ".join(collected.failures.values()))
            except StoppedError:
                raise
            except NewsletterError as error:
                trouble = error
        await self.delivering.deliver_open(lists=[list_.name], stop=stop)
        return trouble

    async def _is_to_be_made(self, list_: NewsletterList, slot: Slot) -> bool:
        tried, now = self._tried.get((list_.name, slot.day)), self.clock()
        if tried is not None and timedelta() <= now - tried < self.retry_after:  # the clock may be set back
            return False
        if await self.store.issues.find(list_.name, slot.day) is not None:
            return False
        self._tried[list_.name, slot.day] = now
        return True

    async def rehearse(self, file: ListFile, *, day: date | None = None) -> RunReport:
        """Collect and report what would be sent; freeze and send nothing."""
        list_ = file.list
        on = day or self.today(list_)
        collected = await self.collect(list_, on)
        issue = await self.issue_or_draft(list_, on)
        return RunReport(
            list=list_.name,
            date=on,
            status=RunStatus.DRY_RUN,
            collected=collected.listed,
            failures=collected.failures,
            new=issue.candidates,
            issue=await self._describe(issue) if issue.listings else None,
        )

    async def issue_or_draft(self, list_: NewsletterList, day: date) -> Issue:
        """Return the issue of a day, or what it would be if it were frozen now (its key is then 0)."""
        issue = await self.store.issues.find(list_.name, day)
        if issue is not None:
            return issue
        one = await draft(self.store, list_, self._names(list_), day)
        return one.closed(0, self.renderer.subject(one) if one.listings else "", self.clock())

    async def collect(self, list_: NewsletterList, day: date) -> Collected:
        """Fetch listings and sightings for an issue of `day`."""
        previous = await self.store.issues.latest(list_.name, before=day)
        return await collect(
            self.sources_of(list_),
            self.store.library,
            day=day,
            lookback_days=lookback(list_),
            previous=previous.day if previous else None,
            now=self.clock(),
        )

    async def sync(self, file: ListFile) -> None:
        """Bring the store's subscribers up to the list file."""
        await sync(self.store.roster, file, now=self.clock())

    async def newest_slot(self, list_: NewsletterList) -> tuple[Slot | None, SlotState]:
        """Return a list's newest slot, and what is to be done about it; None where it has none."""
        return await newest_slot(self.store, list_, now=self.clock())

    def day(self, list_: NewsletterList) -> date:
        """Return the day of the issue that should be out by now, or today."""
        slot = last_slot(list_, self.clock())
        return slot.day if slot and self.clock() - slot.at <= list_.stale_after else self.today(list_)

    def today(self, list_: NewsletterList) -> date:
        """Return the day that it is where the list is at home."""
        return self.clock().astimezone(ZoneInfo(list_.timezone)).date()

    async def _weekly(self, file: ListFile, day: date | None) -> NewsletterList | None:
        """Return the weekly edition of a daily list, if there is something to do for it now, or on a day."""
        edition = file.list.weekly_edition
        if edition is None or (day is not None and not comes_out_on(edition, day)):
            return None
        wanted = any(one.cadence is Cadence.WEEKLY for one in file.subscribers)
        if not wanted and not await self.store.roster.anyone_wants(file.list.name, Cadence.WEEKLY):
            return None
        if day is None and (await self.newest_slot(edition))[1] is SlotState.OVER:
            return edition if await self.store.outbox.open_issues(edition.name) else None
        return edition

    async def _publish(
        self, list_: NewsletterList, slot: Slot, collected: Collected, *, at_once: bool
    ) -> Published:
        """Make the issue of a slot; where there is none to make, remember that the slot was used."""
        now = self.clock()
        published = await publish(
            self.store,
            self.renderer,
            list_,
            self._names(list_),
            slot,
            now=now,
            at_once=at_once,
            check=self.check,
        )
        if published.created:
            await self.mark.advance()
        if published.issue is None and not collected.nothing_answered and slot == last_slot(list_, now):
            await self.store.slots.note_in_vain(list_.name, slot.day, now=now)
        if published.created and not at_once and (late := now - slot.at) >= _WORTH_LOGGING:
            log.info("issue_caught_up", list=list_.name, day=str(slot.day), late=str(late).partition(".")[0])
        return published

    async def _report(
        self,
        list_: NewsletterList,
        slot: Slot | None,
        collected: Collected,
        published: Published | None,
        issues: Sequence[Issue],
        delivered: dict[int, ChunkReport],
        *,
        opens: datetime,
    ) -> RunReport:
        report = RunReport(
            list=list_.name,
            date=slot.day if slot else self.today(list_),
            status=RunStatus.NOTHING_NEW if slot else RunStatus.NOT_DUE,
            collected=collected.listed,
            failures=collected.failures,
            new=published.new if published else 0,
            reason=published.reason if published else next_in_words(list_, self.clock()),
            suppressed=published.suppressed if published else 0,
            due=slot is not None,
        )
        if not issues:
            failed = replace(report, status=RunStatus.FAILED, reason="no source could be read")
            return failed if collected.nothing_answered else report
        issue, outbox, now = issues[0], self.store.outbox, self.clock()
        counts, due = await outbox.counts(issue.key), await outbox.next_due(issue.key)
        trouble = next((one.trouble for one in delivered.values() if one.trouble), "")
        waits = "" if trouble else waits_in_words(issue.terms, counts, opens, now)
        return replace(
            report,
            date=issue.day,
            status=status_of(counts, delivered[issue.key], due, now, waits=bool(waits)),
            new=issue.candidates,
            issue=await self._describe(issue),
            deliveries=counts,
            suppressed=await outbox.suppressed_count(issue.key),
            sent_now=sum(one.sent for one in delivered.values()),
            reason=trouble or waits,
        )

    async def _describe(self, issue: Issue) -> IssueReport:
        rendering = await self.closed.rendering(issue) if issue.key else self.renderer.render(issue)
        return IssueReport(
            number=issue.number if issue.key else 0,
            subject=issue.subject,
            listings=len(issue.listings),
            html_bytes=rendering.html_bytes,
        )

    def _names(self, list_: NewsletterList) -> list[str]:
        return [source.name for source in self.sources_of(list_)]
