"""Work that is done in the background whenever it is asked for, as long as the process lives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from newsletter.core.errors import ConfigurationError, NewsletterError

log = structlog.get_logger(__name__)


class Background:
    """Does one kind of work, once at a time; what is asked for meanwhile is done right after it."""

    def __init__(self, name: str, work: Callable[[asyncio.Event], Awaitable[bool]], *, pause: float = 0) -> None:
        """Begin without work.

        Args:
            name: what the log calls the work.
            work: does all that is to be done, and returns whether nothing is left. It may leave the rest when the
                event is set that it is called with. What it raises is logged.
            pause: seconds after which what was left is tried again; 0: not before it is asked for.
        """
        self._name, self._work, self._pause = name, work, pause
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._closing = asyncio.Event()

    def soon(self) -> None:
        """Ask for the work."""
        self._again = True
        if not self._closing.is_set() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._while_asked(), name=self._name)

    async def close(self, *, within: float) -> None:
        """Begin nothing more, and wait so many seconds for what is in hand; then it is cut off."""
        self._closing.set()
        if self._task is None:
            return
        await asyncio.wait([self._task], timeout=within)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _while_asked(self) -> None:
        while self._again and not self._closing.is_set():
            self._again = False
            if await self._once() or not self._pause:
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._pause)
            self._again = True

    async def _once(self) -> bool:
        """Do the work once; return whether nothing is left."""
        try:
            return await self._work(self._closing)
        except (NewsletterError, ConfigurationError) as error:
            log.warning("background_work_waits", work=self._name, reason=str(error))
        except Exception:
            log.exception("background_work_failed", work=self._name)
        return False
