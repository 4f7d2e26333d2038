"""What a reader says in their own words, held against an issue's listings by BM25.

`I work on graph neural networks for chemistry` is taken clause by clause. A listing matches if it has enough of
one clause: at least half, where a word counts by how rare it is among the listings (its idf). What matches is
ordered by its score, the sum of the weights of the clauses' words in it (`newsletter.core.searching`). An
issue has some dozens of listings: to index them takes milliseconds, and an interest is then some look-ups. So
neither a search library nor a database is asked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache

from newsletter.core.searching import SearchIndex, stems
from newsletter.core.titles import normalised_title

_ENOUGH = 1 / 2
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
        self._weights: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for position, weights in enumerate(index.weights):
            for word, weight in weights.items():
                self._weights[word].append((position, weight))

    def scores(self, interest: str) -> dict[int, float]:
        """Return the positions that match an interest, with their scores; a million readers may ask."""
        scores = [0.0] * len(self._index.all)
        matched: set[int] = set()
        for words in _clauses(interest):
            share = [0.0] * len(scores)
            enough = _ENOUGH * sum(map(self._index.idf, words))
            for word in words:
                rarity = self._index.idf(word)
                for position, weight in self._weights.get(word, ()):
                    share[position] += rarity
                    scores[position] += weight
            matched.update([position for position, found in enumerate(share) if found >= enough])
        return {position: scores[position] for position in sorted(matched)}

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
        for word in stems(written):
            if word not in _SAYS_NOTHING:
                found.setdefault(word, written)
    return found
