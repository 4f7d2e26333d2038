"""One message of one issue for one person: what `preview`, `render` and `send` show; no ledger hears of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import structlog

from newsletter.core.address import address_key
from newsletter.core.calendar import agenda
from newsletter.core.choosing import Chooser, chooser
from newsletter.core.delivery import Addressee, Delivery, Outcome
from newsletter.core.errors import ListFileError, NothingNewError, SourceError, UsageError
from newsletter.core.issue import Issue
from newsletter.core.newsletter_list import WEEKLY_EDITION
from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus
from newsletter.pipeline.check import for_nobody, nobody
from newsletter.pipeline.collect import NOTHING_COLLECTED
from newsletter.pipeline.languages import wanted_languages
from newsletter.pipeline.publish import subjects
from newsletter.pipeline.run import Pipeline
from newsletter.ports import Clock, ListFile, Lists, Mailer
from newsletter.readers.sync import as_synced, is_synced
from newsletter.render.issue.catalogues import own_language
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.message import IssueMessage

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """Makes single messages of closed issues and of drafts."""

    files: Lists
    pipeline: Pipeline
    renderer: MailRenderer
    mailer: Mailer
    clock: Clock

    async def issue(self, list_name: str, day: date | None) -> Issue:
        """Return a list's issue of a day, or what it would be, collecting first if it is not frozen.

        Where nothing is new on the day that nobody named, today, it is the newest issue.

        A closed issue needs no list file; it may be wrong or gone.

        Raises:
            UsageError: there is no such list, and no closed issue of it.
            ListFileError: its file is wrong, and there is no closed issue of that day.
            NothingNewError: there is nothing to put into an issue.
            SourceError: there is nothing, and no source could be read; names each with the reason.
        """
        now = self.clock()
        try:
            file = self.file(list_name)
        except (ListFileError, UsageError):
            if closed := await self._closed(list_name, day, now):
                return closed
            raise
        on = day or agenda(file.list, now).today
        collected = NOTHING_COLLECTED
        if await self.pipeline.store.issues.find(list_name, on) is None:
            collected = await self.pipeline.collect(file.list, on, now=now)
        issue = await self.pipeline.issue_or_draft(file.list, on, now=now)
        if not issue.listings and day is None and (latest := await self.pipeline.store.issues.latest(list_name)):
            log.info("newest_issue_shown", list=list_name, day=str(latest.day), reason=f"nothing is new on {on}")
            return latest
        if not issue.listings and collected.nothing_answered:
            raise SourceError(
                f"list {list_name}: no source could be read: {'; '.join(collected.failures.values())}"
            )
        if not issue.listings:
            raise NothingNewError(f"list {list_name}: nothing new on {on}, so there is no issue to show")
        return issue

    async def _closed(self, list_name: str, day: date | None, now: datetime) -> Issue | None:
        """Return the closed issue of a day, or (None) of today by the list's clocks; None if there is none."""
        issues = self.pipeline.store.issues
        if day is None:
            latest = await issues.latest(list_name)
            day = now.astimezone(ZoneInfo(latest.terms.timezone if latest else "UTC")).date()
        return await issues.find(list_name, day)

    async def send(self, issue: Issue, address: str, delivery: Delivery) -> Outcome:
        """Send a test copy of an issue to one address, and return what the relay said; the ledger is left alone.

        Args:
            issue: the issue.
            address: where it goes.
            delivery: whose copy it is, as `delivery` makes them.

        Raises:
            RelayError: no relay can take it; names the setting to change, if it is one.
        """
        to = delivery._replace(subscriber=Addressee(address, delivery.subscriber.name))
        message = await self.message(issue, to, trial=True)
        sender, raw = message.for_reader(to)
        return await self.mailer.send(sender, address, raw)

    async def raw(self, issue: Issue, address: str | None, *, language: str = "") -> bytes:
        """Return the message of an issue for an address: what a closed issue has for it, else by its wishes.

        Args:
            issue: the issue.
            address: whose message it is; None: of somebody without wishes.
            language: in which it is for somebody without wishes, one of `languages`; empty: in the list's.

        Raises:
            NothingNewError: the issue holds nothing for the subscriber of that address.
        """
        reader = await self.reader(issue, address) if address else None
        delivery = await self.delivery(issue, reader, language)
        return (await self.message(issue, delivery)).for_reader(delivery)[1]

    async def languages(self, issue: Issue) -> tuple[str, ...]:
        """Return the languages beside the list's that a closed issue has, or a draft would have."""
        if issue.key:
            return await self.pipeline.closed.languages(issue)
        return await wanted_languages(self.pipeline.store.subscribers, issue.terms)

    async def message(
        self, issue: Issue, delivery: Delivery, *, trial: bool = False, whole: bool = True
    ) -> IssueMessage:
        """Return what makes the message of a delivery, in its language.

        A draft is rendered by the templates as they are now.

        Args:
            issue: the issue.
            delivery: whose message it is.
            trial: mark it as a test copy.
            whole: render a draft for all readers, so that each mistake in a template is found; else for these.
        """
        language, renderer = delivery.choice.language, self.renderer
        spoken = issue.in_language(language)
        if issue.key:
            rendering = await self.pipeline.closed.rendering(issue, language)
        elif whole:
            rendering = await asyncio.to_thread(renderer.render, spoken)
        else:
            rendering = await asyncio.to_thread(renderer.render_for, spoken, delivery.choice)
        return await asyncio.to_thread(renderer.message, spoken, rendering, trial=trial)

    async def delivery(
        self, issue: Issue, reader: Subscriber | None, language: str = "", choose: Chooser | None = None
    ) -> Delivery:
        """Return a delivery that no ledger knows, with what was chosen for the reader, or would be chosen.

        Args:
            issue: the issue.
            reader: whose it is; None: of somebody without wishes.
            language: in which it is for somebody without wishes; empty: in the list's.
            choose: what chooses where nothing was chosen; None: what chooses for each issue.

        Raises:
            NothingNewError: the issue holds nothing for the reader.
        """
        if reader is not None:
            language = own_language(reader.language, issue.masthead.language)
        if issue.key and language not in await self.pipeline.closed.languages(issue):
            language = ""
        somebody = reader or nobody(issue.list)
        delivery = for_nobody(issue, somebody)
        issues = self.pipeline.store.issues
        stored = await issues.chosen(issue.key, reader.address_key) if issue.key and reader else None
        if stored is None:
            if choose is None:
                choose = await asyncio.to_thread(chooser, issue)
            choice = replace(choose.of(somebody), language=language)
            if not choice.positions:
                who = somebody.email
                raise NothingNewError(f"list {issue.list}: the issue of {issue.day} holds nothing for {who}")
            stored = choice, subjects(self.renderer, issue)(choice)
        return delivery._replace(choice=stored[0], subject=stored[1])

    async def reader(self, issue: Issue, address: str) -> Subscriber:
        """Return the subscriber of an address, or one made up for it, with what they said of papers.

        A closed issue goes to subscribers as they are in the ledger. For a draft, the file decides about its own.
        """
        return await self.subscriber(issue.masthead.readers_of, address, by_file=not issue.key)

    async def subscriber(self, list_name: str, address: str, *, by_file: bool) -> Subscriber:
        """Return the subscriber of an address on a list; takes and returns what `reader` does."""
        key, store = address_key(address), self.pipeline.store
        known = await store.subscribers.of_address(list_name, key)
        if known is None or (by_file and known.origin is Origin.FILE):
            known = await self._named(list_name, address, known)
        return replace(known, opinions=await store.feedback.of_address(list_name, key))

    async def _named(self, list_name: str, address: str, known: Subscriber | None) -> Subscriber:
        """Return the subscriber whom a list's file names, or one made up; `known` is who the ledger has."""
        unknown = Subscriber(list=list_name, email=address)
        file = self.files.read().right.get(list_name)
        if file is None:
            return unknown
        if await is_synced(self.pipeline.store.subscribers, file):
            return unknown if known is None or known.status is SubscriberStatus.REMOVED else known
        key, members = address_key(address), iter(file.roster.reading())
        found = await asyncio.to_thread(next, (one for one in members if one.address_key == key), None)
        return await as_synced(self.pipeline.store.subscribers, list_name, found) if found else unknown

    def file(self, list_name: str) -> ListFile:
        """Return a list, or its weekly edition (`daily.weekly`) with the same readers.

        Raises:
            ListFileError: its file is wrong.
            UsageError: there is none of that name.
        """
        lists = self.files.read()
        daily = lists.named(list_name.removesuffix(WEEKLY_EDITION))
        if list_name == daily.list.name:
            return daily
        if daily.list.weekly_edition is None:
            raise UsageError(f"the list {daily.list.name!r} has no weekly edition: all its issues are weekly")
        return replace(daily, list=daily.list.weekly_edition)
