"""What is read from the ledger for the pages of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from newsletter.core.issue import Issue, IssueListing
from newsletter.core.newsletter_list import editions_of
from newsletter.core.ranking import ROSE_LATE
from newsletter.ports import Issues, ListedPaper, ListedPapers
from newsletter.render.site.papers import ShownPaper
from newsletter.web.pages.lists.known import KnownList

_TABS = 3  # days that are shown on each side of a day
_AROUND = timedelta(days=14)  # how far from a day others are looked for


class Reach(NamedTuple):
    """The first and the last day of which there are pages."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfList:
    """What a list has for a day: the issue, if there is one, and all papers, as they are shown first.

    `updated_at` is when its sources were last read for it (UTC).
    """

    day: date
    issue: Issue | None
    papers: tuple[ShownPaper, ...]
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Days around a day, that day too, each with how many papers it has; and the nearest before and after it."""

    days: tuple[tuple[date, int], ...]
    before: date | None
    after: date | None


@dataclass(frozen=True, slots=True)
class ListReader:
    """Reads what the pages of lists show."""

    issues: Issues
    listed: ListedPapers

    async def day(self, known: KnownList, day: date, issue: Issue | None) -> DayOfList | None:
        """Return what a list has for a day, beside the issue of that day; None: nothing."""
        listed = await self.listed.on_day(known.sources, day)
        if issue is None and not listed:
            return None
        return DayOfList(
            day=day,
            issue=issue,
            papers=await self._papers(listed, issue, day),
            updated_at=await self.listed.updated_at(known.sources, day, day),
        )

    async def _papers(
        self, listed: Sequence[ListedPaper], issue: Issue | None, day: date
    ) -> tuple[ShownPaper, ...]:
        """Return the papers of an issue and those that were listed, each once, with the newest counts."""
        known = {one.key: one for one in listed}
        in_issue = {} if issue is None else {one.key: one for one in issue.news}
        if issue is not None and issue.is_quiet and known:
            in_issue = {}  # it names papers of earlier issues
        missing = [key for key in in_issue if key not in known]
        if missing:
            known |= {one.key: one for one in (await self.listed.by_keys(missing)).values()}
        shown = [_shown(one, in_issue.get(key), issue, day) for key, one in known.items()]
        frozen = [one for key, one in in_issue.items() if key not in known]
        return (*shown, *(_as_frozen(one, issue, day) for one in frozen if issue))

    async def issue(self, list_name: str, day: date) -> tuple[Issue, tuple[ShownPaper, ...]] | None:
        """Return the issue of a day with its papers in its order; None: there is none."""
        issue = await self.issues.find(list_name, day)
        if issue is None:
            return None
        return issue, tuple(sorted(await self.of_issue(issue), key=lambda one: one.rank or 0))

    async def of_issue(self, issue: Issue) -> tuple[ShownPaper, ...]:
        """Return the papers of an issue, with their newest counts."""
        return await self._papers((), issue, issue.day)

    async def with_summaries(self, known: KnownList, papers: Sequence[ShownPaper]) -> tuple[ShownPaper, ...]:
        """Return papers with what a model wrote of them for the list, as far as its issues have it."""
        keys = [one.paper.key for one in papers if one.machine is None]
        found = await self.issues.machine_summaries(editions_of(known.name), keys) if keys else {}
        return tuple(replace(one, machine=one.machine or found.get(one.paper.key)) for one in papers)

    async def neighbours(self, known: KnownList, day: date, last: date) -> Neighbours:
        """Return the days around a day, up to the last that pages show."""
        counts = await self.listed.days(known.sources, day - _AROUND, min(day + _AROUND, last))
        around = await self.issues.headings([known.name], since=day - _AROUND, until=day + _AROUND)
        counts = {one.day: one.listings for one in around} | counts
        days = sorted({*counts, day})
        place = days.index(day)
        nearest = days[max(place - _TABS, 0) : place + _TABS + 1]
        earlier = days[place - 1] if place else await self._before(known, day - _AROUND)
        return Neighbours(
            days=tuple((one, counts.get(one, 0)) for one in nearest),
            before=earlier,
            after=next((later for one, later in pairwise(days) if one == day), None),
        )

    async def _before(self, known: KnownList, day: date) -> date | None:
        listed = await self.listed.newest_day(known.sources, day)
        issued = [one for one in await self.issues.days(known.name) if one < day]
        return max([*issued[-1:], *([listed] if listed else [])], default=None)

    async def reach(self, known: KnownList, now: datetime) -> Reach | None:
        """Return the first and last day that a list has anything for; None: it has nothing yet."""
        last = known.last_day(now)
        issued = [day for name in editions_of(known.name) for day in await self.issues.days(name)]
        listed = await self.listed.oldest_day(known.sources), await self.listed.newest_day(known.sources, last)
        days = [*issued, *(day for day in listed if day is not None and day <= last)]
        return Reach(min(days), max(days)) if days else None

    async def newest(self, known: KnownList, now: datetime) -> date | None:
        """Return the day that a list's front page shows: its newest issue's, if it is weekly, else the newest."""
        issued = await self.issues.days(known.name)
        if known.is_weekly and issued:
            return issued[-1]
        listed = await self.listed.newest_day(known.sources, known.last_day(now))
        return max([*issued[-1:], *([listed] if listed else [])], default=None)

    async def between(self, known: KnownList, since: date, until: date) -> tuple[ShownPaper, ...]:
        """Return the papers that a list's sources showed on some days."""
        found = await self.listed.between(known.sources, since, until)
        return tuple(ShownPaper(paper=one, day=until) for one in found)


def _shown(one: ListedPaper, listing: IssueListing | None, issue: Issue | None, day: date) -> ShownPaper:
    return ShownPaper(
        paper=one,
        day=day,
        rank=listing.rank if listing else None,
        figure=listing.figure if listing else None,
        machine=listing.machine if listing else None,
        is_new=listing is None and issue is not None and one.first_seen_at > issue.frozen_at,
        is_late=listing is not None and ROSE_LATE in listing.reasons,
    )


def _as_frozen(listing: IssueListing, issue: Issue, day: date) -> ShownPaper:
    """Return a paper of an issue of which nothing else is known any more."""
    paper = ListedPaper(
        key=listing.key,
        listing=listing.listing,
        upvotes=listing.upvotes,
        comments=listing.comments,
        stars=listing.stars,
        first_listed_on=listing.listed_on,
        first_seen_at=issue.frozen_at,
    )
    return _shown(paper, listing, issue, day)
