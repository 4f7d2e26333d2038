"""How fast each recipient domain takes mail, as far as its answers tell.

Some domains take only so much at a time from one sender, and answer 4xx to what is more (451, "try later").
After some answers of that kind in a row the domain gets a pause, and then one message at a time. With each further
one the pause doubles, with each message taken it halves, until it is forgotten. Other domains don't notice.
Greylisting is another thing: it wants to see each recipient once, early.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from newsletter.core.delivery import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from newsletter.core.delivery import Outcome

log = structlog.get_logger(__name__)

_STRIKES = 3  # answers in a row that ask to slow down
_OF_ONE_RECIPIENT = re.compile(r"4\.[12]\.|.*gr[ea]y-?list", re.IGNORECASE | re.DOTALL)  # RFC 3463; RFC 6647


@dataclass(slots=True)
class _Slow:
    """A domain that asked us to slow down. Times are in seconds, of the loop's clock."""

    pause: float
    free_at: float


class DomainLimits:
    """What is known of the domains; outlasts a run.

    Args:
        at_once: how many messages one domain is sent at the same time at most; 0 sets no limit.
        first_pause: seconds that a domain gets when it first asks to slow down.
        longest_pause: seconds at most.
        patience: seconds for which a run waits for a domain when nothing else is left to do.
    """

    def __init__(
        self,
        *,
        at_once: int = 0,
        first_pause: float = 5.0,
        longest_pause: float = 600.0,
        patience: float = 15.0,
    ) -> None:
        self._at_once = at_once
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._patience = patience
        self._slow: dict[str, _Slow] = {}
        self._strikes: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()

    def admit(self, domain: str) -> bool:
        """Tell whether a domain may be sent a message now; if so it counts as being sent."""
        slow = self._slow.get(domain)
        most = 1 if slow else self._at_once
        if (most and self._in_flight[domain] >= most) or (slow and slow.free_at > _now()):
            return False
        self._in_flight[domain] += 1
        return True

    def heard(self, domain: str, outcome: Outcome | None) -> None:
        """Note that a message is no longer being sent to a domain, and what the domain said, if anything."""
        self._in_flight[domain] -= 1
        if not self._in_flight[domain]:
            del self._in_flight[domain]
        if outcome and _asks_to_slow_down(outcome):
            self._slow_down(domain, outcome)
        elif outcome and outcome.state is DeliveryState.SENT:
            self._speed_up(domain)

    def wait(self, domains: Iterable[str]) -> float | None:
        """Return how many seconds it is until one of these domains is free; None: too many to wait for.

        0 means that it depends on a message that is being sent.
        """
        waits = [max(0.0, slow.free_at - _now()) for domain in domains if (slow := self._slow.get(domain))]
        soonest = min(waits, default=0.0)
        return soonest if soonest <= self._patience else None

    def _slow_down(self, domain: str, outcome: Outcome) -> None:
        now, slow = _now(), self._slow.get(domain)
        self._strikes[domain] += 1
        if (slow and slow.free_at > now) or (not slow and self._strikes[domain] < _STRIKES):
            return  # in the pause come answers to what was sent before
        pause = min(2 * slow.pause, self._longest_pause) if slow else self._first_pause
        self._slow[domain] = _Slow(pause, now + pause)
        log.info("domain_slowed_down", domain=domain, seconds=pause, answer=f"{outcome.code} {outcome.text}")

    def _speed_up(self, domain: str) -> None:
        self._strikes.pop(domain, None)
        if slow := self._slow.get(domain):
            slow.pause /= 2
            slow.free_at = _now()
            if slow.pause < self._first_pause:
                del self._slow[domain]


def domain_of(email: str) -> str:
    """Return an address's domain in lower case."""
    return email.rpartition("@")[2].lower()


def _asks_to_slow_down(outcome: Outcome) -> bool:
    """Tell whether a deferral is about how much we send rather than about one recipient."""
    deferred = outcome.state is DeliveryState.DEFERRED and outcome.code is not None
    return deferred and not _OF_ONE_RECIPIENT.match(outcome.text)


def _now() -> float:
    return asyncio.get_running_loop().time()
