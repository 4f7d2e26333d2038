"""What each reader gets of an issue."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

from newsletter.core.interest import Interests
from newsletter.core.issue import IssueListing
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms
from newsletter.core.topics import Choice, TopicsMode, choose, index

_KEPT = 16_384  # of some 2 KB


class Choices:
    """Chooses from an issue for its readers. What costs time is done once, or once for readers of one wish.

    Args:
        listings: the issue's.
        terms: the issue's, for the topics.
    """

    def __init__(self, listings: Sequence[IssueListing], terms: Terms) -> None:
        self._records = [one.listing for one in listings]
        self._positions = {one.key: position for position, one in enumerate(listings)}
        self._mode = terms.topics_mode
        self._matches = index(self._records, terms.topics)
        self._cached = lru_cache(maxsize=_KEPT)(self._choice)

    def of(self, reader: Subscriber, had: frozenset[int] = frozenset()) -> Choice:
        """Return what a reader gets.

        Args:
            reader: the subscriber.
            had: the keys of listings that issues of this list, daily or weekly, brought the reader before.
        """
        without = frozenset(self._positions[key] for key in had if key in self._positions) if had else had
        return self._cached(reader.topics, reader.interest, reader.topics_mode or self._mode, without)

    @cached_property
    def _interests(self) -> Interests:
        return Interests(self._records)  # most issues have no reader who asks for it

    def _choice(self, topics: tuple[str, ...], interest: str, mode: TopicsMode, without: frozenset[int]) -> Choice:
        scores = self._interests.scores(interest) if interest else None
        return choose(self._matches, topics, len(self._records), mode=mode, interest=scores, without=without)
