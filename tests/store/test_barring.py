"""Whole domains that are never mailed: nobody of them is planned for, and what is planned is withdrawn."""

from __future__ import annotations

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.subscriber import Member, Origin, SubscriberStatus
from newsletter.core.syncing import Barred
from newsletter.ports import Store, Suppression
from tests.claiming import claim
from tests.store.samples import DAY, HOUR, LIST, NOW, draft, due, join, of_list, subscriber, why

HERE, SUB, QUOTED = "ann@example.org", "bob@mail.example.org", '"an@example.net"@example.org'
ELSEWHERE = "cid@example.net"


async def bar(store: Store, domain: str = "@Example.org", on: str | None = None) -> None:
    await store.suppressions.add(
        [Suppression(address=domain, list=on, reason="by the operator", since=NOW)], now=NOW
    )


async def close(store: Store) -> dict[str, str]:
    """Close an issue; return why each reader's delivery was withdrawn, empty if it is queued."""
    await store.issues.freeze(draft(), "Papers", due(), now=NOW)
    records = await store.outbox.records(day=DAY)
    return {one.email: why(one) for one in records}


async def test_nobody_of_a_suppressed_domain_is_planned_for_and_its_subdomains_are_others(store: Store) -> None:
    await join(store, *(subscriber(email=one) for one in (HERE, SUB, QUOTED, ELSEWHERE)))
    await bar(store)

    barred = "suppressed: @example.org: by the operator"
    assert await close(store) == {HERE: barred, QUOTED: barred, SUB: "", ELSEWHERE: ""}
    assert {one.status for one in await of_list(store)} == {SubscriberStatus.ACTIVE}
    records = await store.subscribers.records()
    assert {one.subscriber.email for one in records if one.barred} == {HERE, QUOTED}
    assert records[0].barred == Barred("@example.org: by the operator", NOW)


async def test_a_domain_is_suppressed_on_one_list_alone(store: Store) -> None:
    await join(store, subscriber(email=HERE), subscriber(email=HERE, list_name="other"))
    await bar(store, on="other")

    assert await close(store) == {HERE: ""}


async def test_what_is_planned_for_a_domain_is_withdrawn_when_it_is_claimed(store: Store) -> None:
    await join(store, subscriber(email=HERE), subscriber(email=ELSEWHERE))
    await close(store)
    await bar(store)

    async with store.outbox.worker() as worker:
        claimed = await claim(store.outbox, worker, now=NOW, limit=10)

    assert [one.subscriber.email for one in claimed] == [ELSEWHERE]
    [withdrawn] = await store.outbox.records(states=[DeliveryState.WITHDRAWN])
    assert (withdrawn.email, why(withdrawn)) == (HERE, "suppressed: @example.org: by the operator")


async def test_the_own_suppression_of_an_address_is_told_before_that_of_its_domain(store: Store) -> None:
    await join(store, subscriber(email=HERE))
    await bar(store)
    await store.subscribers.suppress(HERE, list_name=LIST, reason="unsubscribed", now=NOW + HOUR)

    [record] = await store.subscribers.records()
    assert record.barred == Barred("unsubscribed", NOW + HOUR)


async def test_who_of_a_domain_reads_gets_mail_again_when_it_is_lifted_and_who_left_stays_out(
    store: Store,
) -> None:
    await join(store, subscriber(email=HERE), subscriber(email=QUOTED, status=SubscriberStatus.UNSUBSCRIBED))
    await bar(store)
    await store.suppressions.lift(["@EXAMPLE.org"], list_name=None, now=NOW)

    assert await close(store) == {HERE: "", QUOTED: "suppressed: unsubscribed"}


async def test_no_command_puts_anybody_of_a_domain_on_a_list(store: Store) -> None:
    await bar(store)
    people = [Member(HERE), Member(SUB)]

    with pytest.raises(UsageError, match=r"ann@example\.org gets no mail of daily: @example\.org: by"):
        await store.subscribers.add(LIST, people[0], Origin.COMMAND, now=NOW)
    barred = {HERE: Barred("@example.org: by the operator", NOW)}
    assert await store.subscribers.left_out(LIST, people) == barred
    assert await store.subscribers.add_all(LIST, people, Origin.IMPORT, now=NOW) == barred
