from __future__ import annotations

import asyncio

import pytest

from newsletter.core.address import domain_of
from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.delivery.limits.domain_queue import DomainQueue
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.ports import ChunkReport
from tests.delivery.fakes import FakeOutbox, delivery, message_for
from tests.delivery.services import Make, relay_to
from tests.smtp_server import SmtpServer

TAKEN = Outcome(state=DeliveryState.SENT, code=250, text="2.0.0 ok")
SLOWLY = Outcome(state=DeliveryState.DEFERRED, code=451, text="4.7.0 too many messages")
SLOW, QUICK = "slow.example", "quick.example"


def throttled(**changes: float) -> DomainLimits:
    """Return limits that know a slow domain."""
    limits = DomainLimits(**{"first_pause": 0.02, "patience": 1.0, **changes})  # type: ignore[arg-type]
    for _ in range(3):
        assert limits.admit(SLOW)
        limits.answered(SLOW, SLOWLY)
    return limits


async def test_a_domain_that_asks_for_it_several_times_gets_a_pause_and_others_do_not() -> None:
    limits = throttled()

    assert not limits.admit(SLOW)
    assert limits.admit(QUICK)


async def test_after_the_pause_a_domain_gets_one_message_at_a_time() -> None:
    limits = throttled()

    await asyncio.sleep(0.03)

    assert limits.admit(SLOW)
    assert not limits.admit(SLOW)


async def test_the_pause_doubles_with_each_such_answer_up_to_the_longest() -> None:
    limits = throttled(longest_pause=0.05)
    pauses = []

    for _ in range(3):
        pauses.append(limits.look_at(SLOW) - asyncio.get_running_loop().time())
        await asyncio.sleep(pauses[-1] + 0.01)
        assert limits.admit(SLOW)
        limits.answered(SLOW, SLOWLY)

    assert pauses[0] <= 0.02 < pauses[1] <= 0.04 < pauses[2] <= 0.05


async def test_a_domain_that_takes_messages_again_is_forgotten() -> None:
    limits = throttled()
    await asyncio.sleep(0.03)

    assert limits.admit(SLOW)
    limits.answered(SLOW, TAKEN)

    assert all(limits.admit(SLOW) for _ in range(20))


async def test_a_message_that_was_sent_before_the_pause_and_is_taken_does_not_end_it() -> None:
    limits = DomainLimits(first_pause=60.0)
    for _ in range(4):
        assert limits.admit(SLOW)
    for answer in (SLOWLY, SLOWLY, SLOWLY, TAKEN):
        limits.answered(SLOW, answer)

    assert not limits.admit(SLOW)


async def test_a_message_that_is_taken_in_between_starts_the_count_anew() -> None:
    limits = DomainLimits()

    for answer in (SLOWLY, SLOWLY, TAKEN, SLOWLY, SLOWLY):
        assert limits.admit(SLOW)
        limits.answered(SLOW, answer)

    assert limits.admit(SLOW)


async def test_what_one_mailbox_answers_says_nothing_of_its_domain() -> None:
    limits = DomainLimits()

    for text in ("4.2.2 mailbox full", "4.7.1 Greylisted, come back later", "4.1.1 user unknown for now") * 3:
        assert limits.admit(SLOW)
        limits.answered(SLOW, Outcome(state=DeliveryState.DEFERRED, code=451, text=text))

    assert limits.admit(SLOW)


async def test_a_domain_is_sent_no_more_at_once_than_it_may() -> None:
    limits = DomainLimits(Limit(at_once=2))

    assert [limits.admit(SLOW) for _ in range(3)] == [True, True, False]
    limits.answered(SLOW, TAKEN)
    assert limits.admit(SLOW)


async def test_a_domain_is_sent_no_more_a_second_than_it_may() -> None:
    limits = DomainLimits(Limit(rate=5))

    assert [limits.admit(SLOW) for _ in range(3)] == [True, False, False]
    assert limits.admit(QUICK)
    await asyncio.sleep(0.15)
    assert [limits.admit(SLOW) for _ in range(2)] == [True, False]


async def test_a_message_that_was_not_sent_after_all_leaves_its_place_to_another() -> None:
    limits = DomainLimits(Limit(rate=0.01))

    assert limits.admit(SLOW)
    limits.answered(SLOW, None)

    assert limits.admit(SLOW)
    limits.answered(SLOW, TAKEN)
    assert not limits.admit(SLOW)


async def test_a_domain_may_have_limits_of_its_own() -> None:
    limits = DomainLimits(Limit(at_once=1), {SLOW: Limit(at_once=2, rate=0.01), "free.example": Limit()})

    assert [limits.admit(SLOW) for _ in range(2)] == [True, False]
    assert [limits.admit(QUICK) for _ in range(2)] == [True, False]
    assert all(limits.admit("free.example") for _ in range(20))


async def test_paces_of_long_ago_are_forgotten_and_others_are_kept() -> None:
    limits = DomainLimits(Limit(rate=0.01), {QUICK: Limit(rate=1000)})
    assert limits.admit(SLOW)
    assert limits.admit(QUICK)
    await asyncio.sleep(0.01)

    limits.begin_chunk()

    assert list(limits._paces) == [SLOW]


@pytest.mark.parametrize(
    ("email", "domain"), [("Ann@Example.ORG", "example.org"), ("ann@Bücher.example", "xn--bcher-kva.example")]
)
def test_a_domain_is_compared_in_lower_case_and_in_its_ascii_form(email: str, domain: str) -> None:
    assert domain_of(email) == domain


async def test_a_domain_that_says_451_slows_down_alone(server: SmtpServer, process: Make) -> None:
    slow = [f"reader{number}@{SLOW}" for number in range(1, 31)]
    quick = [f"reader{number}@{QUICK}" for number in range(31, 91)]
    outbox = FakeOutbox(delivery(key, email) for key, email in enumerate([*slow, *quick], start=1))
    for email in slow:
        server.answer("RCPT", "451 4.7.0 too many messages", address=email)
    limits = DomainLimits(first_pause=60.0)

    report = await process(outbox, relay_to(server), limits=limits, batch=10).deliver(message_for)

    assert report.sent == 60
    assert 3 <= report.deferred <= 7  # two connections, each with a message at hand
    assert report.returned == 30 - report.deferred
    assert report.trouble == ""
    assert not any(row.claimed_by for row in outbox.rows.values())


async def test_a_domain_that_recovers_gets_the_rest_in_the_same_run(server: SmtpServer, process: Make) -> None:
    readers = [f"reader{number}@{SLOW}" for number in range(1, 21)]
    outbox = FakeOutbox(delivery(key, email) for key, email in enumerate(readers, start=1))
    server.answer("RCPT", "451 4.7.0 too many messages", times=4)

    limits = DomainLimits(first_pause=0.05)
    report = await process(outbox, relay_to(server), limits=limits).deliver(message_for)

    assert report == ChunkReport(sent=16, deferred=4)


async def test_the_most_at_once_holds_over_all_connections(server: SmtpServer, process: Make) -> None:
    server.delay = 0.01

    report = await process(
        FakeOutbox.of(10), relay_to(server, connections=4), limits=DomainLimits(Limit(at_once=1))
    ).deliver(message_for)

    assert report == ChunkReport(sent=10)
    assert server.most_in_work == 1


async def test_a_reader_in_trouble_at_a_slow_domain_waits_for_it_too(server: SmtpServer, process: Make) -> None:
    readers = [f"reader{number}@{SLOW}" for number in range(1, 11)]
    outbox = FakeOutbox(delivery(key, email) for key, email in enumerate(readers, start=1))
    server.answer("RCPT", "451 4.7.0 too many messages", times=3)
    server.answer("RCPT", "503 5.5.1 say MAIL first", address=readers[0], times=1)

    limits = DomainLimits(first_pause=0.05)
    report = await process(outbox, relay_to(server, connections=1), limits=limits).deliver(message_for)

    assert report == ChunkReport(sent=7, deferred=3)


async def test_a_run_waits_as_long_as_the_rate_of_a_domain_asks(server: SmtpServer, process: Make) -> None:
    limits = DomainLimits(Limit(rate=40), patience=0.0)
    loop = asyncio.get_running_loop()
    began = loop.time()

    report = await process(FakeOutbox.of(40), relay_to(server), limits=limits).deliver(message_for)

    assert report == ChunkReport(sent=40)
    assert 0.85 <= loop.time() - began < 3.0  # 39 times 25 ms, less what may come early


async def test_a_domain_at_its_rate_holds_up_no_other(server: SmtpServer, process: Make) -> None:
    paced = [f"reader{number}@{SLOW}" for number in range(30)]
    free = [f"reader{number}@{QUICK}" for number in range(60)]
    outbox = FakeOutbox(delivery(key, email) for key, email in enumerate([*paced, *free], start=1))
    limits, stop = DomainLimits(by_domain={SLOW: Limit(rate=0.001)}), asyncio.Event()

    delivering = asyncio.create_task(
        process(outbox, relay_to(server), limits=limits, batch=10).deliver(message_for, stop=stop)
    )
    await server.until(61)
    stop.set()

    assert await delivering == ChunkReport(sent=61, returned=29)


async def test_thousands_of_domains_at_their_rate_do_not_slow_each_other_down() -> None:
    limits, now = DomainLimits(Limit(rate=0.001)), asyncio.get_running_loop().time()
    waiting = DomainQueue(limits)
    for number in range(20_000):
        assert limits.admit(f"{number}.example")
        waiting.add(f"{number}.example", delivery(number, f"reader@{number}.example"))

    for _ in range(20_000):
        assert waiting.pop() is None

    assert asyncio.get_running_loop().time() - now < 5.0
    assert len(waiting) == len(list(waiting)) == 20_000
    assert not waiting.is_hopeless


async def test_a_run_waits_for_a_domain_that_another_run_keeps_busy(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox(delivery(key, f"reader{key}@{SLOW}", issue_key=key % 2) for key in range(1, 21))
    at_work = process(outbox, relay_to(server, connections=4), limits=DomainLimits(Limit(at_once=1)))
    server.delay = 0.002

    reports = await asyncio.gather(*(at_work.deliver(message_for, issue_key=key) for key in (0, 1)))

    assert reports == [ChunkReport(sent=10), ChunkReport(sent=10)]
    assert server.most_in_work == 1
