"""The wire to a relay: bytes out, replies in, in their order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import cast

from aiosmtplib import SMTP

from newsletter.delivery.smtp.replies import Kind, Reply, printable
from newsletter.delivery.smtp.write_queue import WriteQueue

_LONGEST_REPLY = 32_768  # bytes; no relay has a reason to say more in one reply
_CODE_LENGTH = 3
_SHORT_BLOCK = 1024  # bytes; the replies to a message and to an envelope are shorter


class LostError(Exception):
    """The connection is gone, or what comes over it can't be trusted; the text says why."""


class SilentError(LostError):
    """No reply came in time, so that we have given the connection up."""


class Wire(asyncio.Protocol):
    """Reads replies off a connection, however they come: several at once, or in pieces.

    Replies are counted against the commands written. A reply to nothing means that the two sides are out of step:
    the connection is given up.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        is_tls: bool = False,
        acknowledge: Callable[[], object] | None = None,
        queue: WriteQueue | None = None,
    ) -> None:
        """Take over a transport.

        Args:
            transport: the connection; its protocol is the caller's business.
            is_tls: each piece of a write would be a TLS record of its own.
            acknowledge: asks the system to acknowledge at once what it has received.
            queue: for `write_soon`; shared by connections that write together.
        """
        # What has come and nobody has taken: few, those of one message. They may be taken without a coroutine.
        self.replies: list[Reply] = []
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._is_tls = is_tls
        self._acknowledge = acknowledge
        self._queue = queue or WriteQueue()
        self._held_back: tuple[bytes, int, Sequence[bytes]] | None = None  # what `write_soon` has yet to write
        self._unread = b""
        self._lines: list[str] = []  # of a reply that isn't complete
        self._length = 0
        self._awaited = 0
        self._waiter: asyncio.Future[None] | None = None
        self._on_reply: Callable[[], bool] | None = None
        self._unsent = False
        self._patience = self._deadline = 0.0  # for the reply that is awaited; a moment of the loop's clock
        self._timer: asyncio.TimerHandle | None = None
        self._is_silent = False
        self._is_held = False
        self.lost = ""

    @classmethod
    def take_over(cls, client: SMTP, queue: WriteQueue) -> Wire:
        """Return the wire of a client that has connected; the client itself is of no more use."""
        transport = cast("asyncio.Transport", client.transport)
        connection = transport.get_extra_info("socket")
        wire = cls(
            transport,
            is_tls=transport.get_extra_info("sslcontext") is not None,
            acknowledge=_acknowledging(connection),
            queue=queue,
        )
        transport.set_protocol(wire)
        # So that `_unsent` says whether any byte is left in the transport.
        transport.set_write_buffer_limits(high=1, low=0)
        # Under TLS a small write would otherwise wait for the acknowledgement of the one before.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return wire

    @property
    def unsent(self) -> bool:
        """Return whether some of what was written had not gone out when the connection was lost."""
        return self._unsent

    @property
    def has_held_back(self) -> bool:
        """Return whether nothing of what `write_soon` was given has gone out yet."""
        return self._held_back is not None

    def write(self, last: bytes, *, replies: int, before: Sequence[bytes] = ()) -> None:
        """Send bytes in one write: `last`, which is one TLS record, and pieces `before` it.

        The relay answers with `replies` replies.

        What is written to a connection that is lost goes nowhere, and no reply comes.
        """
        self._awaited += replies
        if self.lost:  # uvloop would raise an error of its own
            return
        if self._is_tls and before:
            self._transport.writelines((b"".join(before), last))
        else:
            self._transport.writelines((b"".join((*before, last)),))  # one is taken in less time than many

    def write_soon(self, last: bytes, *, replies: int, before: Sequence[bytes] = ()) -> None:
        """Send as `write` does, before the event loop looks for what has come in, with others' messages."""
        self._held_back = last, replies, before
        self._queue.add(self._write_held_back)

    def _write_held_back(self) -> None:
        if self._held_back is None or self.lost:
            return
        last, replies, before = self._held_back
        try:
            self.write(last, replies=replies, before=before)
        except Exception as error:  # noqa: BLE001 - raised where the reply is waited for
            self._lose(printable(str(error)))
        else:
            self._held_back = None

    def on_reply(self, go_on: Callable[[], bool] | None) -> None:
        """Set what is called when replies have come that somebody waits for; None: nothing is.

        Args:
            go_on: returns whether it has taken them, so that nobody is woken, and the wait begins anew.
        """
        self._on_reply = go_on

    def hold(self) -> None:
        """Wake nobody, whatever comes and however long it takes, before `let_go`."""
        self._is_held = True

    def let_go(self, error: BaseException | None) -> None:
        """End what `hold` began, and raise an error where a reply is waited for, if there is one."""
        self._is_held = False
        self._deadline = self._loop.time() + self._patience
        if error and self._waiter and not self._waiter.done():
            self._waiter.set_exception(error)
        elif self.lost:
            self._wake()

    async def reply(self, timeout: float) -> Reply:  # noqa: ASYNC109 - see `_look_at_clock`
        """Return the next reply.

        Raises:
            SilentError: it did not come in time.
            LostError: there will be none.
        """
        while not self.replies:
            if self.lost:
                raise (SilentError if self._is_silent else LostError)(self.lost)
            self._waiter = self._loop.create_future()
            self._patience, self._deadline = timeout, self._loop.time() + timeout
            if self._timer is None or self._timer.when() > self._deadline:
                self._set_timer()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.replies.pop(0)

    def abort(self) -> None:
        """Close at once."""
        self._lose("closed by us")

    def close(self) -> None:
        """Close when everything is written."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Read what came, and wake who waits for a reply."""
        replies = () if self._unread or self._lines or len(data) > _SHORT_BLOCK else _short_replies(data)
        left = self._awaited - len(replies)
        if replies and left >= 0 and not self.lost:  # so it is nearly always
            self._awaited = left
            self.replies += replies
        else:
            self._read_lines(data)
        if self._awaited > 0 and self._acknowledge and not self.lost:
            self._acknowledge_at_once()
        if self.replies and not self._is_held and (self.lost or not self._goes_on()):
            self._wake()

    def _read_lines(self, data: bytes) -> None:
        """Read what came, line by line."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if self.lost:
                break  # what comes after nonsense would be taken for the answer to something else
            self._read_line(line, _parsed(line))
        if len(self._unread) + self._length > _LONGEST_REPLY:
            self._lose("an endless reply")

    def _goes_on(self) -> bool:
        """Return whether the replies were taken without waking who waits for them, who is told what goes wrong."""
        if self._on_reply is None or self._waiter is None or self._waiter.done():
            return False
        try:
            if not self._on_reply():
                return False
        except Exception as error:  # noqa: BLE001 - raised where the reply is waited for
            self._waiter.set_exception(error)
        self._deadline = self._loop.time() + self._patience
        return True

    def pause_writing(self) -> None:
        """Note that the transport has more to send than it takes."""
        self._unsent = True

    def resume_writing(self) -> None:
        """Note that the transport has sent what it had."""
        self._unsent = False

    def connection_lost(self, error: Exception | None) -> None:
        """Note why the connection is gone; no more replies come."""
        self._lose(printable(str(error)) if error else "closed by the relay")

    def _acknowledge_at_once(self) -> None:
        """Acknowledge what has come so far: the relay may keep back its next reply until then.

        A system that has just sent something waits 40 ms for more to send (delayed acknowledgement, RFC 1122,
        4.2.3.2), and a relay with small replies waits for that (Nagle's algorithm, RFC 896). Linux has to be
        asked each time.
        """
        try:
            if self._acknowledge:
                self._acknowledge()
        except OSError:
            self._acknowledge = None  # it costs time, no more

    def _read_line(self, line: bytes, parsed: tuple[Reply, bool] | None) -> None:
        if parsed is None:
            self._lose(f"no SMTP reply: {printable(line.decode('utf-8', 'replace'))}")
            return
        reply, is_last = parsed
        if not is_last:
            self._lines.append(reply.text)
            self._length += len(line)
            return
        if self._lines:
            reply = Reply(reply.code, " ".join((*self._lines, reply.text)))
            self._lines, self._length = [], 0
        self._awaited -= 1
        if self._awaited >= 0:
            self.replies.append(reply)
        else:
            self._lose(str(reply) if reply.kind == Kind.LATER else f"an answer to nothing: {reply}")

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._look_at_clock)

    def _look_at_clock(self) -> None:
        """Give up if the reply is late; else look again later. It costs less than a timer for each reply."""
        self._timer = None
        if self._is_held:
            self._deadline = self._loop.time() + self._patience
        if self._waiter and self._loop.time() >= self._deadline:
            self._is_silent = not self.lost
            self._lose(f"no answer within {self._patience:g} seconds")
        elif self._waiter:
            self._set_timer()

    def _lose(self, reason: str) -> None:
        if not self.lost:
            self.lost = reason
            self._transport.abort()
        if self._timer:
            self._timer.cancel()
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done() and not self._is_held:
            self._waiter.set_result(None)


def _acknowledging(connection: socket.socket) -> Callable[[], object] | None:
    """Return what asks for acknowledgements at once on a connection, None where the system has no such option."""
    option: int | None = getattr(socket, "TCP_QUICKACK", None)
    return None if option is None else partial(connection.setsockopt, socket.IPPROTO_TCP, option, 1)


@lru_cache(maxsize=32)  # many relays say the same of each message
def _short_replies(data: bytes) -> tuple[Reply, ...]:
    """Return the replies that a block consists of, if it does of whole ones with one line each; else none."""
    *lines, rest = data.split(b"\n")
    found = [_parsed(line) for line in lines]
    replies = tuple([parsed[0] for parsed in found if parsed and parsed[1]])
    return () if rest or len(replies) < len(lines) else replies


@lru_cache(maxsize=32)  # most lines are the same for each message
def _parsed(line: bytes) -> tuple[Reply, bool] | None:
    """Return what one line says, and whether it is a reply's last (RFC 5321, 4.2); None: it is none."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    code, mark = text[:_CODE_LENGTH], text[_CODE_LENGTH : _CODE_LENGTH + 1]
    if len(code) != _CODE_LENGTH or not (code.isascii() and code.isdecimal()) or mark not in {"", " ", "-"}:
        return None
    return Reply(int(code), text[_CODE_LENGTH + 1 :]), mark != "-"
