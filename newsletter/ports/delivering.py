"""Who delivers the issues that are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.core.delivery import Outcome
from newsletter.ports.rendering import Message


class Progress(Protocol):
    """Is called as long work goes on."""

    def delivered(self, outcome: Outcome, remaining: int) -> None:
        """Take note that one more delivery was settled, and how many are open still."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkReport:
    """What one chunk came to, in deliveries by how they were settled.

    `returned` are open still: left in the outbox because of trouble with the relay or a stop. `trouble` says in
    one line what it was with the relay or the template, or is empty. `waiting` says why nothing more may be sent
    for now although nothing is wrong, or is empty. If `settled` is as many as were asked for, more may be due.
    """

    sent: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0
    returned: int = 0
    trouble: str = ""
    waiting: str = ""

    @property
    def settled(self) -> int:
        """Return how many deliveries were settled."""
        return self.sent + self.deferred + self.refused + self.uncertain

    @property
    def has_tried(self) -> bool:
        """Return whether there was something to do, be it that it could not be done."""
        return bool(self.settled or self.returned or self.trouble)


class ChunkDelivery(Protocol):
    """Delivers issues by their keys, from the outbox."""

    async def recover(self) -> None:
        """Bring back what dead workers held, as delivering does by itself before it begins.

        Raises:
            StoreError: the ledger or a journal can't be read or written.
        """
        ...

    async def deliver_chunk(
        self,
        issue_key: int,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        most: int | None = None,
        due_by: datetime | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> ChunkReport:
        """Deliver what is due of one issue, and return when nothing more is, or `most` deliveries are settled.

        It may be called any number of times at the same time, in this process or in others: each delivery is made
        once.

        Args:
            issue_key: the issue.
            message_for: gives the issue's message by the issue's key; called only if something is due.
            most: how many deliveries are settled at most; None: all that are due.
            due_by: only what is due by this moment (aware); None: also what becomes due meanwhile.
            progress: is called for each delivery.
            stop: when set, what is in flight is finished and settled, the rest left in the outbox.

        Raises:
            StoreError: the ledger can't be read or written; nothing is sent without a recorded intent.
        """
        ...
