"""Commands in processes of their own, forked from one that has loaded the program and its libraries before.

Loading takes most of a command's time, and hundreds are run. Whatever a process does is real: its signals, its
exit code, its streams, its death. How a process starts and how the interpreter ends is tested with new ones.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.e2e.preloaded"])


class Forked(asyncio.subprocess.Process):
    """A command at work, as asyncio shows processes; its standard input is empty."""

    def __init__(self, process: BaseProcess, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader) -> None:
        self._forked = process
        self.stdin, self.stdout, self.stderr = None, stdout, stderr
        assert process.pid is not None
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        """Return how it ended, None while it is at work."""
        return self._forked.exitcode

    def send_signal(self, signal: int) -> None:
        """Send a signal, if it is at work."""
        if self._forked.is_alive():
            os.kill(self.pid, signal)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end and return how it ended."""
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self._forked.sentinel, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(self._forked.sentinel)
        self._forked.join()
        assert self._forked.exitcode is not None
        return self._forked.exitcode

    async def communicate(self, input: object = None) -> tuple[bytes, bytes]:  # noqa: A002  # as it is called there
        """Wait for its end and return what it wrote; it takes no input."""
        assert input is None
        assert self.stdout is not None
        assert self.stderr is not None
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err


async def start(run: Callable[[], None], words: list[str], folder: Path, environment: Mapping[str, str]) -> Forked:
    """Start a command.

    Args:
        run: what runs it.
        words: the program's name and the words of the command.
        folder: where it runs.
        environment: its variables, and no others.
    """
    ours, theirs = zip(os.pipe(), os.pipe(), strict=True)
    process = _context.Process(
        target=_become, args=(run, words, folder, dict(environment), *map(_Descriptor, theirs))
    )
    try:
        process.start()
    finally:
        for one in theirs:
            os.close(one)
    stdout, stderr = [await _reader(one) for one in ours]
    return Forked(process, stdout, stderr)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb")
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


class _Descriptor:
    """A file descriptor that is passed to the new process."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Callable[[Any], int], tuple[Any]]:
        return _passed, (DupFd(self._number),)


def _passed(duplicate: Any) -> int:
    number: int = duplicate.detach()
    return number


def _become(
    run: Callable[[], None], words: list[str], folder: Path, environment: dict[str, str], out: int, err: int
) -> None:
    """Be the command, in the new process."""
    import sys

    for given, standard in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
        os.dup2(given, standard)
        os.close(given)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if encoding := environment.get("PYTHONIOENCODING"):  # which Python heeds when it starts
        sys.stdout = open(1, "w", encoding=encoding, closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding=encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.argv = words
    run()
