from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from newsletter.ports import Store
from newsletter.scheduling.queue.jobs import ProcrastinateJobs
from newsletter.store import conninfo_of, open_store
from tests.scheduling.queue.rows import Rows
from tests.smtp_server import SmtpServer


@pytest.fixture
async def jobs(postgres_url: str) -> AsyncIterator[ProcrastinateJobs]:
    """Jobs for workers, written whether or not there are any."""
    made = ProcrastinateJobs(conninfo_of(postgres_url), "the database", waits_for_workers=True)
    yield made
    await made.close()


@pytest.fixture
async def store(postgres_url: str, jobs: ProcrastinateJobs) -> AsyncIterator[Store]:
    """A ledger whose issues are delivered by workers."""
    store = await open_store(postgres_url, jobs=jobs)
    yield store
    await store.close()


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    """What stands in Procrastinate's tables."""
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
        yield Rows(connection)


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    """An SMTP server that takes everything."""
    async with SmtpServer() as server:
        yield server
