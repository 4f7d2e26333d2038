"""A server that a test plays itself, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from newsletter.core.relay import Security
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay

_USUAL: dict[str, Any] = {
    "security": Security.NONE,
    "ehlo_name": "newsletter.example.org",
    "timeout": 5.0,
    "final_timeout": 5.0,
}


@dataclass
class Dialogue:
    """One connection, from the server's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def greet(self, *extensions: str) -> None:
        """Greet and answer EHLO."""
        self.say("220 relay.example.org")
        await self.hear("\r\n")
        self.say("250-relay.example.org", *(f"250-{extension}" for extension in extensions), "250 HELP")

    def say(self, *lines: str) -> None:
        """Send reply lines, all at once."""
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def hear(self, end: str) -> str:
        """Return what the client sends, up to and with `end`, for which it must not wait for an answer."""
        return (await self.reader.readuntil(end.encode())).decode()

    async def hear_no_more(self) -> bytes:
        """Return what the client sends until it closes the connection."""
        return await self.reader.read()


@asynccontextmanager
async def playing(*scripts: Callable[[Dialogue], Awaitable[None]], **config: Any) -> AsyncIterator[SmtpRelay]:
    """Play the server of each connection in turn by a script; gives a pool that connects to it.

    At the end every script must have run to its end.
    """
    waiting = list(scripts)
    going_on: list[asyncio.Task[object]] = []
    errors: list[Exception] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            going_on.append(task)
        try:
            async with asyncio.timeout(10):
                await waiting.pop(0)(Dialogue(reader, writer))
        except Exception as error:  # noqa: BLE001 - it is raised in the test
            errors.append(error)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield SmtpRelay(
            RelayConfig(
                host="127.0.0.1",
                port=port,
                **_USUAL | config,
            )
        )
        await asyncio.gather(*going_on)
    assert errors == []
    assert waiting == []
