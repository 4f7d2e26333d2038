"""Sessions with a relay: connected, greeted, secured and logged in by aiosmtplib."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException

from newsletter.core.errors import RelayError
from newsletter.delivery.link import Link
from newsletter.delivery.pipelined import Joining, Joins, PipelinedSession
from newsletter.delivery.replies import Reply, printable
from newsletter.delivery.stock import StockSession

if TYPE_CHECKING:
    from newsletter.delivery.session import Session


class Security(StrEnum):
    """How a connection is kept private."""

    STARTTLS = "starttls"  # begin in the clear, then TLS, or not at all
    TLS = "tls"  # TLS from the first byte
    NONE = "none"  # in the clear: for a relay on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayConfig:
    """One relay and how to use it. Times are in seconds."""

    host: str
    port: int = 587
    username: str = ""
    password: str = field(default="", repr=False)
    security: Security = Security.STARTTLS
    connections: int = 4
    messages_per_connection: int = 100
    rate: float = 0.0  # messages per second, over all connections; 0: no limit
    weight: int = 0  # share of the work among several relays; 0: stands by, see `newsletter.delivery.relays`
    timeout: float = 60.0  # for a connection, and for each reply
    final_timeout: float = 600.0  # for the reply to a message, as RFC 5321, 4.5.3.2.6 asks
    ca_file: Path | None = None  # trusted certificates instead of the system's
    pipelining: bool = True  # where the relay offers it
    verify: bool = True  # whether the relay's certificate must be valid
    local_hostname: str = ""  # what to greet with; the machine's name if empty

    @property
    def name(self) -> str:
        """Return host and port, as recorded with deliveries."""
        return f"{self.host}:{self.port}"


class SmtpRelayPool:
    """Opens sessions with one relay."""

    def __init__(self, config: RelayConfig) -> None:
        self._config = config
        self._local_hostname = config.local_hostname
        self._joins = Joins()

    @property
    def name(self) -> str:
        """Return the relay's host and port."""
        return self._config.name

    @property
    def connections(self) -> int:
        """Return how many sessions may be open at once."""
        return self._config.connections

    @property
    def rate(self) -> float:
        """Return how many messages a second the relay is given, 0 for no limit."""
        return self._config.rate

    @property
    def weight(self) -> int:
        """Return the relay's share of the work; 0: it stands by."""
        return self._config.weight

    @property
    def joining(self) -> Joining:
        """Tell whether the relay takes the next envelope behind the final dot, as far as is known."""
        return self._joins.state

    async def connect(self) -> Session:
        """Return a session that is ready for mail.

        Without STARTTLS where it is asked for, or with a certificate that is not trusted, nothing is sent: there
        is no way back to a connection in the clear.

        Raises:
            RelayError: no session can be had; names host and reason.
        """
        client = await self._client()
        try:
            await self._open(client)
        except BaseException:
            client.close()
            raise
        return self._session(client)

    def _session(self, client: SMTP) -> Session:
        config = self._config
        limit, final_timeout = config.messages_per_connection, config.final_timeout
        if not (config.pipelining and client.supports_extension("pipelining")):
            return StockSession(client, self.name, limit=limit, final_timeout=final_timeout)
        return PipelinedSession(
            Link.take_over(client),
            dict(client.esmtp_extensions),
            self.name,
            self._joins,
            limit=limit,
            timeout=config.timeout,
            final_timeout=final_timeout,
        )

    async def _client(self) -> SMTP:
        if not self._local_hostname:
            self._local_hostname = await asyncio.to_thread(socket.getfqdn)
        config = self._config
        return SMTP(
            hostname=config.host,
            port=config.port,
            timeout=config.timeout,
            local_hostname=self._local_hostname,
            use_tls=config.security is Security.TLS,
            start_tls=False,  # `_secure` does it: aiosmtplib's default goes on in the clear where it is absent
            tls_context=None if config.security is Security.NONE else self._tls,
        )

    async def _open(self, client: SMTP) -> None:
        """Greet, secure and log in, and say what went wrong in words of the operator's."""
        try:
            await client.connect()
            await client.ehlo()
            if self._config.security is Security.STARTTLS:
                await self._secure(client)
            if self._config.username:
                await client.login(self._config.username, self._config.password)
        except SMTPAuthenticationError as error:
            said = Reply(error.code, error.message)
            raise RelayError(f"{self.name} refuses the login: {said}; check user name and password") from error
        except ssl.SSLCertVerificationError as error:
            raise RelayError(
                f"the certificate of {self.name} is not trusted: {error.verify_message}; check host and CA file"
            ) from error
        except SMTPResponseException as error:
            raise RelayError(f"cannot connect to {self.name}: {Reply(error.code, error.message)}") from error
        except (SMTPException, OSError, ValueError) as error:
            raise RelayError(f"cannot connect to {self.name}: {printable(str(error))}") from error

    async def _secure(self, client: SMTP) -> None:
        if not client.supports_extension("starttls"):
            raise RelayError(f"{self.name} does not offer STARTTLS; nothing was sent in the clear")
        await client.starttls()
        await client.ehlo()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._config.ca_file)
        except OSError as error:
            raise RelayError(f"cannot read the certificates in {self._config.ca_file}: {error}") from error
        if not self._config.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
