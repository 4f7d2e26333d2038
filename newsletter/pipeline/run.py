"""A run of a list: collect, sync, publish, deliver, report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars

from newsletter.core.calendar import Slot, SlotState, agenda, slots_between
from newsletter.core.delivery import WAITING
from newsletter.core.errors import MissedError, NewsletterError, RenderError, SourceError, StoppedError, StoreError
from newsletter.core.issue import Issue
from newsletter.core.newsletter_list import NewsletterList, QuietDays
from newsletter.pipeline.collect import NOTHING_COLLECTED, Collected, collect_for
from newsletter.pipeline.deliver import ClosedIssues, Delivered, Delivering
from newsletter.pipeline.editions import Edition, editions_to_do
from newsletter.pipeline.examples import look_up_examples
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.pipeline.pictures import check_pictures
from newsletter.pipeline.publish import Published, draft, publish
from newsletter.pipeline.rehearsal import rehearsed
from newsletter.pipeline.report import (
    IssueReport,
    RunReport,
    RunStatus,
    halted_in_words,
    missed_in_words,
    next_in_words,
    of_list,
    status_of,
    uncertain_in_words,
    waits_in_words,
)
from newsletter.pipeline.summarizing import TIME_OF_COLLECTING, TIME_OF_ISSUE, summarized
from newsletter.pipeline.summary_counts import SummaryCounts
from newsletter.ports import ListFile, Message, PaperFinder, PictureReader, Progress, Renderer, Source, Store
from newsletter.readers import sync as syncing
from newsletter.readers.next_issue import next_issue
from newsletter.stopping import unless_stopped

if TYPE_CHECKING:
    from newsletter.pipeline.summaries import Summaries  # it loads the checks of texts

log = structlog.get_logger(__name__)

_SILENT = "no source could be read"
_HELD = "another process holds the rest and sends it"
LOOKS_AT_OTHERS, _BETWEEN_LOOKS = 50, 0.1  # how often, and seconds
_WORTH_LOGGING = timedelta(minutes=30)  # of an issue that is made after its hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of a run. The command `run` and the scheduler differ in this and in nothing else.

    `day`: make or finish the issue of that day, its deliveries due at once, whatever the list's hours; None: the
    issue that is due by now. `only_due`: read the sources only if an issue is due. `progress` is called with each
    delivery. When `stop` is set, what is in flight is finished, and the rest is left for the next run.
    """

    day: date | None = None
    only_due: bool = False
    progress: Progress | None = None
    stop: asyncio.Event | None = None


AS_USUAL = Wish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A list's way from its sources to its readers' inboxes.

    Every method is safe to repeat and safe to run twice at once: the store decides who makes an issue and who
    delivers to whom. `check` raises LintError if an issue must not go out. Only `delivering` and `summaries`
    read a clock, since they may take long; to all else the present moment is passed.
    """

    store: Store
    renderer: Renderer
    sources_of: Callable[[NewsletterList], Sequence[Source]]
    check: Callable[[Issue, Message], None]
    mark: HighWaterMark
    closed: ClosedIssues
    delivering: Delivering
    applies_files: bool = True  # list files, by itself
    pictures: PictureReader | None = None  # None: no picture is looked at
    papers: PaperFinder | None = None  # None: no example is looked up
    summaries: Summaries | None = None  # None: no model is asked

    async def run(self, file: ListFile, *, now: datetime, wish: Wish = AS_USUAL) -> RunReport:
        """Run a list, then its weekly edition if there is something to do for that.

        Args:
            file: the list, and whom its files name.
            now: the present moment, aware.
            wish: what is wanted.

        Raises:
            ConfigurationError: the database is an older copy of the one that was used last.
            ListFileError: the list's members file has changed and is wrong; nothing was done.
            StoreError: the ledger cannot be read or written.
            StoppedError: `wish.stop` was set while files or sources were being read.
        """
        await self.mark.check()
        await unless_stopped(wish.stop, self.sync(file, now=now))
        editions = editions_to_do(self.store, file, now=now, day=wish.day)
        report, *weekly = [await self.run_edition(file, edition, wish) async for edition in editions]
        return replace(report, weekly=weekly[0]) if weekly else report

    async def run_edition(self, file: ListFile, edition: Edition, wish: Wish) -> RunReport:
        """Run one edition of a list. Trouble with the new issue is reported; earlier issues are delivered.

        Before an issue is made, the list is synced with its files, if it isn't.

        Raises: as `run` does.
        """
        collected, published, trouble, counts = NOTHING_COLLECTED, None, None, None
        with bound_contextvars(list=edition.list.name, day=str(edition.day)):
            try:
                if edition.due_slot:
                    await unless_stopped(wish.stop, self.sync(file, now=edition.agenda.now))
                if edition.due_slot or not wish.only_due:
                    collecting = self.collect(edition.list, edition.day, now=edition.agenda.now)
                    collected = await unless_stopped(wish.stop, collecting)
                    counts = await unless_stopped(wish.stop, self.summarize(edition))
                if edition.due_slot:
                    published = await self.publish(edition, edition.due_slot, collected)
            except (StoppedError, StoreError):
                raise
            except NewsletterError as error:
                trouble = error
            delivered = await self.deliver(edition, published, wish)
            report = await self.report(edition, collected, published, delivered, trouble)
            return replace(report, summaries=counts)

    async def collect(self, list_: NewsletterList, day: date, *, now: datetime) -> Collected:
        """Fetch listings and sightings for an issue of `day`; look at pictures, and look up readers' examples.

        Safe at any time; only adds.
        """
        collected = await collect_for(self.store, self.sources_of(list_), list_, day, now=now)
        if self.pictures is not None:
            drafted = await draft(self.store, list_, self._names(list_), day)
            await check_pictures(drafted, self.store.pictures, self.pictures, now=now)
        if self.papers is not None:
            await look_up_examples(self.store.examples, self.papers, list_.masthead.readers_of, now=now)
        return collected

    async def summarize(self, edition: Edition) -> SummaryCounts | None:
        """Have a model write of the papers what the list wants of it, unless the issue is made already."""
        if edition.due_slot and edition.is_made:
            return None
        time, sources = TIME_OF_ISSUE if edition.due_slot else TIME_OF_COLLECTING, self._names(edition.list)
        return await summarized(self.store, self.summaries, edition.list, sources, edition.day, time)

    async def sync(self, file: ListFile, *, now: datetime) -> None:
        """Bring the store's subscribers up to the list's files, unless that is left to a command."""
        if not self.applies_files:
            if not await syncing.is_synced(self.store.subscribers, file):
                log.warning(
                    "list_files_not_applied",
                    hint="see `newsletter subscribers plan`, then `apply`",
                )
            return
        counts = await syncing.sync(self.store.subscribers, file, now=now)
        if counts.differ:
            log.info("subscribers_synced", added=counts.added, changed=counts.changed, removed=counts.removed)

    async def publish(self, edition: Edition, slot: Slot, collected: Collected) -> Published:
        """Make the issue of a slot. Where there is none to make, note that the slot was used.

        Raises: as `newsletter.pipeline.publish` does.
        """
        list_, now, is_named = edition.list, edition.agenda.now, edition.agenda.named is not None
        if collected.failures:  # then nobody can say that there is no news
            list_ = replace(list_, quiet_days=QuietDays.SKIP)
        published = await publish(
            self.store,
            self.renderer,
            list_,
            self._names(list_),
            slot,
            now=now,
            at_once=is_named,
            check=self.check,
            summaries=self.summaries,
        )
        if published.created:
            await self.mark.advance()
        if published.issue is None and not collected.nothing_answered:
            await self._note_in_vain(edition, slot)
        late = now - slot.at
        if published.issue and published.created and not is_named and late >= _WORTH_LOGGING:
            what = "first_issue_goes_out_now" if published.issue.number == 1 else "issue_caught_up"
            log.info(what, late=str(late).partition(".")[0])
        if published.created and not is_named:
            await self._log_missed_before(list_, slot)
        return published

    async def _note_in_vain(self, edition: Edition, slot: Slot) -> None:
        """Note that a slot led to no issue: the newest, or an earlier one that was named, if it is the first."""
        name, last, slots = edition.list.name, edition.agenda.last, self.store.slots
        is_first = last is not None and slot.day < last.day and await slots.in_vain(name) is None
        if slot == last or is_first:
            await slots.note_in_vain(name, slot.day, now=edition.agenda.now)

    async def _log_missed_before(self, list_: NewsletterList, slot: Slot) -> None:
        """Log the slots that passed without an issue since the previous one: only the newest one is caught up."""
        previous = await self.store.issues.latest(list_.name, before=slot.day)
        tried = [previous.day if previous else None, await self.store.slots.in_vain(list_.name)]
        used = [day for day in tried if day is not None and day < slot.day]
        if not used:
            return
        begins = await self.store.slots.first_seen(list_.name, now=slot.at)
        if assumed := await self.store.restored.assumed_until():
            begins = max(begins, assumed)
        missed = [one for one in slots_between(list_, max(used), slot.day) if one.at > begins]
        if missed:
            why = "no issue was made at their hours; what was new then competes for this one"
            log.warning("slots_missed", days=[str(one.day) for one in missed], before=str(slot.day), reason=why)

    async def deliver(self, edition: Edition, published: Published | None, wish: Wish) -> list[Delivered]:
        """Deliver the issue of the day that was named; else what is due of the list, its new issue first."""
        issue = published.issue if published else None
        issues = [issue] if issue else []
        is_named = edition.agenda.named is not None
        if not is_named:
            open_issues = await self.delivering.open_issues(lists=[edition.list.name])
            issues += [other for other in open_issues if issue is None or other.key != issue.key]
        elif published and issue and not published.created:
            await self.store.outbox.hasten(issue.key, now=edition.agenda.now)
        delivered = [
            await self.delivering.deliver(issue, at_once=is_named, progress=wish.progress, stop=wish.stop)
            for issue in issues
        ]
        if issues and not wish.only_due:
            await self._let_others_end(issues[0].key, wish.stop)
        return delivered

    async def _let_others_end(self, issue_key: int, stop: asyncio.Event | None) -> None:
        """Wait a moment while another process holds deliveries of an issue: two runs at once end together."""
        for _ in range(LOOKS_AT_OTHERS):
            if (stop and stop.is_set()) or not await self.store.outbox.is_held(issue_key):
                return
            await asyncio.sleep(_BETWEEN_LOOKS)

    async def report(
        self,
        edition: Edition,
        collected: Collected,
        published: Published | None,
        delivered: Sequence[Delivered],
        trouble: NewsletterError | None,
    ) -> RunReport:
        """Return what a run came to; `trouble` is why the issue that was due was not made."""
        coming = None if published else await next_issue(self.store.issues, edition.list, edition.agenda.now)
        report = RunReport(
            list=edition.list.name,
            date=edition.day,
            status=RunStatus.NOTHING_NEW if edition.due_slot else RunStatus.NOT_DUE,
            collected=collected.listed,
            failures=collected.failures,
            read=collected.read,
            skipped=collected.skipped,
            new=published.new if published else 0,
            reason=published.reason if published else next_in_words(edition.list, coming),
            suppressed=published.suppressed if published else 0,
            sent_now=sum(delivery.report.sent for delivery in delivered),
            has_tried=any(delivery.report.has_tried for delivery in delivered),
            trouble=trouble,
        )
        if trouble is not None:
            return replace(report, status=RunStatus.FAILED, reason=str(trouble))
        has_no_issue = published is not None and published.issue is None
        if collected.nothing_answered and has_no_issue:
            error = SourceError("; ".join(collected.failures.values()))
            return replace(report, status=RunStatus.FAILED, reason=_SILENT, trouble=error)
        if delivered:
            report = await self._with_first_issue(report, delivered)
        if edition.state is SlotState.MISSED and edition.agenda.last is not None:
            return _missed(report, edition.list, edition.agenda.last)
        if collected.nothing_answered and not delivered:
            return replace(report, status=RunStatus.FAILED, reason=_SILENT)
        return report

    async def _with_first_issue(self, report: RunReport, delivered: Sequence[Delivered]) -> RunReport:
        """Return a report with the issue that was delivered first, and how its deliveries stand now."""
        first, outbox = delivered[0], self.store.outbox
        counts, due = await outbox.counts(first.issue.key), await outbox.next_due(first.issue.key)
        held = any(counts[state] for state in WAITING) and await outbox.is_held(first.issue.key)
        trouble = next((each.report.trouble for each in delivered if each.report.trouble), "")
        halted = halted_in_words(first.issue.list, first.issue.day, first.halt)
        waits = "" if trouble or halted else waits_in_words(first.issue.terms, counts, first.waits_until)
        rest = _HELD if held else uncertain_in_words(first.issue.list, first.issue.day, counts)
        return replace(
            report,
            date=first.issue.day,
            status=status_of(counts, first.report, due, first.ended_at, waits=bool(waits), held=held),
            new=first.issue.candidates,
            issue=await self._describe(first.issue),
            deliveries=counts,
            suppressed=await outbox.suppressed_count(first.issue.key),
            reason=trouble or halted or waits or (first.report.waiting if due else "") or rest,
        )

    async def run_without_file(
        self, *, lists: Collection[str] | None = None, but: Collection[str] = (), now: datetime, wish: Wish
    ) -> list[RunReport]:
        """Deliver closed issues of lists whose file is wrong or gone, and return a report for each of these lists.

        Args:
            lists: only issues of these editions; None: of all.
            but: no issues of these editions.
            now: the present moment, aware.
            wish: what is wanted; of a day that is named, only that day's issues.

        Raises: as `run` does.
        """
        await self.mark.check()
        issues = await self.delivering.open_issues(lists=lists, but=but)
        reports: dict[str, list[RunReport]] = {}
        for issue in issues:
            if wish.day not in {None, issue.day}:
                continue
            if wish.day is not None:
                await self.store.outbox.hasten(issue.key, now=now)
            delivered = await self.delivering.deliver(
                issue, at_once=wish.day is not None, progress=wish.progress, stop=wish.stop
            )
            report = RunReport(
                list=issue.list,
                date=issue.day,
                status=RunStatus.NOT_DUE,
                sent_now=delivered.report.sent,
                has_tried=delivered.report.has_tried,
            )
            try:
                report = await self._with_first_issue(report, [delivered])
            except RenderError as error:  # of an issue that was closed by a version that stored no rendering
                report = replace(report, status=RunStatus.FAILED, reason=str(error), trouble=error)
            reports.setdefault(issue.masthead.readers_of, []).append(report)
        return [of_list(name, each) for name, each in reports.items()]

    async def rehearse(self, file: ListFile, *, now: datetime, day: date | None = None) -> RunReport:
        """Collect and report what would be sent; freeze and send nothing.

        Raises:
            ListFileError: the list's members file has changed and is wrong.
        """
        await syncing.check(self.store.subscribers, file)
        list_, on = file.list, day or agenda(file.list, now).today
        collected = await self.collect(list_, on, now=now)
        issue = await self.issue_or_draft(list_, on, now=now)
        return RunReport(
            list=list_.name,
            date=on,
            status=RunStatus.DRY_RUN,
            collected=collected.listed,
            failures=collected.failures,
            read=collected.read,
            skipped=collected.skipped,
            new=issue.candidates,
            issue=await self._describe(issue) if issue.listings else None,
            rehearsal=await rehearsed(self.store, file, issue, now=now, day=day),
        )

    async def issue_or_draft(self, list_: NewsletterList, day: date, *, now: datetime) -> Issue:
        """Return the issue of a day, or what it would be if it were frozen now (its key is then 0)."""
        issue = await self.store.issues.find(list_.name, day)
        if issue is not None:
            return issue
        drafted = await draft(self.store, list_, self._names(list_), day, self.summaries)
        return drafted.closed(0, self.renderer.subject(drafted) if drafted.listings else "", now)

    async def _describe(self, issue: Issue) -> IssueReport:
        rendering = await self.closed.rendering(issue) if issue.key else self.renderer.render(issue)
        return IssueReport(
            number=issue.number if issue.key else 0,
            subject=issue.subject,
            listings=issue.length,
            html_bytes=rendering.html_bytes,
        )

    def _names(self, list_: NewsletterList) -> list[str]:
        return [source.name for source in self.sources_of(list_)]


def _missed(report: RunReport, list_: NewsletterList, slot: Slot) -> RunReport:
    """Return the report with a slot that was missed."""
    reason = missed_in_words(list_, slot)
    log.warning("slot_missed", day=str(slot.day), reason=reason)
    return replace(report, date=slot.day, status=RunStatus.MISSED, reason=reason, trouble=MissedError(reason))
