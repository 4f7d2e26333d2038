"""A big issue that `newsletter run` delivers by several processes, and is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.e2e.test_run import save_page
from tests.e2e.workplace import Workplace
from tests.smtp_server import Received, SmtpServer

pytestmark = pytest.mark.without_workers

READERS, CONNECTIONS = 600, 4


class Expecting(SmtpServer):
    """A server that takes nothing before it has connections of two processes."""

    expected = CONNECTIONS // 2 + 1

    async def take(self, message: Received) -> None:
        await self.wait_for(lambda: self.connections >= self.expected)
        await super().take(message)


@pytest.fixture
async def server() -> AsyncIterator[Expecting]:
    async with Expecting() as server:
        yield server


async def logged(process: asyncio.subprocess.Process, event: str) -> dict[str, object]:
    """Wait until a command has logged an event, and return its line."""
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if line.startswith(b"{") and (found := json.loads(line))["event"] == event:
            return dict(found)
    raise AssertionError(f"it has ended without {event}")


async def until_left(server: SmtpServer) -> None:
    """Wait until nobody has a connection to the server."""
    async with asyncio.timeout(10):
        while server._sessions:  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.05)


async def test_a_killed_run_leaves_no_process_and_the_next_one_goes_on(
    workplace: Workplace, server: Expecting
) -> None:
    save_page(workplace)
    members = "".join(f'\n[[subscribers]]\nemail = "reader{number}@example.org"\n' for number in range(READERS))
    workplace.list_file(["saved_page:../page-*.txt"], more=members)
    workplace.starts_python = True
    workplace.environment |= {
        "NEWSLETTER_SMTP__PORT": str(server.port),
        "NEWSLETTER_SMTP__CONNECTIONS": str(CONNECTIONS),
        "NEWSLETTER_DELIVERY__PROCESSES": "2",
        "NEWSLETTER_LOG__LEVEL": "info",
        "NEWSLETTER_LOG__FORMAT": "json",
    }
    server.delay = 0.01

    first = await workplace.start("run", "--date", "2026-03-12", "--json")
    await logged(first, "delivery_process_started")
    await server.until(40)
    first.kill()
    await first.communicate()
    await until_left(server)
    by_first = len(server.received)
    server.expected = 0
    again = await workplace.run("run", "--date", "2026-03-12", "--json")

    assert 40 <= by_first < READERS
    assert again.code == 0
    copies = server.copies()
    assert len(copies) == READERS + 1
    # Those of the other process were finished.
    assert sum(copies.values()) - len(copies) <= CONNECTIONS // 2
    assert server.most_at_once <= CONNECTIONS
    lines = [json.loads(line) for line in again.err.splitlines() if line.startswith("{")]
    assert [line["count"] for line in lines if line["event"] == "delivering_by_processes"] in ([], [2])
    assert again.json["deliveries"]["queued"] == 0
