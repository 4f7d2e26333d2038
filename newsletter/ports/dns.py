"""What DNS says of the domains that mail comes from."""

from __future__ import annotations

from typing import Protocol


class Dns(Protocol):
    """Asks DNS. What is not there is empty; each raises `NoAnswerError` where no answer could be had."""

    async def texts(self, name: str) -> tuple[str, ...]:
        """Return the TXT records of a name, each as one text."""
        ...

    async def addresses(self, name: str) -> tuple[str, ...]:
        """Return the IPv4 and IPv6 addresses of a name."""
        ...

    async def mail_servers(self, domain: str) -> tuple[str, ...]:
        """Return the names of MX records, the preferred first; an empty name is that of a "null MX" (RFC 7505)."""
        ...

    async def names(self, address: str) -> tuple[str, ...]:
        """Return the names that the PTR records of an IP address hold."""
        ...
