"""How a process ends when SIGTERM or SIGINT asks it to: it finishes what is in hand, and is gone in ten seconds.

The first signal asks the work to end. Work that doesn't is cancelled after a while; and should anything hang that
can't be cancelled (a thread in a system call, a server that doesn't answer, a loop in a template), the process is
ended from outside the event loop. That loses nothing: what deliveries have come to stands in the journal or the
ledger as soon as it is known, and whoever is killed is recovered from there.

A second signal ends the process at once, by the kernel.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from threading import Thread
from time import sleep
from types import FrameType
from typing import TypeVar

import structlog

from newsletter.core.errors import StoppedError

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# Seconds since the signal. Service managers and our contract want us gone after ten.
_CUT_OFF = 8.0  # work is cancelled
_LAST = 9.0  # the process is ended by a thread …
_VERY_LAST = 9.5  # … or by the kernel, where something keeps the interpreter from all threads
_SECONDS_TO_CLEAN_UP = 0.75
_STDERR = 2


class LastResort:
    """Ends the process some seconds after `call`, if it still runs then; nothing can hold it up."""

    def __init__(self, code: int, *, seconds: float = _LAST, kernel_seconds: float = _VERY_LAST) -> None:
        """Prepare; `code` is what the process then exits with."""
        self._seconds = seconds
        self._kernel_seconds = kernel_seconds
        self._called: SimpleQueue[None] = SimpleQueue()  # a signal handler may put into it at any moment
        Thread(target=self._wait, args=(code,), name="last resort", daemon=True).start()

    def call(self) -> None:
        """Start the countdown. Safe in a signal handler."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, self._kernel_seconds)
        self._called.put(None)

    def _wait(self, code: int) -> None:
        self._called.get()
        sleep(self._seconds)
        _write_to_stderr(b"newsletter: something hangs: ended without waiting for it; run again to go on\n")
        os._exit(code)


def _write_to_stderr(line: bytes) -> None:
    """Write to stderr, unless that would have to wait for a reader."""
    try:
        if select.select([], [_STDERR], [], 0)[1]:
            os.write(_STDERR, line)
    except (OSError, ValueError):
        pass


async def run_until_signal(
    work: Callable[[asyncio.Event], Awaitable[Result]],
    *,
    last_resort: LastResort | None = None,
    cut_off: float = _CUT_OFF,
) -> Result:
    """Run work to its end, and ask it to end when SIGTERM or SIGINT comes. Call it in the main thread.

    Args:
        work: is called with the event that the signal sets.
        last_resort: is started by the signal.
        cut_off: seconds after the signal at which the work is cancelled.

    Returns:
        What the work returns. A second signal has its default effect: it kills the process.

    Raises:
        StoppedError: it had to be cancelled.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    # Not the loop's own handlers: the loop calls those itself, and it may be the loop that hangs.
    def handle(number: int, _frame: FrameType | None) -> None:
        for known in _SIGNALS:
            signal.signal(known, signal.SIG_DFL)
        if last_resort:
            last_resort.call()
        loop.call_soon_threadsafe(_stop, stopping, signal.Signals(number))

    before = {known: signal.signal(known, handle) for known in _SIGNALS}
    try:
        return await _cut_off_after(cut_off, stopping, work)
    finally:
        if not stopping.is_set():
            for known, handler in before.items():
                signal.signal(known, handler)


def _stop(stopping: asyncio.Event, received: signal.Signals) -> None:
    log.info("stopping", signal=received.name)
    stopping.set()


async def _cut_off_after(
    seconds: float, stopping: asyncio.Event, work: Callable[[asyncio.Event], Awaitable[Result]]
) -> Result:
    doing, asked = asyncio.ensure_future(work(stopping)), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait([doing, asked], return_when=asyncio.FIRST_COMPLETED)
        _, late = await asyncio.wait([doing], timeout=seconds)
        if late:
            log.warning("cut_off", reason="still at work when the time to stop was over")
    finally:
        asked.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait([doing], timeout=_SECONDS_TO_CLEAN_UP)
    if not doing.done() or doing.cancelled():
        raise StoppedError("what was to be done by the end was not, and was cut off; run again to go on")
    return doing.result()
