"""How a session with a relay begins: connected, greeted, secured and logged in by aiosmtplib."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPHeloError,
    SMTPReadTimeoutError,
    SMTPResponseException,
    SMTPTimeoutError,
)

from newsletter.core.errors import RelayError
from newsletter.core.relay import Security
from newsletter.delivery.smtp import advice
from newsletter.delivery.smtp.experience import Experience
from newsletter.delivery.smtp.login import log_in
from newsletter.delivery.smtp.relay_config import RelayConfig
from newsletter.delivery.smtp.replies import Reply
from newsletter.ports import AccessTokens

_UNKNOWN_COMMAND = frozenset({500, 501, 502, 504})  # to EHLO, from servers of before 1995 (RFC 1869, 4.4 and 4.5)
_LOOKING_UP = 3.0  # seconds that DNS may take to find this machine's name
_HOST_NAME = re.compile(r"(?!-)(?:[a-z0-9-]{1,63}\.)+(?!\d+\.?$)[a-z0-9-]{1,63}", re.IGNORECASE)
_NOBODY_KNOWS = ("localhost", "localdomain", "local", "internal", "lan", "home", "arpa", "invalid", "test")


class Opener:
    """Opens connections to one relay."""

    def __init__(self, config: RelayConfig, experience: Experience, tokens: AccessTokens | None) -> None:
        self._config = config
        self._tokens = tokens
        self._experience = experience
        self._machine: str | None = None  # its full name, if it has one
        self._domain = ""  # of the last sender

    async def open(self, tls: ssl.SSLContext | None, sender: str) -> tuple[SMTP, str]:
        """Return a client that is ready for mail, and the name that the relay was greeted with.

        It is ready within `RelayConfig.timeout`, however the relay spreads its answers over that time.

        Args:
            tls: for connections that are to be private.
            sender: who will send, if that is known: its domain is the name where this machine has none.

        Raises:
            RelaySetupError: it can't work as it is set up; names the setting.
            RelayError: no session can be had; names host and reason.
        """
        config = self._config
        if self._machine is None:
            self._machine = config.ehlo_name or await full_machine_name()
        self._domain = full_name(sender.rpartition("@")[2]) or self._domain
        client = _client(config, tls)
        ends_at = asyncio.get_running_loop().time() + config.timeout
        try:
            await self._connect(client)
            async with asyncio.timeout_at(ends_at):
                name = self._machine or self._domain or address_literal(client)
                await self._make_ready(client, name)
        except BaseException as error:
            client.close()
            if isinstance(error, TimeoutError):  # what takes too long in a step is a RelayError by now
                raise self._too_slow(config.timeout, advice.not_ready(config)) from error
            raise
        self._experience.greeted = True
        return client, name

    def _too_slow(self, seconds: float, unless_known: RelayError) -> RelayError:
        """Return the error for a relay that was not ready in time; one that was ready before may be so again."""
        if self._experience.greeted:
            return RelayError(f"cannot connect to {self._config.name}: timed out after {seconds:g} seconds")
        return unless_known

    async def _connect(self, client: SMTP) -> None:
        """Connect and read the greeting; a relay that we don't know yet has less time for both."""
        config = self._config
        limit = config.timeout if self._experience.greeted else min(config.timeout, config.greeting_timeout)
        try:
            await client.connect(timeout=limit)
        except SMTPTimeoutError as error:
            is_connected = isinstance(error.__cause__, SMTPReadTimeoutError)
            raise self._too_slow(limit, advice.silent(config, limit, connected=is_connected)) from error
        except SMTPResponseException as error:
            raise advice.greeting_refused(config, Reply(error.code, error.message), "") from error
        except (SMTPException, OSError, ValueError) as error:
            raise advice.broken(config, error) from error

    async def _make_ready(self, client: SMTP, name: str) -> None:
        """Greet, secure and log in, and say what went wrong in words of the operator's."""
        config = self._config
        try:
            await self._greet(client, name)
            if config.security is Security.STARTTLS:
                await self._secure(client, name)
            if config.username:
                await log_in(client, config, self._tokens)
        except SMTPHeloError as error:
            raise advice.greeting_refused(config, Reply(error.code, error.message), name) from error
        except SMTPResponseException as error:
            raise RelayError(f"cannot connect to {config.name}: {Reply(error.code, error.message)}") from error
        except (SMTPException, OSError, ValueError) as error:
            raise advice.broken(config, error) from error

    async def _greet(self, client: SMTP, name: str) -> None:
        """Say EHLO; where that is unknown, and neither TLS nor a login is asked for, HELO (RFC 5321, 3.2)."""
        try:
            await client.ehlo(hostname=name)
        except SMTPHeloError as error:
            if error.code not in _UNKNOWN_COMMAND:
                raise
            if self._config.security is Security.STARTTLS:
                raise advice.no_starttls(self._config) from error
            await client.helo(hostname=name)

    async def _secure(self, client: SMTP, name: str) -> None:
        if not client.supports_extension("starttls"):
            raise advice.no_starttls(self._config)
        await client.starttls()
        await client.ehlo(hostname=name)


def _client(config: RelayConfig, tls: ssl.SSLContext | None) -> SMTP:
    return SMTP(
        hostname=config.host,
        port=config.port,
        timeout=config.timeout,
        local_hostname="localhost",  # never used: each greeting names its own
        use_tls=config.security is Security.TLS,
        start_tls=False,  # `_secure` does it: aiosmtplib's default goes on in the clear where it is absent
        tls_context=tls,
    )


async def full_machine_name() -> str:
    """Return this machine's full name, or nothing where it has none, or DNS takes too long."""
    name = full_name(socket.gethostname())
    if name:
        return name
    try:
        async with asyncio.timeout(_LOOKING_UP):
            return full_name(await asyncio.to_thread(socket.getfqdn))
    except (TimeoutError, OSError):
        return ""


def full_name(name: str) -> str:
    """Return a host's name if it can be a full one that others know too, else nothing."""
    name = name.rstrip(".")
    is_full = bool(_HOST_NAME.fullmatch(name)) and name.isascii()
    return name if is_full and name.rpartition(".")[2].lower() not in _NOBODY_KNOWS else ""


def address_literal(client: SMTP) -> str:
    """Return the address that a client comes from as EHLO takes it in place of a name (RFC 5321, 4.1.3)."""
    address = ipaddress.ip_address(str(client.get_transport_info("sockname")[0]).partition("%")[0])
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"  # noqa: PLR2004
