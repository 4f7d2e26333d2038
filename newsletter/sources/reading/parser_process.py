"""Reads documents of other people in a process of its own, with limits on its time and memory.

The program starts it (`parsing.py`) and talks to it over its standard input and output. Each message is its length
in eight bytes, then the content. Requests are pickles, which only the program writes. Answers are JSON: a document
that takes over this process cannot make the program run code. Log events go back with the answer.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import pickle
import resource
import signal
import struct
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import date
from typing import Any, BinaryIO

import structlog

LENGTH = struct.Struct("!Q")
MOST_ANSWERED = 64 * 1024 * 1024  # bytes
_MOST_EVENTS = 20  # a hostile document could be logged about at every line


def main(seconds: int, memory: int) -> None:
    """Answer requests until there are no more.

    Args:
        seconds: of processor time for one document; after them, or three times as many on the clock, the system
            kills the process.
        memory: bytes of address space, if the system limits them.
    """
    # A terminal sends Ctrl-C to this process too; the program decides when to end, and then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # nothing that is printed may get between the answers
    _bound_memory(memory)
    _get_ready()
    gc.disable()  # documents are trees without cycles, and collecting takes longer the larger they are
    while head := requests.read(LENGTH.size):
        request = requests.read(*LENGTH.unpack(head))
        _bound_time(seconds)
        answer = _answer(request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(answers, answer)


def _answer(request: bytes) -> bytes:
    """Return a JSON array: the result, why it is no such document, why it could not be read, and log events."""
    events: list[dict[str, Any]] = []
    wrong = broken = ""
    try:
        _log_to(events)
        parse, document = pickle.loads(request)  # noqa: S301 - the program wrote it
        value = parse(document)
        answer = as_json((value, "", "", events))
        if len(answer) <= MOST_ANSWERED:
            return answer
        broken = "there is too much in it"
    except MemoryError:
        broken = "it takes too much memory to read"
    except RecursionError:
        wrong = "it is nested too deeply"
    except ValueError as error:
        wrong = str(error) or type(error).__name__
    except Exception as error:  # noqa: BLE001 - a defect of one reader affects its own source only
        broken = f"internal error: {error!r}"
    return as_json((None, wrong[:1000], broken[:1000], events))


def as_json(value: object) -> bytes:
    """Return a value as JSON: dataclasses as objects, dates in ISO format.

    Raises:
        TypeError: it holds something else that JSON has not.
    """
    return json.dumps(value, default=_plain).encode("ascii")


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a result holds {type(value).__name__}, which has no form in JSON")


def _get_ready() -> None:
    """Import what most documents need, before the first one arrives."""
    import newsletter.sources.feed  # noqa: F401


def _log_to(events: list[dict[str, Any]]) -> None:
    """Keep what is logged instead of printing it."""

    def keep(_logger: object, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if len(events) < _MOST_EVENTS:
            events.append({"level": level, **{name: _loggable(value) for name, value in event.items()}})
        raise structlog.DropEvent

    structlog.configure(processors=[keep], cache_logger_on_first_use=False)


def _loggable(value: object) -> object:
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _bound_memory(most: int) -> None:
    with suppress(ValueError, OSError):  # macOS has the limit and refuses to set it
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _bound_time(seconds: int) -> None:
    """Let the system kill the process if this document takes longer."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used) + 1 + seconds
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))
    signal.setitimer(signal.ITIMER_REAL, 3 * seconds)  # SIGALRM, in case the program is gone


def _send(answers: BinaryIO, answer: bytes) -> None:
    try:
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()
    except OSError:  # the program is gone
        sys.exit(0)
