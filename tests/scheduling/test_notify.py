"""What the service manager hears: on a real socket, as systemd listens."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.scheduling.liveness import LONGEST_WITHOUT_SIGN, LONGEST_WITHOUT_TICK, Liveness
from newsletter.scheduling.notify import ServiceManager, reported


class Listening:
    """A socket that a service manager listens on; `address` is what it would put into NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(5)

    async def hear(self) -> list[str]:
        """Return the assignments of the next datagram."""
        return (await asyncio.to_thread(self._socket.recv, 4096)).decode().splitlines()

    def drain(self) -> list[str]:
        """Return what has come so far."""
        self._socket.setblocking(False)
        heard = []
        try:
            while True:
                heard.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            return heard

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listening]:
    listening = Listening(str(tmp_path / "n") if request.param == "path" else f"@newsletter-{os.getpid()}")
    yield listening
    listening.close()


def manager(systemd: Listening, **more: str) -> ServiceManager:
    return ServiceManager({"NOTIFY_SOCKET": systemd.address, **more})


async def test_it_is_told_that_the_service_is_ready_and_when_it_stops(systemd: Listening) -> None:
    async with reported(manager(systemd), lambda: "two lists\nand more", lambda: ""):
        assert await systemd.hear() == ["READY=1", "STATUS=two lists and more"]
        assert systemd.drain() == []
    assert systemd.drain() == ["STOPPING=1\nSTATUS=finishing what is in flight"]


async def test_the_watchdog_hears_signs_of_life_until_work_hangs_and_again_when_it_goes_on(
    systemd: Listening,
) -> None:
    trouble = [""]
    told = manager(systemd, WATCHDOG_USEC="20000", WATCHDOG_PID=str(os.getpid()))
    assert told.patience == timedelta(milliseconds=20)
    with capture_logs() as logs:
        async with reported(told, lambda: "serving", lambda: trouble[0]):
            assert (await systemd.hear())[0] == "READY=1"
            assert await systemd.hear() == ["WATCHDOG=1", "STATUS=serving"]
            trouble[0] = "hangs"
            while (heard := await systemd.hear())[0] == "WATCHDOG=1":
                pass
            assert heard == ["STATUS=hangs"]
            assert await systemd.hear() == ["STATUS=hangs"]
            trouble[0] = ""
            while await systemd.hear() == ["STATUS=hangs"]:
                pass
    assert [log["reason"] for log in logs if log["event"] == "hangs"] == ["hangs"]


async def test_the_watchdog_of_another_process_hears_nothing(systemd: Listening) -> None:
    told = manager(systemd, WATCHDOG_USEC="1000", WATCHDOG_PID="1")
    async with reported(told, lambda: "serving", lambda: ""):
        await asyncio.sleep(0.02)
    assert [heard.splitlines()[0] for heard in systemd.drain()] == ["READY=1", "STOPPING=1"]


async def test_without_a_service_manager_nothing_is_told_and_a_lost_one_harms_nothing(tmp_path: Path) -> None:
    async with reported(ServiceManager({}), lambda: "serving", lambda: ""):
        pass
    gone = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "nonsense"})
    with capture_logs() as logs:
        gone.ready("serving")
    assert [log["event"] for log in logs] == ["service_manager_not_told"]
    assert not gone.patience


class Watch:
    """A clock of seconds that only a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def move(self, by: timedelta) -> None:
        self.seconds += by.total_seconds() + 1


def test_ticks_that_end_no_more_are_a_hang() -> None:
    watch = Watch()
    liveness = Liveness(watch)
    watch.move(LONGEST_WITHOUT_TICK / 2)
    assert not liveness.trouble()
    watch.move(LONGEST_WITHOUT_TICK / 2)
    assert liveness.trouble() == "hangs: nothing was looked for that is due, for 5 minutes"
    liveness.ticked()
    assert not liveness.trouble()
    liveness.expect_ticks(LONGEST_WITHOUT_TICK)
    watch.move(2 * LONGEST_WITHOUT_TICK)
    assert not liveness.trouble()


def test_a_long_delivery_is_no_hang_as_long_as_one_message_after_the_other_leaves() -> None:
    watch = Watch()
    liveness = Liveness(watch)
    with liveness.at_work("list daily"):
        for _ in range(3):
            watch.move(LONGEST_WITHOUT_SIGN / 2)
            liveness.ticked()
            liveness.progress("list daily").delivered(Outcome(DeliveryState.SENT), 1)
            assert not liveness.trouble()
        watch.move(LONGEST_WITHOUT_SIGN)
        liveness.ticked()
        assert liveness.trouble() == "hangs: list daily has made no progress for 120 minutes"
    liveness.sign("list daily")  # too late
    watch.move(LONGEST_WITHOUT_SIGN)
    liveness.ticked()
    assert not liveness.trouble()
