"""Suppressions, and how far the ledger has come, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from newsletter.core.dead_addresses import WITHIN, is_providers_fault
from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.subscriber import SubscriberStatus, address_key
from newsletter.ports import HeldDomain, Suppression
from newsletter.store.memory_tables import Dead, Row, Tables


class MemorySuppressions:
    """Honours `newsletter.ports.Suppressions`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, *, list_name: str | None = None) -> list[Suppression]:
        """See `Suppressions`."""
        tables, theirs = self._tables, {key for name, key in self._tables.numbers if name == list_name}
        found = [
            Suppression(address=key, list=name, reason=reason, since=since)
            for (key, name), (reason, since) in tables.suppressions.items()
            if list_name is None or name in {None, list_name}
        ]
        found += [
            Suppression(address=key, list=None, reason=dead.reason, since=dead.since, held=True)
            for key, dead in tables.dead.items()
            if list_name is None or key in theirs
        ]
        return sorted(found, key=lambda one: (one.address, one.list or "", one.held))

    async def add(self, suppressions: Sequence[Suppression], *, now: datetime) -> int:
        """See `Suppressions`."""
        news = 0
        for one in suppressions:
            news += self._tables.suppress(one.address, one.list, one.reason, now, one.since)
            if one.list is None:
                self._tables.dead.pop(address_key(one.address), None)
        return news

    async def lift(
        self,
        addresses: Sequence[str],
        *,
        list_name: str | None,
        now: datetime,  # noqa: ARG002 - part of the protocol
    ) -> None:
        """See `Suppressions`."""
        tables = self._tables
        keys = {address_key(address): address for address in addresses}
        for key, address in keys.items():
            if (key, list_name) not in tables.suppressions and (list_name is not None or key not in tables.dead):
                raise UsageError(f"{address} is neither suppressed there nor held; nothing was changed")
        for key in keys:
            tables.suppressions.pop((key, list_name), None)
            if list_name is None:
                tables.dead.pop(key, None)
            self._activate(key, list_name)

    def _activate(self, key: str, list_name: str | None) -> None:
        subscribers = self._tables.subscribers
        for number, one in subscribers.items():
            theirs = one.address_key == key and list_name in {None, one.list}
            is_left = self._tables.suppression(one.list, key) is not None
            if theirs and one.status is SubscriberStatus.UNSUBSCRIBED and not is_left:
                subscribers[number] = replace(one, status=SubscriberStatus.ACTIVE)

    async def judge(self, *, now: datetime) -> list[HeldDomain]:
        """See `Suppressions`."""
        dead = self._tables.dead
        for key in [key for key, one in dead.items() if self._was_taken(key, after=one.since)]:
            del dead[key]
        undecided = {key: one for key, one in dead.items() if not one.held}
        domains = {_domain(key) for key in undecided}
        held = {domain for domain in domains if self._is_providers_fault(domain, now)}
        for key, one in undecided.items():
            if _domain(key) in held:
                one.held = True
            else:
                self._tables.suppress(key, None, one.reason, now)
                del dead[key]
        return [one for one in await self.held() if one.domain in held]

    def _is_providers_fault(self, domain: str, now: datetime) -> bool:
        lately = {
            key: one
            for key, one in self._tables.dead.items()
            if _domain(key) == domain and one.since > now - WITHIN
        }
        issues = {one.issue_key for one in lately.values()}
        taken = [
            row for row in self._sent() if row.issue_key in issues and _domain(address_key(row.email)) == domain
        ]
        took_before = any(self._was_taken(key) for key in lately)
        return is_providers_fault(len(lately), len(taken), took_before=took_before)

    def _was_taken(self, key: str, *, after: datetime | None = None) -> bool:
        return any(
            self._tables.subscribers[row.subscriber_key].address_key == key
            and (not after or row.updated_at > after)
            for row in self._sent()
        )

    def _sent(self) -> list[Row]:
        return [row for row in self._tables.deliveries.values() if row.state is DeliveryState.SENT]

    async def held(self) -> list[HeldDomain]:
        """See `Suppressions`."""
        by_domain: dict[str, list[Dead]] = {}
        for key, one in sorted(self._tables.dead.items()):
            if one.held:
                by_domain.setdefault(_domain(key), []).append(one)
        return [
            HeldDomain(
                domain=domain,
                addresses=len(found),
                since=min(one.since for one in found),
                reason=min(one.reason for one in found),
            )
            for domain, found in sorted(by_domain.items())
        ]

    async def held_on(self, list_name: str) -> int:
        """See `Suppressions`."""
        held = {key for key, one in self._tables.dead.items() if one.held}
        return len(held & {key for name, key in self._tables.numbers if name == list_name})


class MemoryHighWater:
    """Honours `newsletter.ports.HighWater`."""

    def __init__(self) -> None:
        self._mark = 0

    async def read(self) -> tuple[str, int]:
        """See `HighWater`."""
        return "", self._mark

    async def advance(self, *, at_least: int = 0) -> int:
        """See `HighWater`."""
        self._mark = max(self._mark + 1, at_least)
        return self._mark


def _domain(key: str) -> str:
    return key.rpartition("@")[2]
