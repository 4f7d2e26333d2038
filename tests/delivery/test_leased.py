"""A rate that several processes keep together; here each has a `Leasing` of its own, and the ledger is real."""

from __future__ import annotations

import asyncio

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import StoreError
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.delivery.limits.leased import Leasing
from newsletter.delivery.limits.pace import Pace
from newsletter.ports import Store
from tests.delivery.fakes import FakeOutbox, message_for
from tests.delivery.ledgers import Broken
from tests.delivery.services import process, relay_to
from tests.smtp_server import SmtpServer

SCOPE = "relay smtp.example:587"


async def take(pace: Pace) -> None:
    """Wait until a message may go, as a chunk does."""
    while later := await pace.get_ready():  # noqa: ASYNC110 (nobody says when)
        await asyncio.sleep(later)
    await asyncio.sleep(pace.reserve())


def at_once(pace: Pace) -> int:
    """Return how many messages may go now."""
    count = 0
    while pace.is_open:
        pace.reserve()
        count += 1
    return count


async def ready_at_once(pace: Pace) -> int:
    await pace.get_ready()
    return at_once(pace)


async def test_several_processes_send_no_more_than_the_rate_and_all_of_it(store: Store) -> None:
    paces = [Leasing(store.rates).pace(SCOPE, 100) for _ in range(3)]
    counts = [0, 0, 0]

    async def send(number: int) -> None:
        while sum(counts) < 60:
            await take(paces[number])
            counts[number] += 1

    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(send(number) for number in range(3) for _ in range(4)))

    assert loop.time() - began >= 0.59 - 0.1  # as early as a message may come
    assert min(counts) > 0


async def test_after_a_time_without_messages_there_is_no_burst(store: Store) -> None:
    paces = [Leasing(store.rates).pace(SCOPE, 100) for _ in range(3)]
    for _ in range(15):
        await asyncio.gather(*map(take, paces))
    await asyncio.sleep(1.0)

    bursts = [await ready_at_once(pace) for pace in paces]

    assert max(bursts) <= 1 + 100 * 0.1
    assert sum(bursts) <= 1 + 100 * 0.2  # by what the ledger has given away, the second comes after the first


async def test_a_slow_rate_is_not_leased_for_long_by_one_process(store: Store) -> None:
    one, other = (Leasing(store.rates).pace(SCOPE, 2) for _ in range(2))
    waiting = [asyncio.create_task(take(one)) for _ in range(16)]
    await asyncio.sleep(0.1)

    assert await other.get_ready() == 0
    assert other.reserve() < 2 / 2

    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_who_sends_less_than_the_rate_never_waits_for_a_place(store: Store) -> None:
    pace = Leasing(store.rates).pace(SCOPE, 1000)
    for _ in range(10):
        await take(pace)

    for _ in range(10):
        await asyncio.sleep(0.02)
        assert pace.is_open
        pace.reserve()


async def test_a_place_that_no_message_needed_is_there_for_another(store: Store) -> None:
    pace = Leasing(store.rates).pace(SCOPE, 0.01)
    await take(pace)
    assert not pace.is_open

    pace.give_back()

    assert pace.is_open
    assert not pace.is_unused


async def test_a_ledger_that_fails_is_told_to_who_waits_and_then_asked_again(store: Store) -> None:
    pace = Leasing(Broken(store.rates, times=1)).pace(SCOPE, 2)

    with pytest.raises(StoreError):
        await pace.get_ready()

    assert await pace.get_ready() == 0


async def test_who_is_cancelled_while_waiting_leaves_the_place_to_the_next(store: Store) -> None:
    pace = Leasing(store.rates).pace(SCOPE, 100)
    first, second = (asyncio.create_task(take(pace)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    await asyncio.wait_for(second, 5)

    assert first.cancelled()


async def test_no_rate_asks_for_nothing(store: Store) -> None:
    pace = Leasing(Broken()).pace(SCOPE, 0)

    assert await pace.get_ready() == 0
    assert [pace.reserve() for _ in range(100)] == [0.0] * 100


async def test_domains_share_their_rates_too_and_get_places_together(store: Store) -> None:
    counting = Broken(store.rates)
    one, other = (DomainLimits(Limit(rate=0.01)) for _ in range(2))
    leasing = Leasing(counting)
    one.share(leasing)
    other.share(Leasing(store.rates))
    domains = [f"d{number}.example" for number in range(50)]

    assert sum(one.admit(domain) for domain in domains) == 0  # each place must be leased before
    await leasing.end()
    assert sum(one.admit(domain) for domain in domains) == 50
    assert counting.calls == 1

    assert sum(other.admit(domain) for domain in domains) == 0
    await asyncio.sleep(0.2)
    assert sum(other.admit(domain) for domain in domains) == 0


async def test_a_chunk_that_gets_no_places_sends_nothing_and_lets_go_of_all(server: SmtpServer) -> None:
    outbox = FakeOutbox.of(10)

    with pytest.raises(StoreError):
        await process(outbox, relay_to(server, rate=5.0), rates=Broken()).deliver(message_for)

    assert server.received == []
    assert outbox.states() == {DeliveryState.QUEUED: 10}
    assert not any(row.claimed_by for row in outbox.rows.values())
