"""How much each recipient domain is sent: as much as the operator allows and the domain's answers ask for.

Some domains take only a certain amount at a time from one sender, and answer 4xx to the rest (451, "try later").
After some answers of that kind in a row the domain gets a pause, and then one message at a time. With each further
answer of that kind the pause doubles, with each message taken it halves, until it is forgotten. Other domains are
not affected. Greylisting is another thing: it wants to see each recipient once, early.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

import structlog

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.delivery.limits.leased import Leasing
from newsletter.delivery.limits.pace import Pace

log = structlog.get_logger(__name__)

_SENT = DeliveryState.SENT  # looked up once: each message needs it
_STRIKES = 3  # answers in a row that ask to slow down
_OF_ONE_RECIPIENT = re.compile(r"4\.[12]\.|.*gr[ea]y-?list", re.IGNORECASE | re.DOTALL)  # RFC 3463; RFC 6647
_SAME = 1.0  # seconds by which one moment may differ between two clocks
_LOOK_AGAIN = 0.05  # seconds, while messages are on their way: those of other chunks notify nobody here


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What one domain is sent at most: messages at the same time, and in a second; 0 sets no limit."""

    at_once: int = 0
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Slow:
    """A domain that asked us to slow down: how often in a row, when it is free in the loop's time, its answer."""

    times: int
    free_at: float
    reason: str


class DomainLimits:
    """What is known of the domains, for as long as the process lives.

    Args:
        limit: what a domain is sent at most.
        by_domain: other limits for some domains, by `core.address.domain_of` their addresses.
        first_pause: seconds that a domain gets when it first asks to slow down.
        longest_pause: seconds at most.
        patience: seconds for which a chunk waits for a domain in its pause when nothing else is left to do.
    """

    def __init__(
        self,
        limit: Limit | None = None,
        by_domain: Mapping[str, Limit] | None = None,
        *,
        first_pause: float = 5.0,
        longest_pause: float = 600.0,
        patience: float = 15.0,
    ) -> None:
        self._limit = limit or Limit()
        self._by_domain = dict(by_domain or {})
        self._sets_limits = bool(self._by_domain) or self._limit != Limit()
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._patience = patience
        self.slow: dict[str, Slow] = {}
        self.on_change: Callable[[str], None] | None = None  # called with a domain that slows down or recovers
        self._strikes: Counter[str] = Counter()
        self._in_flight: dict[str, int] = {}
        self._paces: dict[str, Pace] = {}  # of domains that have a rate
        self._new_pace: Callable[[str, float], Pace] = lambda _, rate: Pace(rate)

    def share(self, leasing: Leasing) -> None:
        """Keep the rates together with all other processes."""
        self._new_pace = leasing.pace

    def recall(self, domain: str, times: int, free_at: float, reason: str) -> bool:
        """Take in that a domain asked another process to slow down; return whether that was unknown here."""
        known = self.slow.get(domain)
        is_news = known is None or free_at > max(known.free_at, _now()) + _SAME
        if is_news:
            # Clocks may have been set: no pause is longer than it could have been made.
            self.slow[domain] = Slow(times, min(free_at, _now() + self.pause(times)), reason)
        return is_news

    def pause(self, times: int) -> float:
        """Return how many seconds a domain gets that has asked to slow down `times` times in a row."""
        return min(self._first_pause * 2.0 ** (times - 1), self._longest_pause)

    def begin_chunk(self) -> None:
        """Forget the paces that nothing depends on any more: `serve` runs for months."""
        self._paces = {domain: pace for domain, pace in self._paces.items() if not pace.is_unused}

    def admit(self, domain: str) -> bool:
        """Return whether a domain may be sent a message now; if so, one counts as being sent."""
        in_flight = self._in_flight.get(domain, 0)
        if not (self._sets_limits or self.slow):
            self._in_flight[domain] = in_flight + 1
            return True
        slow, limit = self.slow.get(domain), self._by_domain.get(domain, self._limit)
        at_once = 1 if slow else limit.at_once
        if (at_once and in_flight >= at_once) or (slow and slow.free_at > _now()):
            return False
        if limit.rate:
            pace = self._paces.get(domain) or self._begin_pace(domain, limit)
            if not pace.is_open:
                return False
            pace.reserve()
        self._in_flight[domain] = in_flight + 1
        return True

    def answered(self, domain: str, outcome: Outcome | None) -> None:
        """Note that a message is no longer being sent to a domain, and its outcome; None: it was not sent."""
        in_flight = self._in_flight.pop(domain) - 1
        if in_flight:
            self._in_flight[domain] = in_flight
        if outcome is None:
            if pace := self._paces.get(domain):
                pace.give_back()
        elif outcome.state is _SENT:
            if self._strikes or self.slow:
                self._speed_up(domain)
        elif _asks_to_slow_down(outcome):
            self._slow_down(domain, outcome)

    def look_at(self, domain: str) -> float:
        """Return when a domain that may not be sent a message now is worth another try, in the loop's time."""
        slow, pace, now = self.slow.get(domain), self._paces.get(domain), _now()
        free_at = max(slow.free_at if slow else -inf, pace.opens_at if pace else -inf)
        return free_at if free_at > now else now + _LOOK_AGAIN

    def takes_too_long(self, domain: str) -> bool:
        """Return whether a chunk shouldn't wait until a domain is free: it asked us to slow down, and for long.

        For what the operator's own limits ask, a chunk waits as long as it takes.
        """
        slow = self.slow.get(domain)
        return slow is not None and slow.free_at > _now() + self._patience

    def _slow_down(self, domain: str, outcome: Outcome) -> None:
        now, slow = _now(), self.slow.get(domain)
        self._strikes[domain] += 1
        if (slow and slow.free_at > now) or (not slow and self._strikes[domain] < _STRIKES):
            return  # answers to messages sent before the pause still arrive
        times = 1
        if slow:
            times = slow.times + (self.pause(slow.times) < self._longest_pause)
        pause, answer = self.pause(times), f"{outcome.code} {outcome.text}"
        self.slow[domain] = Slow(times, now + pause, answer)
        log.info("domain_slowed_down", domain=domain, seconds=pause, answer=answer)
        self._announce(domain)

    def _speed_up(self, domain: str) -> None:
        self._strikes.pop(domain, None)
        slow, now = self.slow.get(domain), _now()
        if slow is None or slow.free_at > now:
            return  # messages sent before the pause are taken still
        if slow.times > 1:
            self.slow[domain] = Slow(slow.times - 1, now, slow.reason)
        else:
            del self.slow[domain]
        self._announce(domain)

    def _announce(self, domain: str) -> None:
        if self.on_change:
            self.on_change(domain)

    def _begin_pace(self, domain: str, limit: Limit) -> Pace:
        pace = self._paces[domain] = self._new_pace(f"domain {domain}", limit.rate)
        return pace


def _asks_to_slow_down(outcome: Outcome) -> bool:
    """Return whether a deferral is about how much we send rather than about one recipient."""
    deferred = outcome.state is DeliveryState.DEFERRED and outcome.code is not None
    return deferred and not _OF_ONE_RECIPIENT.match(outcome.text)


def _now() -> float:
    return asyncio.get_running_loop().time()
