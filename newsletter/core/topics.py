"""Topics: named interests that order listings for a reader.

A topic matches a listing by keyword (whole words in title, abstract, summary or keywords; a plural matches its
singular), by category (`cs.AI`, or all of `cs`) or by author. Pure functions; the index of an issue is
built once, and a reader's choice is then a look-up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from newsletter.core.identity import normalised_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from newsletter.core.listing import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A named interest: any keyword, category or author that fits makes a listing match."""

    name: str
    keywords: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What one reader gets of an issue: positions in the issue's order, each with the topics that match."""

    positions: tuple[int, ...]
    matched: Mapping[int, tuple[str, ...]]


def _words(text: str) -> str:
    """Return text as space-framed singular words, so that a phrase is found by substring and only whole."""
    stems = (re.sub(r"(?<=[a-z]{3})(?<!s)s$", "", word) for word in normalised_title(text).split())
    return f" {' '.join(stems)} "


def _matches(topic: Topic, listing: Listing, words: str) -> bool:
    if any(_words(keyword) in words for keyword in topic.keywords if keyword.strip()):
        return True
    categories = {category.lower() for category in listing.categories}
    for wanted in topic.categories:
        lowered = wanted.lower()
        if lowered in categories or any(category.startswith(lowered + ".") for category in categories):
            return True
    authors = {normalised_title(author) for author in listing.authors}
    return any(normalised_title(author) in authors for author in topic.authors)


def index(listings: Sequence[Listing], topics: Mapping[str, Topic]) -> dict[str, frozenset[int]]:
    """Return for each topic the positions of the listings that it matches; made once per issue."""
    texts = [_words(" . ".join((item.title, item.abstract, item.summary, *item.keywords))) for item in listings]
    return {
        name: frozenset(
            position for position, item in enumerate(listings) if _matches(topic, item, texts[position])
        )
        for name, topic in topics.items()
    }


def choose(matches: Mapping[str, frozenset[int]], wanted: Sequence[str], size: int) -> Choice:
    """Return a reader's order of an issue of `size` listings: what matches first, the rest behind, both as ranked.

    A topic that the list no longer has matches nothing.
    """
    matched: dict[int, tuple[str, ...]] = {}
    for name in wanted:
        for position in matches.get(name, frozenset()):
            matched[position] = (*matched.get(position, ()), name)
    order = sorted(range(size), key=lambda position: position not in matched)
    return Choice(tuple(order), matched)
