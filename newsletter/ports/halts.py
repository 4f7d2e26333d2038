"""Issues of which the operator said that no more is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from newsletter.core.halt import HaltState, Order


class Halts(Protocol):
    """What the operator said of closed issues. Nothing is claimed of an issue that is halted."""

    async def of(self, issue_key: int) -> HaltState:
        """Return whether an issue is halted; one that is not there goes out."""
        ...

    async def obey(self, issue_key: int, order: Order, *, now: datetime) -> HaltState:
        """Do what the operator says of an issue, and return what became of it; safe to repeat.

        Of two orders at once the second finds what the first one made of the issue.

        Raises:
            UsageError: there is no such issue, or it is cancelled already.
        """
        ...

    async def withdraw(self, issue_key: int, *, now: datetime, most: int | None = None) -> int:
        """Withdraw what waits of a cancelled issue, some in each transaction; return how many.

        What a worker holds is left to it: it gives that back within seconds. Nothing is withdrawn of an issue that
        is not cancelled. After a crash the next call withdraws the rest.

        Args:
            issue_key: the issue's.
            now: aware, UTC.
            most: end after so many; None: after the last.
        """
        ...
