"""Reads documents that strangers wrote, in a process of its own with bounds on its time and memory.

The program starts it, see `parsing.py`, and talks to it over its standard input and output: each message is its
length in eight bytes, then a pickle. Only the program writes to it and reads from it. What is logged on the way
goes back with the answer.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import signal
import struct
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, BinaryIO

import structlog

LENGTH = struct.Struct("!Q")
_MOST_ANSWERED = 64 * 1024 * 1024  # bytes
_MOST_EVENTS = 20  # a hostile document could be logged about at every line


def main(seconds: int, memory: int) -> None:
    """Answer requests until there are no more.

    Args:
        seconds: how long one document may take, of the processor and on the clock; then the process is killed.
        memory: bytes of address space, where the system bounds them.
    """
    # The terminal sends its Ctrl-C to this process, too; the program decides, and closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # whatever prints must not come between
    _bound_memory(memory)
    _get_ready()
    gc.disable()  # documents are trees: there is nothing to find, and looking takes longer the larger they are
    while head := requests.read(LENGTH.size):
        request = requests.read(*LENGTH.unpack(head))
        _bound_time(seconds)
        answer = _answer(request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(answers, answer)


def _answer(request: bytes) -> bytes:
    """Return the pickle of what came out, why it is no such document, why it could not be read, and events."""
    events: list[dict[str, Any]] = []
    wrong = broken = ""
    try:
        _log_to(events)
        parse, document = pickle.loads(request)  # noqa: S301 - the program wrote it
        value = parse(document)
        answer = pickle.dumps((value, "", "", events))
        if len(answer) <= _MOST_ANSWERED:
            return answer
        broken = "there is too much in it"
    except MemoryError:
        broken = "it takes too much memory to read"
    except RecursionError:
        wrong = "it is nested too deeply"
    except ValueError as error:
        wrong = str(error) or type(error).__name__
    except Exception as error:  # noqa: BLE001 - a defect of one reader is told, and costs its source alone
        broken = f"internal error: {error!r}"
    return pickle.dumps((None, wrong[:1000], broken[:1000], events))


def _get_ready() -> None:
    """Load what most documents need while the first is still on its way."""
    import newsletter.sources.feed  # noqa: F401, PLC0415


def _log_to(events: list[dict[str, Any]]) -> None:
    """Keep what is logged instead of printing it."""

    def keep(_logger: object, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if len(events) < _MOST_EVENTS:
            events.append({"level": level, **event})
        raise structlog.DropEvent

    structlog.configure(processors=[keep], cache_logger_on_first_use=False)


def _bound_memory(most: int) -> None:
    with suppress(ValueError, OSError):  # macOS has the limit and refuses to set it
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _bound_time(seconds: int) -> None:
    """Let the system kill the process if the document at hand takes longer than that."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used) + 1 + seconds
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))
    signal.setitimer(signal.ITIMER_REAL, 3 * seconds)  # SIGALRM, if nobody is there to end us


def _send(answers: BinaryIO, answer: bytes) -> None:
    try:
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()
    except OSError:  # the program is gone
        sys.exit(0)
