"""Which listings of an issue are like the papers that a reader liked, and unlike those that they didn't. Pure.

A paper is the words that it is about: those 30 that weigh most by BM25 among the listings of the issue, as a vector
of length 1. Two papers are as similar as the cosine of the angle between them. By Rocchio's formula (The SMART
Retrieval System, 1971), what a reader likes is the mean of the vectors of the papers that they liked, minus half
the mean of those that they disliked. Products of vectors may be added up, so the likeness of a listing is::

    likeness = mean of its similarity to liked papers - 1/2 · mean of its similarity to disliked papers

A listing fits if it is similar enough to a liked paper, and more than to any disliked one. Among few listings, two
papers have many words in common by chance that are rare there. So, of n listings, similar enough is::

    0.11 + 0.55 / √n

With this, one in some 500 pairs of the recorded papers of two weeks fits, whatever n is, and nearly all of these are
of one field. A listing that is nearly the same as a disliked paper is unwanted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nlargest
from math import sqrt
from typing import NamedTuple

from newsletter.core.listing import Listing
from newsletter.core.searching import Searchable, SearchIndex

_WORDS = 30  # of a paper that are compared
_DISLIKED = 1 / 2
_ENOUGH, _ENOUGH_AMONG_FEW = 0.11, 0.55
_NEARLY_THE_SAME = 0.5  # half of a paper's abstract is as similar to the paper
_NEXT_TO_NOTHING = 0.02
_KEPT = 4096  # examples whose similarity to the listings is remembered


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A paper by which a reader shows what they like: its words without endings, each with how often it is there.

    Two examples are one if their keys are; these are the store's numbers of listings.
    """

    key: int
    title: str
    words: Counter[str] = field(repr=False)

    @classmethod
    def of(cls, key: int, listing: Listing) -> Example:
        """Return a listing as an example."""
        return cls(key, listing.title, Searchable.of(listing).words)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Example) and other.key == self.key


class Opinion(NamedTuple):
    """What a reader said of a paper: more like it, or less."""

    example: Example
    liked: bool


class Likeness(NamedTuple):
    """How much a listing is like what a reader likes.

    `value` is its likeness. `likest` is the liked paper that it is most similar to; None: it does not fit.
    """

    value: float
    likest: Example | None
    is_unwanted: bool


class LikenessIndex:
    """The listings of an issue, by what is like them; made once per issue. Listings are named by position."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self._enough = _ENOUGH + _ENOUGH_AMONG_FEW / sqrt(max(len(index.all), 1))
        self._by_word: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for position, weights in enumerate(index.weights):
            for word, weight in _normalised(weights).items():
                self._by_word[word].append((position, weight))
        self.similar = lru_cache(maxsize=_KEPT)(self._similar)

    def of(self, opinions: Sequence[Opinion]) -> dict[int, Likeness]:
        """Return the listings that have anything of the papers that a reader spoke of."""
        values: dict[int, float] = defaultdict(float)
        nearest: dict[int, tuple[float, Example]] = {}  # of liked papers
        worst: dict[int, float] = defaultdict(float)  # the similarity to the nearest of disliked papers
        count = Counter(one.liked for one in opinions)
        for example, liked in opinions:
            share = 1 / count[True] if liked else -_DISLIKED / count[False]
            for position, similarity in self.similar(example).items():
                values[position] += share * similarity
                if not liked:
                    worst[position] = max(worst[position], similarity)
                elif position not in nearest or similarity > nearest[position][0]:
                    nearest[position] = similarity, example
        return {
            position: Likeness(
                value,
                self._fitting(nearest.get(position), worst[position]),
                is_unwanted=worst[position] >= _NEARLY_THE_SAME,
            )
            for position, value in sorted(values.items())
        }

    def _fitting(self, nearest: tuple[float, Example] | None, worst: float) -> Example | None:
        """Return the nearest liked paper, if it is near enough."""
        if nearest is None or nearest[0] < self._enough or nearest[0] <= worst:
            return None
        return nearest[1]

    def _similar(self, example: Example) -> dict[int, float]:
        """Return how similar an example is to the listings that have anything of it."""
        weights = self._index.weighed(example.words)
        known = ((weight, word) for word, weight in weights.items() if word in self._by_word)
        weightiest = {word: weight for weight, word in nlargest(_WORDS, known)}
        found: dict[int, float] = defaultdict(float)
        for word, weight in _normalised(weightiest).items():
            for position, theirs in self._by_word[word]:
                found[position] += weight * theirs
        return {position: similarity for position, similarity in found.items() if similarity >= _NEXT_TO_NOTHING}


def _normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """Return a vector of length 1 in the same direction; one without words stays as it is."""
    length = sqrt(sum(weight * weight for weight in weights.values()))
    return {word: weight / length for word, weight in weights.items()}
