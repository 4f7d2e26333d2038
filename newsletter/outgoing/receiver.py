"""Somebody who is told: a webhook or a channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from newsletter.core.notices import Notice


class NotTakenError(Exception):
    """A receiver did not take a notice.

    Attributes:
        wait: for how long it asks to be left alone.
        is_final: whether it will not take it later either.
    """

    def __init__(self, reason: str, *, wait: timedelta = timedelta(), is_final: bool = False) -> None:
        self.wait = wait
        self.is_final = is_final
        super().__init__(reason)


class Receiver(Protocol):
    """A webhook or a channel.

    Attributes:
        name: in the ledger, in logs and in `status`; it holds no secret.
        pauses: after each try that failed, until the next.
        takes_twice: whether a notice that it may have got is sent again.
    """

    name: str
    pauses: Sequence[timedelta]
    takes_twice: bool

    async def tell(self, notice: Notice) -> None:
        """Send a notice, once.

        Raises:
            NotTakenError: it was not taken; one line without a secret.
        """
        ...
