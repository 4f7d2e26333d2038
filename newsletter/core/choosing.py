"""Each reader's own best of all candidates of an issue. Pure.

In this order: papers by authors whom the reader follows; what fits another wish of the reader; what everybody
gets, in the issue's own order, until the list's `max_listings` are reached. What fits is ordered by its value::

    value = named + 2 · text + place

    named   1 for the first topic, followed organization or keyword that matches, 1/2 for the second, 1/4 …
    text    the listing's score for the reader's own words (`newsletter.core.interest`), the best being 1
    place   from 1 for the issue's first listing down to 0: what trends

The first papers are not to be five versions of one thing. So each place of the lead and of the cards "For you"
goes to the listing with the highest `value - 1.5 · similarity`: how much of its title stands in that of one that
was placed before (`SearchIndex.similarity`). This changes the order alone: what fits is never left out for what
does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, lru_cache

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.follows import Follow, Follows
from newsletter.core.interest import Interests
from newsletter.core.issue import IssueListing
from newsletter.core.searching import SearchIndex
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms
from newsletter.core.topics import TopicsMode, matches

_KEPT = 16_384  # choices of some 2 KB
_TEXT, _SIMILAR = 2.0, 1.5
_POOL = 4  # times the places for which similarity counts: so far down it is looked for what else there is


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
        mode = reader.topics_mode or self._mode
        return self._cached(reader.topics, reader.follows, reader.interest, mode, without)

    @cached_property
    def _interests(self) -> Interests:
        return Interests(self._index)  # most issues have no reader who asks for it

    def _choice(
        self,
        topics: tuple[str, ...],
        follows: tuple[Follow, ...],
        interest: str,
        mode: TopicsMode,
        without: Collection[int],
    ) -> Choice:
        reasons = self._follows.reasons(follows)
        for name in topics:
            for position, word in self._matches.get(name, {}).items():
                reasons.setdefault(position, []).append(Reason(ReasonKind.TOPIC, name, word))
        scores = self._interests.scores(interest) if interest else {}
        for position, (_, word) in scores.items():
            reasons.setdefault(position, []).append(Reason(ReasonKind.INTEREST, word=word))
        for position in without:
            reasons.pop(position, None)
        chosen = self._ordered(reasons, {position: score for position, (score, _) in scores.items()})[: self._most]
        if mode is TopicsMode.FIRST or not (topics or follows or interest):
            left_out = {*without, *reasons}
            for position in range(self._size):
                if len(chosen) >= self._most:
                    break
                if position not in left_out:
                    chosen.append(position)
        return Choice(tuple(chosen), tuple([tuple(reasons.get(position, ())) for position in chosen]))

    def _ordered(self, reasons: Mapping[int, Sequence[Reason]], scores: Mapping[int, float]) -> list[int]:
        """Return what fits a reader's wishes, best first."""
        best = max(scores.values(), default=0.0) or 1.0
        value: dict[int, float] = {}
        followed = []
        for position, why in reasons.items():
            named = 2.0 - 0.5 ** (len(why) - 1 - (position in scores))
            text = _TEXT * scores.get(position, 0.0) / best
            value[position] = (named if len(why) > (position in scores) else 0.0) + text - position / self._size
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
