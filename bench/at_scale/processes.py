"""Processes that are measured, and processes that measure. All end with the bench, also if Ctrl-C ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

_TICKS = os.sysconf("SC_CLK_TCK")  # in which /proc counts CPU time
_LOOK_EVERY = 0.05  # seconds
_PATIENCE = 10  # seconds for a helper to end
_MAIN = "import sys; from newsletter.cli import main; sys.argv[0] = 'newsletter'; main()"


@dataclass(frozen=True)
class Ended:
    """What a process took: seconds of CPU and of wall-clock time with all its children, MB at the peak."""

    code: int
    cpu: float
    wall: float
    rss: float
    out: str = ""


@dataclass(frozen=True)
class Program:
    """`newsletter` of a checkout, in a working folder."""

    root: Path
    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str) -> Ended:
        """Run a command to its end and measure it.

        Raises:
            SystemExit: its exit code is not 0.
        """
        return self._measured(_MAIN, *words)

    def killed(self, when: Callable[[], bool], *words: str) -> bool:
        """Run a command, and kill it as soon as something is so; return whether it was still at work."""
        with self._started(_MAIN, words, subprocess.DEVNULL, subprocess.DEVNULL) as process:
            while process.poll() is None:
                if when():
                    return True
                time.sleep(_LOOK_EVERY)
            return False

    def nothing(self) -> Ended:
        """Measure a Python that does nothing, by which a busy machine is known."""
        return self._measured("pass")

    def _measured(self, code: str, *words: str) -> Ended:
        out, err = (self.folder.with_name(f"{self.folder.name}.{name}") for name in ("out", "err"))
        began = time.monotonic()
        with out.open("wb") as to, err.open("wb") as errors, self._started(code, words, to, errors) as process:
            ended = _wait(process, began)
        if ended.code:
            raise SystemExit(f"newsletter {' '.join(words)}: exit {ended.code}\n{err.read_text()[-2000:]}")
        return replace(ended, out=out.read_text())

    @contextmanager
    def service(self, *words: str) -> Iterator[Service]:
        """Run a command that goes on until it is stopped, for as long as the context lasts."""
        log = self.folder.with_name(f"{self.folder.name}.log")
        with log.open("wb") as to, self._started(_MAIN, words, to, to) as process:
            yield Service(process, log)

    @contextmanager
    def going_on(self, log: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command for as long as the context lasts, or it; what it logs is added to a file."""
        with log.open("ab") as to, self._started(_MAIN, words, to, to) as process:
            yield process

    @contextmanager
    def _started(
        self, code: str, words: Sequence[str], out: BinaryIO | int, err: BinaryIO | int
    ) -> Iterator[subprocess.Popen[bytes]]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # modules are compiled once, as where the program is installed
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", code, *words],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(self.root), **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,  # so that Ctrl-C reaches the bench alone, which then kills the group
        )
        with _killed_at_the_end(process):
            yield process


class Service:
    """A measured process that goes on until it is stopped."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self._began = time.monotonic()

    def cpu(self) -> float:
        """Return the seconds of CPU that the process and its children have used."""
        return sum(cpu_of_one(pid) for pid in _family(self._process.pid))

    def peak(self) -> float:
        """Return the MB that the process itself had at its peak."""
        return _status(self._process.pid, "VmHWM") / 1024

    def logged(self, event: str) -> int:
        """Return how many lines of the log name an event."""
        return self._log.read_text().count(event)

    def require_alive(self) -> None:
        """Raise SystemExit if the process has ended."""
        if self._process.poll() is not None:
            raise SystemExit(f"it ended: {self._log.read_text()[-2000:]}")

    def stop(self) -> Ended:
        """Ask the process to end, and measure it."""
        self._process.terminate()
        ended = _wait(self._process, self._began)
        if ended.code:
            raise SystemExit(f"exit {ended.code} after SIGTERM: {self._log.read_text()[-2000:]}")
        return ended


class Helper:
    """A process that measures: it answers each line, and the end of its input, with a line of JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdin
        assert process.stdout
        self._to, self._from = process.stdin, process.stdout
        self.first = self._from.readline().strip()  # what it says when it is ready
        if not self.first:
            raise SystemExit(f"{process.args!r} did not begin")

    def ask(self) -> Any:
        """Return what it has to say so far."""
        self._to.write("\n")
        self._to.flush()
        return self._answer()

    def end(self) -> Any:
        """Let it end, and return its last words."""
        self._to.close()
        return self._answer()

    def _answer(self) -> Any:
        line = self._from.readline()
        if not line:
            raise SystemExit(f"{self._process.args!r} failed")
        return json.loads(line)


@contextmanager
def helper(*command: str | Path) -> Iterator[Helper]:
    """Run a process that measures for as long as the context lasts."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with _killed_at_the_end(process):
        try:
            yield Helper(process)
        finally:
            if process.stdin:
                process.stdin.close()  # it ends by itself then, and takes with it what it has started
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)


@contextmanager
def _killed_at_the_end(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Kill what is left of a process and of its group when the context ends."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()


def _wait(process: subprocess.Popen[bytes], began: float) -> Ended:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return Ended(process.returncode, cpu, time.monotonic() - began, usage.ru_maxrss / 1024)


def memory_of_one(pid: int) -> float:
    """Return the MB that a process has for itself; what it shares with others is left out. 0: it has ended."""
    try:
        return _status(pid, "RssAnon") / 1024
    except (OSError, StopIteration):  # one that ends has no such line any more
        return 0.0


def _family(pid: int) -> Iterator[int]:
    """Yield a process and its living descendants."""
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def cpu_of_one(pid: int) -> float:
    """Return the CPU seconds of a process and of its ended children; see proc_pid_stat(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _status(pid: int, name: str) -> int:
    """Return a number of /proc/PID/status, in KB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
