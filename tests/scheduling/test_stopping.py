from __future__ import annotations

import asyncio
import contextlib
import threading
from time import monotonic

import pytest

from newsletter.core.errors import SourceError, StoppedError
from newsletter.scheduling import loop as runtime
from newsletter.stopping import unless_stopped


async def value(seconds: float = 0.0) -> int:
    await asyncio.sleep(seconds)
    return 7


async def test_work_that_nobody_stops_gives_its_result() -> None:
    assert await unless_stopped(None, value()) == 7
    assert await unless_stopped(asyncio.Event(), value(0.01)) == 7


async def test_what_the_work_raises_is_raised() -> None:
    async def fail() -> None:
        raise SourceError("no answer")

    with pytest.raises(SourceError):
        await unless_stopped(asyncio.Event(), fail())


@pytest.mark.parametrize("before", [True, False])
async def test_work_is_left_as_soon_as_it_is_to_stop(before: bool) -> None:
    stop = asyncio.Event()
    if before:
        stop.set()
    else:
        asyncio.get_running_loop().call_later(0.05, stop.set)
    began = monotonic()
    with pytest.raises(StoppedError):
        await unless_stopped(stop, value(60))
    assert monotonic() - began < 5


async def test_work_that_clings_is_left_to_itself() -> None:
    let_go = asyncio.Event()

    async def cling() -> None:
        while not let_go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await let_go.wait()

    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)
    with pytest.raises(StoppedError):
        await unless_stopped(stop, cling())
    let_go.set()
    await asyncio.sleep(0)


def test_a_thread_that_hangs_does_not_hold_up_the_end() -> None:
    let_go = threading.Event()

    async def main() -> int:
        hanging = asyncio.ensure_future(asyncio.to_thread(let_go.wait, 30))
        await asyncio.sleep(0.05)
        hanging.cancel()
        return await asyncio.to_thread(lambda: 7)

    began = monotonic()
    assert runtime.run(main()) == 7
    assert monotonic() - began < 10
    let_go.set()


def test_calls_beyond_the_number_of_threads_wait_for_their_turn() -> None:
    threads = runtime.Threads(3)
    seen: set[str] = set()

    def call(number: int) -> int:
        seen.add(threading.current_thread().name)
        return number

    assert [one.result(10) for one in [threads.submit(call, number) for number in range(50)]] == list(range(50))
    assert len(seen) <= 3
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0).result(10)


async def _clings() -> None:
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        raise ZeroDivisionError from None


@pytest.mark.parametrize("is_cut_off", [True, False])
def test_of_what_is_left_when_all_is_cut_off_nothing_more_is_said(
    is_cut_off: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        left = asyncio.create_task(_clings())
        await asyncio.sleep(0)
        assert not left.done()
        if is_cut_off:
            raise StoppedError("cut off")

    with pytest.raises(StoppedError) if is_cut_off else contextlib.nullcontext():
        runtime.run(main())

    assert ("ZeroDivisionError" in caplog.text) is not is_cut_off
