"""The feeds of all lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit

from typing_extensions import override

from newsletter.core.issue import Issue
from newsletter.core.newsletter_list import editions_of
from newsletter.core.page_names import in_path
from newsletter.core.tokens import Links
from newsletter.ports import Clock
from newsletter.ports.pages import PageRenderer
from newsletter.render.issue.language import Language, language
from newsletter.render.site.feeds import WRITERS, Feed, FeedEntry
from newsletter.render.site.papers import ShownPaper, paper_view, plain
from newsletter.web.pages.feeds.places import FeedPlace, read_feed_place
from newsletter.web.pages.lists.known import KnownList, KnownLists
from newsletter.web.pages.lists.reading import ListReader
from newsletter.web.pages.lists.topic_pages import TopicMemory
from newsletter.web.pages.site_pages import PageGroup, SitePage, Wanted, version_of

_PAPERS, _ISSUES = 100, 20  # in a feed
_OF_A_TOPIC = timedelta(days=30)
_SUMMARY = 300
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)  # of a feed without entries


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPages(PageGroup):
    """The feeds of lists.

    Attributes:
        lists: finds them.
        reader: reads what they show.
        renderer: renders the content of entries.
        links: makes public addresses.
        clock: the present moment.
    """

    lists: KnownLists
    reader: ListReader
    renderer: PageRenderer
    links: Links
    clock: Clock
    _memory: TopicMemory = field(default_factory=TopicMemory)

    @override
    async def addresses(self) -> AsyncIterator[str]:
        for known in await self.lists.all():
            for ending in WRITERS:
                yield FeedPlace(list=known.name, ending=ending).address
                yield FeedPlace(list=known.name, ending=ending, is_of_issues=True).address
                for topic in known.topics:
                    yield FeedPlace(list=known.name, ending=ending, topic=in_path(topic)).address

    @override
    async def version(self, address: str, wanted: Wanted) -> str | None:
        place = read_feed_place(address)
        known = await self.lists.named(place.list) if place else None
        if known is None:
            return None
        shared = self.renderer.fingerprint(), self.links.public_url, str(known.last_day(self.clock()))
        return version_of(*shared, await self.reader.listed.version(editions_of(known.name)), repr(known))

    @override
    async def page(self, address: str, wanted: Wanted) -> SitePage | None:
        place = read_feed_place(address)
        known = await self.lists.named(place.list) if place else None
        if place is None or known is None:
            return None
        if place.is_of_issues:
            issues = await self._issues(known)
            return await asyncio.to_thread(self._feed, place, known, lambda: self._of_issues(known, issues))
        papers = await self._papers(place, known)
        if papers is None:
            return None
        shown = await self.reader.with_summaries(known, papers)
        return await asyncio.to_thread(self._feed, place, known, lambda: self._of_papers(known, shown))

    async def _papers(self, place: FeedPlace, known: KnownList) -> list[ShownPaper] | None:
        """Return the newest papers of a list, or on a topic; None: there is no such topic."""
        topic = next((one for one in known.topics if in_path(one) == place.topic), None)
        if place.topic and topic is None:
            return None
        if topic is None:
            newest = await self.reader.listed.newest(known.sources, limit=_PAPERS)
            return [ShownPaper(paper=one, day=one.first_listed_on) for one in newest]
        last = await self.reader.listed.newest_day(known.sources, known.last_day(self.clock()))
        if last is None:
            return []
        papers = await self.reader.between(known, last - _OF_A_TOPIC, last)
        listings = [one.paper.listing for one in papers]
        on = await asyncio.to_thread(self._memory.of, {topic: known.topics[topic]}, listings)
        fitting = [one for one, topics in zip(papers, on, strict=True) if topics]
        return sorted(fitting, key=lambda one: (one.paper.first_seen_at, one.paper.key), reverse=True)[:_PAPERS]

    async def _issues(self, known: KnownList) -> list[tuple[Issue, tuple[ShownPaper, ...]]]:
        """Return the newest issues of a list with their papers, newest first."""
        days = (await self.reader.issues.days(known.name))[-_ISSUES:]
        found = [await self.reader.issues.find(known.name, day) for day in reversed(days)]
        return [(one, await self.reader.of_issue(one)) for one in found if one]

    def _feed(self, place: FeedPlace, known: KnownList, entries: Callable[[], list[FeedEntry]]) -> SitePage:
        shown = tuple(entries())
        title = plain(known.masthead.title)
        named = f"{title} · {plain(place.topic)}" if place.topic else title
        feed = Feed(
            id=self._id(_BEGAN, place.address.rpartition(".")[0]),
            title=named,
            description=named,
            url=self._url(place.page),
            own_url=self._url(place.address),
            language=language(known.masthead.language).code,
            updated_at=max((one.at for one in shown), default=_BEGAN),
            entries=shown,
        )
        write, media_type = WRITERS[place.ending]
        return SitePage(content=write(feed), media_type=media_type, changed_at=feed.updated_at)

    def _of_papers(self, known: KnownList, papers: Sequence[ShownPaper]) -> list[FeedEntry]:
        frame = language(known.masthead.language)
        return [self._of_paper(known, frame, one) for one in papers]

    def _of_paper(self, known: KnownList, frame: Language, shown: ShownPaper) -> FeedEntry:
        view, paper = paper_view(frame, shown), shown.paper
        values = {"masthead": known.masthead, "papers": [view], "public_url": self.links.public_url}
        return FeedEntry(
            # The store's number stays when a paper turns out to have an arXiv id, which its page is named by.
            id=self._id(paper.first_seen_at, f"papers/{paper.key}"),
            url=self._url(view.path),
            title=view.title,
            summary=f"{view.label} {view.text}"[:_SUMMARY] if view.label else view.text[:_SUMMARY],
            content=self.renderer.page("feed_paper", values),
            at=paper.first_seen_at,
            authors=tuple(name for author in paper.listing.authors[:_PAPERS] if (name := plain(author))),
            keywords=tuple(word for each in paper.listing.keywords if (word := plain(each))),
        )

    def _of_issues(
        self, known: KnownList, issues: Sequence[tuple[Issue, tuple[ShownPaper, ...]]]
    ) -> list[FeedEntry]:
        frame = language(known.masthead.language)
        return [self._of_issue(frame, issue, papers) for issue, papers in issues]

    def _of_issue(self, frame: Language, issue: Issue, papers: Sequence[ShownPaper]) -> FeedEntry:
        views = [paper_view(frame, one) for one in papers]
        values = {"masthead": issue.masthead, "papers": views, "public_url": self.links.public_url}
        return FeedEntry(
            id=self._id(datetime.combine(issue.day, time(), UTC), f"{issue.list}/issues/{issue.number}"),
            url=self._url(f"{issue.list}/{issue.day.isoformat()}/"),
            title=plain(issue.subject),
            summary=frame.long_date(issue.day),
            content=self.renderer.page("feed_issue", values),
            at=issue.frozen_at,
        )

    def _url(self, address: str) -> str:
        return f"{self.links.public_url}/{address}"

    def _id(self, since: datetime, what: str) -> str:
        """Return a URI that names something for ever (RFC 4151): by the site's host and the day that it is of."""
        host = urlsplit(self.links.public_url).hostname or "localhost"
        return f"tag:{host},{since.astimezone(UTC):%Y-%m-%d}:{what}"
