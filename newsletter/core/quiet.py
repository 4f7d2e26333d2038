"""A day without news, for a list that asks for a mail nevertheless: what of the last days still moves. Pure.

Such an issue has no candidates. It holds a few papers of earlier issues for its page and its mail to name, but
brings them to nobody: each reader's choice from it is empty, so none of them counts as sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from newsletter.core.diff import placed
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.layout import Sections
from newsletter.core.newsletter_list import Cadence, NewsletterList, QuietDays
from newsletter.core.ranking import Measured, Occasion, ranked

_NAMED = 3  # papers
_LAST_DAYS = timedelta(days=7)


def quieted(
    draft: Draft, list_: NewsletterList, among: Measured, had: Collection[int], previous: Issue | None
) -> Draft:
    """Return the draft of a short mail where there is no news and the list wants one; else the draft as it is.

    It names up to three papers: those that gained most upvotes since the issue before, then those that are most
    discussed.

    Args:
        draft: what competes.
        list_: the list.
        among: all that stands on the pages.
        had: the keys of papers that earlier issues held.
        previous: the list's issue before this one; a list that had none has nothing to name, and begins with news.
    """
    if draft.candidates or previous is None or not wants_short_mail(list_):
        return draft
    recent = [one for one in among.candidates if one.key in had and one.first_listed_on >= draft.day - _LAST_DAYS]
    occasion = Occasion(day=draft.day, previous_day=previous.day, previous_at=previous.frozen_at)
    order = [placed(one, 1) for one in ranked(recent, occasion, list_.ranking, among=among)]
    growth = {one.key: among.growth(one.key) for one in order if one.rose_by}
    comments = {one.key: one.comments or 0 for one in order if not growth.get(one.key)}
    named = [*_most(order, growth), *_most(order, comments)][:_NAMED]
    listings = tuple(replace(one, rank=rank) for rank, one in enumerate(named, start=1))
    return replace(draft, listings=listings, left_out=0)


def _most(order: Sequence[IssueListing], counts: Mapping[int, int]) -> list[IssueListing]:
    """Return the listings that count anything, the highest count first."""
    counted = [one for one in order if counts.get(one.key)]
    return sorted(counted, key=lambda one: -counts[one.key])


def wants_short_mail(list_: NewsletterList) -> bool:
    """Return whether a list wants a short mail on a day without news."""
    return list_.quiet_days is QuietDays.SHORT and list_.cadence is Cadence.DAILY


def quiet_sections(issue: Issue) -> Sections:
    """Return how the mail of a day without news shows the papers that it names: by what happened to them."""
    positions = range(len(issue.listings))
    rising = tuple(position for position in positions if issue.listings[position].rose_by)
    return Sections(rising=rising, discussed=tuple(position for position in positions if position not in rising))
