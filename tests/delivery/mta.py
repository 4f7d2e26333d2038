"""Servers of a test's own that deal with pipelined commands as certain real ones do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.smtp_server import Certificates


@dataclass
class Peculiar:
    """An SMTP server that takes mail for anybody.

    `discards`: what has arrived together with a final dot is thrown away, as Courier does it. `objects`: it is
    answered by this reply each, as Haraka does it. `spares` lets so many joined envelopes pass first, for all
    connections together.
    """

    tls: Certificates | None = None
    discards: bool = False
    objects: str = ""
    spares: int = 0
    port: int = 0
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    joined: int = 0
    _at_work: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Peculiar]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._talk(_Wire(reader, writer)))
        self._at_work.add(task)
        try:
            await task
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, wire: _Wire) -> None:
        recipient = ""
        wire.say("220 mx.example.org ESMTP")
        while line := await wire.line():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    starttls = ["250-STARTTLS"] if self.tls and not wire.is_tls else []
                    wire.say("250-mx.example.org", *starttls, "250-PIPELINING", "250 8BITMIME")
                case "STARTTLS" if self.tls:
                    wire.say("220 go on")
                    await wire.begin_tls(self.tls)
                case "RCPT":
                    recipient = rest.partition("<")[2].partition(">")[0]
                    wire.say("250 2.1.5 ok")
                case "DATA":
                    wire.say("354 go on")
                    await self._take(wire, recipient)
                case "QUIT":
                    wire.say("221 bye")
                    return
                case _:
                    wire.say("250 ok")

    async def _take(self, wire: _Wire, recipient: str) -> None:
        await wire.message()
        more = wire.at_hand()
        if more and self.joined < self.spares:
            self.joined += 1
            more = ""
        elif more and (self.discards or self.objects):
            wire.forget()
        self.recipients.append(recipient)
        wire.say("250 2.0.0 taken")
        if more and self.objects:
            wire.say(*[self.objects] * more.count("\r\n"))


class _Wire:
    """One connection, with what was read and not yet used."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._unused = b""
        self.is_tls = False

    def say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def line(self) -> str:
        return (await self._until(b"\r\n")).decode().rstrip("\r\n")

    async def message(self) -> bytes:
        return await self._until(b"\r\n.\r\n")

    def at_hand(self) -> str:
        return self._unused.decode()

    def forget(self) -> None:
        self._unused = b""

    async def begin_tls(self, certificates: Certificates) -> None:
        await self._writer.start_tls(certificates.server_context())
        self.is_tls = True

    async def _until(self, end: bytes) -> bytes:
        while end not in self._unused:
            read = await self._reader.read(65_536)
            if not read:
                return b""
            self._unused += read
        found, _, self._unused = self._unused.partition(end)
        return found + end
