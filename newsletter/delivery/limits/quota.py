"""How many mails one relay may still be handed, by its quota.

Mails are counted in the ledger before they are handed over, some at a time: what a process has counted and not
used, it gives back at the end of its chunk or of the slot. What a killed process had counted stays counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from newsletter.core.quotas import SLOT, Quota
from newsletter.ports import Clock, RelayUsage

log = structlog.get_logger(__name__)

_MOST_AT_ONCE = 100
_SHARE = 10  # so many times is a process to ask for all of a quota: others want some of it, too


class RelayQuota:
    """What the connections of one relay know of its quota together."""

    def __init__(self, relay: str, account: str, quota: Quota, usage: RelayUsage, clock: Clock) -> None:
        """Begin with nothing counted.

        Args:
            relay: the relay's name, for the log.
            account: by what the ledger counts: the relay, and whose account it is.
            quota: its limits.
            usage: counts, over all processes.
            clock: the present moment.
        """
        self._relay, self._account, self._quota = relay, account, quota
        self._usage, self._clock = usage, clock
        limits = [limit for limit in (quota.per_hour, quota.per_day, quota.warm_up) if limit]
        self._at_once = min(_MOST_AT_ONCE, max(1, min(limits) // _SHARE))
        self._counted = 0  # in the slot, and not used yet
        self._slot: datetime | None = None
        self._asking = asyncio.Lock()
        self.used_up_until: datetime | None = None
        self.reason = ""  # which limit it is
        self.on_change: Callable[[str], None] | None = None  # called with the relay's name

    @property
    def is_used_up(self) -> bool:
        """Return whether nothing more may be handed over for now, as far as this process knows."""
        return self.used_up_until is not None and self._clock() < self.used_up_until

    @property
    def in_words(self) -> str:
        """Return why nothing more may be handed over, and until when."""
        until = f" until {self.used_up_until:%Y-%m-%d %H:%M} UTC" if self.used_up_until else ""
        return f"the quota of {self._relay} is used up{until}: {self.reason}"

    def reserve_at_once(self) -> bool:
        """Reserve a place for one mail if that takes no waiting; return whether there was one."""
        if self._counted and self._slot and self._clock() < self._slot + SLOT:
            self._counted -= 1
            return True
        return False

    async def reserve(self, *, single: bool = False) -> bool:
        """Reserve a place for one mail; return whether there was one.

        Args:
            single: more are not wanted soon, so none are counted ahead.

        Raises:
            StoreError: the ledger can't be read or written.
        """
        if self.reserve_at_once():
            return True
        async with self._asking:
            if self.reserve_at_once():  # somebody has asked for more meanwhile
                return True
            if self.is_used_up:
                return False
            await self._give_back()
            now = self._clock()
            granted = await self._usage.take(self._account, self._quota, 1 if single else self._at_once, now=now)
            self._slot, self._counted = granted.slot, granted.mails
            self._note(granted.room.opens_at, granted.room.said)
        return self.reserve_at_once()

    def give_back(self) -> None:
        """Give back a place that no mail needed after all."""
        self._counted += 1

    async def end(self) -> None:
        """Give back what is counted and not used."""
        async with self._asking:
            await self._give_back()

    async def _give_back(self) -> None:
        counted, self._counted = self._counted, 0
        if counted and self._slot:
            await self._usage.give_back(self._account, self._slot, counted)

    def _note(self, until: datetime | None, reason: str) -> None:
        """Note until when nothing may be handed over; None: something may."""
        was_used_up = self.used_up_until is not None
        self.used_up_until, self.reason = until, reason
        if until:
            log.warning("quota_used_up", relay=self._relay, until=until.isoformat(), reason=reason)
        if (until is not None or was_used_up) and self.on_change:
            self.on_change(self._relay)
