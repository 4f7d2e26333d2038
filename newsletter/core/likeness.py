"""Which listings of an issue are like the papers that a reader liked, and unlike those that they didn't. Pure.

A paper is the words that it is about: those 30 that weigh most by BM25 among the listings of the issue, as a
vector of length 1; words that stand in none of the listings only make up the number. Two papers are as similar as
the cosine of the angle between them. By Rocchio's formula (The SMART Retrieval System, 1971), what a reader likes
is the mean of the vectors of the papers that they liked, minus half the mean of those that they disliked. Products
of vectors may be added up, so the likeness of a listing is::

    likeness = mean of its similarity to liked papers - 1/2 · mean of its similarity to disliked papers

A listing fits if it is similar enough to a liked paper, and more than to any disliked one. Among few listings, two
papers have many words in common by chance that are rare there. So, of n listings, similar enough is::

    0.11 + 0.55 / √n

With this, one in some 500 pairs of the papers of two recorded weeks fits, whatever n is, and nearly all of these
are of one field. A listing that is nearly the same as a disliked paper is unwanted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt
from typing import NamedTuple

from newsletter.core.listing import Listing
from newsletter.core.searching import Searchable, SearchIndex, stems

_WORDS = 30  # of a paper that are compared
_DISLIKED = 1 / 2
_ENOUGH, _ENOUGH_AMONG_FEW = 0.11, 0.55
_NEARLY_THE_SAME = 0.5  # half of a paper's abstract is as similar to the paper
_NEXT_TO_NOTHING = 0.05
_KEPT = 4096  # examples whose similarity to the listings is remembered


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A paper by which a reader shows what they like: its words without endings, each with how often it is there.

    Two examples are one if their keys are: the store's number of a listing, or what else identifies a paper.
    """

    key: int | str
    title: str
    words: Counter[str] = field(repr=False)

    @classmethod
    def of(cls, key: int | str, listing: Listing) -> Example:
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
    """How like what a reader likes the listings of an issue are, by position.

    `values` are likenesses; who is not there has none. `likest` names, for each listing that fits, the liked paper
    that it is most similar to, which is another one: the reader knows a paper that they named themselves.
    """

    values: Mapping[int, float]
    likest: Mapping[int, Example]
    unwanted: frozenset[int]


class LikenessIndex:
    """The listings of an issue, by what is like them; made once per issue. Listings are named by position."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self._enough = _ENOUGH + _ENOUGH_AMONG_FEW / sqrt(max(len(index.all), 1))
        self._by_word: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for position, weights in enumerate(index.weights):
            for word, weight in _normalised(weights).items():
                self._by_word[word].append((position, weight))
        self._titled: dict[frozenset[str], list[int]] = defaultdict(list)
        for position, one in enumerate(index.all):
            self._titled[one.title].append(position)
        self.similar = lru_cache(maxsize=_KEPT)(self._similar)
        self.titled = lru_cache(maxsize=_KEPT)(self._of_title)

    def of(self, opinions: Sequence[Opinion]) -> Likeness:
        """Return how like what a reader likes the listings are."""
        values: dict[int, float] = defaultdict(float)
        nearest: dict[int, float] = {}  # the similarity to the nearest of liked papers that are near enough
        likest: dict[int, Example] = {}
        worst: dict[int, float] = {}  # the similarity to the nearest of disliked papers
        count = Counter(one.liked for one in opinions)
        for example, liked in opinions:
            share = 1 / count[True] if liked else -_DISLIKED / count[False]
            itself = self.titled(example.title) if liked else ()
            for position, similarity in self.similar(example).items():
                values[position] += share * similarity
                if not liked:
                    worst[position] = max(worst.get(position, 0.0), similarity)
                elif self._enough <= similarity > nearest.get(position, 0.0) and position not in itself:
                    nearest[position], likest[position] = similarity, example
        return Likeness(
            values,
            {position: one for position, one in likest.items() if nearest[position] > worst.get(position, 0.0)},
            frozenset(position for position, similarity in worst.items() if similarity >= _NEARLY_THE_SAME),
        )

    def _of_title(self, title: str) -> Sequence[int]:
        """Return the listings of a title; of one without words, none."""
        words = frozenset(stems(title))
        return self._titled.get(words, ()) if words else ()

    def _similar(self, example: Example) -> dict[int, float]:
        """Return how similar an example is to the listings that have anything of it; 1 to those of its title."""
        weights = self._index.weighed(example.words)
        here: list[tuple[float, str]] = []
        elsewhere: list[tuple[float, str]] = []
        for word, weight in weights.items():
            (here if word in self._by_word else elsewhere).append((-weight, word))
        weightiest = sorted(here)[:_WORDS]
        if len(weightiest) < _WORDS:
            weightiest += sorted(elsewhere)[: _WORDS - len(weightiest)]
        found: dict[int, float] = defaultdict(float)
        for word, weight in _normalised({word: weights[word] for _, word in weightiest}).items():
            for position, theirs in self._by_word.get(word, ()):
                found[position] += weight * theirs
        found |= dict.fromkeys(self.titled(example.title), 1.0)
        return {position: similarity for position, similarity in found.items() if similarity >= _NEXT_TO_NOTHING}


def _normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """Return a vector of length 1 in the same direction; one without words stays as it is."""
    length = sqrt(sum(weight * weight for weight in weights.values()))
    return {word: weight / length for word, weight in weights.items()}
