"""Long-lived commands are gone ten seconds after a signal, whatever hangs, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import make_url

from tests.e2e.test_run import save_page
from tests.e2e.test_serve import due_list, free_port, until
from tests.e2e.workplace import Workplace
from tests.postgres import Server
from tests.smtp_server import HANG, SmtpServer

pytestmark = pytest.mark.without_workers

RUN = ("run", "--date", "2026-03-12", "--json")
READERS = 30
TERM, INT = signal.SIGTERM, signal.SIGINT  # both are handled alike, so each place where a command hangs gets one


@pytest.fixture
def workplace(workplace: Workplace) -> Workplace:
    """Give a working folder, whose commands are processes from their beginning to their end."""
    workplace.starts_python = True
    return workplace


async def heard(process: asyncio.subprocess.Process, text: bytes, seconds: float = 30) -> None:
    """Wait until a command has logged some text."""
    assert process.stderr is not None
    async with asyncio.timeout(seconds):
        while text not in (line := await process.stderr.readline()):
            assert line, "it has ended"


async def ended(process: asyncio.subprocess.Process, received: signal.Signals = TERM) -> tuple[str, str]:
    """Ask a command to end; it has to in ten seconds. Return what it printed and said."""
    began = monotonic()
    process.send_signal(received)
    try:
        async with asyncio.timeout(10):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert monotonic() - began < 10
    assert b"Traceback" not in err, err.decode()
    return out.decode(), err.decode()


def served(workplace: Workplace) -> str:
    """Let `serve` take a free port and tick every second; return its URL."""
    port = free_port()
    workplace.environment |= {
        "NEWSLETTER_SCHEDULE__TICK": "1",
        "NEWSLETTER_WEB__PORT": str(port),
        "NEWSLETTER_WEB__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "NEWSLETTER_LOG__LEVEL": "info",
    }
    return f"http://127.0.0.1:{port}"


async def ask(url: str, path: str) -> asyncio.StreamWriter:
    """Send a request and don't wait for its answer."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return writer


def readers(workplace: Workplace) -> None:
    """Write a list with many readers, and its page."""
    more = "".join(f'\n[[subscribers]]\nemail = "reader{number}@example.org"\n' for number in range(1, READERS))
    workplace.list_file(["saved_page:../page-*.txt"], more=more)
    save_page(workplace)
    workplace.environment["NEWSLETTER_SMTP__CONNECTIONS"] = "3"


def states(workplace: Workplace) -> dict[str, int]:
    with closing(sqlite3.connect(workplace.folder / "var" / "newsletter.db")) as ledger:
        return dict(ledger.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall())


@pytest.mark.long
async def test_serve_ends_while_pages_are_being_made_that_never_end(workplace: Workplace) -> None:
    hour = datetime.now(UTC) - timedelta(minutes=2)
    due_list(workplace, hour)
    own = workplace.folder / "templates" / "web"
    own.mkdir(parents=True)
    begin, end = "{% for one in range(10 ** 4) %}" * 3, "{% endfor %}" * 3
    (own / "day.html").write_text(f"{begin}{{{{ 'x' if one < 0 }}}}{end}")
    url = served(workplace)
    process = await workplace.start("serve")
    await heard(process, b"serving")
    await until(lambda: len(workplace.mails()) == 1)
    asked = [await ask(url, f"/daily/{hour:%Y-%m-%d}/") for _ in range(40)]
    asked += [await ask(url, path) for path in ("/healthz", "/", "/daily/") for _ in range(10)]
    await asyncio.sleep(0.5)
    await ended(process)
    assert process.returncode == 0
    for one in asked:
        one.close()


async def test_serve_ends_with_many_requests_in_flight(workplace: Workplace) -> None:
    hour = datetime.now(UTC) - timedelta(minutes=2)
    due_list(workplace, hour)
    url = served(workplace)
    process = await workplace.start("serve")
    await heard(process, b"serving")
    await until(lambda: len(workplace.mails()) == 1)
    for _ in range(20):
        for _ in range(10):
            (await ask(url, f"/daily/{hour:%Y-%m-%d}/")).close()
    asked = [await ask(url, f"/daily/{hour:%Y-%m-%d}/") for _ in range(100)]
    await ended(process)
    assert process.returncode == 0
    for one in asked:
        one.close()


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(False, id="before the issue is frozen", marks=pytest.mark.long),
        pytest.param(True, id="before it is delivered"),
    ],
)
async def test_serve_ends_while_another_process_holds_the_write_lock(
    workplace: Workplace,
    begun: bool,
) -> None:
    hour = datetime.now(UTC) - timedelta(minutes=2)
    url = served(workplace)
    async with SmtpServer() as relay:
        workplace.port = relay.port
        due_list(workplace, hour)
        assert (await workplace.run("db", "upgrade")).code == 0
        if begun:
            relay.answer("MESSAGE", HANG)
        with closing(sqlite3.connect(workplace.folder / "var" / "newsletter.db", isolation_level=None)) as other:
            if begun:
                process = await workplace.start("serve")
                await heard(process, b"issue_frozen")
                await asyncio.sleep(1)
                other.execute("PRAGMA busy_timeout = 10000")
                other.execute("BEGIN IMMEDIATE")
            else:
                other.execute("BEGIN IMMEDIATE")
                process = await workplace.start("serve")
                await heard(process, b"serving")
            await asyncio.sleep(1.5)
            asked = await ask(url, "/healthz")
            _, err = await ended(process)
            assert process.returncode == 0, err
            asked.close()
            other.rollback()
        relay.works_again()
        if begun:  # it may have arrived, so it waits as after a 4xx
            assert (await workplace.run("run")).code == 75  # EX_TEMPFAIL
            await workplace.run("deliveries", "retry")
        served(workplace)
        process = await workplace.start("serve")
        await relay.wait_for(lambda: len(relay.received) >= 1)
        await ended(process)
    assert {mail.recipient for mail in relay.received} == {"ann@example.org"}


@pytest.mark.long
async def test_a_run_ends_when_its_relay_hangs_in_mid_message_and_the_ledger_is_locked(
    workplace: Workplace,
) -> None:
    readers(workplace)
    async with SmtpServer() as relay:
        workplace.port = relay.port
        for number in range(20, READERS):
            relay.answer("MESSAGE", HANG, address=f"reader{number}@example.org")
        process = await workplace.start(*RUN)
        await relay.wait_for(lambda: len(relay.received) >= 5)
        await asyncio.sleep(1)
        with closing(sqlite3.connect(workplace.folder / "var" / "newsletter.db", isolation_level=None)) as other:
            other.execute("PRAGMA busy_timeout = 10000")
            other.execute("BEGIN IMMEDIATE")
            _, err = await ended(process)
            other.rollback()
        assert process.returncode == 75, err
        before = set(relay.copies())
        relay.works_again()
        done = await workplace.run(*RUN)
        # What each of the three connections had in hand may have arrived: it waits, as after a 4xx.
        assert done.code == 75, done.err
        assert states(workplace) == {"sent": READERS - 3, "deferred": 3}
        await workplace.run("deliveries", "retry")
        done = await workplace.run(*RUN)
        assert done.code == 0, done.err
        assert len(relay.copies()) == READERS
        assert [who for who, copies in relay.copies().items() if who in before and copies > 1] == []
    assert states(workplace) == {"sent": READERS}


async def test_what_was_cut_off_in_flight_is_uncertain_under_hold(workplace: Workplace) -> None:
    readers(workplace)
    workplace.environment["NEWSLETTER_DELIVERY__UNCERTAIN"] = "hold"
    async with SmtpServer() as relay:
        workplace.port = relay.port
        relay.answer("MESSAGE", HANG)
        process = await workplace.start(*RUN)
        await until(lambda: (workplace.folder / "var" / "newsletter.db").exists() and bool(states_if(workplace)))
        await asyncio.sleep(2)
        await ended(process)
        assert process.returncode == 75
        relay.works_again()
        await workplace.run(*RUN)
    counts = states(workplace)
    assert counts.get("uncertain", 0) == 3, counts  # a message of each connection
    assert counts["sent"] == READERS - 3
    assert len(relay.received) == READERS - 3


def states_if(workplace: Workplace) -> dict[str, int]:
    with suppress(sqlite3.Error):
        return states(workplace)
    return {}


@pytest.mark.parametrize(
    ("command", "received"),
    [
        pytest.param("collect", INT, marks=pytest.mark.long),
        ("run", INT),
        pytest.param("serve", INT, marks=pytest.mark.long),
        ("serve", TERM),
    ],
)
async def test_it_ends_while_a_source_does_not_answer(
    workplace: Workplace, command: str, received: signal.Signals
) -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2), [f"feed:http://127.0.0.1:{port}/feed.xml"])
    served(workplace)
    workplace.environment["NEWSLETTER_HTTP__ALLOW_PRIVATE"] = "true"
    process = await workplace.start(command)
    async with asyncio.timeout(30):
        await asked.wait()
    began = monotonic()
    await ended(process, received)
    assert process.returncode == (0 if command == "serve" else 75)
    assert monotonic() - began < 5  # there is nothing to be finished
    over.set()
    server.close()
    await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("command", "received"), [("run", TERM), pytest.param("serve", INT, marks=pytest.mark.long)]
)
async def test_it_ends_while_a_thread_hangs_in_a_system_call(
    workplace: Workplace, command: str, received: signal.Signals
) -> None:
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2))
    served(workplace)
    journals = workplace.folder / "var" / "newsletter.db.journals"
    journals.mkdir(parents=True)
    lock = os.open(journals / "recovery.lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # a thread waits for it, as another process that recovers would let it
    process = await workplace.start(command)
    await heard(process, b"issue_frozen")
    await asyncio.sleep(1)
    await ended(process, received)
    assert process.returncode == (0 if command == "serve" else 75)
    os.close(lock)
    assert workplace.mails() == []


async def test_a_second_signal_ends_it_at_once(workplace: Workplace) -> None:
    readers(workplace)
    async with SmtpServer() as relay:
        workplace.port = relay.port
        relay.answer("MESSAGE", HANG)
        process = await workplace.start(*RUN)
        await until(lambda: bool(states_if(workplace)))
        await asyncio.sleep(1)
        process.send_signal(TERM)
        await asyncio.sleep(1)
        assert process.returncode is None
        began = monotonic()
        await ended(process, INT)
        assert monotonic() - began < 2
        assert process.returncode == -INT
        relay.works_again()
        assert (await workplace.run(*RUN)).code == 0
        assert len(relay.copies()) == READERS


async def test_a_run_that_is_stopped_tells_what_it_did_and_asks_to_be_run_again(workplace: Workplace) -> None:
    readers(workplace)
    async with SmtpServer() as relay:
        workplace.port = relay.port
        workplace.environment |= {"NEWSLETTER_SMTP__RATE": "4", "NEWSLETTER_SMTP__CONNECTIONS": "1"}
        process = await workplace.start(*RUN)
        await relay.wait_for(lambda: len(relay.received) >= 3)
        out, err = await ended(process)
        assert process.returncode == 75, err
        told = json.loads(out)
        assert told["status"] == "partial"
        assert told["deliveries"]["sent"] == len(relay.received)
        assert told["deliveries"]["queued"] == READERS - len(relay.received)


async def test_preview_ends_with_a_page_in_flight(workplace: Workplace) -> None:
    workplace.list_file(["saved_page:../page-*.txt"])
    save_page(workplace)
    port = free_port()
    process = await workplace.start("preview", "--port", str(port))
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert b"http" in await process.stdout.readline()
    asked = [await ask(f"http://127.0.0.1:{port}", "/") for _ in range(10)]
    await ended(process, INT)
    assert process.returncode == 0
    for one in asked:
        one.close()


@asynccontextmanager
async def freezable(path: Path) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Give a port that leads to a Unix socket, until the event is set: then nothing more comes through."""
    frozen = asyncio.Event()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(65_536):
            if not frozen.is_set():
                writer.write(part)
                await writer.drain()
        writer.close()

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_unix_connection(str(path))
        with suppress(ConnectionError):
            await asyncio.gather(pass_on(reader, to_writer), pass_on(to_reader, writer))

    server = await asyncio.start_server(both, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], frozen
    finally:
        server.close()


@pytest.mark.parametrize("command", [pytest.param("run", marks=pytest.mark.long), "serve"])
async def test_it_ends_while_postgresql_does_not_answer(
    workplace: Workplace, migrated_postgres: Server, postgres_url: str, command: str
) -> None:
    readers(workplace)
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2))
    served(workplace)
    socket = migrated_postgres.folder / ".s.PGSQL.5432"
    async with SmtpServer() as relay, freezable(socket) as (port, frozen):
        workplace.port = relay.port
        workplace.environment["NEWSLETTER_SMTP__RATE"] = "2"
        name = make_url(postgres_url).database
        workplace.environment["NEWSLETTER_DATABASE__URL"] = f"postgresql://postgres@127.0.0.1:{port}/{name}"
        process = await workplace.start(command)
        await relay.wait_for(lambda: len(relay.received) >= 1)
        frozen.set()
        await asyncio.sleep(1)
        await ended(process)
        assert process.returncode == (0 if command == "serve" else 75)
