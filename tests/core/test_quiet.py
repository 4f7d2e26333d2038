"""A day without news, for a list that asks for a mail nevertheless: which papers it names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from newsletter.core.diff import select
from newsletter.core.issue import Draft, Issue
from newsletter.core.listing import Candidate
from newsletter.core.newsletter_list import Cadence, QuietDays
from newsletter.core.quiet import quiet_sections, quieted
from newsletter.core.ranking import Measured
from tests.core.candidates import DAY, NOON, YESTERDAY, candidate, papers, sighting

LIST = papers(20, quiet_days=QuietDays.SHORT)


def moving(key: int, then: int, now: int, comments: int | None = None, age: int = 1) -> Candidate:
    """Return a candidate with its votes at the issue before, and those after it."""
    day = DAY - timedelta(days=age)
    later = sighting(day, upvotes=now, comments=comments, seen_at=NOON + timedelta(hours=20))
    return candidate(key, sighting(day, upvotes=then), later)


def before() -> Issue:
    return select([candidate(99)], LIST, YESTERDAY, number=1).closed(1, "", NOON)


def named(*page: Candidate, news: tuple[Candidate, ...] = (), **changes: object) -> Draft:
    list_ = replace(LIST, **changes)  # type: ignore[arg-type]
    among = Measured([*page, *news], NOON)
    draft = select(news, list_, DAY, number=2, among=among, previous=before())
    return quieted(draft, list_, among, {one.key for one in page}, before())


def test_what_gained_most_since_the_issue_before_comes_first_then_what_is_most_discussed() -> None:
    discussed = moving(1, 9, 9, comments=8), moving(4, 7, 7, comments=30)
    draft = named(*discussed, moving(2, 5, 50), moving(3, 90, 91), moving(5, 1, 1))
    assert [(one.key, one.rank) for one in draft.listings] == [(2, 1), (3, 2), (4, 3)]
    assert draft.is_quiet
    sections = quiet_sections(draft.closed(7, "", NOON))
    assert (sections.rising, sections.discussed, sections.shown) == ((0, 1), (2,), ())
    assert draft.closed(7, "", NOON).length == 0


def test_what_was_listed_more_than_a_week_ago_or_does_not_move_is_not_named() -> None:
    assert named(moving(1, 5, 50, age=8), moving(2, 5, 5), moving(3, 6, 5)).listings == ()


def test_a_day_with_news_or_a_list_that_wants_no_such_mail_names_nothing_else() -> None:
    rising, news = moving(1, 5, 50), candidate(2)
    assert [one.key for one in named(rising, news=(news,)).listings] == [2]
    assert named(rising, quiet_days=QuietDays.SKIP).listings == ()
    assert named(rising, cadence=Cadence.WEEKLY).listings == ()
    first = select([], LIST, DAY, number=1)
    assert quieted(first, LIST, Measured([rising], None), {1}, None) == first
