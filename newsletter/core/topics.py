"""Topics: named interests that choose and order listings for a reader.

A topic matches a listing by keyword, category, author or organization, and by none if one of the words that it
excludes is there. Keywords and excluded words are whole words or phrases in title, abstract, summary or keywords,
compared without endings (`newsletter.core.stemming`). Pure functions; the index of an issue is built once, and a
reader's choice is then a look-up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from newsletter.core.listing import Listing
from newsletter.core.stemming import stem
from newsletter.core.titles import normalised_title

# What stands beside a listing, like a topic, that matches what the reader says in own words.
OWN_WORDS = "your interest"


class TopicsMode(StrEnum):
    """What a reader with topics gets."""

    FIRST = "first"  # the matching listings first, the others after them
    ONLY = "only"  # the matching listings and no others


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A named interest: any of what it names makes a listing match, any excluded word keeps it out.

    A category is whole (`cs.AI`) or stands for all of its kind (`cs`); an author is a full name; an organization
    is its name or some whole words of it.
    """

    name: str
    keywords: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """What one reader gets of an issue: positions in the reader's order, and beside each the topics that match.

    A position counts from 0 in the issue's own order.
    """

    positions: tuple[int, ...] = ()
    topics: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def whole(cls, size: int) -> Choice:
        """Return the choice of everything in an issue of `size` listings, for nobody in particular."""
        return cls(tuple(range(size)), ((),) * size)

    def __hash__(self) -> int:
        """Return the hash of what it holds; looked up for each reader, and worked out once."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.positions, self.topics))

    @property
    def matched(self) -> dict[int, tuple[str, ...]]:
        """Return the topics by position, where there are any."""
        return {position: names for position, names in zip(self.positions, self.topics, strict=True) if names}


NOTHING = Choice()


def index(listings: Sequence[Listing], topics: Mapping[str, Topic]) -> dict[str, frozenset[int]]:
    """Return for each topic the positions of the listings that it matches; made once per issue."""
    known = [_Searchable.of(listing) for listing in listings]
    wanted = {name: _Searched.of(topic) for name, topic in topics.items()}
    return {
        name: frozenset(position for position, one in enumerate(known) if topic.matches(one))
        for name, topic in wanted.items()
    }


def choose(
    matches: Mapping[str, frozenset[int]],
    wanted: Sequence[str],
    size: int,
    *,
    mode: TopicsMode = TopicsMode.FIRST,
    interest: Mapping[int, float] | None = None,
    without: Collection[int] = (),
) -> Choice:
    """Return what a reader gets of an issue of `size` listings: what matches first, the rest after it.

    What matches the reader's own words comes by its score, all else as ranked. A topic that the list no longer has
    matches nothing. Under `ONLY` the rest is left out, but for a reader who wants nothing in particular.

    Args:
        matches: the index of the issue.
        wanted: the names of the reader's topics, in the reader's order.
        size: how many listings the issue has.
        mode: what becomes of those that don't match.
        interest: positions that match the reader's own words, with their scores; None if there are no such words.
        without: positions that the reader doesn't get.
    """
    matched: list[tuple[str, ...]] = [()] * size  # made for each of a million readers, so it had better be quick
    for position in interest or ():
        matched[position] = (OWN_WORDS,)
    for name in reversed(wanted):
        for position in matches.get(name, ()):
            matched[position] = (name, *matched[position])
    chosen = [position for position, names in enumerate(matched) if names]
    if interest:
        chosen.sort(key=lambda position: -interest.get(position, 0.0))
    if mode is TopicsMode.FIRST or not (wanted or interest is not None):
        chosen += [position for position, names in enumerate(matched) if not names]
    if without:
        chosen = [position for position in chosen if position not in without]
    return Choice(tuple(chosen), tuple([matched[position] for position in chosen]))


def stems(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    return [stem(word) for word in normalised_title(text).split()]


def _framed(words: Iterable[str]) -> str:
    """Return words with a space on either side of each, so that a phrase is found by substring, and only whole."""
    return f" {' '.join(words)} "


@dataclass(frozen=True, slots=True)
class _Searchable:
    """A listing as topics look at it."""

    text: str
    categories: frozenset[str]
    authors: frozenset[str]
    organization: str

    @classmethod
    def of(cls, listing: Listing) -> _Searchable:
        texts = (listing.title, listing.abstract, listing.summary, listing.ai_summary, *listing.keywords)
        whole = {category.lower() for category in listing.categories}
        return cls(
            text="|".join(_framed(stems(text)) for text in texts),
            categories=frozenset(whole | {category.partition(".")[0] for category in whole}),
            authors=frozenset(normalised_title(author) for author in listing.authors),
            organization=_framed(normalised_title(listing.organization).split()),
        )


@dataclass(frozen=True, slots=True)
class _Searched:
    """A topic as it is looked for."""

    phrases: tuple[str, ...]
    categories: frozenset[str]
    authors: frozenset[str]
    organizations: tuple[str, ...]
    excluded: tuple[str, ...]

    @classmethod
    def of(cls, topic: Topic) -> _Searched:
        return cls(
            phrases=_phrases(stems(keyword) for keyword in topic.keywords),
            categories=frozenset(category.lower() for category in topic.categories),
            authors=frozenset(normalised_title(author) for author in topic.authors),
            organizations=_phrases(normalised_title(name).split() for name in topic.organizations),
            excluded=_phrases(stems(word) for word in topic.exclude),
        )

    def matches(self, one: _Searchable) -> bool:
        if any(phrase in one.text for phrase in self.excluded):
            return False
        return (
            any(phrase in one.text for phrase in self.phrases)
            or not self.categories.isdisjoint(one.categories)
            or not self.authors.isdisjoint(one.authors)
            or any(name in one.organization for name in self.organizations)
        )


def _phrases(phrases: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return phrases framed; one without a word would be found everywhere and is left out."""
    return tuple(_framed(words) for words in phrases if words)
