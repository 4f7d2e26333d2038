"""Which listings are new to a list's readers, and which of them make an issue."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from newsletter.core.issue import Draft, IssueListing
from newsletter.core.ranking import ranked, reasons, score

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from newsletter.core.listing import Candidate
    from newsletter.core.newsletter_list import NewsletterList

# A page that could not be read, or days without an issue, widen the look back this far and no further.
MAX_CATCH_UP_DAYS = 14


def days_to_read(
    day: date, lookback_days: int, *, unsettled: Collection[date] = (), previous: date | None = None
) -> tuple[date, ...]:
    """Return the days whose pages an issue of `day` reads, oldest first.

    These are the day, the `lookback_days` before it (pages go on growing after the morning), the days since the
    previous issue, and days that were tried and never read after they had ended.
    """
    earliest = day - timedelta(days=max(lookback_days, MAX_CATCH_UP_DAYS))
    start = day - timedelta(days=lookback_days)
    if previous is not None and previous < day:
        start = min(start, max(previous, earliest))
    regular = {start + timedelta(days=offset) for offset in range((day - start).days + 1)}
    return tuple(sorted(regular | {one for one in unsettled if earliest <= one <= day}))


def unsent(candidates: Iterable[Candidate], sent: Collection[int]) -> list[Candidate]:
    """Return the candidates whose keys are not among those of the list's issues so far, each once."""
    seen = set(sent)
    fresh = []
    for candidate in candidates:
        if candidate.key not in seen:
            seen.add(candidate.key)
            fresh.append(candidate)
    return fresh


def select(fresh: Iterable[Candidate], config: NewsletterList, day: date) -> Draft:
    """Return the issue that unsent candidates make: the best of them, as many as the list wants."""
    order = ranked(fresh)
    chosen = order[: config.max_listings] if config.max_listings else order
    return Draft(
        masthead=config.masthead,
        day=day,
        candidates=len(order),
        listings=tuple(
            IssueListing(
                key=candidate.key,
                rank=rank,
                listing=candidate.listing,
                listed_on=candidate.first_listed_on,
                score=score(candidate),
                reasons=reasons(candidate),
                upvotes=candidate.most("upvotes"),
                comments=candidate.most("comments"),
                stars=candidate.most("stars"),
            )
            for rank, candidate in enumerate(chosen, start=1)
        ),
    )
