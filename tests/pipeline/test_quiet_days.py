"""A list that asks for a short mail on a day without news: who gets it, and that it brings no paper to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from newsletter.core.errors import SourceError
from newsletter.core.listing import Entry, Listing, Page, Sighting
from newsletter.core.newsletter_list import QuietDays
from newsletter.core.topics import TopicsMode
from newsletter.pipeline.report import RunStatus
from tests.pipeline.parts import THURSDAY, MakeDesk

FRIDAY, MONDAY = THURSDAY + timedelta(days=1), THURSDAY + timedelta(days=4)


@dataclass
class Growing:
    """A page of Thursday whose papers gain votes, and another on Monday."""

    name: str = "jsonl:growing"
    dated: bool = True
    is_down: bool = False

    async def read(self, day: date, *, now: datetime) -> Page:
        if self.is_down:
            raise SourceError(f"{self.name}: answered 500")
        votes = {THURSDAY: {1: 5, 2: 9}, MONDAY: {3: 1}}.get(day, {})
        growth = 10 * (now.date() - day).days
        return Page(
            entries=tuple(
                Entry(
                    listing=Listing(title=f"Paper number {key}", url=f"https://example.org/{key}"),
                    sighting=Sighting(
                        source=self.name, listed_on=day, seen_at=now, position=key, upvotes=count + growth * key
                    ),
                )
                for key, count in votes.items()
            )
        )


async def test_a_day_without_news_has_a_short_mail_that_counts_no_paper_as_sent(desk_with: MakeDesk) -> None:
    desk = desk_with(Growing(), quiet_days=QuietDays.SHORT)
    desk.subscribe("bob", interest="nothing of it", topics_mode=TopicsMode.ONLY)
    first = await desk.run(THURSDAY)
    assert (first.status, first.new) == (RunStatus.SENT, 2)
    report = await desk.run(FRIDAY)
    assert (report.status, report.new, report.sent_now) == (RunStatus.SENT, 0, 2)
    subjects = [(one.email, one.subject, one.papers) for one in desk.post.mails[-2:]]
    assert sorted(subjects) == [
        ("ann@example.org", "No new papers today", (2, 1)),
        ("bob@example.org", "No new papers today", (2, 1)),
    ]
    again = await desk.run(FRIDAY, hour=9)
    assert (again.status, again.sent_now) == (RunStatus.SENT, 0)
    desk.subscribe("cat")
    await desk.run(MONDAY)
    brought = {one.email: sorted(one.papers) for one in desk.post.mails if one.email != "bob@example.org"}
    assert brought == {"ann@example.org": [3], "cat@example.org": [3]}


@pytest.mark.parametrize("why", ["a source is down", "the list wants none", "there was no issue before"])
async def test_there_is_no_such_mail_where(desk_with: MakeDesk, why: str) -> None:
    source = Growing()
    wanted = QuietDays.SKIP if why == "the list wants none" else QuietDays.SHORT
    desk = desk_with(source, Growing(name="jsonl:other"), quiet_days=wanted)
    if why == "there was no issue before":
        desk.sources = []
    else:
        await desk.run(THURSDAY)
    source.is_down = why == "a source is down"
    mails = len(desk.post.mails)
    report = await desk.run(FRIDAY)
    assert report.status is RunStatus.NOTHING_NEW
    assert report.reason.startswith("nothing new: ")
    assert len(desk.post.mails) == mails
