"""How a relay is reached and used."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from newsletter.core.relay import Pipelining, Security


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayConfig:
    """One relay and how to use it: its settings, with times in seconds."""

    host: str
    port: int = 587
    username: str = ""
    password: str = field(default="", repr=False)
    security: Security = Security.STARTTLS
    connections: int = 4
    messages_per_connection: int = 100
    rate: float = 0.0  # messages per second, over all connections; 0: no limit
    weight: int = 0  # share of the work among several relays; 0: stands by (`delivery.limits.relays`)
    greeting_timeout: float = 10.0  # for connection and greeting, until the relay has once greeted us
    timeout: float = 60.0  # for all until it is ready for mail, and for each reply from then on
    final_timeout: float = 600.0  # for the reply to a message, as RFC 5321, 4.5.3.2.6 asks
    ca_file: Path | None = None  # trusted certificates instead of the system's
    pipelining: Pipelining = Pipelining.MESSAGES  # as far as the relay takes it
    ehlo_name: str = ""  # what to greet with; empty: as `newsletter.delivery.smtp.opening` finds out
    further: int | None = None  # which of NEWSLETTER_SMTP__RELAYS it is, from 0; None: the first relay

    @property
    def name(self) -> str:
        """Return host and port, as recorded with deliveries."""
        return f"{self.host}:{self.port}"

    @property
    def account(self) -> str:
        """Return the name, with a digest of the user's name if there is one, which may be a secret."""
        owner = sha256(self.username.encode()).hexdigest()[:8] if self.username else ""
        return f"{self.name} {owner}".rstrip()

    def setting(self, name: str) -> str:
        """Return what the operator knows a setting of this relay by."""
        if self.further is None:
            return f"NEWSLETTER_SMTP__{name.upper()}"
        return f"NEWSLETTER_SMTP__RELAYS[{self.further}].{name.lower()}"
