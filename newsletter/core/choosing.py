"""Each reader's own best of all candidates of an issue. Pure.

In this order: papers by authors whom the reader follows; what fits another wish of the reader; what everybody
gets, in the issue's own order, until the list's `max_listings` are reached. What fits is ordered by its value::

    value = named + 2 · text + like + place                 (2 and the like: `ChoiceWeights`)

    named   1 for the first topic, followed organization or keyword that matches, 1/2 for the second, 1/4 …
    text    the listing's score for the reader's own words (`newsletter.core.interest`), the best being 1
    like    how like it is to papers that the reader liked or gave as examples (`newsletter.core.likeness`), the
            best being 1; not below -1/2
    place   from 1 for the issue's first listing down to 0: what trends

What is nearly the same as a paper of which the reader asked for less fits none of the reader's wishes, unless the
reader follows an author of it.

In a weekly issue the best three of each day have places of their own, three quarters of all at most. So broad
topics don't push out what the week was about. A reader who wants matches alone gets these alone.

The first papers are not to be five versions of one thing. So each place of the lead and of the cards "For you"
goes to the listing with the highest `value - 1.5 · similarity`: how much of its title stands in that of one that
was placed before (`SearchIndex.similarities`). This changes the order alone: what fits is never left out for what
does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, islice
from math import inf
from typing import NamedTuple

from newsletter.core.choice import Choice, Reason, ReasonKind, TextKind
from newsletter.core.follows import Follow, Follows, Matching
from newsletter.core.interest import Interests
from newsletter.core.issue import Issue, IssueListing
from newsletter.core.likeness import Likeness, LikenessIndex, Opinion
from newsletter.core.missed import by_score, places_of
from newsletter.core.newsletter_list import Cadence
from newsletter.core.searching import SearchIndex
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms
from newsletter.core.text import one_line
from newsletter.core.topics import TopicsMode, matches
from newsletter.core.week import best_of_days

_KEPT = 4096  # choices of some 2 KB
_LEAST_LIKE = -1 / 2
_LONGEST_TITLE = 100  # characters of a liked paper's title in a reason
_NO_LIKENESS = Likeness({}, {}, frozenset())
_MOST_NAMED = 20  # beyond it, one more is worth next to nothing
_BYTE = 255
_NAMED = [0.0, *(2.0 - 0.5**more for more in range(_MOST_NAMED))]
_POOL = 4  # times the places for which similarity counts: so far down it is looked for what else there is


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceWeights:
    """How much each part of a value counts, and how much is taken from it for similarity; none is below 0."""

    named: float = 1.0
    text: float = 2.0
    like: float = 1.0
    place: float = 1.0
    similarity: float = 1.5


USUAL = ChoiceWeights()


class Worth(NamedTuple):
    """What each part adds to the value of a listing for a reader; `like` may be below 0."""

    named: float
    text: float
    like: float
    place: float

    @property
    def value(self) -> float:
        """Return what they come to."""
        return sum(self)


def chooser(issue: Issue, languages: Collection[str] = (), weights: ChoiceWeights = USUAL) -> Chooser:
    """Return what chooses from an issue; of a weekly one, the best of each day have places of their own.

    `languages` are those in which readers may have its mail, beside the list's.
    """
    reserved = best_of_days(issue) if issue.terms.cadence is Cadence.WEEKLY else ()
    return Chooser(issue.listings, issue.terms, reserved, languages, weights=weights)


def spoken(reader: Subscriber, languages: Collection[str]) -> str:
    """Return in which of some languages a reader's mail is; empty: in the list's."""
    return reader.language if reader.language in languages and reader.language else ""


class _Wishes(NamedTuple):
    """What a reader wishes: those who wish alike get the same."""

    topics: tuple[str, ...]
    follows: tuple[Follow, ...]
    interest: str
    opinions: tuple[Opinion, ...]


class _Fit(NamedTuple):
    """What fits a reader's wishes, by position: what it is worth, and by which wishes it fits.

    Of what can't be among the reader's first, `value` leaves some out.
    """

    value: dict[int, float]
    follows: Sequence[Matching]
    topics: Sequence[Mapping[int, Reason]]
    scores: Mapping[int, float]
    likeness: Likeness
    by_authors: frozenset[int]  # whom the reader follows


class Chooser:
    """Chooses from an issue for its readers. What costs time is done once, or once for readers of one wish.

    Args:
        listings: the issue's, best first for somebody without wishes.
        terms: the issue's, for topics, layout and the most that a reader gets.
        reserved: the positions of listings that have places of their own, best first.
        languages: those in which readers may have their mail, beside the list's.
        weights: how much each part of a value counts.
    """

    def __init__(
        self,
        listings: Sequence[IssueListing],
        terms: Terms,
        reserved: Sequence[int] = (),
        languages: Collection[str] = (),
        *,
        weights: ChoiceWeights = USUAL,
    ) -> None:
        self._most, self._weights = terms.max_listings or len(listings), weights
        # By how many wishes match, then by position: what a listing is worth for that and for its place.
        places = places_of(listings)
        self._worth = [[weights.named * named - weights.place * place for place in places] for named in _NAMED]
        self._places = places
        self._order = by_score(listings)
        self._again = {one.key: position for position, one in enumerate(listings) if one.again}
        self._by_place = sorted(range(len(listings)), key=places.__getitem__)  # of equals, the first one first
        # More of what one number of wishes matches can't be among the first, see `_best`.
        self._enough = len(listings) if reserved else max(self._most, _POOL * (1 + terms.layout.for_you))
        self._held_back = frozenset(self._again.values())  # from who missed nothing
        self._positions = {one.key: position for position, one in enumerate(listings)}
        self._reserved, self._languages = reserved, languages
        self._mode, self._cards = terms.topics_mode, 1 + terms.layout.for_you
        # A weekly mail has days in place of lines in brief.
        self._layout = terms.layout if terms.cadence is Cadence.DAILY else None
        self._index = SearchIndex([one.listing for one in listings])
        self._topics = {
            name: {position: Reason(ReasonKind.TOPIC, name, word) for position, word in words.items()}
            for name, words in matches(self._index, terms.topics).items()
        }
        self._follows = Follows(self._index)
        self._ranks = {position: rank for rank, position in enumerate(self._by_place)}
        self._counts = {name: self._as_counts(positions) for name, positions in self._topics.items()}
        self._cached = lru_cache(maxsize=_KEPT)(self._choice)

    def of(self, reader: Subscriber, had: frozenset[int] = frozenset()) -> Choice:
        """Return what a reader gets.

        Args:
            reader: the subscriber.
            had: the keys of listings that issues of this list, daily or weekly, brought the reader before.
        """
        language = spoken(reader, self._languages)
        without = self._without(reader, had)
        return self._cached(_wishes(reader), reader.topics_mode or self._mode, without, reader.text, language)

    def worths(self, reader: Subscriber, had: frozenset[int] = frozenset()) -> dict[int, Worth]:
        """Return by position what fits the reader's wishes, and what makes up its value; takes what `of` takes.

        Of what can't be among the reader's first, it leaves some out.
        """
        fit, weights = self._fit(_wishes(reader), self._without(reader, had)), self._weights
        best_text = max(fit.scores.values(), default=0.0) or 1.0
        best_like = max(fit.likeness.values.values(), default=0.0)
        worths = {}
        for position in fit.value:
            matching = [*fit.topics, *(one.positions for one in fit.follows)]
            count = sum(position in found for found in matching)
            liked = fit.likeness.values.get(position)
            worths[position] = Worth(
                named=weights.named * _NAMED[min(count, _MOST_NAMED)],
                text=weights.text * fit.scores.get(position, 0.0) / best_text,
                like=weights.like * _share(liked, best_like) if liked is not None else 0.0,
                place=weights.place * (1 - self._places[position]),
            )
        return worths

    def _without(self, reader: Subscriber, had: frozenset[int]) -> frozenset[int]:
        """Return the positions of what is not for a reader: they had it, or it is for others who missed it."""
        without = frozenset(self._positions[key] for key in had if key in self._positions) if had else had
        if self._held_back:
            offered = {self._again[key] for key in reader.missed if key in self._again}
            without |= self._held_back - offered if offered else self._held_back
        return without

    @cached_property
    def _interests(self) -> Interests:
        return Interests(self._index)  # most issues have no reader who asks for it

    @cached_property
    def _likeness(self) -> LikenessIndex:
        return LikenessIndex(self._index)  # so, too

    def _choice(
        self, wishes: _Wishes, mode: TopicsMode, without: Collection[int], text: TextKind, language: str
    ) -> Choice:
        fit = self._fit(wishes, without)
        order = self._ordered(fit)
        if mode is TopicsMode.FIRST or not (wishes.topics or wishes.follows or wishes.interest):
            reserved = [each for each in self._reserved if each not in without][: self._most * 3 // 4]
            # Who missed nothing gets nothing of what is there again, so that the order is the issue's own.
            others = (each for each in self._order if each not in fit.value and each not in without)
            order += others if reserved else islice(others, max(self._most - len(order), 0))
            chosen = self._with_reserved(order, reserved)
        else:
            chosen = order[: self._most]
        fitting = [position for position in chosen if position in fit.value]  # they stand first
        reasons = [self._reasons(position, wishes, fit) for position in fitting]
        choice = Choice(tuple(chosen), (*reasons, *[()] * (len(chosen) - len(fitting))), text, language)
        return choice if self._layout is None else self._layout.within(choice)

    def _with_reserved(self, order: Sequence[int], reserved: Collection[int]) -> list[int]:
        """Return as many of an order as the reader gets: the first ones, and those with places of their own."""
        if not reserved:
            return list(order[: self._most])
        kept = {*reserved, *islice((each for each in order if each not in reserved), self._most - len(reserved))}
        return [position for position in order if position in kept]

    def _fit(self, wishes: _Wishes, without: Collection[int]) -> _Fit:
        """Return what fits a reader's wishes, but for what the reader had."""
        topics = [self._topics[name] for name in wishes.topics if name in self._topics]
        follows = [self._follows.matching(follow) for follow in wishes.follows]
        authors = [one.positions for one in follows if one.reason.kind is ReasonKind.AUTHOR]
        by_authors = frozenset[int]().union(*authors)
        scores = self._interests.scores(wishes.interest) if wishes.interest else {}
        likeness = self._likeness.of(wishes.opinions) if wishes.opinions else _NO_LIKENESS
        left_out = {*without, *likeness.unwanted.difference(by_authors)}
        counts = self._matching(wishes.topics, follows)
        # What isn't worth what the number of wishes and its place say, or stands first whatever it is worth.
        special = {*scores, *likeness.values, *likeness.likest, *by_authors}
        fitting = [
            each for each in special if each in scores or each in likeness.likest or counts[self._ranks[each]]
        ]
        best = self._best(counts, len(topics) + len(follows), special | left_out)
        worth, ranks = self._worth, self._ranks
        value = {
            each: worth[min(counts[ranks[each]], _MOST_NAMED)][each]
            for each in sorted({*best, *fitting} - left_out)
        }
        best_text = max(scores.values(), default=0.0) or 1.0
        for position in value.keys() & scores.keys():
            value[position] += self._weights.text * scores[position] / best_text
        best_like = max(likeness.values.values(), default=0.0)
        for position in value.keys() & likeness.values.keys():
            value[position] += self._weights.like * _share(likeness.values[position], best_like)
        return _Fit(value, follows, topics, scores, likeness, by_authors.intersection(value))

    def _as_counts(self, positions: Iterable[int]) -> int:
        """Return a number with a byte for each listing, in the order of places: 1 for those at some positions.

        The sum of such numbers counts matches of all listings at once.
        """
        counts = bytearray(len(self._by_place))
        for position in positions:
            counts[self._ranks[position]] = 1
        return int.from_bytes(counts, "little")

    def _matching(self, topics: Collection[str], follows: Sequence[Matching]) -> bytes:
        """Return how many wishes match each listing, in the order of places; 20 may stand for more."""
        if len(topics) + len(follows) > _BYTE:
            found = [self._topics.get(name, {}) for name in topics]
            named = Counter(chain(*found, *[one.positions for one in follows]))
            return bytes(min(named[position], _MOST_NAMED) for position in self._by_place)
        counts = bytearray(
            sum(self._counts.get(name, 0) for name in topics).to_bytes(len(self._by_place), "little")
        )
        for one in follows:
            for position in one.positions:
                counts[self._ranks[position]] += 1
        return bytes(counts)

    def _best(self, counts: bytes, most: int, apart: Collection[int]) -> list[int]:
        """Return the positions of listings that may be among the first.

        Those that the same number of wishes match are worth the more the better their place is. So of each number
        the first ones will do.

        Args:
            counts: how many wishes match each listing, in the order of places.
            most: the highest of these numbers, or more.
            apart: positions that are left out here.
        """
        found = []
        for count in range(1, min(most, _BYTE) + 1):
            left, rank = self._enough, counts.find(count)
            while rank >= 0 and left:
                if self._by_place[rank] not in apart:
                    found.append(self._by_place[rank])
                    left -= 1
                rank = counts.find(count, rank + 1)
        return found

    def _reasons(self, position: int, wishes: _Wishes, fit: _Fit) -> tuple[Reason, ...]:
        """Return why a listing fits."""
        reasons = [one.reason for one in fit.follows if position in one.positions] if fit.follows else []
        if position in fit.likeness.unwanted:
            return tuple(one for one in reasons if one.kind is ReasonKind.AUTHOR)
        reasons += [matching[position] for matching in fit.topics if position in matching]
        if position in fit.scores:
            reasons.append(Reason(ReasonKind.INTEREST, word=self._interests.word_in(position, wishes.interest)))
        if position in fit.likeness.likest:
            title = one_line(fit.likeness.likest[position].title, _LONGEST_TITLE)
            reasons.append(Reason(ReasonKind.LIKED, title))
        return tuple(reasons)

    def _ordered(self, fit: _Fit) -> list[int]:
        """Return what fits a reader's wishes, best first."""
        best = sorted(fit.value, key=fit.value.__getitem__, reverse=True)  # of equals, the first one first
        first = [position for position in best if position in fit.by_authors] if fit.by_authors else []
        rest = [position for position in best if position not in fit.by_authors] if first else best
        return first + self._varied(rest, fit.value, first)

    def _varied(self, order: list[int], value: Mapping[int, float], placed: Sequence[int]) -> list[int]:
        """Return an order whose first places don't repeat each other, nor what is placed before them."""
        places = self._cards - len(placed)
        pool = order[: places * _POOL] if places > 1 else []
        before = list(placed)
        varied: list[int] = []
        # By position: how similar a listing is to those `before`, and how many of them that takes into account.
        likest: dict[int, tuple[float, int]] = {}
        similarities = self._index.similarities
        while pool and len(varied) < places:
            best, most = pool[0], -inf
            for position in pool:
                if value[position] <= most:
                    break  # no one from here on can be better: similarity only takes away
                likeness, known = likest.get(position, (0.0, 0))
                for one in before[known:]:
                    likeness = max(likeness, similarities(one)[position])
                likest[position] = likeness, len(before)
                if (worth := value[position] - self._weights.similarity * likeness) > most:
                    best, most = position, worth
            pool.remove(best)
            varied.append(best)
            before.append(best)
        taken = set(varied)
        return varied + [position for position in order if position not in taken]


def _wishes(reader: Subscriber) -> _Wishes:
    return _Wishes(reader.topics, reader.follows, reader.interest, reader.opinions)


def _share(likeness: float, best: float) -> float:
    """Return a likeness as a share of the best one; where nothing is liked, as it is."""
    return max(likeness / best if best > 0 else likeness, _LEAST_LIKE)
