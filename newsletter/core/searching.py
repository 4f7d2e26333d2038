"""Listings as topics, follows and interests look at them: words without endings, phrases found whole. Pure.

A word of a text weighs, by BM25::

    idf(w) · f · (k + 1) / (f + k · (1 - b + b · length / mean length))        f: how often w is in the text

(Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, with its usual k = 1.2 and b = 0.75.)
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import log

from newsletter.core.listing import Listing
from newsletter.core.stemming import stem
from newsletter.core.titles import normalised_title

_TITLE_COUNTS = 2
_K, _B = 1.2, 0.75
_KEPT = 1024  # listings whose similarities are remembered: 8 KB each where there are 1,000


def stems(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    return [stem(word) for word in normalised_title(text).split()]


def phrase(words: Iterable[str]) -> str:
    """Return words with a space on either side of each, so that they are found by substring, and only whole."""
    return f" {' '.join(words)} "


@dataclass(frozen=True, slots=True)
class Searchable:
    """A listing as it is looked through.

    Texts are phrases of stems; names are normalised, each with the name as it stands in the listing.
    """

    text: str
    title: frozenset[str]
    words: Counter[str]
    categories: Mapping[str, str]
    authors: Mapping[str, str]
    organization: str

    @classmethod
    def of(cls, listing: Listing) -> Searchable:
        """Return a listing ready to be looked through."""
        texts = (listing.title, listing.abstract, listing.summary, listing.ai_summary, *listing.keywords)
        parts = [stems(text) for text in texts]
        categories = {category.partition(".")[0].lower(): category for category in reversed(listing.categories)}
        categories |= {category.lower(): category for category in listing.categories}
        words = Counter(word for part in parts for word in part)
        for word in parts[0]:
            words[word] += _TITLE_COUNTS - 1
        return cls(
            text="|".join(map(phrase, parts)),
            title=frozenset(parts[0]),
            words=words,
            categories=categories,
            authors={normalised_title(author): author for author in listing.authors},
            organization=phrase(normalised_title(listing.organization).split()),
        )


class SearchIndex:
    """The listings of an issue, by what stands in them; made once per issue. Listings are named by position."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.all = [Searchable.of(listing) for listing in listings]
        self.similarities = lru_cache(maxsize=_KEPT)(self._similarities)

    @cached_property
    def counts(self) -> Mapping[str, Mapping[int, int]]:
        """Return how often each word stands in which listings; words of titles count twice."""
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for position, one in enumerate(self.all):
            for word, count in one.words.items():
                found[word][position] = count
        return found

    @cached_property
    def postings(self) -> Mapping[str, Mapping[int, float]]:
        """Return what each word weighs in the listings that it stands in, by position."""
        found: dict[str, dict[int, float]] = defaultdict(dict)
        for position, weights in enumerate(self.weights):
            for word, weight in weights.items():
                found[word][position] = weight
        return found

    @cached_property
    def authors(self) -> Mapping[str, Sequence[int]]:
        """Return the listings of each author, by normalised name."""
        found: dict[str, list[int]] = defaultdict(list)
        for position, one in enumerate(self.all):
            for author in one.authors:
                found[author].append(position)
        return found

    @cached_property
    def weights(self) -> Sequence[Mapping[str, float]]:
        """Return what each word of each listing weighs."""
        return [self.weighed(one.words) for one in self.all]

    def weighed(self, words: Counter[str]) -> dict[str, float]:
        """Return what the words of a text weigh among the listings, of which it need be none.

        Args:
            words: how often each word without its ending is in the text.
        """
        drag = _K * (1 - _B + _B * words.total() / self._mean_length)
        idf, others, more = self._idfs.get, self._idf_of_others, _K + 1
        return {word: idf(word, others) * count * more / (count + drag) for word, count in words.items()}

    @cached_property
    def _mean_length(self) -> float:
        return max(sum(one.words.total() for one in self.all) / max(len(self.all), 1), 1.0)

    def idf(self, word: str) -> float:
        """Return how rare a word is among the listings, as BM25 counts it."""
        return self._idfs.get(word, self._idf_of_others)

    @cached_property
    def _idfs(self) -> Mapping[str, float]:
        """Return the idf of each word that stands in a listing."""
        size = len(self.all)
        of_count = [log(1 + (size - count + 0.5) / (count + 0.5)) for count in range(size + 1)]
        return {word: of_count[len(there)] for word, there in self.counts.items()}

    @cached_property
    def _idf_of_others(self) -> float:
        return log(2 * len(self.all) + 2)  # by the same formula, for a word that stands nowhere

    def with_phrase(self, words: Sequence[str]) -> list[int]:
        """Return the listings that hold some stems as a phrase; none for no words."""
        if not words:
            return []
        rarest = min((self.counts.get(word, {}) for word in words), key=len)
        wanted = phrase(words)
        return [position for position in rarest if wanted in self.all[position].text]

    def with_organization(self, name: str) -> list[int]:
        """Return the listings whose organization is of that name, or has these whole words in it."""
        words = normalised_title(name).split()
        wanted = phrase(words)
        return [position for position, one in enumerate(self.all) if words and wanted in one.organization]

    def _similarities(self, position: int) -> array[float]:
        """Return how much of a title is in that of each listing, from 0 to 1; rare words count for more."""
        own, shared = self._title_weights[position], array("d", bytes(8 * len(self.all)))
        for word in sorted(self.all[position].title):
            rarity = self.idf(word)
            for other in self._titles_with[word]:
                shared[other] += rarity
        for other, (same, weight) in enumerate(zip(shared, self._title_weights, strict=True)):
            if same:
                shared[other] = same / (own + weight - same)
        return shared

    @cached_property
    def _titles_with(self) -> Mapping[str, Sequence[int]]:
        """Return the listings that have a word in their title, by word."""
        found: dict[str, list[int]] = defaultdict(list)
        for position, one in enumerate(self.all):
            for word in one.title:
                found[word].append(position)
        return found

    @cached_property
    def _title_weights(self) -> Sequence[float]:
        return [sum(map(self.idf, sorted(one.title))) for one in self.all]
