"""What workers note in the ledger before the rows of deliveries say so."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import threading
from collections.abc import Callable
from typing import Self

import psycopg
import pytest
import uvloop
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from newsletter.core.delivery import Change, Delivery, DeliveryState, Uncertain, begun
from newsletter.core.errors import LostWorkerError, StoreError
from newsletter.core.steps import Bar, withdrawal
from newsletter.ports import Store
from newsletter.store import conninfo_of
from newsletter.store.prepared import Prepared
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import NOW, frozen, outcome

LEFT = Bar("the reader has left")


async def claimed(store: Store, worker: str, readers: int) -> list[Delivery]:
    """Return the deliveries of a new issue, in the worker's hands."""
    await frozen(store, readers)
    return await claim(store.outbox, worker, now=NOW, limit=readers)


async def states(store: Store) -> list[DeliveryState]:
    return [record.state for record in await store.outbox.records()]


def sent(delivery: Delivery) -> Change:
    return outcome(delivery, DeliveryState.SENT, text="queued as 1")


async def test_the_rows_say_what_was_noted_when_it_is_recorded(store: Store) -> None:
    async with store.outbox.worker() as worker:
        [first, second] = await claimed(store, worker, 2)
        changes = [begun(first, NOW), begun(second, NOW)], [sent(first)]

        assert not await store.outbox.note(worker, 1, changes[0])
        assert not await store.outbox.note(worker, 2, changes[1])
        assert await states(store) == ["queued", "queued"]

        await store.outbox.record([*changes[0], *changes[1]], worker=worker, noted=[1, 2])
        assert await states(store) == ["sent", "sending"]
    assert await store.outbox.recover(Uncertain.HOLD, now=NOW) == 1
    assert await states(store) == ["sent", "uncertain"]


@pytest.mark.parametrize(("policy", "after"), [(Uncertain.HOLD, "uncertain"), (Uncertain.RESEND, "queued")])
async def test_what_a_dead_worker_noted_is_recovered(store: Store, policy: Uncertain, after: str) -> None:
    async with store.outbox.worker() as worker:
        [done, in_flight, deferred, _] = await claimed(store, worker, 4)
        later = outcome(deferred, DeliveryState.DEFERRED, text="try \\ later")
        await store.outbox.note(worker, 1, [begun(one, NOW) for one in (done, in_flight, deferred)])
        await store.outbox.note(worker, 2, [sent(done), later])

    assert await store.outbox.recover(policy, now=NOW) == 1

    assert await states(store) == ["sent", after, "deferred", "queued"]
    [record] = await store.outbox.records(states=[DeliveryState.DEFERRED])
    assert (record.text, record.next_attempt_at, record.attempts) == ("try \\ later", later.next_attempt_at, 1)
    assert await store.outbox.recover(policy, now=NOW) == 0


async def test_the_same_note_twice_counts_once_and_what_the_rows_say_is_forgotten(store: Store) -> None:
    async with store.outbox.worker() as worker:
        [one] = await claimed(store, worker, 1)
        for _ in range(2):
            await store.outbox.note(worker, 1, [begun(one, NOW)])
        await store.outbox.record([begun(one, NOW)], worker=worker, noted=[1])
        await store.outbox.note(worker, 2, [sent(one)])

    assert await store.outbox.dead_workers() == [worker]
    assert await store.outbox.recover(Uncertain.HOLD, now=NOW) == 0
    assert await states(store) == ["sent"]
    assert await store.outbox.times(one.key, DeliveryState.SENDING) == 1


async def test_what_was_withdrawn_is_not_begun_and_the_rest_of_the_note_counts(store: Store) -> None:
    async with store.outbox.worker() as worker:
        [first, second] = await claimed(store, worker, 2)
        await store.outbox.record([withdrawal(first.key, LEFT, NOW)])

        assert await store.outbox.note(worker, 1, [begun(first, NOW), begun(second, NOW)]) == {first.key}

    assert await store.outbox.recover(Uncertain.HOLD, now=NOW) == 1
    assert await states(store) == ["withdrawn", "uncertain"]


async def test_what_is_withdrawn_while_it_is_in_flight_was_sent_all_the_same(store: Store) -> None:
    async with store.outbox.worker() as worker:
        [first, second] = await claimed(store, worker, 2)
        intents = [begun(first, NOW), begun(second, NOW)]
        await store.outbox.note(worker, 1, intents)
        await store.outbox.record([withdrawal(one.key, LEFT, NOW) for one in (first, second)])

        await store.outbox.note(worker, 2, [sent(first)])
        assert not await store.outbox.record([*intents, sent(first)], worker=worker, noted=[1, 2])
        await store.outbox.note(worker, 3, [sent(second)])

    await store.outbox.recover(Uncertain.HOLD, now=NOW)
    assert await states(store) == ["sent", "sent"]


async def test_a_worker_that_holds_nothing_but_notes_is_found(store: Store) -> None:
    async with store.outbox.worker() as worker:
        [one] = await claimed(store, worker, 1)
        await store.outbox.note(worker, 1, [begun(one, NOW)])
        await store.outbox.record([withdrawal(one.key, LEFT, NOW)])

    assert await store.outbox.dead_workers() == [worker]
    assert await store.outbox.recover(Uncertain.HOLD, now=NOW) == 1
    assert await states(store) == ["uncertain"]


@pytest.fixture
async def served(postgres_url: str, open_at: Opener) -> Store:
    """A store in PostgreSQL."""
    return await open_at(postgres_url)


async def test_who_was_taken_for_dead_notes_nothing_more(served: Store, postgres_url: str) -> None:
    async with served.outbox.worker() as worker:
        [one] = await claimed(served, worker, 1)
        await run(postgres_url, "DELETE FROM workers")

        with pytest.raises(LostWorkerError, match=f"{worker} was taken for dead"):
            await served.outbox.note(worker, 1, [begun(one, NOW)])

    assert await served.outbox.recover(Uncertain.HOLD, now=NOW) == 0


async def test_a_note_is_written_after_the_server_has_ended_its_sessions(served: Store, postgres_url: str) -> None:
    async with served.outbox.worker() as worker:
        [first, second] = await claimed(served, worker, 2)
        assert not await served.outbox.note(worker, 1, [begun(first, NOW)])
        await run(
            postgres_url,
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )

        assert not await served.outbox.note(worker, 2, [begun(second, NOW)])


async def test_who_gives_up_waiting_for_a_note_spoils_none_that_follow(served: Store, postgres_url: str) -> None:
    async with served.outbox.worker() as worker, await connected(postgres_url) as holder:
        [first, second] = await claimed(served, worker, 2)
        async with holder.transaction():
            await holder.execute("SELECT FROM workers FOR UPDATE")
            waiting = asyncio.create_task(served.outbox.note(worker, 1, [begun(first, NOW)]))
            await asyncio.sleep(0.2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        assert not await served.outbox.note(worker, 2, [begun(second, NOW)])


async def test_what_the_server_refuses_is_one_line(served: Store) -> None:
    async with served.outbox.worker() as worker:
        await claimed(served, worker, 1)
        bad = Change(key=2**70, state=DeliveryState.SENDING, at=NOW, attempts=1)

        with pytest.raises(StoreError, match=r"PostgreSQL database \S+ at .*out of range for type bigint"):
            await served.outbox.note(worker, 1, [bad])


async def test_much_is_sent_as_the_connection_takes_it(postgres_url: str) -> None:
    async with await connected(postgres_url) as connection:
        statement = Prepared(connection.pgconn, "SELECT length($1::text)")
        await statement.prepare()
        assert await statement.row([b"x" * 8_000_000]) == (b"8000000",)
        statement.close()


async def test_who_waits_when_the_server_is_gone_is_told_at_once(postgres_url: str) -> None:
    async with await connected(postgres_url) as connection:
        statement = Prepared(connection.pgconn, "SELECT pg_sleep($1::float)")
        await statement.prepare()
        waiting = asyncio.create_task(statement.row([b"600"]))
        await asyncio.sleep(0)
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)

        async with asyncio.timeout(60):
            with pytest.raises(psycopg.OperationalError, match="server closed the connection"):
                await waiting
        assert statement.is_over
        with pytest.raises(psycopg.OperationalError, match="is closed"):
            await statement.row([b"0"])


async def test_a_connection_that_is_lost_between_two_statements_is_known_to_be(postgres_url: str) -> None:
    async with await connected(postgres_url) as connection:
        statement = Prepared(connection.pgconn, "SELECT 1")
        await statement.prepare()
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)

        async with asyncio.timeout(60):
            with pytest.raises(psycopg.OperationalError):
                await statement.row([])
        assert statement.is_over


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_who_waits_is_told_when_the_server_dies_with_a_last_word(
    postgres_url: str, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """As PostgreSQL does when it is stopped at once (`-m immediate`) while a question lies unread."""

    async def ask(line: Line) -> None:
        async with await reached_by(line, postgres_url) as connection:
            statement = Prepared(connection.pgconn, "SELECT 1")
            await statement.prepare()
            line.ends_at_next_question.set()
            async with asyncio.timeout(60):
                with pytest.raises(psycopg.OperationalError):
                    await statement.row([])
            assert statement.is_over

    with Line(socket_of(postgres_url)) as line, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ask(line))


# https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-NOTICERESPONSE
_FIELDS = b"SWARNING\0C57P02\0Mterminating connection because of a crash\0\0"
LAST_WORD = b"N" + (4 + len(_FIELDS)).to_bytes(4, "big") + _FIELDS


class Line:
    """A line to PostgreSQL by which a server seems to die: it says a word, and leaves what it was asked unread."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.ends_at_next_question = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._carry)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listening.close()

    @property
    def address(self) -> tuple[str, int]:
        """Return where it listens."""
        host, port = self._listening.getsockname()
        return host, port

    def _carry(self) -> None:
        client, _ = self._listening.accept()
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if client in ready and self.ends_at_next_question.is_set():
                    client.sendall(LAST_WORD)
                    return
                for one, other in ((client, server), (server, client)):
                    if one in ready:
                        if not (data := one.recv(65536)):
                            return
                        other.sendall(data)


async def reached_by(line: Line, url: str) -> psycopg.AsyncConnection:
    """Return a connection by a line; in plain text, so that what comes next can be told."""
    host, port = line.address
    conninfo = make_conninfo(conninfo_of(url), host=host, port=port, gssencmode="disable", sslmode="disable")
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True)


def socket_of(url: str) -> str:
    """Return the path of the socket at which a server of the tests listens."""
    return f"{conninfo_to_dict(conninfo_of(url))['host']}/.s.PGSQL.5432"


async def connected(url: str) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(conninfo_of(url), autocommit=True)


async def run(url: str, statement: str) -> None:
    async with await connected(url) as connection:
        await connection.execute(statement.encode())
