"""Which listings are new to a list's readers, and how they make an issue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.listing import Candidate
from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.core.ranking import NEW, VOTES_ONLY, Measured, Occasion, Ranked, fitting, ranked
from newsletter.core.terms import Terms

# A page that could not be read, or days without an issue, widen the look back this far and no further.
MAX_CATCH_UP_DAYS = 14

# A list that wants several papers for an issue may wait for them this long: what waits has been read already.
_LONGEST_WAIT_DAYS = 366

# So many listings an issue holds that brings each reader no more than `max_listings`. Monday's pages of arXiv show
# thousands; what is left out competes for the next issue.
MOST_CANDIDATES = 500


def days_to_read(
    day: date, lookback_days: int, *, unsettled: Collection[date] = (), previous: date | None = None
) -> tuple[date, ...]:
    """Return the days whose pages an issue of `day` reads, oldest first.

    These are the day, the `lookback_days` before it (pages go on growing after the morning), the days since the
    previous issue, and days that were tried and never read after they had ended.
    """
    earliest = day - timedelta(days=max(lookback_days, MAX_CATCH_UP_DAYS))
    start = first_day(day, lookback_days, previous)
    regular = {start + timedelta(days=offset) for offset in range((day - start).days + 1)}
    return tuple(sorted(regular | {one for one in unsettled if earliest <= one <= day}))


def missed_days(
    day: date, *, read: Collection[date], tried: Collection[date] = (), previous: date | None = None
) -> tuple[date, ...]:
    """Return the days before `day` that a source which shows the present day alone was not read on, oldest first.

    These are the days from the previous issue on, and those that were tried in vain, up to two weeks back.

    Args:
        day: the issue's day.
        read: the days that were read.
        tried: the days that were tried.
        previous: the day of the previous issue; None: before the first one nothing was missed.
    """
    earliest = day - timedelta(days=MAX_CATCH_UP_DAYS)
    start = day if previous is None else max(previous, earliest)
    between = {start + timedelta(days=offset) for offset in range((day - start).days)}
    return tuple(sorted((between | {one for one in tried if earliest <= one < day}) - set(read)))


def first_day(day: date, lookback_days: int, previous: date | None) -> date:
    """Return the first day whose listings compete for an issue of `day` without being news.

    That is `lookback_days` before it, or the day of the previous issue where that is longer ago: papers that
    waited because an issue was not made have not missed their chance.
    """
    start = day - timedelta(days=lookback_days)
    if previous is None or previous >= day:
        return start
    return min(start, max(previous, day - timedelta(days=MAX_CATCH_UP_DAYS)))


def first_day_waiting(
    day: date, list_: NewsletterList, lookback_days: int, previous: date | None, *, waits_since: date | None
) -> date:
    """Return from which day on listings compete for an issue, what waits for enough of them included.

    A list that wants one paper for an issue looks back as `first_day` does. One that wants more has told its
    operator that what is too little for an issue waits for the next one. So it looks back to its previous issue,
    however long ago; before its first issue, to what it saw when it was tried for the first time.

    Args:
        day: the issue's day.
        list_: the list.
        lookback_days: of the list, or of its weekly edition.
        previous: the day of the previous issue; None: there is none.
        waits_since: the first day that was tried, and led to no issue; None: there is none.
    """
    nearest = first_day(day, lookback_days, previous)
    if list_.min_listings <= 1:
        return nearest
    longest = day - timedelta(days=_LONGEST_WAIT_DAYS)
    if previous is not None and previous < day:
        return min(nearest, max(previous, longest))
    if waits_since is None:
        return nearest
    return min(nearest, max(waits_since - timedelta(days=lookback_days), longest))


def eligible(candidates: Iterable[Candidate], *, since: date, news_since: datetime | None) -> list[Candidate]:
    """Return the candidates that still compete: listed from `since` on, or learnt of after `news_since`.

    The second keeps a paper whose page could be read only days later.
    """
    return [
        candidate
        for candidate in candidates
        if any(
            sighting.listed_on >= since or (news_since is not None and sighting.seen_at > news_since)
            for sighting in candidate.sightings
        )
    ]


def competing(
    candidates: Iterable[Candidate],
    before: Collection[int],
    *,
    among: Measured,
    leaders: int,
) -> list[Candidate]:
    """Return the candidates that compete for an issue, each once: what is new, and what rose since the last issue.

    Args:
        candidates: those that are eligible.
        before: the keys of those that competed for earlier issues of the list.
        among: all candidates, for their places by votes.
        leaders: what has come up to this place on its page is among those that rose; 0: nothing is.
    """
    rose = among.risen(leaders)
    found = {one.key: one for one in candidates if one.key not in before or one.key in rose}
    return list(found.values())


def too_few(draft: Draft, list_: NewsletterList) -> str:
    """Return why a draft becomes no issue, or nothing where it does."""
    least = max(list_.min_listings, 1)
    if draft.candidates >= least:
        return ""
    if draft.candidates:
        return f"new listings: {draft.candidates}; the list wants {least}, so they wait for the next issue"
    if draft.listed:
        return f"nothing new: what is listed on {draft.day} came in earlier issues"
    return f"nothing new: no source lists anything on {draft.day}"


def select(
    fresh: Iterable[Candidate],
    list_: NewsletterList,
    day: date,
    *,
    number: int,
    among: Measured | None = None,
    previous: Issue | None = None,
    had: Collection[int] = (),
) -> Draft:
    """Return the issue that candidates make: all of them, those first that somebody without wishes is to get.

    Of a list that brings each reader only so many, an issue holds no more than the first `MOST_CANDIDATES`.

    Args:
        fresh: what competes.
        list_: the list; a weekly one goes by votes alone, as they stand at the end of the week.
        day: the issue's day.
        number: the number that the issue will have.
        among: all candidates, others too: what the competing ones are held against. None: there are no others.
        previous: the list's issue before this one.
        had: the keys of what somebody without wishes has had; it competes for the others alone, after all else.
    """
    order = ranked_for(fresh, list_, day, among=among, previous=previous)
    news = [one for one in order if one.candidate.key not in had]
    most = max(MOST_CANDIDATES, list_.max_listings) if list_.max_listings else len(order)
    order = _preferred(order, fitting(news, list_.max_listings, leaders=leaders_of(list_)), had)
    return Draft(
        terms=Terms.of(list_),
        day=day,
        number=number,
        candidates=len(news),
        listed=sum(any(seen.listed_on == day for seen in one.sightings) for one in among.candidates)
        if among
        else 0,
        listings=tuple(placed(one, rank) for rank, one in enumerate(order[:most], start=1)),
        left_out=len(order[most:]),
    )


def ranked_for(
    candidates: Iterable[Candidate],
    list_: NewsletterList,
    day: date,
    *,
    among: Measured | None,
    previous: Issue | None,
) -> list[Ranked]:
    """Return candidates for an issue of a list, best first; takes what `select` takes."""
    is_weekly = list_.cadence is Cadence.WEEKLY
    occasion = Occasion(day=day, whole=is_weekly)
    if previous is not None:
        occasion = replace(occasion, previous_day=previous.day, previous_at=previous.frozen_at)
    return ranked(candidates, occasion, VOTES_ONLY if is_weekly else list_.ranking, among=among)


def _preferred(order: Sequence[Ranked], first: Sequence[Ranked], had: Collection[int]) -> list[Ranked]:
    """Return those that are to come first, then the others: at the end what somebody without wishes has had."""
    placed = {one.candidate.key for one in first}
    rest = [one for one in order if one.candidate.key not in placed]
    preferred = [*first, *sorted(rest, key=lambda one: one.candidate.key in had)]
    if all(one.reasons == (NEW,) for one in preferred):
        return [replace(one, reasons=()) for one in preferred]  # what holds for all says nothing of any
    return preferred


def leaders_of(list_: NewsletterList) -> int:
    """Return up to which place by votes a paper is a leader of its page; a weekly list has none."""
    return 0 if list_.cadence is Cadence.WEEKLY else list_.max_listings // 2


def placed(one: Ranked, rank: int) -> IssueListing:
    """Return a ranked candidate as a listing of an issue."""
    return IssueListing(
        key=one.candidate.key,
        rank=rank,
        listing=one.candidate.listing,
        listed_on=one.candidate.first_listed_on,
        score=one.score,
        reasons=one.reasons,
        upvotes=one.upvotes,
        first_upvotes=one.first_upvotes,
        comments=one.comments,
        stars=one.stars,
    )
