"""Sign-ups in both engines: one for each list and address, mails under ceilings, each step once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from newsletter.core.newsletter_list import Cadence
from newsletter.core.signup import (
    GIVEN_UP_AFTER,
    VALID_FOR,
    Ceilings,
    SignUp,
    SignUpMail,
    SignUpRequest,
    SignUpState,
)
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import Funnel, Store
from tests.store.conftest import Opener
from tests.store.samples import HOUR, NOW, join, subscriber

CEILINGS = Ceilings(per_address=3, per_domain=1000, per_hour=6000)
DAY = timedelta(days=1)


def request(number: int | str = 1, domain: str = "example.org", **values: object) -> SignUpRequest:
    return SignUpRequest(email=f"reader{number}@{domain}", **values)  # type: ignore[arg-type]


async def ask(store: Store, *requests: SignUpRequest, client: str = "", now: object = NOW) -> None:
    for one in requests or (request(),):
        await store.signups.ask("daily", one, client=client, now=now)  # type: ignore[arg-type]


async def mails(store: Store, now: object = NOW, ceilings: Ceilings = CEILINGS, most: int = 1000) -> list[SignUp]:
    return list(await store.signups.next_mails(ceilings, most=most, now=now))  # type: ignore[arg-type]


async def mailed(store: Store, now: object = NOW) -> SignUp:
    """Ask for one address, and note that its mail was sent."""
    await ask(store, now=now)
    [one] = await mails(store, now)
    await store.signups.mail_sent(one.key, SignUpMail.CONFIRM, now=now)  # type: ignore[arg-type]
    found = await store.signups.find(one.key)
    assert found is not None
    return found


async def funnel(store: Store) -> Funnel | None:
    return (await store.signups.funnels(since=NOW.date())).get("daily")


async def test_a_sign_up_is_kept_as_it_was_asked_and_mailed_once(store: Store) -> None:
    wanted = request(name="Ada", topics=("agents", "vision"), cadence=Cadence.WEEKLY)
    await ask(store, wanted, client="net", now=NOW)
    [one] = await mails(store)
    assert (one.request, one.client, one.state, one.asked_at) == (wanted, "net", SignUpState.ASKED, NOW)
    assert await mails(store) == []
    await store.signups.mail_sent(one.key, SignUpMail.CONFIRM, now=NOW)
    assert await mails(store, NOW + HOUR) == []
    assert await funnel(store) == Funnel(asked=1, mailed=1)


async def test_a_mail_of_a_process_that_died_is_sent_by_another(store: Store) -> None:
    await ask(store)
    [one] = await mails(store)
    [again] = await mails(store, NOW + GIVEN_UP_AFTER)
    assert again.key == one.key
    assert again.attempts == 1


async def test_one_reminder_comes_after_a_day(store: Store) -> None:
    one = await mailed(store)
    assert await mails(store, NOW + DAY - HOUR) == []
    [reminded] = await mails(store, NOW + DAY)
    assert reminded.next_mail is SignUpMail.REMINDER
    await store.signups.mail_sent(one.key, SignUpMail.REMINDER, now=NOW + DAY)
    for days in range(2, 7):
        assert await mails(store, NOW + days * DAY) == []


async def test_a_sign_up_is_confirmed_once_and_not_after_its_time(store: Store) -> None:
    one = await mailed(store)
    after = NOW + VALID_FOR
    assert not await store.signups.confirm(one.key, wants_latest=False, needs_approval=False, now=after)
    outcomes = await asyncio.gather(
        *(
            store.signups.confirm(one.key, wants_latest=True, needs_approval=False, now=NOW + HOUR)
            for _ in range(3)
        )
    )
    assert sorted(outcomes) == [False, False, True]
    [welcome] = await mails(store, NOW + HOUR)
    assert (welcome.next_mail, welcome.wants_latest) == (SignUpMail.WELCOME, True)
    await store.signups.mail_sent(one.key, SignUpMail.WELCOME, now=NOW + HOUR)
    assert await mails(store, NOW + 2 * DAY) == []
    assert await funnel(store) == Funnel(asked=1, mailed=1, confirmed=1)


async def test_what_was_never_mailed_cannot_be_confirmed(store: Store) -> None:
    await ask(store)
    one = await store.signups.find(1)
    assert one is not None
    assert not await store.signups.confirm(one.key, wants_latest=False, needs_approval=False, now=NOW)


async def test_a_mail_that_arrives_before_it_is_noted_can_be_confirmed(store: Store) -> None:
    await ask(store)
    [one] = await mails(store)
    assert await store.signups.confirm(one.key, wants_latest=False, needs_approval=False, now=NOW)
    await store.signups.mail_sent(one.key, SignUpMail.CONFIRM, now=NOW)
    assert await funnel(store) == Funnel(asked=1, mailed=1, confirmed=1)
    [next_one] = await mails(store)
    assert next_one.next_mail is SignUpMail.WELCOME


async def test_the_operator_decides_once(store: Store) -> None:
    one = await mailed(store)
    assert not await store.signups.decide(one.key, accepted=True, now=NOW)
    await store.signups.confirm(one.key, wants_latest=False, needs_approval=True, now=NOW)
    [waiting] = await mails(store)
    assert waiting.next_mail is SignUpMail.APPROVAL
    await store.signups.mail_sent(one.key, SignUpMail.APPROVAL, now=NOW)
    assert await mails(store, NOW + DAY) == []
    assert await store.signups.decide(one.key, accepted=False, now=NOW)
    assert not await store.signups.decide(one.key, accepted=True, now=NOW)


async def test_who_asks_anew_after_the_welcome_gets_another_number(store: Store) -> None:
    one = await mailed(store)
    await store.signups.confirm(one.key, wants_latest=False, needs_approval=False, now=NOW)
    await store.signups.mail_sent((await mails(store))[0].key, SignUpMail.WELCOME, now=NOW)
    await ask(store, now=NOW + HOUR)
    assert await store.signups.find(one.key) is None
    [new] = await mails(store, NOW + HOUR)
    assert new.key > one.key


async def test_who_is_on_the_list_or_suppressed_gets_no_mail_and_is_forgotten(store: Store) -> None:
    await join(store, subscriber(1))
    await store.subscribers.suppress("reader2@example.org", list_name=None, reason="asked us by phone", now=NOW)
    await store.subscribers.suppress("@barred.example.org", list_name="daily", reason="a trap", now=NOW)
    await ask(store, request(1), request(2), request(3), request(4, "barred.example.org"))
    assert [one.request.email for one in await mails(store)] == ["reader3@example.org"]
    assert await mails(store, NOW + HOUR, most=1000) != []  # of the third, whose sender is not heard of
    assert await funnel(store) == Funnel(asked=4)


@pytest.mark.parametrize(
    "by", [SuppressedBy.READER, SuppressedBy.RELAY, SuppressedBy.INBOUND, SuppressedBy.IMPORT]
)
async def test_whoever_is_out_by_their_own_word_or_by_a_bounce_may_come_back(
    store: Store, by: SuppressedBy
) -> None:
    await join(store, subscriber(1))
    await store.subscribers.suppress("reader1@example.org", list_name="daily", reason="out", now=NOW, by=by)
    await ask(store)
    assert len(await mails(store)) == 1


async def test_an_address_gets_three_mails_a_week_on_all_lists_together(store: Store) -> None:
    count = 0
    for hours in range(0, 7 * 24, 12):
        now = NOW + hours * HOUR
        for name in ("daily", "weekly"):
            await store.signups.ask(name, request(), client="", now=now)
        for one in await mails(store, now):
            assert one.next_mail is not None
            await store.signups.mail_sent(one.key, one.next_mail, now=now)
            count += 1
    assert count == 3
    await ask(store, now=NOW + 8 * DAY)
    assert len(await mails(store, NOW + 8 * DAY)) == 1


async def test_ceilings_of_the_hour_make_mails_wait_and_clients_that_ask_for_few_come_first(store: Store) -> None:
    ceilings = Ceilings(per_hour=60, per_domain=30)
    await ask(store, *(request(number, "crowd.example.org") for number in range(40)), client="crowd")
    await ask(store, request("a", "one.example.org"), client="one", now=NOW + timedelta(minutes=1))
    now = NOW + timedelta(minutes=1)
    first = await mails(store, now, ceilings)
    assert first[0].request.email == "readera@one.example.org"
    assert len(first) == 6  # of its domain five: a sixth of what an hour has
    for one in first:
        await store.signups.mail_sent(one.key, SignUpMail.CONFIRM, now=now)
    assert await mails(store, now, ceilings) == []
    later = await mails(store, now + timedelta(minutes=10), ceilings)
    assert len(later) == 5


async def test_a_mail_that_nobody_took_is_tried_again_and_counts_for_no_ceiling(store: Store) -> None:
    only_one = Ceilings(per_address=1, per_hour=6, per_domain=6)
    await ask(store)
    [one] = await mails(store, ceilings=only_one)
    await store.signups.mail_not_sent(one.key, for_good=False, now=NOW)
    assert await mails(store, NOW + timedelta(minutes=1), only_one) == []
    [again] = await mails(store, NOW + GIVEN_UP_AFTER, only_one)
    assert again.attempts == 1


async def test_an_address_whose_mail_was_refused_is_forgotten(store: Store) -> None:
    await ask(store)
    [one] = await mails(store)
    await store.signups.mail_not_sent(one.key, for_good=True, now=NOW)
    assert await store.signups.find(one.key) is None


async def test_what_is_over_is_forgotten(store: Store) -> None:
    one = await mailed(store)
    assert await store.signups.forget_old(now=NOW + VALID_FOR - HOUR) == 0
    assert await store.signups.forget_old(now=NOW + VALID_FOR) == 1
    assert await store.signups.find(one.key) is None
    assert await store.signups.forget_old(now=NOW + VALID_FOR) == 0
    assert await funnel(store) == Funnel(asked=1, mailed=1)


async def test_requests_and_senders_at_once_make_one_sign_up_and_one_mail(opened: Opener) -> None:
    stores = [await opened() for _ in range(2)]
    await asyncio.gather(*(ask(store, request(1), request(2)) for store in stores * 3))
    found = await asyncio.gather(*(mails(store) for store in stores * 2))
    assert sorted(one.request.email for some in found for one in some) == [
        "reader1@example.org",
        "reader2@example.org",
    ]
    assert await funnel(stores[0]) == Funnel(asked=2)


@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_are_returned_than_the_caller_takes(store: Store, most: int) -> None:
    await ask(store, *map(request, range(5)))
    assert len(await mails(store, most=most)) == most
