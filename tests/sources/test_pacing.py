from __future__ import annotations

import asyncio
import sys
from operator import attrgetter
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from newsletter.sources.http.client import HttpClient, HttpConfig
from newsletter.sources.http.pace import Pace
from newsletter.sources.http.pacing import Pacer
from newsletter.sources.reading.document import HttpError

SLOW = Pace("slow", 3.0)


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


async def turns(pacer: Pacer, time: Time, pace: Pace, count: int) -> list[float]:
    """Take turns of a second each and return when each began."""
    began: list[float] = []

    async def take() -> None:
        async with pacer.turn(pace):
            began.append(time())
            await time.sleep(1.0)

    await asyncio.gather(*(take() for _ in range(count)))
    return began


@pytest.mark.parametrize("kept", [True, False], ids=["with state", "without"])
async def test_turns_are_one_at_a_time_and_a_pace_apart(tmp_path: Path, kept: bool) -> None:
    time = Time()
    pacer = Pacer(tmp_path if kept else None, sleep=time.sleep, clock=time)
    assert await turns(pacer, time, SLOW, 3) == [1_000_000, 1_000_004, 1_000_008]


async def test_another_client_of_the_same_state_waits_as_well(tmp_path: Path) -> None:
    time = Time()
    for expected in (1_000_000, 1_000_004):
        pacer = Pacer(tmp_path, sleep=time.sleep, clock=time)
        assert await turns(pacer, time, SLOW, 1) == [expected]


async def test_services_do_not_wait_for_each_other(tmp_path: Path) -> None:
    time = Time()
    pacer = Pacer(tmp_path, sleep=time.sleep, clock=time)
    await turns(pacer, time, SLOW, 1)
    assert await turns(pacer, time, Pace("other", 3.0), 1) == [1_000_001]


async def test_a_clock_that_was_set_back_delays_by_one_pace_at_most(tmp_path: Path) -> None:
    time = Time()
    pacer = Pacer(tmp_path, sleep=time.sleep, clock=time)
    await turns(pacer, time, SLOW, 1)
    time.now = 5.0
    assert await turns(pacer, time, SLOW, 1) == [8.0]


async def test_a_turn_that_failed_still_counts(tmp_path: Path) -> None:
    time = Time()
    pacer = Pacer(tmp_path, sleep=time.sleep, clock=time)
    with pytest.raises(ZeroDivisionError):
        async with pacer.turn(SLOW):
            _ = 1 / 0
    assert await turns(pacer, time, SLOW, 1) == [1_000_003]


HOLD = """
import asyncio, sys, time
from pathlib import Path
from newsletter.sources.http.pace import Pace
from newsletter.sources.http.pacing import Pacer

async def main():
    async with Pacer(Path(sys.argv[1]), sleep=asyncio.sleep, clock=time.time).turn(Pace("slow", 3.0)):
        print("held", flush=True)
        sys.stdin.readline()

asyncio.run(main())
"""


async def test_another_process_is_waited_for(tmp_path: Path) -> None:
    polls = 0
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, tmp_path, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert await other.stdout.readline() == b"held\n"

    async def sleep(_: float) -> None:
        nonlocal polls
        polls += 1
        if polls == 3:
            assert other.stdin is not None
            other.stdin.write(b"let go\n")
            await other.wait()

    async with Pacer(tmp_path, sleep=sleep, clock=lambda: 0.0).turn(SLOW):
        assert polls >= 3
    assert other.returncode == 0


async def test_a_state_folder_that_cannot_be_used_is_told(tmp_path: Path, httpserver: HTTPServer) -> None:
    (tmp_path / "http").write_text("a file where the folder should be")
    http = HttpClient(HttpConfig(user_agent="tests", timeout=5, retries=4, state=tmp_path))
    with pytest.raises(HttpError, match=r"cannot keep pace: .*File exists"):
        await http.get(httpserver.url_for("/"), attrgetter("content"), source="test", pace=SLOW)
    await http.aclose()
