"""A thread whose answer comes after the event loop has ended says nothing; what else it dies of is printed."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from threading import Event, Thread
from newsletter.scheduling import loop as runtime

over = Event()

async def main():
    loop = asyncio.get_running_loop()

    def work():
        over.wait()
        {then}

    Thread(target=work).start()

runtime.run(main())
over.set()
"""


@pytest.mark.parametrize(
    ("then", "said"),
    [("loop.call_soon_threadsafe(print)", b""), ("raise RuntimeError('of its own')", b"RuntimeError: of its own")],
)
def test_only_answers_that_come_too_late_are_dropped(then: str, said: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(then=then)], capture_output=True, check=True, timeout=30
    )

    assert said in done.stderr
    assert (b"Traceback" in done.stderr) == bool(said)
