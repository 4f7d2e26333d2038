"""Whom and what a reader follows: authors, organizations and keywords that readers name themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from newsletter.core.choice import Reason, ReasonKind
from newsletter.core.searching import SearchIndex, stems
from newsletter.core.titles import normalised_title

_KINDS = (ReasonKind.AUTHOR, ReasonKind.ORGANIZATION, ReasonKind.KEYWORD)
_KEPT = 16_384


class Follow(NamedTuple):
    """One that a reader follows: a full name of an author, words of an organization's name, a word or phrase."""

    kind: ReasonKind
    name: str

    def __str__(self) -> str:
        """Return it as files write it: `author: Ada Lovelace`."""
        return f"{self.kind.value}: {self.name}"


def read_follow(text: str) -> Follow:
    """Return a follow that was written as `author: Ada Lovelace`.

    Raises:
        ValueError: it is written otherwise; says how.
    """
    kind, colon, name = (part.strip() for part in text.partition(":"))
    known = {one.value: one for one in _KINDS}
    if not colon or kind.lower() not in known:
        example = '"author: Ada Lovelace", "organization: Example Lab" or "keyword: state space"'
        raise ValueError(f"{text!r} is nothing that can be followed: write it like {example}")
    if not normalised_title(name):
        raise ValueError(f"{text!r} names nobody and nothing: add a name after the colon")
    return Follow(known[kind.lower()], " ".join(name.split()))


class Follows:
    """Looks for what readers follow in the listings of an issue."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self.positions = lru_cache(maxsize=_KEPT)(self._positions)

    def reasons(self, position: int, follows: Iterable[Follow]) -> list[Reason]:
        """Return a reason for each follow that matches a listing, in their order."""
        return [Reason(*follow) for follow in follows if position in self.positions(follow)]

    def _positions(self, follow: Follow) -> frozenset[int]:
        """Return the listings that a follow matches."""
        match follow.kind:
            case ReasonKind.AUTHOR:
                return frozenset(self._index.authors.get(normalised_title(follow.name), ()))
            case ReasonKind.ORGANIZATION:
                return frozenset(self._index.with_organization(follow.name))
            case _:
                return frozenset(self._index.with_phrase(stems(follow.name)))
