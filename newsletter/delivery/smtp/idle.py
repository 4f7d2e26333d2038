"""Sessions that stay open between two uses."""

from __future__ import annotations

import asyncio

from newsletter.delivery.smtp.session import Session


class IdleSessions:
    """Open sessions with one relay that nobody uses now.

    Each is closed after some seconds: relays end a session that says nothing, most of them after five minutes
    (RFC 5321, 4.5.3.2.7), and an open session takes up one of the few that a provider allows.
    """

    def __init__(self, seconds: float) -> None:
        """Begin without any.

        Args:
            seconds: how long a session stays open when nobody uses it.
        """
        self._seconds = seconds
        self._timers: dict[Session, asyncio.TimerHandle] = {}  # in the order in which they came
        self._closing: set[asyncio.Task[None]] = set()

    def keep(self, session: Session) -> bool:
        """Keep a session for its next user; return whether it was kept, because it can be used again."""
        if not session.can_rest:
            return False
        loop = asyncio.get_running_loop()
        self._timers[session] = loop.call_later(self._seconds, self._expire, session)
        return True

    def take(self) -> Session | None:
        """Return the session that was used last, if it is still good; None: there is none."""
        while self._timers:
            session, timer = self._timers.popitem()
            timer.cancel()
            if not session.spent:
                return session
            self._close(session)  # the relay has ended it, as it may at any time
        return None

    def drop(self) -> None:
        """Close all sessions in the background."""
        for session, timer in self._timers.items():
            timer.cancel()
            self._close(session)
        self._timers.clear()

    async def close(self) -> None:
        """Close all sessions; return when each has said QUIT, or its relay has had two seconds to answer."""
        self.drop()
        await asyncio.gather(*self._closing)

    def _expire(self, session: Session) -> None:
        del self._timers[session]
        self._close(session)

    def _close(self, session: Session) -> None:
        closing = asyncio.create_task(session.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
