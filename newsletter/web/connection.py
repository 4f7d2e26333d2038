"""A visitor's connection, limited in time, size and number of requests.

uvicorn limits only the time between two requests: a visitor who sends half a request, or does not read the answer,
stays for ever. This is uvicorn's protocol on h11 with a time limit for each phase of a request. A few more bytes
do not extend it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import h11
import structlog
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from newsletter.web.limits import Limits, Places

log = structlog.get_logger(__name__)

_LOG_EVERY = 60.0  # seconds
_LINGER = 2.0  # seconds in which the rest of an answered request is read and thrown away
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Counted:
    """The connections of a server, and how many were closed early, by reason."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.places = Places(limits)
        self._closed: Counter[str] = Counter()
        self._log_timer: asyncio.TimerHandle | None = None

    def protocol(self) -> type[H11Protocol]:
        """Return the protocol class for uvicorn, which makes an instance for each connection."""
        counted = self

        class Connection(_Connection):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(counted, *args, **kwargs)

        return Connection

    def closed_early(self, reason: str) -> None:
        """Count a connection that was closed early; the log gets one line a minute for all."""
        self._closed[reason] += 1
        if self._log_timer is None:
            self._log_timer = asyncio.get_running_loop().call_later(_LOG_EVERY, self.log_closed)

    def log_closed(self) -> None:
        """Log the counts since the last time."""
        if self._log_timer:
            self._log_timer.cancel()
            self._log_timer = None
        if self._closed:
            log.warning("connections_closed_early", held=len(self.places), **self._closed)
            self._closed.clear()


class _Connection(H11Protocol):
    """The phases of a connection, in turn, each with its time limit.

    - `head`: a request's head must be complete at the end of this time.
    - `body`: the head is complete, the body is not.
    - `answer`: the request is complete, and is being answered.
    - `taking`: the answer is made, and the visitor has to read it.
    - `rest`: the answer was made before the whole request was there; the rest of the request is thrown away.
    - `idle`: the visitor may make another request.
    """

    def __init__(self, counted: Counted, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counted = counted
        self._limits = counted.limits
        self._clock: asyncio.TimerHandle | None = None
        self._phase = ""
        self._known: RequestResponseCycle | None = None  # the request of the present phase
        self._requests = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit the connection, or refuse it."""
        super().connection_made(transport)
        if self._counted.places.enter(self, self.client[0] if self.client else ""):
            self._begin("head", self._limits.head)
        else:
            self._end("all at work", _FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection from the count."""
        if self._clock:
            self._clock.cancel()
        self._counted.places.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what was sent, in pieces, so that h11 notices a head that is too long before all of it is there."""
        if self._phase in {"idle", "taking"}:
            self._begin("head", self._limits.head)
        for start in range(0, len(data), self._limits.head_bytes):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + self._limits.head_bytes])
        self._follow()

    def on_response_complete(self) -> None:
        """Begin the next phase: perhaps another request has already come."""
        super().on_response_complete()
        self._follow()

    @override
    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, and count it; an answer that has begun is broken off.

        Where it is the body of a request, that request is in the log, and what answers it has nobody to answer.
        """
        request: RequestResponseCycle | None = self.cycle
        if request is None or request.response_complete:
            self._counted.closed_early("no_http")
        else:
            request.disconnected = True
            request.message_event.set()
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:
            self.transport.abort()

    def timeout_keep_alive_handler(self) -> None:
        """Do nothing: our own time limit ends the time between two requests."""

    def shutdown(self) -> None:
        """Close as soon as the present request is answered."""
        try:
            super().shutdown()
        except h11.LocalProtocolError:  # it is closing already
            self.transport.abort()

    def drop(self, reason: str) -> None:
        """Close the connection, to make room for another one."""
        self._end(reason)

    def _follow(self) -> None:
        """Find out which phase the connection is in, and begin its time."""
        request = self.cycle
        if request is None:
            return
        if request is not self._known:
            self._known, self._phase = request, "head"
            self._requests += 1
            if self._requests >= self._limits.requests:  # uvicorn closes, and says so, as if the visitor had asked
                request.keep_alive = False
                request.scope["headers"] = [*request.scope["headers"], (b"connection", b"close")]
        if not request.response_complete:
            if request.more_body:
                self._begin("body", self._limits.body)
            else:
                self._counted.places.works(self)
                self._begin("answer", self._limits.answer)
        elif self._phase != "head" or self._is_being_closed:
            self._counted.places.waits(self)
            if self.conn.their_state is h11.SEND_BODY:
                self._begin("rest", _LINGER)
            elif self._is_being_closed or self.transport.get_write_buffer_size():
                self._begin("taking", self._limits.answer)
            elif self.conn.trailing_data[0]:
                self._begin("head", self._limits.head)  # the next request has begun
            else:
                self._begin("idle", self._limits.idle)

    @property
    def _is_being_closed(self) -> bool:
        return self.transport.is_closing()

    def _begin(self, phase: str, seconds: float) -> None:
        """Begin the time limit of a phase; a phase that goes on keeps its limit."""
        if phase == self._phase:
            return
        self._phase = phase
        if self._clock:
            self._clock.cancel()
        self._clock = self.loop.call_later(seconds, self._time_is_over)

    def _time_is_over(self) -> None:
        asked = self._phase == "body" or (self._phase == "head" and bool(self.conn.trailing_data[0]))
        self._end("" if self._phase == "idle" else f"slow {self._phase}", _TIMED_OUT if asked else b"")

    def _end(self, reason: str, last_words: bytes = b"") -> None:
        """Close the connection; what the visitor has not read yet is lost."""
        if reason:
            self._counted.closed_early(reason.replace(" ", "_"))
        request = self._known
        has_answer = request is not None and request.response_started and not request.response_complete
        if self.transport.is_closing() or self.transport.get_write_buffer_size() or has_answer:
            self.transport.abort()
            return
        if last_words:
            self.transport.write(last_words)
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()
