"""Posts to web addresses: what others are told, what a relay is handed, what an access token is asked for with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: its status, for how long it asks to be left alone, and as much as is read of it.

    The names of `headers` are in small letters.
    """

    status: int
    wait: timedelta = timedelta()
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Poster(Protocol):
    """Posts bodies to web addresses, or asks for one of them; what is answered counts by its status alone."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body once, follow no redirect, and return the answer, whatever its status.

        Raises:
            UnansweredError: no answer came in time, or the address may not be asked; one line without the address.
        """
        ...

    async def get(self, url: str) -> Answer:
        """Ask for an address once, follow no redirect, and return the answer, whatever its status.

        Raises:
            SourceError: as `post` does.
        """
        ...
