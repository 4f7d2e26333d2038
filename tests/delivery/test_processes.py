"""Delivery by several processes of one machine, with real ones."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from newsletter.core.delivery import DeliveryState, Outcome, Uncertain
from newsletter.core.errors import StoreError
from newsletter.delivery.processes import child
from newsletter.delivery.processes.child import Child
from newsletter.delivery.processes.many import ManyProcesses
from newsletter.ports import ChunkReport, Store
from newsletter.store import open_store
from tests.delivery.fakes import NOW, message_for, reader
from tests.delivery.services import relay_to, service
from tests.delivery.stores import freeze_for
from tests.smtp_server import Received, SmtpServer

SENT, QUEUED, SENDING, UNCERTAIN = (
    DeliveryState.SENT,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.UNCERTAIN,
)
CONNECTIONS, WORTH = 4, 100  # two for each of two processes


class Machine:
    """A ledger, and processes that deliver from it."""

    def __init__(self, url: str, journals: Path | None, server: SmtpServer) -> None:
        self.url, self.journals, self.server = url, journals, server
        self.children: list[Child] = []

    async def start(self, place: int) -> Child:
        command = [sys.executable, "-m", "tests.delivery.delivery_process"]
        options = [self.url, str(self.server.port), str(CONNECTIONS // 2), str(self.journals or "")]
        self.children.append(await Child.start([*command, *options], b"", place))
        return self.children[-1]

    @asynccontextmanager
    async def delivery(self, store: Store, **options: Any) -> AsyncIterator[ManyProcesses]:
        """Give what delivers by this process and another one."""

        def here(connections: int) -> Any:
            relay = relay_to(self.server, connections=connections, timeout=60.0, final_timeout=60.0)
            return service(store.outbox, relay, journals=self.journals, uncertain=Uncertain.HOLD)

        made = ManyProcesses(
            store.outbox,
            lambda: NOW,
            **{
                "alone": here(CONNECTIONS),
                "sharing": here(CONNECTIONS // 2),
                "start": self.start,
                "places": [1],
                "worth": WORTH,
            }
            | options,
        )
        try:
            yield made
        finally:
            await made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def machine(request: pytest.FixtureRequest, tmp_path: Path, server: SmtpServer) -> Machine:
    if request.param == "postgresql":
        return Machine(request.getfixturevalue("postgres_url"), None, server)
    return Machine(f"sqlite:///{tmp_path}/newsletter.db", tmp_path / "journals", server)


@pytest.fixture
async def store(machine: Machine) -> AsyncIterator[Store]:
    store = await open_store(machine.url)
    yield store
    await store.close()


class Followed:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.states: Counter[DeliveryState] = Counter()
        self.remaining: list[int] = []

    def delivered(self, outcome: Outcome, remaining: int) -> None:
        self.states[outcome.state] += 1
        self.remaining.append(remaining)


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


class Expecting(SmtpServer):
    """A server that takes nothing before so many connections have come: a process takes its time to start."""

    expected = CONNECTIONS // 2 + 1

    async def take(self, message: Received) -> None:
        await self.wait_for(lambda: self.connections >= self.expected)
        await super().take(message)


@pytest.fixture
async def server() -> AsyncIterator[Expecting]:
    async with Expecting() as server:
        yield server


async def test_a_big_issue_is_delivered_by_several_and_each_reader_gets_it_once(
    server: Expecting, store: Store, machine: Machine
) -> None:
    issue, followed = await freeze_for(store, 500), Followed()

    async with machine.delivery(store) as delivery:
        with capture_logs() as logged:
            reports = [await delivery.deliver_chunk(issue, message_for, most=most) for most in (201, 7)]
            small = [delivery.deliver_chunk(issue, message_for, most=30) for _ in range(3)]
            reports += await asyncio.gather(*small)
            reports.append(await delivery.deliver_chunk(issue, message_for, progress=followed))

    assert reports == [ChunkReport(sent=sent) for sent in (201, 7, 30, 30, 30, 202)]
    assert server.copies() == {reader(number): 1 for number in range(1, 501)}
    assert (await store.outbox.counts(issue))[SENT] == 500
    assert (followed.states, followed.remaining[-1]) == (Counter({SENT: 202}), 0)
    by_process = Counter(line.get("process") for line in logged if line["event"] == "chunk_delivered")
    assert by_process[1] >= 2
    assert by_process[None] >= 2
    assert server.most_at_once <= CONNECTIONS
    assert all(ended(one.pid) for one in machine.children)
    assert len(machine.children) == 1


async def test_what_a_killed_process_held_is_delivered_by_another_one(
    server: Expecting, store: Store, machine: Machine
) -> None:
    server.delay = 0.01
    issue = await freeze_for(store, 300)

    async with machine.delivery(store) as delivery:
        delivering = asyncio.create_task(delivery.deliver_chunk(issue, message_for))
        await server.until(20)
        os.kill(machine.children[0].pid, signal.SIGKILL)
        report = await delivering

    counts = await store.outbox.counts(issue)
    assert len(machine.children) == 2
    assert counts[SENT] + counts.get(UNCERTAIN, 0) == 300
    assert counts.get(UNCERTAIN, 0) <= CONNECTIONS // 2  # the policy is to hold what was in flight
    assert report.returned == 0
    assert set(server.copies().values()) == {1}


@pytest.fixture
def sqlite(tmp_path: Path, server: SmtpServer) -> Machine:
    return Machine(f"sqlite:///{tmp_path}/newsletter.db", tmp_path / "journals", server)


@pytest.fixture
async def ledger(sqlite: Machine) -> AsyncIterator[Store]:
    store = await open_store(sqlite.url)
    yield store
    await store.close()


async def test_a_stop_reaches_all_and_leaves_nothing_in_flight(
    server: Expecting, ledger: Store, sqlite: Machine
) -> None:
    server.delay = 0.01
    issue, stop = await freeze_for(ledger, 300), asyncio.Event()

    async with sqlite.delivery(ledger) as delivery:
        delivering = asyncio.create_task(delivery.deliver_chunk(issue, message_for, stop=stop))
        await server.until(20)
        stop.set()
        async with asyncio.timeout(30):
            report = await delivering

    counts = await ledger.outbox.counts(issue)
    assert {state for state, count in counts.items() if count} == {SENT, QUEUED}
    assert report.sent == counts[SENT] == len(server.received)
    assert report.returned > 0


async def test_a_process_that_hangs_does_not_hold_up_the_end(
    server: Expecting, ledger: Store, sqlite: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_SECONDS_TO_END", 0.5)
    server.delay = 0.01
    issue, stop = await freeze_for(ledger, 300), asyncio.Event()

    async with sqlite.delivery(ledger) as delivery:
        delivering = asyncio.create_task(delivery.deliver_chunk(issue, message_for, stop=stop))
        await server.until(20)
        os.kill(sqlite.children[0].pid, signal.SIGSTOP)
        stop.set()
        async with asyncio.timeout(30):
            await delivering
            assert ended(sqlite.children[0].pid)
        await delivery.deliver_chunk(issue, message_for)

    counts = await ledger.outbox.counts(issue)
    assert counts[SENT] + counts[UNCERTAIN] == 300
    assert counts[UNCERTAIN] <= CONNECTIONS // 2
    assert set(server.copies().values()) == {1}


async def test_a_process_ends_by_itself_when_nobody_supervises_it(
    server: Expecting, ledger: Store, sqlite: Machine
) -> None:
    server.delay, server.expected = 0.01, 1
    issue = await freeze_for(ledger, 300)
    started = await sqlite.start(1)
    stop = asyncio.Event()
    delivering = asyncio.create_task(
        started.deliver(issue, most=None, due_by=None, settled=lambda _: None, stop=stop)
    )
    await server.until(20)

    assert started._process.stdin
    started._process.stdin.close()  # as the kernel does when a process is killed
    async with asyncio.timeout(30):
        report = await delivering
        await started._process.wait()

    counts = await ledger.outbox.counts(issue)
    assert {state for state, count in counts.items() if count} == {SENT, QUEUED}
    assert report.sent == counts[SENT] == len(server.received)


async def test_a_small_issue_needs_no_other_process_and_a_big_one_takes_the_connections_over(
    server: Expecting, ledger: Store, sqlite: Machine
) -> None:
    server.delay, server.expected = 0.02, 1
    small = await freeze_for(ledger, WORTH - 10)

    async with sqlite.delivery(ledger, kept=0.0) as delivery:
        delivering = asyncio.create_task(delivery.deliver_chunk(small, message_for))
        await server.until(10)
        assert not sqlite.children
        big = await freeze_for(ledger, 300, number=2)
        reports = [*await asyncio.gather(delivering, delivery.deliver_chunk(big, message_for))]
        later = await freeze_for(ledger, 1, number=3)
        async with asyncio.timeout(30):
            while not ended(sqlite.children[0].pid):  # noqa: ASYNC110 - it is another process's
                await asyncio.sleep(0.02)
        reports.append(await delivery.deliver_chunk(later, message_for, most=20))

    assert [report.sent for report in reports] == [WORTH - 10, 300, 20]
    assert server.most_at_once <= CONNECTIONS
    assert len(sqlite.children) == 1


async def test_without_room_for_processes_this_one_delivers_everything(
    server: Expecting, ledger: Store, sqlite: Machine
) -> None:
    async def no_room(_place: int) -> Child:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    server.expected = 1
    issue = await freeze_for(ledger, 150)
    async with sqlite.delivery(ledger, start=no_room, sharing=None) as delivery:
        with capture_logs() as logged:
            report = await delivery.deliver_chunk(issue, message_for)

    assert report == ChunkReport(sent=150)
    assert "delivering_by_one_process" in {line["event"] for line in logged}


async def test_a_ledger_that_fails_for_one_of_them_stops_all(
    server: Expecting, ledger: Store, sqlite: Machine, tmp_path: Path
) -> None:
    server.expected = 1
    issue = await freeze_for(ledger, 150)

    async with sqlite.delivery(ledger) as delivery:
        sqlite.journals = tmp_path / "newsletter.db"  # of the other process: no folder
        with pytest.raises(StoreError, match="no delivery journal can be kept"):
            await delivery.deliver_chunk(issue, message_for)

    counts = await ledger.outbox.counts(issue)
    assert not counts.get(SENDING)
