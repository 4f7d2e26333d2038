"""One message of one issue for one person: what `preview`, `render` and `send` show; no ledger hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import structlog

from newsletter.core.address import address_key
from newsletter.core.calendar import agenda
from newsletter.core.choosing import chooser
from newsletter.core.delivery import Delivery, Outcome
from newsletter.core.errors import ListFileError, NothingNewError, UsageError
from newsletter.core.issue import Issue
from newsletter.core.newsletter_list import WEEKLY_EDITION, NewsletterList
from newsletter.core.rendering import Rendering
from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus
from newsletter.core.terms import Terms
from newsletter.core.text import counted
from newsletter.pipeline.check import for_nobody
from newsletter.pipeline.editions import is_read_weekly
from newsletter.pipeline.languages import wanted_languages
from newsletter.pipeline.publish import subjects
from newsletter.pipeline.run import Pipeline
from newsletter.ports import Clock, ListFile, Lists, Mailer, Source
from newsletter.ports.previews import Previewed, Previews
from newsletter.readers.sync import as_synced, is_synced
from newsletter.render.issue.catalogues import own_language
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.web.studio import sample

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio(Previews):
    """Makes messages to look at, of frozen issues and of drafts."""

    files: Lists
    pipeline: Pipeline
    renderer: MailRenderer
    mailer: Mailer
    clock: Clock
    sample: Source  # of sample listings, for lists that have none yet

    async def lists(self) -> Sequence[str]:
        """Return the names of all lists, and of the weekly editions that anybody wants.

        Raises:
            ListFileError: there are list files, and all are wrong.
        """
        names: list[str] = []
        lists = self.files.read()
        if not lists.right and lists.wrong:
            raise next(iter(lists.wrong.values()))
        for name, file in sorted(lists.right.items()):
            names.append(name)
            if file.list.weekly_edition and await is_read_weekly(self.pipeline.store, file):
                names.append(name + WEEKLY_EDITION)
        return names

    async def days(self, list_name: str) -> Sequence[date]:
        """Return the days that a list has issues of, newest first."""
        return [one.day for one in await self.pipeline.store.issues.history(list_name, limit=60)]

    async def collect(self, list_name: str) -> str:
        """Read the sources of a list for today's issue, and return in a sentence what they brought."""
        list_, now = self.file(list_name).list, self.clock()
        found = await self.pipeline.collect(list_, agenda(list_, now).today, now=now)
        read = f"{counted(found.read, 'paper')} read, {found.new} of them new."
        return " ".join((read, *(f"Not read: {reason}." for reason in found.failures.values())))

    async def subscribers(self, list_name: str, *, most: int) -> Sequence[str]:
        """Return addresses whom a list's files name, the first ones and at most so many."""
        reading = self.file(list_name).roster.reading()
        return await asyncio.to_thread(lambda: [member.email for member in islice(reading, most)])

    async def message(self, list_name: str, day: date | None, subscriber: str | None) -> Previewed:
        """Render a message now: of the frozen issue, else of what it would be, else of sample listings.

        Where nothing is new on the day that nobody asked for, today, the newest issue is shown.
        """
        list_, now = self.file(list_name).list, self.clock()
        on = day or agenda(list_, now).today
        issue, note = await self.pipeline.issue_or_draft(list_, on, now=now), ""
        if not issue.listings and not day and (latest := await self.pipeline.store.issues.latest(list_name)):
            note = f"Nothing is new on {on}: this is the newest issue."
            issue, on = latest, latest.day
        if is_sample := not issue.listings:
            note = f"Sample listings: no papers are known for {on} yet."
            issue = await self._sample(list_, on, now)
        elif not issue.key:
            note = "A draft: what the issue would be if it were frozen now."
        return Previewed(
            day=on,
            subject=issue.subject,
            raw=await self.raw(issue, subscriber),
            sample=is_sample,
            frozen=bool(issue.key),
            note=note,
        )

    async def _sample(self, list_: NewsletterList, day: date, now: datetime) -> Issue:
        """Return an issue of sample listings as a list would have it on a day."""
        page = await self.sample.read(sample.DAY, now=now)
        draft = replace(sample.sample_draft(page, list_.masthead, day), terms=Terms.of(list_))
        return draft.closed(0, self.renderer.subject(draft), now)

    async def issue(self, list_name: str, day: date | None) -> Issue:
        """Return a list's issue of a day, or what it would be, collecting first if it is not frozen.

        Where nothing is new on the day that nobody named, today, it is the newest issue.

        A closed issue needs no list file; it may be wrong or gone.

        Raises:
            UsageError: there is no such list, and no closed issue of it.
            ListFileError: its file is wrong, and there is no closed issue of that day.
            NothingNewError: there is nothing to put into an issue.
        """
        now = self.clock()
        try:
            file = self.file(list_name)
        except (ListFileError, UsageError):
            if closed := await self._closed(list_name, day, now):
                return closed
            raise
        on = day or agenda(file.list, now).today
        if await self.pipeline.store.issues.find(list_name, on) is None:
            await self.pipeline.collect(file.list, on, now=now)
        issue = await self.pipeline.issue_or_draft(file.list, on, now=now)
        if not issue.listings and day is None and (latest := await self.pipeline.store.issues.latest(list_name)):
            log.info("newest_issue_shown", list=list_name, day=str(latest.day), reason=f"nothing is new on {on}")
            return latest
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

    async def send(self, issue: Issue, address: str) -> Outcome:
        """Send a test copy of an issue to one address, and return what the relay said; the ledger is left alone.

        Raises:
            NothingNewError: the issue holds nothing for the subscriber of that address.
            RelayError: no relay can take it; names the setting to change, if it is one.
        """
        sender, raw = await self._message(issue, await self.reader(issue, address), trial=True)
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
        return (await self._message(issue, reader, language))[1]

    async def languages(self, issue: Issue) -> tuple[str, ...]:
        """Return the languages beside the list's that a closed issue has, or a draft would have."""
        if issue.key:
            return await self.pipeline.closed.languages(issue)
        return await wanted_languages(self.pipeline.store.subscribers, issue.terms)

    async def _message(
        self, issue: Issue, reader: Subscriber | None, language: str = "", *, trial: bool = False
    ) -> tuple[str, bytes]:
        """Return the envelope sender and the bytes of a message, in its reader's language or in one for nobody."""
        if reader is not None:
            language = own_language(reader.language, issue.masthead.language)
        if issue.key and language not in await self.pipeline.closed.languages(issue):
            language = ""
        delivery = await self._delivery(issue, reader, language)
        language = delivery.choice.language
        rendering = await self._rendering(issue, language)
        message = await asyncio.to_thread(
            self.renderer.message, issue.in_language(language), rendering, trial=trial
        )
        return message.for_reader(delivery)

    async def _rendering(self, issue: Issue, language: str) -> Rendering:
        """Return the stored rendering of a closed issue; a draft is rendered by the templates as they are now."""
        if issue.key:
            return await self.pipeline.closed.rendering(issue, language)
        return await asyncio.to_thread(self.renderer.render, issue.in_language(language))

    async def _delivery(self, issue: Issue, reader: Subscriber | None, language: str) -> Delivery:
        """Return a delivery that no ledger knows, with what was chosen for the reader, or would be chosen."""
        delivery = for_nobody(issue, reader)
        issues = self.pipeline.store.issues
        stored = await issues.chosen(issue.key, reader.address_key) if issue.key and reader else None
        if stored is None:
            choice = chooser(issue, [language]).of(replace(delivery.subscriber, language=language))
            if not choice.positions:
                email = delivery.subscriber.email
                raise NothingNewError(f"list {issue.list}: the issue of {issue.day} holds nothing for {email}")
            stored = choice, subjects(self.renderer, issue)(choice)
        return delivery._replace(choice=stored[0], subject=stored[1])

    async def reader(self, issue: Issue, address: str) -> Subscriber:
        """Return the subscriber of an address, or one made up for it, with what they said of papers.

        A closed issue goes to subscribers as they are in the ledger. For a draft, the file decides about its own.
        """
        list_name, key = issue.masthead.readers_of, address_key(address)
        store = self.pipeline.store
        known = await store.subscribers.of_address(list_name, key)
        if known is None or (not issue.key and known.origin is Origin.FILE):
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
