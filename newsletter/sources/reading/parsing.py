"""Has documents read in a process of its own, so that none can hold up or end the program."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from newsletter.sources.reading.document import Document
from newsletter.sources.reading.parser_process import LENGTH

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

_SECONDS = 6  # of the processor, for one document; a feed of a thousand papers takes a fifth of a second
_MEMORY = 768 * 1024 * 1024  # bytes
# So many times the seconds may pass on the clock, the start of the process included: a machine has other things to
# do. The process itself gives up earlier, after three times the seconds.
_PATIENCE = 5
_CODE = """
import sys, json
sys.path[:] = json.loads(sys.argv[1])
sys.modules["rich"] = None  # structlog would load it for tracebacks in colour, which takes a third of the start
from newsletter.sources.reading.parser_process import main
main(*json.loads(sys.argv[2]))
"""
_Answer = tuple[Any, str, str, list[dict[str, Any]]]  # as `parser_process` makes it


class UnreadableError(Exception):
    """A document that could not be read within bounds, or no process to read it; asking again would not help."""


class Parser:
    """Reads one document at a time in another process, which is started when it is first needed.

    A process that dies or is killed is followed by a new one. Safe to use from several event loops.

    Args:
        seconds: how long reading one document may take, of the processor; on the clock it is a few times that.
        memory: bytes that the process may use.
    """

    def __init__(self, *, seconds: int = _SECONDS, memory: int = _MEMORY) -> None:
        self._seconds = seconds
        self._memory = memory
        self._thread = ThreadPoolExecutor(1, "parser")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()  # for who the process is

    async def read(self, parse: Callable[[Document], _T], document: Document) -> _T:
        """Return what `parse`, a function at the top of a module or a `partial` of one, makes of a document.

        Raises:
            ValueError: it is not a document of the kind; `parse` said so.
            UnreadableError: it takes too long, or too much memory, or `parse` broke.
        """
        request = pickle.dumps((parse, document))
        asked = self._thread.submit(self._exchange, request)
        try:
            value, wrong, broken, events = await asyncio.wrap_future(asked)
        except asyncio.CancelledError:
            if not asked.cancel():  # it is being read; nobody waits for it any more
                self._kill()
            raise
        for event in events:
            getattr(_log, event.pop("level"))(event.pop("event"), **event)
        if broken:
            raise UnreadableError(broken)
        if wrong:
            raise ValueError(wrong)
        result: _T = value
        return result

    def warm_up(self) -> None:
        """Start the process, if there is none, while there is something else to wait for."""
        if self._process is None:
            self._thread.submit(self._running)

    async def aclose(self) -> None:
        """End the process. It is started again if it is needed after all."""
        await asyncio.to_thread(self._end)

    def _exchange(self, request: bytes) -> _Answer:
        """Send a request and wait for the answer. Runs in the thread."""
        process = self._running()
        limit = threading.Timer(self._seconds * _PATIENCE, process.kill)
        limit.start()
        try:
            answer = _asked(process, request)
        except (OSError, EOFError) as error:
            process.kill()
            raise UnreadableError(self._last_words(process)) from error
        finally:
            limit.cancel()
        found: _Answer = pickle.loads(answer)  # noqa: S301 - our own process wrote it
        return found

    def _last_words(self, process: subprocess.Popen[bytes]) -> str:
        """Return why the process ended. It says nothing itself: it was killed, for what it was reading."""
        code = process.wait()
        if code in {-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL}:
            return f"it takes too long to read (more than {self._seconds} s)"
        return f"the process that reads documents ended with {code}"

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the process, a new one if there is none alive."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return self._process
            if self._process is not None:
                _let_go(self._process)
            limits = json.dumps([self._seconds, self._memory])
            # -P: no module of the folder that we work in may come in the place of one of Python's.
            command = [sys.executable, "-P", "-c", _CODE, json.dumps(sys.path), limits]
            # It has no use for passwords.
            environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                )
            except OSError as error:
                raise UnreadableError(f"no process to read it with: {error}") from error
            return self._process

    def _kill(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
        self._thread.shutdown(wait=True, cancel_futures=True)
        if process is not None:
            _let_go(process)
        self._thread = ThreadPoolExecutor(1, "parser")


def _asked(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    """Return the answer of a process to a request.

    Raises:
        OSError, EOFError: it ended, or answers with more than it may.
    """
    if process.stdin is None or process.stdout is None:  # it always has them
        raise EOFError
    process.stdin.write(LENGTH.pack(len(request)) + request)
    process.stdin.flush()
    head = process.stdout.read(LENGTH.size)
    size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
    answer = process.stdout.read(size)
    if not size or len(answer) < size:
        raise EOFError
    return answer


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Close what connects us to a process that has ended."""
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what could not be written any more
                pipe.close()
