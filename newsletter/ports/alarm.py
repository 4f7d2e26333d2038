"""Reports to the operator."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Protocol

from newsletter.core.alarms import Alarm, Cause, Found


class OperatorAlarm(Protocol):
    """Tells the operator of trouble: once when it begins, and once when it is over, whoever finds it.

    It never raises: it comes on top of other trouble. It waits for the ledger alone; who tells others sends
    the notes.
    """

    async def ring(self, cause: Cause, subject: str, reason: str, *, day: date | None = None) -> None:
        """Report that there is trouble; safe to repeat as often as it is found.

        Args:
            cause: what kind of trouble.
            subject: what it is about: the name of a list, of a relay, of a source; see `Cause`.
            reason: what was found, for people; no secret and no reader's address.
            day: of the issue that it is about, if any.
        """
        ...

    async def over(self, causes: Collection[Cause], subject: str) -> None:
        """Report that there is no such trouble, be it that there was some or not; safe to repeat."""
        ...


class Alarms(Protocol):
    """Alarms as the ledger keeps them: at most one of a cause and subject lasts."""

    async def ring(
        self,
        cause: Cause,
        subject: str,
        reason: str,
        *,
        day: date | None,
        tell: Collection[str],
        now: datetime,
    ) -> Found:
        """Note that there is trouble, and return what that means.

        If it is new, a notice is written for each of the receivers `tell`, in the same transaction.
        """
        ...

    async def over(
        self, causes: Collection[Cause], subject: str, *, tell: Collection[str], now: datetime
    ) -> list[Alarm]:
        """Note that trouble is over, and return the alarms that lasted until now.

        For each a notice is written for each of `tell`. What was not told of its beginning yet is tried at once.
        """
        ...

    async def lasting(self) -> list[Alarm]:
        """Return the alarms that are not over, the oldest first."""
        ...

    async def newest(self, *, limit: int) -> list[Alarm]:
        """Return alarms, those that are over too; the newest first."""
        ...

    async def forget_old(self, *, now: datetime) -> None:
        """Delete alarms that have been over for longer than `KEPT_FOR`."""
        ...
