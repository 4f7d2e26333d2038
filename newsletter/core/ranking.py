"""The order of candidates, and why each is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from newsletter.core.listing import Candidate


def score(candidate: Candidate) -> float:
    """Return what a candidate is worth: its votes, as far as its sources count any."""
    return float(candidate.most("upvotes") or 0)


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates best first: by score, then the newest day, then the order of the page, then the id."""
    return sorted(
        candidates,
        key=lambda one: (
            -score(one),
            -one.first_listed_on.toordinal(),
            one.latest.position,
            str(one.listing.id),
        ),
    )


def reasons(candidate: Candidate) -> tuple[str, ...]:
    """Return in words why a candidate is in."""
    votes = candidate.most("upvotes")
    return (f"{votes} upvote{'' if votes == 1 else 's'}",) if votes else ()
