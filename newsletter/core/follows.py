"""Whom and what a reader follows: authors, organizations and keywords that readers name themselves. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from newsletter.core.choice import Reason, ReasonKind
from newsletter.core.searching import SearchIndex, stems
from newsletter.core.titles import normalised_title

_KINDS = (ReasonKind.AUTHOR, ReasonKind.ORGANIZATION, ReasonKind.KEYWORD)
_KIND_OF = {kind.value: kind for kind in _KINDS}
_KEPT = 16_384


class Follow(NamedTuple):
    """One that a reader follows: a full name of an author, words of an organization's name, a word or phrase."""

    kind: ReasonKind
    name: str

    def __str__(self) -> str:
        """Return it as files write it: `author: Ada Lovelace`."""
        return f"{self.kind.value}: {self.name}"

    @classmethod
    def written(cls, text: str) -> Follow:
        """Return the follow whose `str` a text is; quicker than `read_follow`, for a million readers."""
        kind, _, name = text.partition(": ")
        return cls(_KIND_OF[kind], name)


def read_follow(text: str) -> Follow:
    """Return a follow that was written as `author: Ada Lovelace`.

    Raises:
        ValueError: it is written otherwise; says how.
    """
    kind, colon, name = (part.strip() for part in text.partition(":"))
    if not colon or kind.lower() not in _KIND_OF:
        example = '"author: Ada Lovelace", "organization: Example Lab" or "keyword: state space"'
        raise ValueError(f"{text!r} is nothing that can be followed: write it like {example}")
    if not normalised_title(name):
        raise ValueError(f"{text!r} names nobody and nothing: add a name after the colon")
    return Follow(_KIND_OF[kind.lower()], " ".join(name.split()))


class Matching(NamedTuple):
    """The listings of an issue that a follow matches, by position, and the reason that it gives them."""

    reason: Reason
    positions: frozenset[int]


class Follows:
    """Looks for what readers follow in the listings of an issue."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self.matching = lru_cache(maxsize=_KEPT)(self._matching)

    def _matching(self, follow: Follow) -> Matching:
        return Matching(Reason(*follow), self._positions(follow))

    def _positions(self, follow: Follow) -> frozenset[int]:
        """Return the listings that a follow matches."""
        match follow.kind:
            case ReasonKind.AUTHOR:
                return frozenset(self._index.authors.get(normalised_title(follow.name), ()))
            case ReasonKind.ORGANIZATION:
                return frozenset(self._index.with_organization(follow.name))
            case _:
                return frozenset(self._index.with_phrase(stems(follow.name)))
