"""Chunks at the same time on one service, as `serve` has them: one for each list."""

from __future__ import annotations

import asyncio
from collections import Counter

from newsletter.core.delivery import DeliveryState
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.ports import ChunkReport
from tests.delivery.dialogue import Dialogue
from tests.delivery.fakes import FakeOutbox, delivery, message_for, reader
from tests.delivery.services import Make, relay_at, relay_to
from tests.smtp_server import SmtpServer

BIG, SMALL, TINY = 1, 2, 3


def lists(**readers: int) -> FakeOutbox:
    """Return an outbox with issues of so many readers each."""
    keys = {"big": BIG, "small": SMALL, "tiny": TINY}
    addresses = [(keys[name], number) for name, count in readers.items() for number in range(count)]
    return FakeOutbox(
        delivery(key, reader(1000 * issue + number), issue_key=issue)
        for key, (issue, number) in enumerate(addresses, start=1)
    )


async def test_runs_share_the_connections_of_a_relay(server: SmtpServer, process: Make) -> None:
    server.delay = 0.005
    at_work = process(lists(big=60, small=40, tiny=3), relay_to(server, messages_per_connection=10))

    reports = await asyncio.gather(*(at_work.deliver(message_for, issue_key=key) for key in (BIG, SMALL, TINY)))

    assert reports == [ChunkReport(sent=60), ChunkReport(sent=40), ChunkReport(sent=3)]
    assert server.most_in_work == 2
    assert set(server.copies().values()) == {1}


async def test_a_small_issue_goes_out_beside_a_big_one(server: SmtpServer, process: Make) -> None:
    outbox = lists(big=200, tiny=3)
    server.delay = 0.002
    at_work = process(outbox, relay_to(server, connections=1, messages_per_connection=10))

    big = asyncio.create_task(at_work.deliver(message_for, issue_key=BIG))
    await server.until(20)
    tiny = await at_work.deliver(message_for, issue_key=TINY)
    of_big = Counter(row.state for row in outbox.rows.values() if row.delivery.issue_key == BIG)

    assert tiny == ChunkReport(sent=3)
    assert of_big[DeliveryState.SENT] < 100
    assert await big == ChunkReport(sent=200)


async def test_chunks_of_one_issue_go_out_one_after_the_other(server: SmtpServer, process: Make) -> None:
    outbox = lists(big=60)
    server.delay = 0.002
    at_work = process(outbox, relay_to(server, connections=1, messages_per_connection=10))

    first = asyncio.create_task(at_work.deliver(message_for, issue_key=BIG, most=30))
    await server.until(1)
    second = asyncio.create_task(at_work.deliver(message_for, issue_key=BIG, most=30))

    assert await first == ChunkReport(sent=30)
    assert len(server.copies()) < 45
    assert await second == ChunkReport(sent=30)


async def test_a_run_that_ends_or_is_cancelled_leaves_its_connections_to_others(
    server: SmtpServer, process: Make
) -> None:
    outbox = lists(big=100, small=20)
    server.delay = 0.002
    at_work = process(outbox, relay_to(server))

    big = asyncio.create_task(at_work.deliver(message_for, issue_key=BIG))
    await server.until(10)
    small = asyncio.create_task(at_work.deliver(message_for, issue_key=SMALL))
    await asyncio.sleep(0)
    big.cancel()
    await asyncio.wait([big])

    assert await small == ChunkReport(sent=20)
    again = await at_work.deliver(message_for, issue_key=BIG)
    assert again.returned == 0


async def test_a_run_that_is_stopped_while_it_waits_for_a_connection_gives_everything_back(
    server: SmtpServer, process: Make
) -> None:
    outbox, stop = lists(big=50, tiny=3), asyncio.Event()
    server.delay = 0.01
    at_work = process(outbox, relay_to(server, connections=1))

    big = asyncio.create_task(at_work.deliver(message_for, issue_key=BIG))
    await server.until(5)
    tiny = asyncio.create_task(at_work.deliver(message_for, issue_key=TINY, stop=stop))
    await server.until(10)
    stop.set()

    assert (await tiny).sent == 0
    assert await big == ChunkReport(sent=50)
    assert Counter(row.state for row in outbox.rows.values() if row.delivery.issue_key == TINY) == {
        DeliveryState.QUEUED: 3
    }


async def test_a_run_that_waits_for_a_slow_domain_leaves_its_connections_to_others(
    server: SmtpServer, process: Make
) -> None:
    outbox, stop = lists(big=20, tiny=3), asyncio.Event()
    for row in outbox.rows.values():
        if row.delivery.issue_key == TINY:
            row.delivery = delivery(row.delivery.key, f"tiny{row.delivery.key}@quick.example", issue_key=TINY)
    limits = DomainLimits(by_domain={"example.org": Limit(rate=0.001)})
    at_work = process(outbox, relay_to(server, connections=1), limits=limits)

    big = asyncio.create_task(at_work.deliver(message_for, issue_key=BIG, stop=stop))
    await server.until(1)
    tiny = await asyncio.wait_for(at_work.deliver(message_for, issue_key=TINY), 10)
    stop.set()

    assert tiny == ChunkReport(sent=3)
    assert await big == ChunkReport(sent=1, returned=19)


async def test_sessions_that_end_while_others_want_their_connections_keep_nobody_waiting(process: Make) -> None:
    ended, taken = 0, Counter[str]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal ended
        dialogue, messages = Dialogue(reader, writer), 0
        await dialogue.greet()
        while (command := await dialogue.hear("\r\n")).startswith("MAIL"):
            if messages and ended < 2:
                ended += 1
                dialogue.say("421 4.7.0 enough for now")
                break
            dialogue.say("250 ok")
            recipient = await dialogue.hear("\r\n")
            dialogue.say("250 ok")
            await dialogue.hear("DATA\r\n")
            dialogue.say("354 go on")
            await dialogue.hear("\r\n.\r\n")
            taken[recipient] += 1
            messages += 1
            dialogue.say("250 taken")
        else:
            assert command == "QUIT\r\n"
            dialogue.say("221 bye")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        relay = relay_at("127.0.0.1", server.sockets[0].getsockname()[1])
        at_work = process(lists(big=3, small=2), relay)
        async with asyncio.timeout(5):
            reports = await asyncio.gather(*(at_work.deliver(message_for, issue_key=key) for key in (BIG, SMALL)))

    assert reports == [ChunkReport(sent=3), ChunkReport(sent=2)]
    assert set(taken.values()) == {1}
    assert ended == 2
