from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest
from structlog.testing import capture_logs

from newsletter.core.errors import StoppedError
from newsletter.scheduling.signals import run_until_signal

# A process of its own, since a second signal ends it.
_STUBBORN = """
import asyncio
from newsletter.scheduling.signals import run_until_signal

async def work(stopping):
    print("ready", flush=True)
    await stopping.wait()
    print("asked", flush=True)
    await asyncio.Event().wait()

asyncio.run(run_until_signal(work))
"""


@pytest.mark.parametrize("received", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_the_work_to_end_and_its_result_comes_back(received: signal.Signals) -> None:
    async def work(stopping: asyncio.Event) -> str:
        os.kill(os.getpid(), received)
        await asyncio.wait_for(stopping.wait(), 5)
        return "drained"

    with capture_logs() as logs:
        assert await run_until_signal(work) == "drained"
    assert [(one["event"], one["signal"]) for one in logs] == [("stopping", received.name)]


async def test_work_that_ends_by_itself_needs_no_signal_and_leaves_no_handler() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def work(stopping: asyncio.Event) -> int:
        return 0 if not stopping.is_set() else 1

    assert await run_until_signal(work) == 0
    assert signal.getsignal(signal.SIGTERM) is before


async def test_what_the_work_raises_is_raised() -> None:
    async def work(stopping: asyncio.Event) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await run_until_signal(work)


async def test_a_second_signal_kills() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _STUBBORN, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    for line in (b"ready\n", b"asked\n"):
        while await process.stdout.readline() != line:  # the log may stand between
            pass
        process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == -signal.SIGTERM


# What no event can end: the loop itself is busy, or the work doesn't let itself be cancelled.
_BUSY = """
import asyncio, sys, time
from newsletter.scheduling.signals import LastResort, run_until_signal

async def work(stopping):
    print("ready", flush=True)
    if sys.argv[1] == "python":
        while True:
            pass
    elif sys.argv[1] == "system call":
        while True:
            time.sleep(60)
    else:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass

asyncio.run(run_until_signal(work, last_resort=LastResort(75, seconds=0.5, kernel_seconds=1.0), cut_off=0.1))
"""


@pytest.mark.parametrize("received", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("busy", ["python", "system call", "deaf"])
async def test_a_process_that_hangs_is_ended_all_the_same(busy: str, received: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _BUSY, busy, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(received)
    async with asyncio.timeout(10):
        _, err = await process.communicate()
    assert process.returncode == 75
    assert b"newsletter: something hangs" in err


async def test_work_that_does_not_heed_is_cut_off() -> None:
    async def work(stopping: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)

    before = signal.getsignal(signal.SIGINT)
    try:
        with capture_logs() as logs, pytest.raises(StoppedError):
            await run_until_signal(work, cut_off=0.1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert [one["event"] for one in logs] == ["stopping", "cut_off"]
