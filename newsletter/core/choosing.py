"""Each reader's own best of all candidates of an issue. Pure.

In this order: papers by authors whom the reader follows; what fits another wish of the reader; what everybody
gets, in the issue's own order, until the list's `max_listings` are reached. What fits is ordered by its value::

    value = named + 2 · text + like + place

    named   1 for the first topic, followed organization or keyword that matches, 1/2 for the second, 1/4 …
    text    the listing's score for the reader's own words (`newsletter.core.interest`), the best being 1
    like    how like it is to what the reader liked (`newsletter.core.likeness`), the best being 1; not below -1/2
    place   from 1 for the issue's first listing down to 0: what trends

What is nearly the same as a paper of which the reader asked for less fits none of the reader's wishes, unless the
reader follows an author of it.

The first papers are not to be five versions of one thing. So each place of the lead and of the cards "For you"
goes to the listing with the highest `value - 1.5 · similarity`: how much of its title stands in that of one that
was placed before (`SearchIndex.similarity`). This changes the order alone: what fits is never left out for what
does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.follows import Follow, Follows
from newsletter.core.interest import Interests
from newsletter.core.issue import IssueListing
from newsletter.core.likeness import Likeness, LikenessIndex, Opinion
from newsletter.core.searching import SearchIndex
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms
from newsletter.core.text import one_line
from newsletter.core.topics import TopicsMode, matches

_KEPT = 16_384  # choices of some 2 KB
_TEXT, _LIKE, _SIMILAR = 2.0, 1.0, 1.5
_LEAST_LIKE = -1 / 2
_LONGEST_TITLE = 100  # characters of a liked paper's title in a reason
_NO_LIKENESS = Likeness({}, {}, frozenset())
# What a reader says that does not name anything, and is weighed by how well it fits.
_WEIGHED = frozenset({ReasonKind.INTEREST, ReasonKind.LIKED})
_POOL = 4  # times the places for which similarity counts: so far down it is looked for what else there is


class _Wishes(NamedTuple):
    """What a reader wishes: those who wish alike get the same."""

    topics: tuple[str, ...]
    follows: tuple[Follow, ...]
    interest: str
    opinions: tuple[Opinion, ...]


class _Fit(NamedTuple):
    """How listings fit a reader's wishes, by position: why, what they score for words, and their likeness."""

    reasons: dict[int, list[Reason]]
    scores: Mapping[int, float]
    likes: Mapping[int, float]


class Chooser:
    """Chooses from an issue for its readers. What costs time is done once, or once for readers of one wish.

    Args:
        listings: the issue's, best first for somebody without wishes.
        terms: the issue's, for topics, layout and the most that a reader gets.
    """

    def __init__(self, listings: Sequence[IssueListing], terms: Terms) -> None:
        self._size, self._most = len(listings), terms.max_listings or len(listings)
        self._positions = {one.key: position for position, one in enumerate(listings)}
        self._mode, self._cards = terms.topics_mode, 1 + terms.layout.for_you
        self._index = SearchIndex([one.listing for one in listings])
        self._matches = matches(self._index, terms.topics)
        self._follows = Follows(self._index)
        self._cached = lru_cache(maxsize=_KEPT)(self._choice)

    def of(self, reader: Subscriber, had: frozenset[int] = frozenset()) -> Choice:
        """Return what a reader gets.

        Args:
            reader: the subscriber.
            had: the keys of listings that issues of this list, daily or weekly, brought the reader before.
        """
        without = frozenset(self._positions[key] for key in had if key in self._positions) if had else had
        wishes = _Wishes(reader.topics, reader.follows, reader.interest, reader.opinions)
        return self._cached(wishes, reader.topics_mode or self._mode, without)

    @cached_property
    def _interests(self) -> Interests:
        return Interests(self._index)  # most issues have no reader who asks for it

    @cached_property
    def _likeness(self) -> LikenessIndex:
        return LikenessIndex(self._index)  # so, too

    def _choice(self, wishes: _Wishes, mode: TopicsMode, without: Collection[int]) -> Choice:
        fit = self._fit(wishes, without)
        chosen = self._ordered(fit)[: self._most]
        if mode is TopicsMode.FIRST or not (wishes.topics or wishes.follows or wishes.interest):
            left_out = {*without, *fit.reasons}
            for position in range(self._size):
                if len(chosen) >= self._most:
                    break
                if position not in left_out:
                    chosen.append(position)
        return Choice(tuple(chosen), tuple([tuple(fit.reasons.get(position, ())) for position in chosen]))

    def _fit(self, wishes: _Wishes, without: Collection[int]) -> _Fit:
        """Return how listings fit a reader's wishes, but for those that the reader had."""
        reasons = self._follows.reasons(wishes.follows)
        for name in wishes.topics:
            for position, word in self._matches.get(name, {}).items():
                reasons.setdefault(position, []).append(Reason(ReasonKind.TOPIC, name, word))
        scores = self._interests.scores(wishes.interest) if wishes.interest else {}
        for position, (_, word) in scores.items():
            reasons.setdefault(position, []).append(Reason(ReasonKind.INTEREST, word=word))
        likeness = self._likeness.of(wishes.opinions) if wishes.opinions else _NO_LIKENESS
        for position, liked in likeness.likest.items():
            reasons.setdefault(position, []).append(
                Reason(ReasonKind.LIKED, one_line(liked.title, _LONGEST_TITLE))
            )
        for position in likeness.unwanted & reasons.keys():
            reasons[position] = [one for one in reasons[position] if one.kind is ReasonKind.AUTHOR]
        fitting = {position: why for position, why in reasons.items() if why and position not in without}
        return _Fit(fitting, {position: score for position, (score, _) in scores.items()}, likeness.values)

    def _ordered(self, fit: _Fit) -> list[int]:
        """Return what fits a reader's wishes, best first."""
        best_text = max(fit.scores.values(), default=0.0) or 1.0
        best_like = max(fit.likes.values(), default=0.0)
        value: dict[int, float] = {}
        followed = []
        for position, why in fit.reasons.items():
            names = sum(one.kind not in _WEIGHED for one in why) if fit.scores or fit.likes else len(why)
            named = 2.0 - 0.5 ** (names - 1) if names else 0.0
            text = _TEXT * fit.scores.get(position, 0.0) / best_text
            value[position] = named + text - position / self._size
            if position in fit.likes:
                value[position] += _LIKE * _share(fit.likes[position], best_like)
            if why[0].kind is ReasonKind.AUTHOR:
                followed.append(position)
        placed = sorted(followed, key=lambda position: (-value[position], position))
        rest = sorted(value.keys() - set(followed), key=lambda position: (-value[position], position))
        return placed + self._varied(rest, value, placed)

    def _varied(self, order: list[int], value: Mapping[int, float], placed: Sequence[int]) -> list[int]:
        """Return an order whose first places don't repeat each other, nor what is placed before them."""
        places = self._cards - len(placed)
        pool = order[: places * _POOL] if places > 1 else []
        varied: list[int] = []
        likest = {
            position: max((self._index.similarity(position, one) for one in placed), default=0.0)
            for position in pool
        }
        while pool and len(varied) < places:
            position = max(pool, key=lambda one: (value[one] - _SIMILAR * likest[one], -one))
            pool.remove(position)
            varied.append(position)
            for one in pool:
                likest[one] = max(likest[one], self._index.similarity(one, position))
        taken = set(varied)
        return varied + [position for position in order if position not in taken]


def _share(likeness: float, best: float) -> float:
    """Return a likeness as a share of the best one; where nothing is liked, as it is."""
    return max(likeness / best if best > 0 else likeness, _LEAST_LIKE)
