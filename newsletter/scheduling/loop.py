"""How the process runs: its event loop and its threads."""

from __future__ import annotations

import asyncio
import gc
import resource
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Any, TypeVar

from newsletter.core.errors import StoppedError
from newsletter.scheduling import garbage

T = TypeVar("T")

_MOST_THREADS = 16
_MOST_DESCRIPTORS = 65_536  # some systems allow a billion, and some programs try each
# uvloop accepts all connections that wait, before any can be closed. If it runs out of descriptors then, it may
# stop listening for good. asyncio's own loop accepts some at a time, and goes on after a second.
_LEAST_FOR_UVLOOP = 2048


def run(main: Coroutine[None, None, T], *, fast: bool = True) -> T:
    """Run a coroutine to its end; on uvloop, if it is installed, `fast`, and descriptors are enough for it."""
    fast = fast and raise_descriptor_limit() >= _LEAST_FOR_UVLOOP
    gc.freeze()  # what is loaded by now stays
    garbage.look_rarely()
    try:
        with asyncio.Runner(loop_factory=_uvloop() if fast else None) as runner:
            runner.get_loop().set_default_executor(Threads(_MOST_THREADS))
            return runner.run(_until_cut_off(main))
    finally:
        threading.excepthook = _drop_late_answers


async def _until_cut_off(main: Coroutine[None, None, T]) -> T:
    """Run a coroutine; should it be cut off, say nothing of what its tasks die of then.

    That it was cut off is said already. Tasks of libraries that lose their connections then would say much more.
    """
    try:
        return await main
    except StoppedError:
        asyncio.get_running_loop().set_exception_handler(_say_nothing)
        raise


def _say_nothing(_loop: asyncio.AbstractEventLoop, _what: dict[str, Any]) -> None:
    pass


def _drop_late_answers(thrown: threading.ExceptHookArgs) -> None:
    """Print what a thread died of, unless the event loop ended before the thread had its answer.

    A database driver's thread that waits for a lock cannot be ended. Its answer is of no use to anybody then.
    """
    if not (isinstance(thrown.exc_value, RuntimeError) and str(thrown.exc_value) == "Event loop is closed"):
        threading.__excepthook__(thrown)


class Threads(ThreadPoolExecutor):
    """Threads for calls that wait: for a name to be looked up, a disk, a lock.

    Nobody can end such a call, and the standard library's executor keeps the whole process until it ends by
    itself. This one doesn't: its threads die with the process.
    """

    def __init__(self, most: int) -> None:
        """Start no thread yet, and later at most `most`."""
        super().__init__(most)
        self._most = most
        self._count = 0
        self._idle = Semaphore(0)
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Let a thread call a function. Only the thread of the event loop may call this."""
        future: Future[T] = Future()
        self._calls.put((future, partial(fn, *args, **kwargs)))
        if not self._idle.acquire(blocking=False) and self._count < self._most:
            self._count += 1
            Thread(target=self._work, name=f"call {self._count}", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Wait for nothing."""

    def _work(self) -> None:
        while True:
            _answer(*self._calls.get())
            self._idle.release()


def _answer(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - the caller gets it
        future.set_exception(error)
    else:
        future.set_result(result)


def raise_descriptor_limit() -> int:
    """Let the process have as many open files and connections as the system allows, and return how many these are.

    The usual limit of 1,024 is there for programs that use `select`; each may go up to the hard limit by itself.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # macOS refuses values above another limit, whatever its hard limit is
        return soft
    return wanted


def _uvloop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop
