"""What a reader says in their own words, held against an issue's listings by BM25.

`I work on graph neural networks for chemistry` is taken clause by clause. A listing matches if it has enough of
one clause: at least half, where a word counts by how rare it is among the listings (its idf). What matches is
ordered by its score, the sum of the weights of the clauses' words in it (`newsletter.core.searching`). An
issue has some dozens of listings: to index them takes milliseconds, and an interest is then some look-ups. So
neither a search library nor a database is asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from itertools import chain

from newsletter.core.searching import SearchIndex, stems
from newsletter.core.titles import normalised_title

_ENOUGH = 1 / 2
_ROUNDING = 1e-9  # sums of the same numbers in another order differ by less
_CLAUSE = re.compile(r"[.,;:!?()\n]|\band\b|\bor\b", re.IGNORECASE)
# Words that hold a sentence together, or that anybody says who tells an interest.
_SAYS_NOTHING = frozenset(
    stems(
        "a about all also am an any anything are as at be by do everything for from have how i in into interest "
        "interested is it like love mainly me mostly my new of on our paper read research something such that the "
        "their them these thing this to topic us use we what which with work would"
    )
)


class Interests:
    """The listings of an issue, weighed for interests; made once per issue."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self._rarest_first = lru_cache(maxsize=16)(self._words_by_rarity)  # asked for each listing of a reader

    def scores(self, interest: str) -> dict[int, float]:
        """Return the positions that match an interest, with their scores; a million readers may ask."""
        clauses = _clauses(interest)
        matched: set[int] = set()
        for words in clauses:
            matched.update(self._matching(words))
        scores = dict.fromkeys(sorted(matched), 0.0)
        for word in chain.from_iterable(clauses):
            weights = self._index.postings.get(word)
            if weights:
                for position in weights.keys() & matched if len(weights) < len(matched) else matched:
                    scores[position] += weights.get(position, 0.0)
        return scores

    def _matching(self, words: Collection[str]) -> list[int]:
        """Return the positions that have enough of a clause.

        Without one of its rarest words a listing can't have enough. So only those that have one are looked at.
        """
        rarest_first = sorted([(self._index.idf(word), word) for word in words], reverse=True)
        left = sum([rarity for rarity, _ in rarest_first])
        enough = _ENOUGH * left
        possible: set[int] = set()
        there = []
        for rarity, word in rarest_first:
            weights = self._index.postings.get(word)
            if weights:
                there.append((rarity, weights))
                if left > enough - _ROUNDING:
                    possible.update(weights)
            left -= rarity
        return [
            position
            for position in possible
            if sum([rarity for rarity, weights in there if position in weights]) >= enough
        ]

    def word_in(self, position: int, interest: str) -> str:
        """Return the rarest word of an interest that stands in a matching listing, as the reader wrote it."""
        there = self._index.all[position].words
        return next(written for word, written in self._rarest_first(interest) if word in there)

    def _words_by_rarity(self, interest: str) -> list[tuple[str, str]]:
        words = [item for words in _clauses(interest) for item in words.items()]
        return sorted(words, key=lambda item: -self._index.idf(item[0]))


@lru_cache(maxsize=256)
def _clauses(interest: str) -> tuple[dict[str, str], ...]:
    """Return the words of each clause of an interest that says something."""
    return tuple(filter(None, map(_words, _CLAUSE.split(interest))))


def _words(clause: str) -> dict[str, str]:
    """Return the words of a clause that say something: without endings, each with the word as it was written."""
    found: dict[str, str] = {}
    for written in normalised_title(clause).split():
        for word in _stems(written):
            if word not in _SAYS_NOTHING:
                found.setdefault(word, written)
    return found


@lru_cache(maxsize=8192)
def _stems(written: str) -> list[str]:
    return stems(written)
