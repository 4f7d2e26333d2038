"""In which order a page shows its papers, which of them, and in how many pages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any

from newsletter.render.site.papers import ShownPaper

PER_PAGE = 100
_LAST = 1_000_000  # after any rank


class Order(StrEnum):
    """What stands first on a page."""

    UPVOTED = ""  # the most upvoted; where nothing counts votes, the order of the issue, then that of the source
    NEW = "new"  # what became known last
    DISCUSSED = "comments"  # what has most comments


def _upvoted(one: ShownPaper) -> tuple[int, ...]:
    return -one.votes, one.rank or _LAST, one.paper.key


_KEYS: Mapping[Order, Callable[[ShownPaper], Any]] = {
    Order.UPVOTED: _upvoted,
    Order.NEW: lambda one: (-one.paper.first_seen_at.timestamp(), *_upvoted(one)),
    Order.DISCUSSED: lambda one: (-(one.paper.comments or 0), *_upvoted(one)),
}


def in_order(papers: Sequence[ShownPaper], order: Order, *, with_code: bool = False) -> list[ShownPaper]:
    """Return papers in an order; `with_code`: those only that come with code."""
    shown = (one for one in papers if one.paper.listing.code_url) if with_code else papers
    return sorted(shown, key=_KEYS[order])


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A page of a long list: its papers, and its number of so many pages (from 1)."""

    papers: Sequence[ShownPaper]
    number: int
    pages: int


def part(papers: Sequence[ShownPaper], number: int, *, most: int = PER_PAGE) -> Part | None:
    """Return a page of papers by its number; None: there are not so many. The first is there in any case."""
    pages = max(ceil(len(papers) / most), 1)
    if number > pages:
        return None
    return Part(papers=papers[(number - 1) * most : number * most], number=number, pages=pages)
