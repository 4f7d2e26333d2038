"""Stand-ins for what stands around delivery: an outbox in memory that counts transactions, and plain messages."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from newsletter.core.delivery import FORWARD, Change, Delivery, DeliveryState, Uncertain
from newsletter.core.subscriber import Subscriber
from newsletter.ports import Composed

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
ISSUE = 7
SENDER = "papers@example.org"


def reader(number: int) -> str:
    return f"reader{number}@example.org"


def delivery(key: int, email: str, *, issue_key: int = ISSUE, attempts: int = 0) -> Delivery:
    return Delivery(
        key=key,
        issue_key=issue_key,
        subscriber_key=key,
        subscriber=Subscriber(list="daily", email=email),
        state=DeliveryState.QUEUED,
        due_at=NOW - timedelta(minutes=5),
        attempts=attempts,
    )


class PlainMessage:
    """An issue that greets each reader by address; `ports.Message`."""

    html_bytes = 0

    def __init__(self, padding: int = 0) -> None:
        self._padding = b"." * 70 + b"\r\n"
        self._lines = padding // 72

    def for_reader(self, delivery: Delivery) -> tuple[str, bytes]:
        email = delivery.subscriber.email
        head = (
            f"From: {SENDER}\r\nTo: {email}\r\nMessage-ID: <{delivery.key}@example.org>\r\n\r\nHello {email}\r\n"
        )
        return SENDER, head.encode() + self._padding * self._lines

    def composed_for(self, delivery: Delivery) -> Composed:
        sender, raw = self.for_reader(delivery)
        return Composed(sender, [raw], len(raw))


async def message_for(issue_key: int) -> PlainMessage:
    return PlainMessage()


@dataclass
class _Row:
    delivery: Delivery
    state: DeliveryState = DeliveryState.QUEUED
    claimed_by: str | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    changes: list[Change] = field(default_factory=list)


class FakeOutbox:
    """Deliveries in memory; honours as much of `ports.Outbox` as delivering needs."""

    def __init__(self, deliveries: Iterable[Delivery] = ()) -> None:
        self.rows = {one.key: _Row(one, attempts=one.attempts) for one in deliveries}
        self.transactions = 0
        self.notes: dict[tuple[str, int], list[Change]] = {}
        self.dead: set[str] = set()
        self.fail: Exception | None = None
        self.recorded = asyncio.Event()
        self._workers = 0

    @classmethod
    def of(cls, readers: int) -> FakeOutbox:
        return cls(delivery(number, reader(number)) for number in range(1, readers + 1))

    def state(self, key: int) -> DeliveryState:
        return self.rows[key].state

    def states(self) -> Counter[DeliveryState]:
        return Counter(row.state for row in self.rows.values())

    def history(self, key: int) -> list[DeliveryState]:
        return [change.state for change in self.rows[key].changes]

    def last(self, key: int) -> Change:
        return self.rows[key].changes[-1]

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[str]:
        self._workers += 1
        name = f"worker{self._workers}"
        try:
            yield name
        finally:
            self.dead.add(name)

    async def claim(self, worker: str, *, issue_key: int, now: datetime, limit: int) -> list[Delivery]:
        due = [row for row in self.rows.values() if self._due(row, now) and not row.claimed_by]
        mine = [row for row in due if row.delivery.issue_key == issue_key][:limit]
        for row in mine:
            row.claimed_by = worker
        return [row.delivery._replace(state=row.state, attempts=row.attempts) for row in mine]

    def _due(self, row: _Row, now: datetime) -> bool:
        if row.state is DeliveryState.QUEUED:
            return row.delivery.due_at <= now
        return row.state is DeliveryState.DEFERRED and (row.next_attempt_at or now) <= now

    async def note(self, worker: str, number: int, changes: Sequence[Change]) -> Collection[int]:
        if self.fail:
            raise self.fail
        self.transactions += 1
        begun = [change for change in changes if change.state is DeliveryState.SENDING]
        not_theirs = [one for one in begun if DeliveryState.SENDING not in FORWARD[self.state(one.key)]]
        self.notes[worker, number] = [change for change in changes if change not in not_theirs]
        return {change.key for change in not_theirs}

    async def record(
        self, changes: Sequence[Change], *, worker: str | None = None, noted: Sequence[int] = ()
    ) -> Collection[int]:
        if self.fail:
            raise self.fail
        self.transactions += 1
        for of, number in [*self.notes]:
            if of == worker and noted and number <= noted[-1]:
                del self.notes[of, number]
        self.recorded.set()
        left_out = set()
        for change in changes:
            row = self.rows[change.key]
            if change.state not in FORWARD[row.state]:
                left_out.add(change.key)
                continue
            row.state, row.attempts, row.next_attempt_at = change.state, change.attempts, change.next_attempt_at
            if change.state is not DeliveryState.SENDING:
                row.claimed_by = None
            row.changes.append(change)
        return left_out

    async def release(self, worker: str, keys: Collection[int]) -> None:
        for key in keys:
            row = self.rows[key]
            if row.claimed_by == worker and row.state is not DeliveryState.SENDING:
                row.claimed_by = None

    async def dead_workers(self) -> list[str]:
        return sorted({row.claimed_by for row in self.rows.values() if row.claimed_by in self.dead} - {None})

    async def recover(
        self,
        policy: Uncertain,
        *,
        now: datetime,
        workers: Collection[str] | None = None,
        unread: Collection[str] = (),
    ) -> int:
        dead = self.dead if workers is None else self.dead & set(workers)
        for worker, number in sorted(self.notes):
            if worker in dead:
                await self.record(self.notes[worker, number], worker=worker, noted=[number])
        held = [row for row in self.rows.values() if row.claimed_by in dead]
        in_flight = [row for row in held if row.state is DeliveryState.SENDING or row.claimed_by in unread]
        for row in held:
            row.claimed_by = None
        for row in in_flight:
            row.state = DeliveryState.QUEUED if policy is Uncertain.RESEND else DeliveryState.UNCERTAIN
        return len(in_flight)

    async def times(self, key: int, state: DeliveryState) -> int:
        return sum(change.state is state for change in self.rows[key].changes)

    async def counts(self, issue_key: int) -> dict[DeliveryState, int]:
        return dict(Counter(row.state for row in self.rows.values() if row.delivery.issue_key == issue_key))
