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
        self._weights: dict[str, dict[int, float]] = defaultdict(dict)
        for position, weights in enumerate(index.weights):
            for word, weight in weights.items():
                self._weights[word][position] = weight

    def scores(self, interest: str) -> dict[int, tuple[float, str]]:
        """Return the positions that match an interest, with their scores and the reader's rarest word there."""
        scores: dict[int, float] = defaultdict(float)
        rarest: dict[int, tuple[float, str]] = {}
        matched: set[int] = set()
        for clause in _CLAUSE.split(interest):
            words = _words(clause)
            rarity = {word: self._index.idf(word) for word in words}
            enough = _ENOUGH * sum(rarity.values())
            share: dict[int, float] = defaultdict(float)
            for word, written in words.items():
                for position, weight in self._weights.get(word, {}).items():
                    share[position] += rarity[word]
                    scores[position] += weight
                    if rarity[word] > rarest.get(position, (0.0, ""))[0]:
                        rarest[position] = (rarity[word], written)
            matched.update(position for position, found in share.items() if found >= enough)
        return {position: (scores[position], rarest[position][1]) for position in sorted(matched)}


def _words(clause: str) -> dict[str, str]:
    """Return the words of a clause that say something: without endings, each with the word as it was written."""
    found: dict[str, str] = {}
    for written in normalised_title(clause).split():
        for word in stems(written):
            if word not in _SAYS_NOTHING:
                found.setdefault(word, written)
    return found
