"""The deliveries that workers hold: what delivering asks of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from newsletter.core.delivery import Change, Delivery, DeliveryState, Uncertain


class ClaimedDeliveries(Protocol):
    """Deliveries are claimed by a worker, attempted and recorded.

    `worker` names a living process; what a dead one held is recovered.
    """

    def worker(self) -> AbstractAsyncContextManager[str]:
        """Register this process for as long as the context lasts; gives its name.

        A process that is killed is known as dead at once, without waiting for a lease to run out. One that gives
        no sign of life for half a minute may be taken for dead: nothing that it does by this name counts then.
        """
        ...

    async def claim(self, worker: str, *, issue_key: int, now: datetime, limit: int) -> list[Delivery]:
        """Take due deliveries of an issue (queued, or deferred and due again) for this worker, oldest due first.

        No two workers get the same one. Suppressed ones are withdrawn instead. Of an issue that is halted
        (`ports.Halts`) nothing is taken.

        Raises:
            LostWorkerError: the worker was taken for dead.
            StoreError: the ledger can't be read or written.
        """
        ...

    async def note(self, worker: str, number: int, changes: Sequence[Change]) -> Collection[int]:
        """Note steps of deliveries for a worker, durable when this returns; `record` is to follow for all of them.

        Should the worker die before, `recover` writes them.

        Args:
            worker: whose they are.
            number: of this note, greater than those of the worker's notes before. The same again changes nothing.
            changes: intents and outcomes, in order.

        Returns:
            The keys of deliveries whose intent does not count, since they wait no more, or are not in the worker's
            hands. Their messages are not sent.

        Raises:
            LostWorkerError: the worker was taken for dead.
            StoreError: the ledger can't be written.
        """
        ...

    async def record(
        self, changes: Sequence[Change], *, worker: str | None = None, noted: Sequence[int] = ()
    ) -> Collection[int]:
        """Write steps of deliveries in one transaction, one after the other; durable when it returns.

        A change that asks to suppress makes the address one that `Suppressions.judge` decides on; if it was called
        dead on another day before, it is suppressed at once.

        A change that is not a step forward from the row's state (`core.delivery.FORWARD`) is left out; returns
        the keys of those. A message whose intent was left out, say because the reader left meanwhile, is not sent.
        So is what a `worker` says of an attempt if the delivery is in other hands by now (`core.steps.walk`).
        `noted` are the numbers of the worker's notes that hold `changes` and nothing else, in their order: neither
        they nor earlier ones need be kept any longer.
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

        First what they noted is written. Then claimed ones are queued again; those in flight are `uncertain`, and
        under `resend` queued again.
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
