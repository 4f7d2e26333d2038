"""What delivery asks of a relay."""

from __future__ import annotations

from typing import Protocol

from newsletter.delivery.limits.quota import RelayQuota
from newsletter.delivery.smtp.experience import Joins
from newsletter.delivery.smtp.session import Session


class Relay(Protocol):
    """Opens sessions with one relay.

    Attributes:
        name: its host and port.
        account: its name, and whose account there it is: who shares its quota and its rate.
        connections: how many sessions may be open at once.
        rate: how many messages a second it is given, 0 for no limit.
        weight: its share of the work; 0: it stands by.
        quota: how many mails it may be handed; None: any number.
        joins: what is known of how it takes joined envelopes.
    """

    name: str
    account: str
    connections: int
    rate: float
    weight: int
    quota: RelayQuota | None
    joins: Joins

    async def connect(self, *, sender: str = "") -> Session:
        """Return a session that is ready for mail.

        Args:
            sender: whose domain the relay is greeted with where this machine has no full name of its own.

        Raises:
            RelayError: no session can be had; names host and reason. It is a `RelaySetupError`, and names the
                setting to change, where trying again is of no use.
        """
        ...


def rate_scope(relay: Relay) -> str:
    """Return the scope by which the places of a relay's rate are leased (`newsletter.ports.RateLeases`)."""
    return f"relay {relay.account}"
