"""Who empties the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from newsletter.core.delivery import Outcome
from newsletter.ports.rendering import Message


class Progress(Protocol):
    """Hears how far long work has come."""

    def delivered(self, outcome: Outcome, remaining: int) -> None:
        """Note one more delivery that was settled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchReport:
    """What one turn of delivering did, in deliveries.

    `returned` are still open: left in the outbox because of trouble with the relay or a stop. `trouble` says
    what it was with the relay, in one line, or is empty.
    """

    sent: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0
    returned: int = 0
    trouble: str = ""


class Dispatcher(Protocol):
    """Empties the outbox."""

    async def deliver(
        self,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        issue_key: int | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> DispatchReport:
        """Deliver what is due, of one issue or of all, and return when nothing more is.

        Args:
            message_for: gives an issue's message by the issue's key; asked only if there is something due.
            issue_key: narrows to one issue.
            progress: hears of each delivery.
            stop: when set, what is in flight is finished and settled, the rest left in the outbox.
        """
        ...
