"""Who sees to it that closed issues are delivered: this process, or workers that take its jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from newsletter.ports.delivering import ChunkReport, Progress
from newsletter.ports.rendering import Message


class Dispatcher(Protocol):
    """Has issues delivered by their keys. Whoever delivers asks the same ledger, so each mail is sent once."""

    async def dispatch(
        self,
        issue_key: int,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        at_once: bool = False,
        most: int | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> ChunkReport:
        """Have delivered what is due of one issue, and return when nothing more is.

        Args:
            issue_key: the issue.
            message_for: gives the issue's message by the issue's key.
            at_once: whether the issue's hours and deadline are left aside.
            most: how many deliveries are settled at most; None: all that are due.
            progress: is called for each delivery.
            stop: when set, no more is begun by this process, and the rest is left in the outbox.

        Returns:
            What was settled meanwhile: by this process, or by all who work on the issue.

        Raises:
            StoreError: the ledger can't be read or written.
        """
        ...

    async def recover(self, issue_key: int, message_for: Callable[[int], Awaitable[Message]]) -> ChunkReport:
        """Bring back what dead workers held of an issue of which nothing more is claimed.

        Raises:
            StoreError: the ledger or a journal can't be read or written.
        """
        ...
