"""Posts to web addresses: what others are told, what a relay is handed, what an access token is asked for with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: its status, for how long it asks to be left alone, and as much as is read of it."""

    status: int
    wait: timedelta = timedelta()
    body: bytes = b""


class Poster(Protocol):
    """Posts bodies to web addresses."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body once, follow no redirect, and return the answer, whatever its status.

        Raises:
            UnansweredError: no answer came in time, or the address may not be asked; one line without the address.
        """
        ...
