"""What a relay says of itself, without a mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from newsletter.core.certificate import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayFacts:
    """What a relay said while it was ready for mail.

    Attributes:
        greeted_as: the name that it was greeted with.
        certificate: its own, where the connection is encrypted.
        login: whether it has taken a login.
        size: the largest message that it takes, in bytes (RFC 1870); 0: it names none.
        pipelining: whether it takes several commands at once.
        refusals: what it answered to a sender or recipient that it does not take.
    """

    greeted_as: str
    certificate: Certificate | None
    login: bool
    size: int
    pipelining: bool
    refusals: Sequence[str] = ()


@runtime_checkable
class RelayProbe(Protocol):
    """A relay that can be asked.

    Attributes:
        name: its host and port.
    """

    name: str

    async def look(self, envelopes: Sequence[tuple[str, str]]) -> RelayFacts:
        """Connect, encrypt and log in as for mail, announce envelopes (sender, recipient), and send nothing.

        Raises:
            RelayError: no mail can be handed over; names the relay, why, and the setting to change.
        """
        ...
