"""Chunks of an issue, and what a service keeps between them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from newsletter.core.delivery import Change, Delivery, DeliveryState, Uncertain
from newsletter.core.errors import LostWorkerError, StoreError
from newsletter.core.relay import Security
from newsletter.delivery.record import registration
from newsletter.delivery.service import DeliveryService
from newsletter.ports import ChunkReport, Store
from newsletter.store import open_store
from tests.delivery.fakes import ISSUE, NOW, FakeOutbox, delivery, message_for, reader
from tests.delivery.services import names, relay_to, service
from tests.delivery.stores import freeze_for
from tests.smtp_server import HANG, Certificates, SmtpServer

SENT, QUEUED = DeliveryState.SENT, DeliveryState.QUEUED


@pytest.fixture(params=["sqlite", "sqlite with a journal", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path | None]:
    """Give a database's address, and the folder of journals."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url"), None
    return f"sqlite:///{tmp_path}/newsletter.db", tmp_path / "journals" if "journal" in request.param else None


@pytest.fixture
async def store(ledger: tuple[str, Path | None]) -> AsyncIterator[Store]:
    store = await open_store(ledger[0])
    yield store
    await store.close()


def everybody(server: SmtpServer, readers: int) -> bool:
    return server.copies() == {reader(number): 1 for number in range(1, readers + 1)}


# ── How many ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_chunk_settles_as_many_as_it_is_asked_for_and_leaves_the_rest(
    server: SmtpServer, store: Store, ledger: tuple[str, Path | None]
) -> None:
    issue = await freeze_for(store, 130)

    async with service(store.outbox, relay_to(server), journals=ledger[1]) as at_work:
        first = await at_work.deliver_chunk(issue, message_for, most=70)
        counts, arrived = await store.outbox.counts(issue), len(server.received)
        rest = [await at_work.deliver_chunk(issue, message_for, most=25) for _ in range(4)]

    assert (first, arrived) == (ChunkReport(sent=70), 70)
    assert (counts[SENT], counts[QUEUED]) == (70, 60)
    assert [report.settled for report in rest] == [25, 25, 10, 0]
    assert everybody(server, 130)


@pytest.mark.parametrize("most", [1, 2, 3, 50, 51])
async def test_a_number_that_is_no_multiple_of_anything_is_kept_too(server: SmtpServer, most: int) -> None:
    outbox = FakeOutbox.of(120)

    async with service(outbox, relay_to(server, connections=8), batch=7) as at_work:
        report = await at_work.deliver_chunk(ISSUE, message_for, most=most)

    assert report == ChunkReport(sent=most)
    assert outbox.states() == {SENT: most, QUEUED: 120 - most}
    assert not any(row.claimed_by for row in outbox.rows.values())


async def test_who_is_refused_or_deferred_counts_and_who_left_meanwhile_does_not(server: SmtpServer) -> None:
    outbox = FakeOutbox.of(20)
    server.answer("RCPT", "451 4.3.0 later", address=reader(2))
    server.answer("RCPT", "550 5.1.1 no such user", address=reader(3))

    async with service(outbox, relay_to(server, connections=1)) as at_work:
        await at_work.deliver_chunk(ISSUE, message_for, most=1)
        outbox.rows[4].state, outbox.rows[4].claimed_by = DeliveryState.WITHDRAWN, None
        report = await at_work.deliver_chunk(ISSUE, message_for, most=4)

    assert report == ChunkReport(sent=2, deferred=1, refused=1)
    assert outbox.states() == {SENT: 3, DeliveryState.DEFERRED: 1, DeliveryState.REFUSED: 1, QUEUED: 14} | {
        DeliveryState.WITHDRAWN: 1
    }


async def test_who_leaves_between_the_claim_and_the_mail_makes_room_for_another(server: SmtpServer) -> None:
    outbox = FakeOutbox.of(20)

    async with service(outbox, relay_to(server, connections=1)) as at_work:

        async def leave_meanwhile(issue: int) -> object:
            await outbox.record([Change(key=2, state=DeliveryState.WITHDRAWN, at=NOW)])
            return await message_for(issue)

        report = await at_work.deliver_chunk(ISSUE, leave_meanwhile, most=5)  # type: ignore[arg-type]

    assert report == ChunkReport(sent=5)
    assert reader(2) not in server.copies()


async def test_trouble_with_a_message_does_not_use_up_the_number(server: SmtpServer) -> None:
    outbox = FakeOutbox.of(20)
    server.answer("MAIL", "421 4.7.0 too many messages", times=1)

    async with service(outbox, relay_to(server, connections=1)) as at_work:
        report = await at_work.deliver_chunk(ISSUE, message_for, most=10)

    assert report == ChunkReport(sent=10)
    assert outbox.states() == {SENT: 10, QUEUED: 10}


# ── At the same time ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("processes", [1, 2])
async def test_chunks_at_the_same_time_deliver_each_once(
    server: SmtpServer, store: Store, ledger: tuple[str, Path | None], processes: int
) -> None:
    issue = await freeze_for(store, 200)

    async def work(at_work: DeliveryService) -> list[ChunkReport]:
        reports = [await at_work.deliver_chunk(issue, message_for, most=30)]
        while reports[-1].settled:
            reports.append(await at_work.deliver_chunk(issue, message_for, most=30))
        return reports

    services = [service(store.outbox, relay_to(server), journals=ledger[1], batch=20) for _ in range(processes)]
    reports = await asyncio.gather(*(work(services[task % processes]) for task in range(2)))
    for at_work in services:
        await at_work.close()

    assert sum(report.sent for of_task in reports for report in of_task) == 200
    assert all(report.sent <= 30 for of_task in reports for report in of_task)
    assert everybody(server, 200)
    assert (await store.outbox.counts(issue))[SENT] == 200


async def test_a_chunk_that_ends_gives_back_what_it_holds_and_nothing_of_another(server: SmtpServer) -> None:
    outbox, stop = FakeOutbox.of(60), asyncio.Event()
    server.delay = 0.01

    async with service(outbox, relay_to(server, connections=4)) as at_work:
        stopped = asyncio.create_task(at_work.deliver_chunk(ISSUE, message_for, most=20, stop=stop))
        going_on = asyncio.create_task(at_work.deliver_chunk(ISSUE, message_for, most=20))
        await server.until(5)
        stop.set()
        first = await stopped
        held = sum(row.claimed_by is not None for row in outbox.rows.values())
        second = await going_on

    assert first.sent + first.returned == 20
    assert held > 0
    assert second == ChunkReport(sent=20)
    assert not any(row.claimed_by for row in outbox.rows.values())


# ── Sessions ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Greeted(SmtpServer):
    """A server that counts greetings and handshakes."""

    greetings = 0

    async def reply_to(self, step: str, address: str, session: object) -> str | None:
        self.greetings += step == "EHLO"
        return await super().reply_to(step, address, session)  # type: ignore[arg-type]


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_a_second_chunk_goes_over_the_open_session_without_another_greeting_or_handshake(
    certificates: Certificates, ca_file: Path, extensions: tuple[str, ...]
) -> None:
    async with Greeted(tls=certificates, extensions=extensions) as server:
        relay = relay_to(server, security=Security.STARTTLS, ca_file=ca_file, connections=1)
        async with service(FakeOutbox.of(20), relay) as at_work:
            await at_work.deliver_chunk(ISSUE, message_for, most=5)
            greetings = server.greetings
            for _ in range(3):
                assert await at_work.deliver_chunk(ISSUE, message_for, most=5) == ChunkReport(sent=5)

        assert greetings == server.greetings == 2  # before and after STARTTLS
        assert server.connections == 1
        assert everybody(server, 20)
        assert server.told[-1] == "QUIT"


async def test_a_session_ends_after_some_idle_seconds_and_the_next_chunk_opens_another(server: SmtpServer) -> None:
    async with service(FakeOutbox.of(4), relay_to(server, connections=1), idle=0.05) as at_work:
        await at_work.deliver_chunk(ISSUE, message_for, most=2)
        await server.wait_for(lambda: "QUIT" in server.told)
        report = await at_work.deliver_chunk(ISSUE, message_for, most=2)

    assert report == ChunkReport(sent=2)
    assert server.connections == 2


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_a_session_that_the_relay_ends_meanwhile_is_no_trouble_of_the_relay(
    extensions: tuple[str, ...],
) -> None:
    async with SmtpServer(extensions=extensions) as server:
        outbox = FakeOutbox.of(6)
        async with service(outbox, relay_to(server, connections=1), pauses=(60.0,)) as at_work:
            await at_work.deliver_chunk(ISSUE, message_for, most=2)
            for session in list(server._sessions):
                await session.end()
            await asyncio.sleep(0.05)  # until we have noticed
            seen = await at_work.deliver_chunk(ISSUE, message_for, most=2)
            server.answer("MAIL", "421 4.4.2 idle for too long", times=1)  # and this is what we did not notice
            unseen = await at_work.deliver_chunk(ISSUE, message_for, most=2)

        assert (seen, unseen) == (ChunkReport(sent=2), ChunkReport(sent=2))
        assert everybody(server, 6)


async def test_there_are_never_more_sessions_than_connections(server: SmtpServer) -> None:
    outbox = FakeOutbox(delivery(key, reader(key), issue_key=key % 3) for key in range(1, 121))
    server.delay = 0.002
    relay = relay_to(server, connections=3, messages_per_connection=7)

    async with service(outbox, relay) as at_work:
        deliver = partial(at_work.deliver_chunk, message_for=message_for, most=11)
        for _ in range(4):
            await asyncio.gather(*(deliver(issue) for issue in range(3)))

    assert server.most_at_once <= 3
    assert everybody(server, 120)


async def test_a_relay_in_trouble_is_tried_over_a_new_session(server: SmtpServer) -> None:
    outbox = FakeOutbox.of(10)
    async with service(outbox, relay_to(server)) as at_work:
        await at_work.deliver_chunk(ISSUE, message_for, most=4)
        server.answer("RCPT", "530 5.7.0 log in first")
        failed = await at_work.deliver_chunk(ISSUE, message_for)
        server.works_again()
        again = await at_work.deliver_chunk(ISSUE, message_for)

    assert (failed.sent, "log in first" in failed.trouble) == (0, True)
    assert again == ChunkReport(sent=6)


async def test_a_session_that_hangs_at_its_end_holds_up_closing_for_two_seconds_at_most(
    server: SmtpServer,
) -> None:
    at_work = service(FakeOutbox.of(1), relay_to(server, connections=1))
    await at_work.deliver_chunk(ISSUE, message_for)
    for session in server._sessions:
        session.smtp_QUIT = lambda _: asyncio.Event().wait()  # type: ignore[method-assign, assignment, return-value]

    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(4):
        await at_work.close()
    assert asyncio.get_running_loop().time() - began < 4


async def test_a_chunk_that_is_stopped_leaves_no_session_open(server: SmtpServer) -> None:
    stop = asyncio.Event()
    server.delay = 0.01
    at_work = service(FakeOutbox.of(50), relay_to(server))
    delivering = asyncio.create_task(at_work.deliver_chunk(ISSUE, message_for, stop=stop))
    await server.until(3)
    stop.set()
    report = await delivering

    async with asyncio.timeout(5):
        while server._sessions:  # noqa: ASYNC110 - the server learns it a moment later
            await asyncio.sleep(0.01)
    assert 3 <= report.sent < 50
    await at_work.close()


# ── Worker and recovery ──────────────────────────────────────────────────────────────────────────────────────────


class Watched(FakeOutbox):
    """An outbox that counts workers, and looks for dead ones."""

    registered = looks = 0

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[str]:
        self.registered += 1
        async with super().worker() as name:
            yield name

    async def recover(self, *arguments: object, **named: object) -> int:
        self.looks += 1
        return await super().recover(*arguments, **named)  # type: ignore[arg-type]


def watched(readers: int) -> Watched:
    return Watched(delivery(number, reader(number)) for number in range(1, readers + 1))


@pytest.mark.parametrize("with_journal", [False, True])
async def test_chunks_share_a_worker_and_dead_ones_are_looked_for_now_and_then(
    server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, with_journal: bool
) -> None:
    outbox = watched(20)
    async with service(outbox, relay_to(server), journals=tmp_path if with_journal else None) as at_work:
        for _ in range(4):
            await at_work.deliver_chunk(ISSUE, message_for, most=4)
        counted = outbox.registered, outbox.looks
        monkeypatch.setattr(registration, "_RECOVERY_EVERY", 0.0)
        await at_work.deliver_chunk(ISSUE, message_for, most=4)

    assert counted == (1, 1)
    assert (outbox.registered, outbox.looks) == (1, 2)
    assert names(tmp_path) == (["recovery.lock"] if with_journal else [])


async def test_a_worker_that_dies_while_others_deliver_is_recovered(
    server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "_RECOVERY_EVERY", 0.0)
    outbox = watched(6)
    async with service(outbox, relay_to(server), uncertain=Uncertain.HOLD) as at_work:
        await at_work.deliver_chunk(ISSUE, message_for, most=2)
        async with outbox.worker() as dead:
            claimed = await outbox.claim(dead, issue_key=ISSUE, now=NOW, limit=2)
            await outbox.record([Change(key=claimed[0].key, state=DeliveryState.SENDING, at=NOW, attempts=1)])
        report = await at_work.deliver_chunk(ISSUE, message_for)

    assert report == ChunkReport(sent=3)
    assert outbox.states() == {SENT: 5, DeliveryState.UNCERTAIN: 1}


async def test_a_chunk_whose_worker_was_taken_for_dead_begins_anew_by_another_name(server: SmtpServer) -> None:
    class TakenForDead(Watched):
        async def claim(self, worker: str, *, issue_key: int, now: datetime, limit: int) -> list[Delivery]:
            if worker == "worker1" and self.states()[SENT]:
                raise LostWorkerError("it gave no sign of life")
            return await super().claim(worker, issue_key=issue_key, now=now, limit=limit)

    outbox = TakenForDead(watched(20).rows[key].delivery for key in range(1, 21))
    async with service(outbox, relay_to(server), batch=5) as at_work:
        await at_work.deliver_chunk(ISSUE, message_for)

    assert outbox.states() == {SENT: 20}
    assert (outbox.registered, len(server.received)) == (2, 20)


@pytest.mark.parametrize("with_journal", [False, True])
async def test_after_an_error_the_next_chunk_registers_anew_and_recovers_what_was_held(
    server: SmtpServer, tmp_path: Path, *, with_journal: bool
) -> None:
    outbox = watched(40)
    async with service(outbox, relay_to(server), batch=10, journals=tmp_path if with_journal else None) as at_work:
        await at_work.deliver_chunk(ISSUE, message_for, most=10)
        outbox.fail = StoreError("the disk is full")
        with pytest.raises(StoreError, match="disk is full"):
            await at_work.deliver_chunk(ISSUE, message_for)
        outbox.fail = None
        await at_work.deliver_chunk(ISSUE, message_for)

    assert outbox.registered == 2
    assert outbox.states() == {SENT: 40}
    assert everybody(server, 40)


async def test_a_worker_ends_only_with_the_last_chunk_that_uses_it(server: SmtpServer) -> None:
    other = ISSUE + 1
    outbox = watched(90)
    outbox.rows.update(FakeOutbox([delivery(91, reader(91), issue_key=other)]).rows)
    server.delay = 0.005
    async with service(outbox, relay_to(server, messages_per_connection=5), batch=5) as at_work:
        going_on = asyncio.create_task(at_work.deliver_chunk(ISSUE, message_for))
        await server.until(3)

        async def wrong(_: int) -> object:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await at_work.deliver_chunk(other, wrong, most=1)  # type: ignore[arg-type]
        assert outbox.dead == set()
        third = await at_work.deliver_chunk(ISSUE, message_for)
        first = await going_on
        assert outbox.dead == {"worker1"}

    assert first.sent + third.sent == 90
    assert everybody(server, 90)


async def test_a_service_that_delivers_nothing_registers_connects_and_starts_nothing(
    server: SmtpServer, tmp_path: Path
) -> None:
    outbox, threads = watched(0), threading.active_count()

    async with service(outbox, relay_to(server), journals=tmp_path):
        pass

    assert (outbox.registered, server.connections, threading.active_count()) == (0, 0, threads)
    assert names(tmp_path) == []


async def test_a_relay_that_hangs_at_the_greeting_does_not_hold_up_closing(server: SmtpServer) -> None:
    outbox, stop = FakeOutbox.of(3), asyncio.Event()
    server.answer("GREETING", HANG)
    at_work = service(outbox, relay_to(server), grace=0.05)
    delivering = asyncio.create_task(at_work.deliver_chunk(ISSUE, message_for, stop=stop))
    await server.wait_for(lambda: server.connections > 0)
    stop.set()

    async with asyncio.timeout(3):
        report = await delivering
        await at_work.close()
    assert report.settled == 0
