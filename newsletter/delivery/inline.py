"""The dispatcher that needs nobody else: this process delivers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from typing_extensions import override

from newsletter.ports import ChunkDelivery, ChunkReport, Dispatcher, Message, Progress


class Inline(Dispatcher):
    """Delivers here and now."""

    def __init__(self, delivery: ChunkDelivery) -> None:
        """Take what delivers."""
        self._delivery = delivery

    @override
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
        return await self._delivery.deliver_chunk(issue_key, message_for, most=most, progress=progress, stop=stop)

    async def recover_all(self) -> None:
        """Bring back what dead workers held, of whatever issue.

        Raises:
            StoreError: the ledger or a journal can't be read or written.
        """
        await self._delivery.recover()

    @override
    async def recover(self, issue_key: int, message_for: Callable[[int], Awaitable[Message]]) -> ChunkReport:
        return await self._delivery.deliver_chunk(issue_key, message_for)
