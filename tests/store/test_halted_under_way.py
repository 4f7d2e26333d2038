"""Issues that are paused or cancelled while they go out, over a real SMTP server."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.halt import Halt, Order
from newsletter.delivery.inline import Inline
from newsletter.delivery.service import DeliveryService
from newsletter.pipeline.deliver import ClosedIssues, Delivering
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.ports import Store
from newsletter.store import halts, open_store
from newsletter.store.changes import take_steps
from tests.delivery.fakes import NOW, message_for
from tests.delivery.services import relay_to, service
from tests.delivery.stores import freeze_for
from tests.smtp_server import SmtpServer
from tests.store.conftest import Opener

READERS = 120
QUEUED, SENT, WITHDRAWN = DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.WITHDRAWN


class _Closed:
    """Stands for the closed issues: their mail says hello."""

    message_for = staticmethod(message_for)


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    async with SmtpServer(delay=0.05) as server:
        yield server


@pytest.fixture
async def post(store: Store, server: SmtpServer) -> AsyncIterator[DeliveryService]:
    async with service(store.outbox, relay_to(server)) as running:
        yield running


def delivering(store: Store, post: DeliveryService, folder: Path) -> Delivering:
    mark = HighWaterMark(store.high_water, folder)
    return Delivering(store, cast("ClosedIssues", _Closed()), Inline(post), lambda: NOW, mark)


async def halted_under_way(
    order: Order, store: Store, other: Store, post: DeliveryService, server: SmtpServer, folder: Path
) -> int:
    """Let another process halt an issue while it goes out; return the issue when nothing more leaves."""
    key = await freeze_for(store, READERS)
    issue = await store.issues.get(key)
    assert issue is not None
    going_out = asyncio.create_task(delivering(store, post, folder).deliver(issue))
    await server.until(4)
    await other.halts.obey(key, order, now=NOW)
    await asyncio.wait_for(going_out, 10)
    return key


async def test_a_pause_stops_an_issue_within_seconds_and_each_reader_gets_it_once_in_the_end(
    opened: Opener, store: Store, post: DeliveryService, server: SmtpServer, tmp_path: Path
) -> None:
    other = await opened()
    key = await halted_under_way(Order.PAUSE, store, other, post, server, tmp_path)

    counts = await other.outbox.counts(key)
    assert counts[SENT] == len(server.received) < READERS
    assert counts[QUEUED] == READERS - counts[SENT]
    issue = await store.issues.get(key)
    assert issue is not None
    left = await delivering(store, post, tmp_path).deliver(issue)
    assert (left.halt, left.report.settled) == (Halt.PAUSED, 0)

    await other.halts.obey(key, Order.RESUME, now=NOW)
    server.delay = 0
    await delivering(store, post, tmp_path).deliver(issue)
    assert (await other.outbox.counts(key))[SENT] == READERS
    assert set(Counter(mail.recipient for mail in server.received).values()) == {1}


async def test_cancelling_withdraws_all_that_did_not_leave_and_nothing_that_did(
    opened: Opener, store: Store, post: DeliveryService, server: SmtpServer, tmp_path: Path
) -> None:
    other = await opened()
    key = await halted_under_way(Order.CANCEL, store, other, post, server, tmp_path)

    counts = await other.outbox.counts(key)
    assert counts[SENT] == len(server.received) < READERS
    assert counts[WITHDRAWN] == READERS - counts[SENT]
    assert await other.outbox.open_issues() == []


def test_what_a_killed_command_left_of_a_cancelled_issue_the_next_run_withdraws(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halts, "_PIECE", 50)
    asyncio.run(_with_store(url, lambda store: freeze_for(store, READERS)))

    def cancel() -> None:
        async def die_in_the_second_piece(connection: Any, changes: Any) -> object:
            done = await take_steps(connection, changes)
            if min(change.key for change in changes) > 50:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        monkeypatch.setattr("newsletter.store.halts.take_steps", die_in_the_second_piece)

        async def cancelled(store: Store) -> None:
            await store.halts.obey(1, Order.CANCEL, now=NOW)
            await store.halts.withdraw(1, now=NOW)

        asyncio.run(_with_store(url, cancelled))

    process = multiprocessing.get_context("fork").Process(target=cancel)
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL

    async def next_run(store: Store) -> tuple[dict[DeliveryState, int], dict[DeliveryState, int]]:
        before = await store.outbox.counts(1)
        issue = await store.issues.get(1)
        assert issue is not None
        async with service(store.outbox, relay_to(SmtpServer(port=9))) as post:  # nobody listens there
            await delivering(store, post, tmp_path).deliver(issue)
        return before, await store.outbox.counts(1)

    before, after = asyncio.run(_with_store(url, next_run))
    assert (before[WITHDRAWN], before[QUEUED]) == (50, READERS - 50)
    assert (after[WITHDRAWN], after[QUEUED]) == (READERS, 0)


async def _with_store(url: str, work: Any) -> Any:
    store = await open_store(url)
    try:
        return await work(store)
    finally:
        await store.close()
