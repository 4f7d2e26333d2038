"""Trouble as the whole program meets it, a full disk or a locked database: nobody is lost or gets two copies."""

from __future__ import annotations

import asyncio
import re
import resource
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.test_run import save_page
from tests.e2e.workplace import NEWSLETTER, Workplace
from tests.smtp_server import SmtpServer

# What is wrong is the ledger's file.
pytestmark = pytest.mark.without_workers

READERS, CONNECTIONS = 300, 4
RUN = ("run", "--date", "2026-03-12", "--json")
# No file may be made longer than so many bytes: to the process it is as if the disk were full.
_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
os.execv(sys.argv[1], sys.argv[1:])
"""
FULL_FROM_THE_START = (sys.executable, "-c", _LIMITED, NEWSLETTER)
# Where the disk is full, coverage can't be measured: it is written to it too.
UNMEASURED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}


@pytest.fixture
async def server(workplace: Workplace) -> AsyncIterator[SmtpServer]:
    """Give a relay that takes its time, and a list with many readers that is sent through it."""
    more = "".join(f'\n[[subscribers]]\nemail = "reader{number}@example.org"\n' for number in range(1, READERS))
    workplace.list_file(["saved_page:../page-*.txt"], more=more)
    save_page(workplace)
    workplace.environment |= {
        "NEWSLETTER_SMTP__CONNECTIONS": str(CONNECTIONS),
        "NEWSLETTER_DELIVERY__DOMAIN_CONNECTIONS": str(CONNECTIONS),
        "NEWSLETTER_DELIVERY__BATCH": "20",
    }
    async with SmtpServer(delay=0.01) as server:
        workplace.port = server.port
        yield server


IMPATIENT = (sys.executable, "-m", "tests.e2e.impatient")
LOCKED = (
    "newsletter: list daily: SQLite database var/newsletter.db: database is locked; another process is writing"
)


@contextmanager
def locked(workplace: Workplace) -> Iterator[None]:
    """Hold the database as another process that writes to it, for as long as the context lasts."""
    other = sqlite3.connect(workplace.folder / "var" / "newsletter.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def copies(server: SmtpServer) -> Counter[bytes]:
    """Return how often each message came, by Message-ID."""
    found = (re.search(rb"^Message-ID: <(.*)>\r$", mail.content, re.MULTILINE) for mail in server.received)
    return Counter(one[1] for one in found if one)


async def finished(workplace: Workplace, server: SmtpServer, *, in_flight: int = 0) -> None:
    """See that a rerun completes: everybody has a copy, and nobody two but those whose message was in flight."""
    done = await workplace.run(*RUN)
    assert done.code == 0, done.err
    assert done.json["deliveries"] | {"sent": 0} == dict.fromkeys(done.json["deliveries"], 0)
    assert done.json["deliveries"]["sent"] == len(copies(server)) == READERS
    assert copies(server).total() <= READERS + in_flight


async def test_a_disk_that_fills_up_stops_the_run_and_the_next_one_goes_on(
    workplace: Workplace, server: SmtpServer
) -> None:
    workplace.environment |= UNMEASURED
    process = await workplace.start(*RUN)
    await server.until(READERS // 4)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    done = await workplace.end(process)
    assert done.code == 69
    (complaint,) = done.complaints
    assert complaint.startswith("newsletter: list daily: SQLite database var/newsletter.db: disk I/O error; ")
    assert complaint.endswith("see whether its disk is full, then run again")
    assert READERS // 4 <= len(server.received) < READERS
    await finished(workplace, server, in_flight=CONNECTIONS)


async def test_a_disk_that_is_full_from_the_start_lets_nothing_out(
    workplace: Workplace, server: SmtpServer
) -> None:
    workplace.environment |= UNMEASURED
    right, workplace.port = workplace.port, 9
    await workplace.run(*RUN)
    workplace.port = right
    program, workplace.program = workplace.program, FULL_FROM_THE_START
    full = await workplace.run(*RUN)
    assert full.code == 69
    (complaint,) = full.complaints
    assert "disk is full" in complaint  # it is the journal that has no room, or the database
    assert server.received == []
    workplace.program = program
    await finished(workplace, server)


async def test_an_issue_for_which_there_is_no_room_is_not_made_and_the_next_run_makes_it(
    workplace: Workplace, server: SmtpServer
) -> None:
    workplace.environment |= UNMEASURED
    program, workplace.program = workplace.program, FULL_FROM_THE_START
    full = await workplace.run(*RUN)
    assert full.code == 69
    (complaint,) = full.complaints
    assert "see whether its disk is full" in complaint
    workplace.program = program
    assert (await workplace.run("issues", "list", "--json")).json == []
    await finished(workplace, server)


async def test_a_run_waits_for_another_process_that_writes_to_the_database(
    workplace: Workplace, server: SmtpServer
) -> None:
    process = await workplace.start(*RUN)
    await server.until(READERS // 4)
    with locked(workplace):
        await asyncio.sleep(2)
        assert len(server.received) < READERS
    done = await workplace.end(process)
    assert (done.code, done.json["status"]) == (0, "sent")
    assert set(copies(server).values()) == {1}
    await finished(workplace, server)


async def test_a_database_that_stays_locked_stops_the_run_and_the_next_one_goes_on(
    workplace: Workplace, server: SmtpServer
) -> None:
    workplace.program = IMPATIENT
    process = await workplace.start(*RUN)
    await server.until(READERS // 4)
    with locked(workplace):
        done = await workplace.end(process)
    assert done.code == 69
    (complaint,) = done.complaints
    assert complaint.startswith(LOCKED)
    assert READERS // 4 <= len(server.received) < READERS
    await finished(workplace, server, in_flight=CONNECTIONS)


async def test_a_database_that_is_locked_from_the_start_lets_nothing_out(
    workplace: Workplace, server: SmtpServer
) -> None:
    right, workplace.port = workplace.port, 9
    await workplace.run(*RUN)
    workplace.port = right
    workplace.program = IMPATIENT
    with locked(workplace):
        done = await workplace.run(*RUN)
    assert done.code == 69
    (complaint,) = done.complaints
    assert complaint.startswith(LOCKED)
    assert server.received == []
    await finished(workplace, server)
