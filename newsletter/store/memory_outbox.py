"""The deliveries still to be made, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date, datetime

from newsletter.core.delivery import WAITING, Change, Delivery, DeliveryState, Uncertain
from newsletter.core.steps import OPEN, SUPPRESSED, barred, cut_off, withdrawal
from newsletter.ports import DeliveryRecord
from newsletter.store.memory_tables import Row, Tables
from newsletter.store.workers import LocalWorkers


class MemoryOutbox:
    """Honours `newsletter.ports.Outbox`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._workers = LocalWorkers()

    def worker(self) -> AbstractAsyncContextManager[str]:
        """See `Outbox`."""
        return self._workers.register()

    async def claim(
        self, worker: str, *, now: datetime, limit: int, issue_key: int | None = None
    ) -> list[Delivery]:
        """See `Outbox`."""
        ready = [
            row
            for row in self._tables.deliveries.values()
            if row.ready_at is not None and issue_key in {None, row.issue_key} and row.ready_at <= now
        ]
        claimed: list[Delivery] = []
        for row in sorted(ready, key=lambda row: (row.ready_at, row.key)):
            if len(claimed) == limit:
                break
            if delivery := self._claim(row, worker, now):
                claimed.append(delivery)
        return claimed

    async def hasten(self, issue_key: int, *, now: datetime, states: Collection[DeliveryState] = WAITING) -> None:
        """See `Outbox`."""
        for row in self._tables.deliveries.values():
            if row.issue_key == issue_key and row.state in states:
                row.due_at = now
                if row.ready_at is not None and row.ready_at > now:
                    row.become({"ready_at": now, "next_attempt_at": now})

    async def withdraw_late(self, issue_key: int, *, due_before: datetime, reason: str, now: datetime) -> int:
        """See `Outbox`."""
        late = [
            withdrawal(row.key, reason, now)
            for row in self._tables.deliveries.values()
            if row.issue_key == issue_key and row.ready_at is not None and row.due_at < due_before
        ]
        self._tables.change(late)
        return len(late)

    def _claim(self, row: Row, worker: str, now: datetime) -> Delivery | None:
        subscriber = self._tables.subscribers[row.subscriber_key]
        suppression = self._tables.suppression(subscriber.list, subscriber.address_key)
        if bar := barred(subscriber.status, suppression):
            self._tables.change([withdrawal(row.key, bar, now)])
            return None
        row.become({"claimed_by": worker, "ready_at": None})
        return Delivery(
            key=row.key,
            issue_key=row.issue_key,
            subscriber_key=row.subscriber_key,
            subscriber=replace(subscriber, email=row.email),
            state=row.state,
            due_at=row.due_at,
            attempts=row.attempts,
        )

    async def record(self, changes: Sequence[Change]) -> frozenset[int]:
        """See `Outbox`."""
        return self._tables.change(changes)

    async def release(self, worker: str, keys: Collection[int]) -> None:
        """See `Outbox`."""
        self._give_back({worker}, keys)

    def _give_back(self, workers: Collection[str], keys: Collection[int] | None = None) -> None:
        for key, row in self._tables.deliveries.items():
            if row.claimed_by in workers and row.state in WAITING and (keys is None or key in keys):
                row.become({"claimed_by": None, "ready_at": row.next_attempt_at or row.due_at})

    async def dead_workers(self) -> list[str]:
        """See `Outbox`."""
        rows = self._tables.deliveries.values()
        return sorted(await self._workers.dead({row.claimed_by for row in rows if row.claimed_by is not None}))

    async def recover(
        self,
        policy: Uncertain,
        *,
        now: datetime,
        workers: Collection[str] | None = None,
        unread: Collection[str] = (),
    ) -> int:
        """See `Outbox`."""
        dead = {name for name in await self.dead_workers() if workers is None or name in workers}
        begun = [
            Change(key=row.key, state=DeliveryState.SENDING, at=now, attempts=row.attempts + 1)
            for row in self._tables.deliveries.values()
            if row.claimed_by in dead & set(unread) and row.state in WAITING
        ]
        self._tables.change(begun)
        self._give_back(dead)
        in_flight = [(row.key, row.attempts) for row in self._tables.deliveries.values() if row.claimed_by in dead]
        self._tables.change(cut_off(in_flight, policy, now))
        return len(in_flight)

    async def counts(self, issue_key: int) -> dict[DeliveryState, int]:
        """See `Outbox`."""
        return self._tables.counts(issue_key)

    async def times(self, key: int, state: DeliveryState) -> int:
        """See `Outbox`."""
        return sum(step.key == key and step.state is state for step in self._tables.events)

    async def suppressed_count(self, issue_key: int) -> int:
        """See `Outbox`."""
        return sum(
            row.state is DeliveryState.WITHDRAWN and row.reason.startswith(SUPPRESSED)
            for row in self._tables.deliveries.values()
            if row.issue_key == issue_key
        )

    async def next_due(self, issue_key: int | None = None) -> datetime | None:
        """See `Outbox`; what a worker holds is not waited for."""
        ready = (
            row.ready_at
            for row in self._tables.deliveries.values()
            if row.ready_at is not None and issue_key in {None, row.issue_key}
        )
        return min(ready, default=None)

    async def open_issues(self, list_name: str) -> list[int]:
        """See `Outbox`."""
        is_open = {row.issue_key for row in self._tables.deliveries.values() if row.state in OPEN}
        issues = sorted(self._tables.issues.values(), key=lambda issue: issue.day)
        return [issue.key for issue in issues if issue.list == list_name and issue.key in is_open]

    async def records(
        self,
        *,
        list_name: str | None = None,
        day: date | None = None,
        states: Collection[DeliveryState] = (),
        limit: int = 1000,
    ) -> list[DeliveryRecord]:
        """See `Outbox`."""
        found = [
            self._record(row)
            for issue in sorted(self._tables.issues.values(), key=lambda one: (one.day, one.key), reverse=True)
            if list_name in {None, issue.list} and day in {None, issue.day}
            for row in self._tables.deliveries.values()
            if row.issue_key == issue.key and (not states or row.state in states)
        ]
        return found[:limit]

    def _record(self, row: Row) -> DeliveryRecord:
        issue = self._tables.issues[row.issue_key]
        return DeliveryRecord(
            key=row.key,
            list=issue.list,
            day=issue.day,
            email=row.email,
            state=row.state,
            due_at=row.due_at,
            attempts=row.attempts,
            updated_at=row.updated_at,
            next_attempt_at=row.next_attempt_at,
            relay=row.relay,
            code=row.code,
            text=row.text,
            reason=row.reason,
        )
