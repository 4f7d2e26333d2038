"""Reads documents in another process, so that no document can block or end the program."""

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
from functools import lru_cache, partial
from typing import Any, TypeVar, get_type_hints

import structlog
from pydantic import TypeAdapter

from newsletter.sources.reading.document import Document
from newsletter.sources.reading.parser_process import LENGTH, MOST_ANSWERED

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

_SECONDS = 6  # of processor time, for one document; a feed of a thousand papers takes a fifth of a second
_MEMORY = 768 * 1024 * 1024  # bytes
# On the clock a document may take `_PATIENCE` times the seconds, with the start of the process: the machine may be
# busy. The process itself gives up earlier, after three times the seconds.
_PATIENCE = 5
_CODE = """
import sys, json
sys.path[:] = json.loads(sys.argv[1])
sys.modules["rich"] = None  # structlog would load it for tracebacks in colour, which takes a third of the start
from newsletter.sources.reading.parser_process import main
main(*json.loads(sys.argv[2]))
"""
# The result, why it is no such document, why it could not be read, and log events.
_Answer = tuple[Any, str, str, list[dict[str, Any]]]
_ANSWER: TypeAdapter[_Answer] = TypeAdapter(_Answer)
_LEVELS = frozenset({"debug", "info", "warning", "error"})


class UnreadableError(Exception):
    """A document could not be read within its limits, or no process started. Another try would not help."""


class Parser:
    """Reads one document at a time in another process, which starts with the first document.

    A process that dies or is killed is replaced by a new one. Safe to use from several event loops.

    Args:
        seconds: of processor time that one document may take; on the clock it may be a few times as many.
        memory: bytes that the process may use.
    """

    def __init__(self, *, seconds: int = _SECONDS, memory: int = _MEMORY) -> None:
        self._seconds = seconds
        self._memory = memory
        self._thread = ThreadPoolExecutor(1, "parser")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()  # guards `_process`

    async def read(self, parse: Callable[[Document], _T], document: Document) -> _T:
        """Return the result of `parse` for a document.

        Args:
            parse: a function at the top of a module, or a `partial` of one. Its signature names the type of the
                result: dataclasses, dates and what JSON has.
            document: the document.

        Raises:
            ValueError: `parse` raised it: the document is of another kind.
            UnreadableError: it takes too long, or too much memory, or `parse` has a defect.
        """
        request = pickle.dumps((parse, document))
        asked = self._thread.submit(self._exchange, request, _result_of(parse))
        try:
            value, wrong, broken, events = await asyncio.wrap_future(asked)
        except asyncio.CancelledError:
            if not asked.cancel():  # it is being read, and nobody waits for it now
                self._kill()
            raise
        for event in events:
            level, name = event.pop("level", ""), event.pop("event", "")
            if level in _LEVELS:
                getattr(_log, level)(name, **event)
        if broken:
            raise UnreadableError(broken)
        if wrong:
            raise ValueError(wrong)
        result: _T = value
        return result

    def warm_up(self) -> None:
        """Start the process if there is none, so that it is ready when the answer of the server arrives."""
        if self._process is None:
            self._thread.submit(self._running)

    async def aclose(self) -> None:
        """End the process. A later `read` starts a new one."""
        await asyncio.to_thread(self._end)

    def _exchange(self, request: bytes, kind: TypeAdapter[Any]) -> _Answer:
        """Send a request, wait for the answer and check its type. Runs in the thread."""
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
        try:
            value, wrong, broken, events = _ANSWER.validate_python(json.loads(answer))
            return (value if wrong or broken else kind.validate_python(value)), wrong, broken, events
        except RecursionError:
            return None, "it is nested too deeply", "", []
        except ValueError as error:
            process.kill()  # a document may have taken it over
            reason = str(error).partition("\n")[0]
            raise UnreadableError(f"the process that reads documents answered something else: {reason}") from error

    def _last_words(self, process: subprocess.Popen[bytes]) -> str:
        """Return why the process ended, by its exit code."""
        code = process.wait()
        if code in {-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL}:
            return f"it takes too long to read (more than {self._seconds} s)"
        return f"the process that reads documents ended with {code}"

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the process; start it if it is not running."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return self._process
            if self._process is not None:
                _let_go(self._process)
            limits = json.dumps([self._seconds, self._memory])
            # -P: no module in the working folder may replace a module of Python.
            command = [sys.executable, "-P", "-c", _CODE, json.dumps(sys.path), limits]
            # It needs no passwords.
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


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _result_of(parse: Callable[[Document], _T]) -> TypeAdapter[Any]:
    """Return what reads the result of `parse` from JSON, by the type that its signature names."""
    function: Any = parse
    while isinstance(function, partial):
        function = function.func
    return _adapter(get_type_hints(function)["return"])


def _asked(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    """Return the answer of a process to a request.

    Raises:
        OSError, EOFError: it ended, or its answer is too large.
    """
    if process.stdin is None or process.stdout is None:  # it always has them
        raise EOFError
    process.stdin.write(LENGTH.pack(len(request)) + request)
    process.stdin.flush()
    head = process.stdout.read(LENGTH.size)
    size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
    if not 0 < size <= MOST_ANSWERED:
        raise EOFError
    answer = process.stdout.read(size)
    if len(answer) < size:
        raise EOFError
    return answer


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Close the pipes to a process that has ended."""
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # the rest of a request
                pipe.close()
