"""The deliveries to be made, and what became of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from newsletter.core.delivery import WAITING, Change, Delivery, DeliveryState, Uncertain


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One delivery as an operator reads it."""

    key: int
    list: str
    day: date
    email: str
    state: DeliveryState
    due_at: datetime
    attempts: int
    updated_at: datetime
    next_attempt_at: datetime | None
    relay: str
    code: int | None
    text: str
    reason: str


class Outbox(Protocol):
    """The deliveries still to be made. `worker` names a living process; what a dead one held is recovered."""

    def worker(self) -> AbstractAsyncContextManager[str]:
        """Register this process for as long as the context lasts; gives its name.

        A process that is killed is known as dead at once, without waiting for a lease to run out.
        """
        ...

    async def claim(
        self, worker: str, *, now: datetime, limit: int, issue_key: int | None = None
    ) -> list[Delivery]:
        """Take due deliveries (queued, or deferred and due again) for this worker, oldest due first.

        No two workers get the same one. Suppressed ones are withdrawn instead. `issue_key` narrows to one issue.
        """
        ...

    async def hasten(self, issue_key: int, *, now: datetime, states: Collection[DeliveryState] = WAITING) -> None:
        """Make deliveries of an issue due now, as somebody wishes: all that wait, or those in some states.

        They are late, and retried in vain for too long, only as from now. What is uncertain becomes due now if it
        is queued again.
        """
        ...

    async def withdraw_late(self, issue_key: int, *, due_before: datetime, reason: str, now: datetime) -> int:
        """Withdraw what was due before a moment and waits still; return how many.

        What a worker holds is left to it.
        """
        ...

    async def record(self, changes: Sequence[Change]) -> Collection[int]:
        """Write steps of deliveries in one transaction, one after the other; durable when it returns.

        A change that asks to suppress makes the address one that `Suppressions.judge` decides on; if it was called
        dead on another day before, it is suppressed at once.

        A change that is not a step forward from the row's state (`core.delivery.FORWARD`) is left out; returns
        the keys of those. A message whose intent was left out, say because the reader left meanwhile, is not sent.
        """
        ...

    async def release(self, worker: str, keys: Collection[int]) -> None:
        """Give back deliveries, by their keys, that this worker claimed and did not begin."""
        ...

    async def dead_workers(self) -> list[str]:
        """Return the workers that are dead and still hold deliveries."""
        ...

    async def recover(
        self,
        policy: Uncertain,
        *,
        now: datetime,
        workers: Collection[str] | None = None,
        unread: Collection[str] = (),
    ) -> int:
        """Bring back what dead workers held, and return how many deliveries had been in flight.

        Claimed ones are queued again; those in flight are `uncertain`, and under `resend` queued again.
        `workers` narrows it to some of the dead ones: those whose own notes have been read before. Of the `unread`
        ones the notes are lost: all that they held counts as in flight.
        """
        ...

    async def counts(self, issue_key: int) -> dict[DeliveryState, int]:
        """Return how many deliveries of an issue stand in each state."""
        ...

    async def times(self, key: int, state: DeliveryState) -> int:
        """Return how often a delivery has come into a state."""
        ...

    async def suppressed_count(self, issue_key: int) -> int:
        """Return how many of its withdrawn deliveries are so because the address is suppressed."""
        ...

    async def next_due(self, issue_key: int | None = None) -> datetime | None:
        """Return when the next queued or deferred delivery (of an issue, or of all) is due, or None."""
        ...

    async def open_issues(self, list_name: str | None = None) -> list[int]:
        """Return the keys of issues, of one list or of all, with queued, sending or deferred deliveries.

        The oldest day comes first.
        """
        ...

    async def issues_with(
        self, state: DeliveryState, *, list_name: str | None = None, day: date | None = None
    ) -> dict[int, int]:
        """Return how many deliveries are in a state, by the key of their issue; issues without any are left out.

        `list_name` and `day` narrow it to one list and to the issues of one day.
        """
        ...

    async def records(
        self,
        *,
        list_name: str | None = None,
        day: date | None = None,
        states: Collection[DeliveryState] = (),
        limit: int = 1000,
    ) -> list[DeliveryRecord]:
        """Return deliveries as an operator reads them, newest issue first."""
        ...
