"""What competed while readers wanted no issue, and is theirs to choose from in their next one. Pure.

A reader who wants issues on some days alone, or who pauses, misses the issues between; and readers miss an issue
that the operator cancelled before it came to them, or that could not be delivered before its deadline. Who changes
from weekly issues to daily ones, or back, has missed those of the edition that they want now which came out since
the last issue of either that they got. What competed for these is in the issues after them once more, behind all
else and marked `IssueListing.again`: the best of it, for two weeks. It is for nobody but readers who missed an
issue that held it, and got no issue since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from newsletter.core.diff import placed, ranked_for
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.listing import Candidate
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.ranking import NEW, ROSE_LATE, Measured
from newsletter.core.steps import CANCELLED, OTHER_DAY, OTHER_EDITION, PAUSED, TOO_LATE

# With as many, a reader of one day a week has five issues' best to choose from.
MOST_MISSED = 100

_LONG_AGO = datetime.min.replace(tzinfo=UTC)  # so that any later issue makes up for it

# Why readers were withheld an issue that they would want the papers of, as far as that is known at its closing.
REASONS = (OTHER_DAY.reason, PAUSED.reason, CANCELLED.reason)


class Withheld(NamedTuple):
    """How an issue stands for a reader.

    Args:
        issue_key: the issue's.
        closed_at: when it was closed; aware.
        was_brought: whether the reader was sent it, or will be.
        reason: why it was withdrawn, where it was.
        changed_at: when its delivery changed last; aware.
    """

    issue_key: int
    closed_at: datetime
    was_brought: bool
    reason: str
    changed_at: datetime


def missed_of(issues: Iterable[Withheld]) -> frozenset[int]:
    """Return which of a reader's issues were missed by them, and not made up for by a later one.

    An issue makes up for those that were known to be missed when it was closed. What comes too late may be
    withdrawn after the next issue was closed, by the same run; then only an issue after that makes up for it.

    Args:
        issues: of the edition that the reader wants now, oldest first; and those of the list's other edition that
            were brought to them, each after what was withheld of its day: it brings what that held, too.
    """
    missed: dict[int, datetime] = {}  # … and since when that is known
    for one in issues:
        if one.was_brought:
            missed = {key: since for key, since in missed.items() if since >= one.closed_at}
        elif one.reason in REASONS:
            missed[one.issue_key] = one.closed_at
        elif one.reason.startswith(TOO_LATE):
            missed[one.issue_key] = one.changed_at
        elif one.reason.startswith(OTHER_EDITION):
            missed[one.issue_key] = _LONG_AGO
    return frozenset(missed)


def with_missed(
    draft: Draft, missed: Iterable[Candidate], list_: NewsletterList, among: Measured, previous: Issue | None
) -> Draft:
    """Return a draft that holds what readers missed, too; a draft without news stays as it is.

    Args:
        draft: what competes.
        missed: candidates that competed for issues which readers missed.
        list_: the list.
        among: all that stands on the pages.
        previous: the list's issue before this one.
    """
    held = {one.key for one in draft.listings}
    others = [one for one in missed if one.key not in held]
    if draft.is_quiet or not others:
        return draft
    ageless = replace(list_, ranking=replace(list_.ranking, freshness=0.0))  # it is new to those who get it
    best = ranked_for(others, ageless, draft.day, among=among, previous=previous)[:MOST_MISSED]
    ranks = range(len(draft.listings) + 1, len(draft.listings) + len(best) + 1)
    added = [placed(one, rank) for one, rank in zip(best, ranks, strict=True)]
    again = [replace(one, again=True, reasons=_lasting(one.reasons)) for one in added]
    return replace(draft, listings=(*draft.listings, *again))


def _lasting(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(reason for reason in reasons if reason not in {NEW, ROSE_LATE})


def by_score(listings: Sequence[IssueListing]) -> list[int]:
    """Return the positions of an issue's listings in the order of readers who missed issues.

    Those that compete keep their order; each of the others stands before the first one that is worth less.
    """
    news = [position for position, one in enumerate(listings) if not one.again]
    others = [position for position, one in enumerate(listings) if one.again]
    order: list[int] = []
    for position in news:
        while others and listings[others[0]].score > listings[position].score:
            order.append(others.pop(0))
        order.append(position)
    return order + others


def places_of(listings: Sequence[IssueListing]) -> list[float]:
    """Return by position the place of a listing, from 0 for the first to 1: among those that compete, by score."""
    size, before, places = sum(not one.again for one in listings), 0, [0.0] * len(listings)
    for position in by_score(listings):
        places[position] = before / max(size, 1)
        before += not listings[position].again
    return places
