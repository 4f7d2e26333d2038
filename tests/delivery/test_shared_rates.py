"""Processes that send at once, and together keep the rate of a relay or a domain, and a relay's quota."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.core.delivery import DeliveryState, Uncertain
from newsletter.store import open_store
from tests.delivery.stores import freeze_for
from tests.delivery.worker import Order, Workers
from tests.smtp_server import SmtpServer

READERS, RATE = 90, 30.0
QUOTA = 60
AHEAD = QUOTA // 10  # that a process may have counted, and not used before the others ended


@pytest.fixture(params=["sqlite", "postgresql"])
def order(request: pytest.FixtureRequest, server: SmtpServer, tmp_path: Path) -> Order:
    """Order three processes to send: at a relay's rate from PostgreSQL, at a domain's from SQLite."""
    order = Order(
        database=f"sqlite:///{tmp_path}/newsletter.db",
        port=server.port,
        policy=Uncertain.HOLD.value,
        connections=2,
        batch=5,
        beside=2,
        domain_rate=RATE,
    )
    if request.param == "sqlite":
        return order
    return replace(
        order, database=request.getfixturevalue("postgres_url"), rate=RATE, domain_rate=0.0, per_day=QUOTA
    )


async def test_three_processes_together_send_no_faster_than_the_rate_and_no_more_than_the_quota(
    server: SmtpServer, order: Order
) -> None:
    most, surely = (QUOTA, QUOTA - 2 * AHEAD) if order.per_day else (READERS, READERS)
    store = await open_store(order.database)
    await freeze_for(store, READERS)
    loop = asyncio.get_running_loop()

    async with Workers() as workers, asyncio.timeout(120):
        await workers.start(order)
        await server.until(1)
        began = loop.time()
        await server.until(surely)
        taken = loop.time() - began
        assert await workers.ended() == 0

    # The first messages may come a tenth of a second early in each process, those at the end not much.
    assert taken >= (surely - 1) / RATE - 3 * 0.1
    assert server.connections > 2
    assert surely <= len(server.received) <= most
    assert set(server.copies().values()) == {1}
    assert await store.outbox.count(states=[DeliveryState.SENT]) == len(server.received)
    await store.close()
