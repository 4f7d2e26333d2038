"""Whether a relay works, and how it is tried again while it doesn't."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from math import inf

import structlog

from newsletter.core.errors import RelayError, RelaySetupError

log = structlog.get_logger(__name__)


_PATIENCE = 15.0  # seconds for which a chunk waits for a relay that asks to be left alone …
_LONGEST_WAIT = 3600.0  # … and for which it is left alone at most


class Health:
    """What the connections of one relay know of it together.

    While the relay is in trouble, one connection at a time tries it, after a pause, with one message; when that
    has gone through, all may go on. A relay that fails after each of the pauses is given up until the next chunk.
    """

    def __init__(self, relay: str, pauses: Sequence[float]) -> None:
        """Begin in good health.

        Args:
            relay: the relay's name, for the log.
            pauses: seconds to wait before the first new attempt, the second and so on.
        """
        self._relay = relay
        self._pauses = pauses
        self.failures = 0  # in a row
        self._one_at_a_time = asyncio.Lock()
        self.trouble = ""
        self.left_alone_until = -inf  # as the relay asked, in the loop's time
        self.on_change: Callable[[str], None] | None = None  # called with the relay's name

    @property
    def given_up(self) -> bool:
        """Return whether the relay is not to be tried again for now."""
        return self.failures > len(self._pauses)

    @property
    def is_good(self) -> bool:
        """Return whether the relay is not known to be in trouble."""
        return not self.failures

    @property
    def pause(self) -> float:
        """Return how many seconds to wait before the relay is tried again."""
        if not self.failures or self.given_up:
            return 0.0
        return max(self._pauses[self.failures - 1], self.left_alone_until - _now())

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[int]:
        """Wait until a new session may be tried; gives the number that `failed` takes as its `attempt`."""
        if self.is_good:
            yield self.failures
            return
        async with self._one_at_a_time:
            yield self.failures

    def recall(self, trouble: str) -> bool:
        """Be careful with a relay that was in trouble elsewhere; return whether that was unknown here."""
        is_news = self.is_good
        if is_news:
            self.failures, self.trouble = 1, trouble
        return is_news

    def begin_chunk(self) -> None:
        """Try again a relay that was given up in an earlier chunk, but be careful with it."""
        if self.left_alone_until <= _now():
            self.failures = min(self.failures, 1)

    def failed(self, error: RelayError, attempt: int) -> None:
        """Note trouble with a session. A relay that is set up wrongly is given up at once.

        Args:
            error: the trouble.
            attempt: what `attempt` gave for the session. Sessions that began before the last failure only confirm
                that failure.
        """
        self.trouble = str(error)
        if attempt == self.failures:
            is_hopeless = isinstance(error, RelaySetupError) or error.wait > _PATIENCE
            self.left_alone_until = _now() + min(error.wait, _LONGEST_WAIT) if error.wait else -inf
            self.failures = len(self._pauses) + 1 if is_hopeless else self.failures + 1
            log.warning("relay_in_trouble", relay=self._relay, reason=self.trouble, failures=self.failures)
            self._announce()

    def worked(self) -> None:
        """Note that the relay has answered for a message."""
        if self.failures and not self.given_up:
            log.info("relay_works_again", relay=self._relay)
            self.failures = 0
            self._announce()

    def _announce(self) -> None:
        if self.on_change:
            self.on_change(self._relay)


def _now() -> float:
    return asyncio.get_running_loop().time()
