"""How many messages a second, over all processes and machines.

Of each rate the ledger has one row: up to when its places are given away (`newsletter.ports.RateLeases`). A
process leases as many of the next places as it uses in a quarter of a second, before it needs them, and spaces its
messages as it would alone. It need not send at the very time of a place, for its relay may be slow; but half a
second later the place is lost. So are those that a killed process had leased.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from math import ceil, inf

import structlog
from typing_extensions import override

from newsletter.core.errors import StoreError
from newsletter.delivery.limits.pace import AHEAD, Pace
from newsletter.ports import AskedPlaces, RateLeases

log = structlog.get_logger(__name__)

_BLOCK = 0.25  # seconds for which the places of one lease are to last
_LATE = 0.5  # seconds for which a place may be used after its time
_AGAIN = 1.0  # seconds before the ledger is asked again after a failure
_MOST_SCOPES = 1000  # in one transaction


@dataclass(slots=True)
class _Block:
    """Places that were leased together, in the loop's time: when the first comes, and when they are lost."""

    begins_at: float
    lost_at: float
    left: int


class Leasing:
    """Asks the ledger for places: at one time for all paces of the process that need some."""

    def __init__(self, leases: RateLeases) -> None:
        self._leases = leases
        self._wanting: dict[str, LeasedPace] = {}
        self._asking: asyncio.Task[None] | None = None

    def pace(self, scope: str, rate: float) -> Pace:
        """Return a pace of a rate in messages per second, 0 for no limit, that all processes keep together."""
        return LeasedPace(scope, rate, self) if rate else Pace(rate)

    def ask(self, pace: LeasedPace) -> None:
        """Lease places for a pace soon."""
        self._wanting[pace.scope] = pace
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())

    async def end(self) -> None:
        """Wait until nothing is asked for."""
        if self._asking:
            await asyncio.wait([self._asking])

    async def _ask(self) -> None:
        while self._wanting:
            scopes = list(self._wanting)[:_MOST_SCOPES]
            paces = [self._wanting.pop(scope) for scope in scopes]
            asked = [pace.asks_for for pace in paces]
            try:
                given = await self._leases.lease(asked)
            except BaseException as error:
                for pace in paces:
                    pace.failed(error)
                if not isinstance(error, StoreError):
                    raise
                log.warning("rates_not_leased", reason=str(error))
            else:
                for pace, one in zip(paces, asked, strict=True):
                    pace.leased(one.places, given[one.scope])


class LeasedPace(Pace):
    """Spaces the messages of this process within the places that it has leased."""

    def __init__(self, scope: str, rate: float, leasing: Leasing) -> None:
        """Begin without places.

        Args:
            scope: whose rate it is.
            rate: messages per second, more than 0.
            leasing: gets places.
        """
        super().__init__(rate)
        self.scope = scope
        self._leasing = leasing
        self._blocks = deque[_Block]()
        self._most = max(1, int(rate * _BLOCK))
        self._used = 0  # places, since they were asked for the last time
        self._asked_at = -inf
        self._size = 1  # of the last block
        self._is_asking = False
        self._not_before = -inf  # it is asked again
        self._waiting: list[asyncio.Future[None]] = []

    @property
    @override
    def is_open(self) -> bool:
        """Return whether a message may go now; if no place is at hand, some are asked for."""
        now = asyncio.get_running_loop().time()
        block = self._block(now)
        if block is None:
            if now >= self._not_before:
                self._ask(now)
            return False
        return max(block.begins_at, self.free_at) <= now + AHEAD

    @property
    @override
    def opens_at(self) -> float:
        """Return when the next message may go or that will be known, in the loop's time."""
        block = self._block(asyncio.get_running_loop().time())
        return max(block.begins_at, self.free_at) - AHEAD if block else self._asks_from

    @property
    @override
    def is_unused(self) -> bool:
        """Return whether nothing is at hand or asked for: what has gone before, the ledger knows."""
        return not self._is_asking and self._block(asyncio.get_running_loop().time()) is None

    @property
    def asks_for(self) -> AskedPlaces:
        """Return what to lease: as much as lasts for a block's time at the present use, or as many as wait."""
        now = asyncio.get_running_loop().time()
        used = ceil(self._used / max(now - self._asked_at, self.spacing) * _BLOCK)
        self._size = max(1, min(self._most, max(used, len(self._waiting))))
        self._used, self._asked_at = 0, now
        return AskedPlaces(self.scope, self.spacing, self._size)

    @override
    def reserve(self) -> float:
        """Take the next place and return in how many seconds it comes. There must be one, as `is_open` says."""
        now = asyncio.get_running_loop().time()
        block = self._block(now)
        begins_at = block.begins_at if block else now
        due = max(begins_at, self.free_at, now)
        self.free_at = due + self.spacing
        self._used += 1
        if block:
            block.left -= 1
        if sum(one.left for one in self._blocks) < self._size // 2:
            self._ask(now)
        return max(0.0, due - now - AHEAD)

    @override
    async def get_ready(self) -> float:
        """Have the next place at hand for `reserve`; return in how many seconds to try again, 0: it is at hand.

        Raises:
            StoreError: the ledger can't be written.
        """
        loop = asyncio.get_running_loop()
        while self._block(now := loop.time()) is None:
            if now < self._asks_from:
                return self._asks_from - now
            place = loop.create_future()
            self._waiting.append(place)
            self._ask(now)
            try:
                await place
            finally:
                self._waiting.remove(place)
        return 0.0

    @override
    def give_back(self) -> None:
        """Give back a place that no message needed after all, while it isn't lost."""
        self._used -= 1
        super().give_back()
        if self._blocks:
            self._blocks[0].left += 1
        else:
            self._blocks.append(_Block(self.free_at, self.free_at + self.spacing + _LATE, 1))

    def leased(self, places: int, comes_in: float) -> None:
        """Take in that some places were leased, of which the first comes in some seconds."""
        self._is_asking = False
        begins_at = asyncio.get_running_loop().time() + comes_in
        self._blocks.append(_Block(begins_at, begins_at + places * self.spacing + _LATE, places))
        for place in self._waiting:
            if not place.done():
                place.set_result(None)

    def failed(self, error: BaseException) -> None:
        """Take in that none could be leased."""
        self._is_asking = False
        self._not_before = asyncio.get_running_loop().time() + _AGAIN
        for place in self._waiting:
            if not place.done():
                place.set_exception(error)

    @property
    def _asks_from(self) -> float:
        """Return when the ledger may be asked for more: places of a slow rate are left to others until then."""
        return self.free_at - _BLOCK

    def _ask(self, now: float) -> None:
        if not self._is_asking and now >= self._asks_from:
            self._is_asking = True
            if self._asked_at == -inf:
                self._asked_at = now
            self._leasing.ask(self)

    def _block(self, now: float) -> _Block | None:
        """Return the block of the next place, if any is at hand."""
        at = max(now, self.free_at)
        while self._blocks:
            block = self._blocks[0]
            if block.left and block.lost_at > at:
                return block
            self._blocks.popleft()
        return None
