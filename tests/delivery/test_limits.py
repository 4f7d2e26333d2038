from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.delivery.limits import DomainLimits, domain_of
from newsletter.ports import DispatchReport
from tests.delivery.fakes import FakeOutbox, delivery, message_for
from tests.delivery.pools import pool

if TYPE_CHECKING:
    from tests.delivery.pools import Make
    from tests.smtp_server import SmtpServer

TAKEN = Outcome(state=DeliveryState.SENT, code=250, text="2.0.0 ok")
SLOWLY = Outcome(state=DeliveryState.DEFERRED, code=451, text="4.7.0 too many messages")
SLOW, QUICK = "slow.example", "quick.example"


def throttled(**changes: float) -> DomainLimits:
    """Return limits that know a slow domain."""
    limits = DomainLimits(**{"first_pause": 0.02, "patience": 1.0, **changes})  # type: ignore[arg-type]
    for _ in range(3):
        assert limits.admit(SLOW)
        limits.heard(SLOW, SLOWLY)
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
        pauses.append(limits.wait([SLOW]) or 0)
        await asyncio.sleep(pauses[-1] + 0.01)
        assert limits.admit(SLOW)
        limits.heard(SLOW, SLOWLY)

    assert pauses[0] <= 0.02 < pauses[1] <= 0.04 < pauses[2] <= 0.05


async def test_a_domain_that_takes_messages_again_is_forgotten() -> None:
    limits = throttled()
    await asyncio.sleep(0.03)

    assert limits.admit(SLOW)
    limits.heard(SLOW, TAKEN)

    assert all(limits.admit(SLOW) for _ in range(20))


async def test_a_message_that_is_taken_in_between_starts_the_count_anew() -> None:
    limits = DomainLimits()

    for answer in (SLOWLY, SLOWLY, TAKEN, SLOWLY, SLOWLY):
        assert limits.admit(SLOW)
        limits.heard(SLOW, answer)

    assert limits.admit(SLOW)


async def test_what_one_mailbox_answers_says_nothing_of_its_domain() -> None:
    limits = DomainLimits()

    for text in ("4.2.2 mailbox full", "4.7.1 Greylisted, come back later", "4.1.1 user unknown for now") * 3:
        assert limits.admit(SLOW)
        limits.heard(SLOW, Outcome(state=DeliveryState.DEFERRED, code=451, text=text))

    assert limits.admit(SLOW)


async def test_a_domain_is_sent_no_more_at_once_than_it_may() -> None:
    limits = DomainLimits(at_once=2)

    assert [limits.admit(SLOW) for _ in range(3)] == [True, True, False]
    limits.heard(SLOW, TAKEN)
    assert limits.admit(SLOW)


def test_a_domain_is_compared_in_lower_case() -> None:
    assert domain_of("Ann@Example.ORG") == "example.org"


async def test_a_domain_that_says_451_slows_down_alone(server: SmtpServer, dispatcher: Make) -> None:
    slow = [f"reader{number}@{SLOW}" for number in range(1, 31)]
    quick = [f"reader{number}@{QUICK}" for number in range(31, 91)]
    outbox = FakeOutbox(delivery(key, email) for key, email in enumerate([*slow, *quick], start=1))
    for email in slow:
        server.answer("RCPT", "451 4.7.0 too many messages", address=email)
    limits = DomainLimits(first_pause=60.0)

    report = await dispatcher(outbox, pool(server), limits=limits, batch=10).deliver(message_for)

    assert report.sent == 60
    assert 3 <= report.deferred <= 7  # two connections, each with a message at hand
    assert report.returned == 30 - report.deferred
    assert report.trouble == ""
    assert not any(row.claimed_by for row in outbox.rows.values())


async def test_a_domain_that_recovers_gets_the_rest_in_the_same_run(server: SmtpServer, dispatcher: Make) -> None:
    readers = [f"reader{number}@{SLOW}" for number in range(1, 21)]
    outbox = FakeOutbox(delivery(key, email) for key, email in enumerate(readers, start=1))
    server.answer("RCPT", "451 4.7.0 too many messages", times=4)

    limits = DomainLimits(first_pause=0.05)
    report = await dispatcher(outbox, pool(server), limits=limits).deliver(message_for)

    assert report == DispatchReport(sent=16, deferred=4)


async def test_the_most_at_once_holds_over_all_connections(server: SmtpServer, dispatcher: Make) -> None:
    server.delay = 0.01

    report = await dispatcher(
        FakeOutbox.of(10), pool(server, connections=4), limits=DomainLimits(at_once=1)
    ).deliver(message_for)

    assert report == DispatchReport(sent=10)
    assert server.most_in_work == 1


async def test_a_reader_in_trouble_at_a_slow_domain_waits_for_it_too(server: SmtpServer, dispatcher: Make) -> None:
    readers = [f"reader{number}@{SLOW}" for number in range(1, 11)]
    outbox = FakeOutbox(delivery(key, email) for key, email in enumerate(readers, start=1))
    server.answer("RCPT", "451 4.7.0 too many messages", times=3)
    server.answer("RCPT", "550 5.7.1 not from you", address=readers[0], times=1)

    limits = DomainLimits(first_pause=0.05)
    report = await dispatcher(outbox, pool(server, connections=1), limits=limits).deliver(message_for)

    assert report == DispatchReport(sent=7, deferred=3)
