"""What a reader says in their own words, held against an issue's listings by BM25.

`I work on graph neural networks for chemistry` is taken clause by clause. A listing matches if it has enough of
one clause: at least half, where a word counts by how rare it is among the listings (its idf). What matches is
ordered by its score, the sum over the clauses' words of::

    idf(w) · f · (k + 1) / (f + k · (1 - b + b · length / mean length))        f: how often w is in the listing

(Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, with its usual k = 1.2 and b = 0.75.) An
issue has some dozens of listings: to index them takes milliseconds, and an interest is then some look-ups. So
neither a search library nor a database is asked.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log

from newsletter.core.listing import Listing
from newsletter.core.topics import stems

_K, _B = 1.2, 0.75
_ENOUGH = 1 / 2
_TITLE_COUNTS = 2
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
    """The listings of an issue, indexed for interests; made once per issue."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        texts = [
            [
                *stems(one.title) * _TITLE_COUNTS,
                *stems(" ".join((one.abstract, one.summary, one.ai_summary, *one.keywords))),
            ]
            for one in listings
        ]
        self._size = len(texts)
        mean = max(sum(map(len, texts)) / max(len(texts), 1), 1)
        self._weights: dict[str, dict[int, float]] = defaultdict(dict)
        for position, text in enumerate(texts):
            drag = _K * (1 - _B + _B * len(text) / mean)
            for word, count in Counter(text).items():
                self._weights[word][position] = count * (_K + 1) / (count + drag)

    def scores(self, interest: str) -> dict[int, float]:
        """Return the positions of the listings that match an interest, each with its score."""
        scores: dict[int, float] = defaultdict(float)
        matched: set[int] = set()
        for clause in _CLAUSE.split(interest):
            words = dict.fromkeys(word for word in stems(clause) if word not in _SAYS_NOTHING)
            enough = _ENOUGH * sum(map(self._idf, words))
            share: dict[int, float] = defaultdict(float)
            for word in words:
                for position, weight in self._weights.get(word, {}).items():
                    share[position] += self._idf(word)
                    scores[position] += self._idf(word) * weight
            matched.update(position for position, found in share.items() if found >= enough)
        return {position: scores[position] for position in sorted(matched)}

    def _idf(self, word: str) -> float:
        count = len(self._weights.get(word, ()))
        return log(1 + (self._size - count + 0.5) / (count + 0.5))
