"""What came back, and what follows from it, in each kind of store."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from itertools import count

from newsletter.core.bounces import EventKind, FoundBy, InboundEvent, Outcome
from newsletter.core.delivery import DeliveryState
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import Store, Taken
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import DAY, NOW, attempt, frozen, join, subscriber, suppressed

A_DAY = timedelta(days=1)
_numbers = count(1)


async def sent(store: Store, number: int, readers: int = 1) -> dict[str, int]:
    """Send an issue to some readers, on a day of its own; return its deliveries by address."""
    at = NOW + number * A_DAY
    await frozen(store, readers, day=DAY + timedelta(days=number), number=number)
    async with store.outbox.worker() as worker:
        claimed = await claim(store.outbox, worker, now=at, limit=1000)
        for one in claimed:
            await attempt(store, one, DeliveryState.SENT, code=250, at=at)
    return {one.subscriber.email: one.key for one in claimed}


def event(kind: EventKind, delivery: int | None = None, **more: object) -> InboundEvent:
    found = {"found_by": FoundBy.HEADER} if delivery is not None else {}
    known = {"id": f"mail:{next(_numbers)}", "source": "mail", "status": "5.1.1", "text": "no such user"}
    return InboundEvent(kind=kind, delivery_key=delivery, **{**known, **found, **more})  # type: ignore[arg-type]


async def take(store: Store, *events: InboundEvent, at: datetime = NOW + A_DAY) -> list[Outcome]:
    return [one.outcome for one in await store.inbound.take(events, now=at)]


async def test_a_hard_bounce_suppresses_its_reader_on_all_lists_and_says_why(store: Store) -> None:
    deliveries = await sent(store, 1, 3)
    bounced = event(EventKind.HARD, deliveries["reader1@example.org"])

    [taken] = await store.inbound.take([bounced], now=NOW + A_DAY)
    assert await store.suppressions.judge(now=NOW + A_DAY) == []

    assert taken == Taken(
        event=bounced, outcome=Outcome.DEAD, list="daily", email="reader1@example.org", found_by=FoundBy.HEADER
    )
    [suppression] = await store.suppressions.find()
    assert (suppression.address, suppression.list, suppression.held) == ("reader1@example.org", None, False)
    assert (suppression.reason, suppression.by) == ("5.1.1 no such user", SuppressedBy.INBOUND)
    assert suppression.evidence == f"a bounce of daily of {DAY + A_DAY:%F}"


async def test_an_event_counts_once_and_a_rehearsal_not_at_all(store: Store) -> None:
    deliveries = await sent(store, 1)
    complaint = event(EventKind.COMPLAINT, deliveries["reader0@example.org"])

    rehearsed = await store.inbound.take([complaint], now=NOW + A_DAY, rehearse=True)
    assert [one.outcome for one in rehearsed] == [Outcome.SUPPRESSED]
    assert await store.suppressions.find() == []
    assert await store.inbound.counts(since=DAY) == []

    assert await take(store, complaint, complaint) == [Outcome.SUPPRESSED, Outcome.KNOWN]
    assert await take(store, complaint) == [Outcome.KNOWN]
    [counted] = await store.inbound.counts(since=DAY)
    assert (counted.source, counted.outcome, counted.number) == ("mail", Outcome.SUPPRESSED, 1)


async def test_who_complains_is_out_at_once_on_all_lists(store: Store) -> None:
    deliveries = await sent(store, 1)
    await join(store, subscriber(0, "other"))
    await take(store, event(EventKind.COMPLAINT, deliveries["reader0@example.org"]))
    assert await suppressed(store, "daily") == await suppressed(store, "other") == {"reader0@example.org"}


async def test_who_leaves_by_mail_leaves_that_list_and_may_take_it_back(store: Store) -> None:
    await sent(store, 1)
    await join(store, subscriber(0, "other"))
    [reader] = await store.subscribers.records(list_name="daily")
    left = event(EventKind.UNSUBSCRIBE, subscriber_key=reader.key, found_by=FoundBy.TOKEN)

    assert await take(store, left) == [Outcome.LEFT]

    assert await suppressed(store, "daily") == {"reader0@example.org"}
    assert await suppressed(store, "other") == set()
    assert await store.leavings.last(reader.key) is not None


async def test_five_soft_bounces_in_a_row_suppress_and_a_mail_that_arrived_between_begins_anew(
    store: Store,
) -> None:
    outcomes: list[Outcome] = []
    for number in range(1, 8):
        deliveries = await sent(store, number)
        if number != 2:  # which arrived
            soft = event(EventKind.SOFT, deliveries["reader0@example.org"], status="4.2.2")
            again = event(EventKind.SOFT, deliveries["reader0@example.org"], status="4.2.2")
            outcomes += await take(store, soft, again, at=NOW + number * A_DAY)

    assert outcomes == [Outcome.COUNTED] * 10 + [Outcome.DEAD] * 2  # twice of one mail is once
    await store.suppressions.judge(now=NOW + 8 * A_DAY)
    assert await suppressed(store, "daily") == {"reader0@example.org"}


async def test_what_is_about_the_message_never_counts(store: Store) -> None:
    for number in range(1, 7):
        deliveries = await sent(store, number)
        ours = event(EventKind.OURS, deliveries["reader0@example.org"])
        assert await take(store, ours) == [Outcome.IGNORED]


async def test_a_report_that_names_an_address_alone_counts_and_never_suppresses_by_itself(store: Store) -> None:
    for number in range(1, 7):
        await sent(store, number)
        by_address = event(EventKind.HARD, address="Reader0@Example.org")
        [taken] = await store.inbound.take([by_address], now=NOW + number * A_DAY)
        assert (taken.outcome, taken.found_by) == (Outcome.COUNTED, FoundBy.ADDRESS)
    deliveries = await sent(store, 7)
    signed = event(EventKind.SOFT, deliveries["reader0@example.org"])
    assert await take(store, signed, at=NOW + 7 * A_DAY) == [Outcome.DEAD]  # with the others, it does


async def test_a_complaint_suppresses_by_an_address_that_a_mail_went_to_lately(store: Store) -> None:
    await sent(store, 1)
    late = NOW + timedelta(days=40)
    assert await take(store, event(EventKind.COMPLAINT, address="reader0@example.org"), at=late) == [
        Outcome.UNKNOWN
    ]
    assert await take(store, event(EventKind.COMPLAINT, address="reader0@example.org")) == [Outcome.SUPPRESSED]
    assert await take(store, event(EventKind.COMPLAINT, address="nobody@example.org")) == [Outcome.UNKNOWN]


async def test_the_address_that_a_trusted_service_names_is_believed(store: Store) -> None:
    await sent(store, 1)
    [taken] = await store.inbound.take(
        [event(EventKind.HARD, address="reader0@example.org", is_vouched=True, source="ses")], now=NOW + A_DAY
    )
    assert (taken.outcome, taken.found_by) == (Outcome.DEAD, FoundBy.SERVICE)


async def test_what_is_forged_is_counted_and_does_nothing(store: Store) -> None:
    await sent(store, 1)
    forged = event(EventKind.HARD, address="reader0@example.org", is_forged=True)
    assert await take(store, forged, event(EventKind.NOTHING), event(EventKind.HARD, 4711)) == [
        Outcome.FORGED,
        Outcome.UNKNOWN,
        Outcome.UNKNOWN,
    ]
    await store.inbound.count_forged("ses", now=NOW + A_DAY)
    await store.inbound.count_forged("ses", now=NOW + A_DAY)
    counts = {(one.source, one.outcome): one.number for one in await store.inbound.counts(since=DAY)}
    assert counts == {("mail", Outcome.FORGED): 1, ("mail", Outcome.UNKNOWN): 2, ("ses", Outcome.FORGED): 2}
    assert await store.suppressions.find() == []


async def test_a_token_is_good_for_one_event(store: Store) -> None:
    deliveries = await sent(store, 1, 2)
    first = event(EventKind.SOFT, deliveries["reader0@example.org"], once="mailgun:abc")
    other = event(EventKind.COMPLAINT, deliveries["reader1@example.org"], once="mailgun:abc")
    assert await take(store, first, other) == [Outcome.COUNTED, Outcome.FORGED]
    assert await store.suppressions.find() == []


async def test_many_dead_addresses_of_a_domain_whose_mail_arrived_before_are_held_until_another_day(
    store: Store,
) -> None:
    await sent(store, 1, 6)
    deliveries = await sent(store, 2, 6)
    second = NOW + 2 * A_DAY
    bounces = [event(EventKind.HARD, key) for key in deliveries.values()]
    assert await take(store, *bounces[:5], at=second) == [Outcome.DEAD] * 5

    [held] = await store.suppressions.judge(now=second)

    assert (held.domain, held.addresses, await suppressed(store, "daily")) == ("example.org", 5, set())
    deliveries = await sent(store, 3, 6)  # a relay takes it, and a day later one of them comes back
    assert await store.suppressions.judge(now=NOW + 3 * A_DAY) == []
    assert len(await store.suppressions.find(held=True)) == 5
    await take(store, event(EventKind.HARD, deliveries["reader0@example.org"]), at=NOW + 4 * A_DAY)
    await store.suppressions.judge(now=NOW + 7 * A_DAY)
    assert await suppressed(store, "daily") == {"reader0@example.org"}
    assert await store.suppressions.held() == []  # the others' mail has not come back


async def test_addresses_that_are_called_dead_one_by_one_are_held_from_the_third_on(store: Store) -> None:
    await sent(store, 1, 6)
    deliveries = await sent(store, 2, 6)
    for hour, key in enumerate(deliveries.values()):
        at = NOW + 2 * A_DAY + timedelta(hours=hour)
        await take(store, event(EventKind.HARD, key), at=at)
        await store.suppressions.judge(now=at)
    assert await suppressed(store, "daily") == {"reader0@example.org", "reader1@example.org"}
    assert len(await store.suppressions.find(held=True)) == 4


async def test_many_dead_addresses_to_which_no_mail_ever_arrived_are_suppressed(store: Store) -> None:
    deliveries = await sent(store, 1, 25)
    dead = [event(EventKind.HARD, key) for key in list(deliveries.values())[:5]]
    await take(store, *dead)
    assert await store.suppressions.judge(now=NOW + A_DAY) == []
    assert len(await suppressed(store, "daily")) == 5


async def test_an_event_that_two_processes_take_at_once_counts_once(store: Store, opened: Opener) -> None:
    deliveries = await sent(store, 1, 20)
    events = [event(EventKind.SOFT, key, status="4.2.2") for key in deliveries.values()]
    other = await opened()
    taken = await asyncio.gather(take(store, *events), take(other, *reversed(events)))
    assert Counter(outcome for outcomes in taken for outcome in outcomes) == {
        Outcome.COUNTED: 20,
        Outcome.KNOWN: 20,
    }
    [counted] = await store.inbound.counts(since=DAY)
    assert counted.number == 20


async def test_what_comes_back_of_a_reader_who_was_erased_is_nobodys(store: Store) -> None:
    deliveries = await sent(store, 1)
    [reader] = await store.subscribers.records(list_name="daily")
    await store.personal_data.erase("reader0@example.org", now=NOW)
    left = event(EventKind.UNSUBSCRIBE, subscriber_key=reader.key, found_by=FoundBy.TOKEN)
    bounced = event(EventKind.HARD, deliveries["reader0@example.org"])
    assert await take(store, bounced, left) == [Outcome.UNKNOWN] * 2
