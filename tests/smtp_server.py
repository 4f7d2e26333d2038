"""A real SMTP server (aiosmtpd) that says what a test tells it to, and remembers what it was told.

::

    async with SmtpServer() as server:                      # in the test's own event loop
        server.answer("RCPT", "550 5.1.1 no such user", address="gone@example.org")
        server.answer("MESSAGE", "451 4.3.0 later", times=1)
        ...
    with in_thread(SmtpServer(port=0)) as server:           # for code that runs a loop of its own
        ...

Steps: `GREETING`, `EHLO`, `MAIL`, `RCPT`, `DATA` (the command), `MESSAGE` (its end) and `TAKEN` (likewise, but the
message is taken). An answer is a reply line,
or `DROP` (the connection is cut), `HANG` (no answer ever) or, at `DATA`, `CUT` (354, then cut while the message
comes). A 421 closes the connection behind it, as RFC 5321, 3.8 has it.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

DROP, HANG, CUT = "<drop>", "<hang>", "<cut>"


@dataclass(frozen=True, slots=True)
class Received:
    """One message that the server took."""

    sender: str
    recipient: str
    content: bytes
    options: tuple[str, ...]
    connection: int  # from 1
    secured: bool
    user: str


class Certificates:
    """A certificate authority of the test's own, and the hosts that it vouches for."""

    def __init__(self, *hosts: str) -> None:
        self._authority = trustme.CA()
        self._certificate = self._authority.issue_cert(*(hosts or ("localhost", "127.0.0.1")))

    def write(self, folder: Path) -> Path:
        """Write the authority's certificate to a file and return its path."""
        path = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(path)
        return path

    def write_server(self, path: Path) -> None:
        """Write a server's key and certificate to a file."""
        self._certificate.private_key_and_cert_chain_pem.write_to_path(path)

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)
        return context


@dataclass(slots=True)
class _Answer:
    step: str
    reply: str
    address: str | None
    times: int | None


@dataclass(kw_only=True)
class SmtpServer:
    """An SMTP server on loopback. `tls` offers STARTTLS, `implicit` speaks TLS from the first byte."""

    port: int = 0
    tls: Certificates | None = None
    implicit: bool = False
    login: tuple[str, str] | None = None
    tokens: dict[str, str] | None = None  # access tokens that let somebody in, and whom (XOAUTH2, OAUTHBEARER)
    token_logins: tuple[str, ...] = ("XOAUTH2",)  # how they may be shown
    extensions: tuple[str, ...] = ("PIPELINING",)
    smtputf8: bool = True
    size: int = 32_000_000
    delay: float = 0.0  # seconds before the answer to each message
    host: str = "127.0.0.1"
    received: list[Received] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # each command, in the order in which they came
    connections: int = 0
    most_at_once: int = 0  # connections
    most_in_work: int = 0  # messages
    _in_work: int = 0
    _answers: list[_Answer] = field(default_factory=list)
    _sessions: set[_Session] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def answer(self, step: str, reply: str, *, address: str | None = None, times: int | None = None) -> None:
        """Answer a step so, for one address or for all, always or some times; the newest rule wins."""
        self._answers.insert(0, _Answer(step, reply, address, times))

    def works_again(self) -> None:
        """Take everything again, whatever was to be answered before."""
        self._answers.clear()

    async def until(self, messages: int) -> None:
        """Wait until so many messages have been taken."""
        await self.wait_for(lambda: len(self.received) >= messages)

    async def wait_for(self, happened: Callable[[], bool]) -> None:
        """Wait until something is true of `received`, `told` or `connections`."""
        async with self._news:
            await self._news.wait_for(happened)

    def copies(self) -> Counter[str]:
        """Return how many messages each recipient got."""
        return Counter(message.recipient for message in self.received)

    async def __aenter__(self) -> Self:
        context = self.tls.server_context() if self.tls and self.implicit else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self, loop), self.host, self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        ended = [session.end() for session in list(self._sessions)]
        await asyncio.gather(*ended, return_exceptions=True)
        await self._server.wait_closed()

    async def stop_listening(self) -> None:
        """Refuse new connections and cut the open ones, as a server that dies."""
        assert self._server
        self._server.close()
        await asyncio.gather(*(session.end() for session in list(self._sessions)), return_exceptions=True)

    async def reply_to(self, step: str, address: str, session: _Session) -> str | None:
        """Return what the rules say to a step, or None."""
        for rule in self._answers:
            if rule.step == step and rule.address in {None, address} and rule.times != 0:
                if rule.times:
                    rule.times -= 1
                return await session.play(rule.reply)
        return None

    async def take(self, message: Received) -> None:
        self._in_work += 1
        self.most_in_work = max(self.most_in_work, self._in_work)
        if self.delay:
            await asyncio.sleep(self.delay)
        self._in_work -= 1
        self.received.append(message)
        await self.tell()

    async def hear(self, command: str) -> None:
        self.told.append(command)
        await self.tell()

    async def tell(self) -> None:
        async with self._news:
            self._news.notify_all()


class _Handler:
    """The hooks that aiosmtpd calls, under its names."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802
        self, smtp: _Session, session: Any, envelope: Any, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if reply := await self._server.reply_to("EHLO", hostname, smtp):
            return [reply]
        return [*replies[:-1], *(f"250-{name}" for name in self._server.extensions), replies[-1]]

    async def handle_MAIL(  # noqa: N802
        self, smtp: _Session, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if reply := await self._server.reply_to("MAIL", address, smtp):
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 sender ok"

    async def handle_RCPT(  # noqa: N802
        self, smtp: _Session, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if reply := await self._server.reply_to("RCPT", address, smtp):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 recipient ok"

    async def handle_DATA(self, smtp: _Session, session: Any, envelope: Any) -> str:  # noqa: N802
        message = Received(
            sender=envelope.mail_from,
            recipient=envelope.rcpt_tos[0],
            content=envelope.original_content,
            options=tuple(envelope.mail_options),
            connection=smtp.number,
            secured=session.ssl is not None or self._server.implicit,
            user=session.auth_data or "",
        )
        if reply := await self._server.reply_to("MESSAGE", message.recipient, smtp):
            return reply
        await self._server.take(message)
        return await self._server.reply_to("TAKEN", message.recipient, smtp) or "250 2.0.0 taken"


class _Session(SMTP):
    """One connection."""

    def __init__(self, server: SmtpServer, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            _Handler(server),
            hostname="relay.example.org",
            enable_SMTPUTF8=server.smtputf8,
            data_size_limit=server.size,
            tls_context=server.tls.server_context() if server.tls and not server.implicit else None,
            auth_require_tls=server.tls is not None and not server.implicit,
            auth_required=(server.login or server.tokens) is not None
            and server.tls is not None
            and not server.implicit,
            authenticator=self._check_login,
            auth_exclude_mechanism=_left_out(server),
            loop=loop,
        )
        self._script = server
        self._greeted = False
        server.connections += 1
        self.number = server.connections
        server._sessions.add(self)
        server.most_at_once = max(server.most_at_once, len(server._sessions))

    async def end(self) -> None:
        if self.transport is not None:
            self._writer.transport.abort()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
            await asyncio.wait([self._handler_coroutine])

    async def play(self, reply: str) -> str:
        """Do what an answer says; return it if it is a reply that aiosmtpd shall send itself."""
        if reply == HANG:
            await asyncio.Event().wait()
        if reply == CUT:
            await self.push("354 go on")
            await self._reader.readuntil(b"\r\n")
        if reply in {CUT, DROP}:
            self._writer.transport.abort()
            raise asyncio.CancelledError
        if reply.startswith("421"):
            await self.push(reply)
            self._writer.close()
            raise asyncio.CancelledError
        return reply

    def connection_lost(self, error: Exception | None) -> None:
        self._script._sessions.discard(self)
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        if not self._greeted:
            self._greeted = True
            await self._script.tell()
            status = await self._script.reply_to("GREETING", "", self) or status
        await super().push(status)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        await self._script.hear(f"MAIL {arg}")
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await self._script.hear(f"RCPT {arg}")
        await super().smtp_RCPT(arg)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        await self._script.hear("RSET")
        await super().smtp_RSET(arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        await self._script.hear("QUIT")
        await super().smtp_QUIT(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        await self._script.hear(f"AUTH {arg}")
        await super().smtp_AUTH(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        await self._script.hear("DATA")
        recipients = self.envelope.rcpt_tos if self.envelope else []
        if recipients and (reply := await self._script.reply_to("DATA", recipients[0], self)):
            await self.push(reply)
            return
        await super().smtp_DATA(arg)

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802
        user = re.search(rb"user=([^\x01]*)", base64.b64decode(args[1]))
        return await self._check_token(args[1], user[1] if user else b"")

    async def auth_OAUTHBEARER(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802
        user = re.match(rb"n,a=([^,]*),\x01host=", base64.b64decode(args[1]))
        return await self._check_token(args[1], user[1] if user else b"")

    async def _check_token(self, words: str, user: bytes) -> AuthResult:
        """Let somebody in, or tell the reason and wait for the client's last words, as Gmail does."""
        token = re.search(rb"\x01auth=Bearer ([^\x01]+)\x01\x01\Z", base64.b64decode(words))
        assert self._script.tokens is not None
        if token and user and self._script.tokens.get(token[1].decode()) == user.decode():
            return AuthResult(success=True, auth_data=user.decode())
        last = await self.challenge_auth('{"status":"401","schemes":"bearer"}', encode_to_b64=True)
        await self._script.hear(f"LAST WORDS {last!r}")
        return AuthResult(success=False, handled=False)

    def _check_login(self, smtp: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        known = self._script.login == (data.login.decode(), data.password.decode())
        return AuthResult(success=known, handled=False, auth_data=data.login.decode())


def _left_out(server: SmtpServer) -> tuple[str, ...]:
    """Return the kinds of login that a server does not offer."""
    passwords = () if server.login else ("PLAIN", "LOGIN")
    tokens = server.token_logins if server.tokens is not None else ()
    return (*passwords, *({"XOAUTH2", "OAUTHBEARER"} - set(tokens)))


@contextmanager
def in_thread(server: SmtpServer) -> Iterator[SmtpServer]:
    """Run a server in a thread with a loop of its own."""
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        done.set()
        thread.join()
