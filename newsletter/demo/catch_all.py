"""A catch-all SMTP server on loopback, which stores whatever it is sent in a Maildir."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog
from aiosmtpd.smtp import SMTP

from newsletter.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

log = structlog.get_logger(__name__)

MAX_MESSAGE_BYTES = 32 * 1024 * 1024


@asynccontextmanager
async def catch_all(
    maildir: Path, host: str = "127.0.0.1", port: int = 0, *, max_message_bytes: int = MAX_MESSAGE_BYTES
) -> AsyncIterator[int]:
    """Accept mail for every recipient for as long as the context lasts; plain SMTP, SMTPUTF8 offered.

    Args:
        maildir: the Maildir; made if it is not there.
        host: a loopback address: a server that takes everything from everybody is nothing for a network.
        port: the TCP port; 0 takes a free one.
        max_message_bytes: larger messages are refused (RFC 1870).

    Yields:
        The port.

    Raises:
        ConfigurationError: the address is not loopback, or nothing can listen there, or the Maildir can't be made.
    """
    if not ipaddress.ip_address(host).is_loopback:
        raise ConfigurationError(
            f"{host}: the catch-all inbox listens on loopback addresses only, such as 127.0.0.1"
        )
    handler = _Deliver(maildir)
    sessions = _Sessions(handler, max_message_bytes)
    try:
        handler.prepare()
        server = await asyncio.get_running_loop().create_server(sessions.begin, host, port)
    except OSError as error:
        raise ConfigurationError(f"{host}:{port}: no inbox at {maildir}: {error}") from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        sessions.close()  # they would keep `wait_closed` waiting (since Python 3.12)
        await server.wait_closed()


class _Sessions:
    """All sessions of one server."""

    def __init__(self, handler: _Deliver, max_message_bytes: int) -> None:
        self._handler = handler
        self._max_message_bytes = max_message_bytes
        self._begun: set[SMTP] = set()

    def begin(self) -> SMTP:
        """Return a session for a new connection."""
        session = SMTP(
            self._handler,
            hostname="localhost",  # or aiosmtpd would ask the DNS for one
            enable_SMTPUTF8=True,
            data_size_limit=self._max_message_bytes,
            loop=asyncio.get_running_loop(),
        )
        self._begun.add(session)
        return session

    def close(self) -> None:
        """Close the connections of sessions that are still open."""
        for session in self._begun:
            if session.transport is not None:
                session.transport.close()


class _Deliver:
    """Stores messages as aiosmtpd's handler."""

    def __init__(self, maildir: Path) -> None:
        self._maildir = maildir

    def prepare(self) -> None:
        for folder in ("tmp", "new", "cur"):
            (self._maildir / folder).mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802 (its name there)
        """Store the message as it was received; return the answer to the client."""
        # Names sort by time of arrival. Readers of a Maildir see a file once it is whole: it moves by rename.
        name = f"{time.time_ns()}.{secrets.token_hex(8)}.localhost"
        partial = self._maildir / "tmp" / name
        try:
            partial.write_bytes(envelope.original_content)
            partial.rename(self._maildir / "new" / name)
        except OSError as error:
            log.exception("inbox_full", maildir=str(self._maildir))
            return f"451 4.3.0 cannot store it: {error.strerror}"
        return f"250 2.0.0 stored as {name}"
