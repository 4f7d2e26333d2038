"""What others are told: written with what it tells of, claimed by one, kept for a while."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import NoReaderError
from newsletter.core.events import EventType, Listener
from newsletter.core.notices import KEPT_FOR, LEASE, Notice
from newsletter.core.subscriber import Member
from newsletter.core.syncing import LEFT
from newsletter.ports import NoticeCounts, Store
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import HOUR, LIST, NOW, attempt, draft, due, frozen, join, key_of, subscriber

EARS, OTHER = (
    Listener("webhook:ears", frozenset(EventType)),
    Listener("other", frozenset({EventType.ISSUE_CLOSED})),
)
ANN = Member("reader1@example.org", "Ann")


@pytest.fixture
async def store(opened: Opener) -> Store:
    """A store in each engine, with somebody who listens to all events, and one who listens to one."""
    return await opened(listeners=(EARS, OTHER))


async def told(store: Store, receiver: str = EARS.receiver, *, at: timedelta = HOUR) -> list[Notice]:
    """Return all that a receiver is told by a moment, and let it have taken it."""
    notices = []
    while notice := await store.notices.claim(receiver, now=NOW + at):
        notices.append(notice)
        await store.notices.sent(notice, now=NOW + at)
    return notices


def said(notices: list[Notice]) -> list[tuple[str, dict[str, Any]]]:
    return [(one.kind, json.loads(one.data)) for one in notices]


async def test_a_closed_issue_is_told_to_each_who_listens_under_the_same_id(store: Store) -> None:
    issue = await frozen(store, 2)

    [first], [second] = await told(store), await told(store, OTHER.receiver)

    assert (first.id, first.kind, first.issue_key, first.attempts) == (second.id, "issue.closed", issue.key, 1)
    assert "." not in first.id
    assert json.loads(first.data) == {
        "list": "daily",
        "day": "2026-03-02",
        "number": 1,
        "subject": "Papers",
        "listings": 0,
    }
    assert await told(store) == []


async def test_an_issue_that_was_not_closed_is_not_told(store: Store) -> None:
    with pytest.raises(NoReaderError):
        await store.issues.freeze(draft(), "Papers", due(), now=NOW, needs_reader=True)

    await store.notices.ripen(now=NOW)

    assert await told(store) == []


async def test_an_issue_is_delivered_when_nothing_of_it_waits(store: Store) -> None:
    await frozen(store, 2)
    await told(store)
    async with store.outbox.worker() as worker:
        one, other = await claim(store.outbox, worker, now=NOW, limit=9)
        await attempt(store, one, DeliveryState.SENT)
        await store.notices.ripen(now=NOW)
        assert await told(store) == []
        await attempt(store, other, DeliveryState.REFUSED)

    for _ in range(2):
        await store.notices.ripen(now=NOW)

    [(kind, data)] = said(await told(store))
    assert kind == "issue.delivered"
    assert {state: number for state, number in data["deliveries"].items() if number} == {"sent": 1, "refused": 1}
    assert data["number"] == 1


@pytest.mark.parametrize("end", [DeliveryState.SENT, DeliveryState.REFUSED, None])
async def test_an_issue_is_delivered_however_its_deliveries_ended(store: Store, end: DeliveryState | None) -> None:
    await frozen(store, int(end is not None))
    async with store.outbox.worker() as worker:
        for one in await claim(store.outbox, worker, now=NOW, limit=9):
            assert end is not None
            await attempt(store, one, end)

    await store.notices.ripen(now=NOW)

    assert [one.kind for one in await told(store)] == ["issue.closed", "issue.delivered"]


async def test_readers_who_come_and_go_by_their_own_word_are_told_as_numbers(store: Store) -> None:
    key = (await store.subscribers.return_by_confirmation(LIST, ANN, now=NOW)).key
    assert key is not None
    await store.subscribers.return_by_confirmation(LIST, ANN, now=NOW)
    for _ in range(2):
        await store.subscribers.leave(key, reason=LEFT, now=NOW)
    leaving = await store.leavings.last(key)
    assert leaving is not None
    for _ in range(2):
        await store.leavings.undo(leaving.key, now=NOW)
    await join(store, subscriber(2))

    notices = await told(store)

    about = {"list": "daily", "subscriber": key}
    confirmed, left = "subscriber.confirmed", "subscriber.left"
    assert said(notices) == [(confirmed, about), (left, about), (confirmed, about)]
    assert len({one.id for one in notices}) == 3
    assert {one.subscriber_key for one in notices} == {key}
    assert await told(store, OTHER.receiver) == []


async def test_nothing_is_written_where_nobody_listens(opened: Opener) -> None:
    store = await opened()
    await frozen(store, 1)
    await store.subscribers.leave(await key_of(store, LIST, "reader0@example.org"), reason=LEFT, now=NOW)

    assert await store.notices.ready(now=NOW + HOUR) == frozenset()


async def test_what_is_told_of_a_reader_is_shown_to_them_and_erased_with_them(store: Store) -> None:
    await store.subscribers.return_by_confirmation(LIST, ANN, now=NOW)
    known = (await store.personal_data.known(ANN.email)).rows
    assert [row["kind"] for row in known["notices"]] == ["subscriber.confirmed"]

    done = await store.personal_data.erase(ANN.email, now=NOW)

    assert done.rows["notices"] == 1
    assert await told(store) == []


async def test_of_many_processes_one_gets_a_notice(opened: Opener, store: Store) -> None:
    await frozen(store, 1)
    stores = [store, *[await opened(listeners=(EARS,)) for _ in range(3)]]

    claims = await asyncio.gather(*(one.notices.claim(EARS.receiver, now=NOW) for one in stores))

    assert len([one for one in claims if one]) == 1


async def test_what_a_dead_process_held_is_claimed_again_and_known_to_be_so(store: Store) -> None:
    await frozen(store, 1)
    first = await store.notices.claim(EARS.receiver, now=NOW)
    assert first is not None
    assert not first.was_cut_off
    assert await store.notices.claim(EARS.receiver, now=NOW + LEASE - timedelta(seconds=1)) is None

    again = await store.notices.claim(EARS.receiver, now=NOW + LEASE)

    assert again is not None
    assert (again.id, again.attempts, again.was_cut_off) == (first.id, 2, True)
    await store.notices.failed(first, "the process lives after all", again_at=None, now=NOW + LEASE)
    await store.notices.sent(again, now=NOW + LEASE)
    assert EARS.receiver not in {one.receiver for one in await store.notices.counts()}


async def test_what_failed_waits_for_its_time_and_is_counted(store: Store) -> None:
    await frozen(store, 1)
    notice = await store.notices.claim(EARS.receiver, now=NOW)
    assert notice is not None
    await store.notices.failed(notice, "answered\n503", again_at=NOW + 2 * HOUR, now=NOW)
    assert await store.notices.claim(EARS.receiver, now=NOW + HOUR) is None
    counts = NoticeCounts(receiver=EARS.receiver, waiting=1, given_up=0, reason="answered 503")
    assert counts in await store.notices.counts()

    again = await store.notices.claim(EARS.receiver, now=NOW + 2 * HOUR)
    assert again is not None
    assert not again.was_cut_off
    await store.notices.failed(again, "answered 410", again_at=None, now=NOW + 2 * HOUR)

    given_up = NoticeCounts(receiver=EARS.receiver, waiting=0, given_up=1, reason="answered 410")
    assert given_up in await store.notices.counts()
    assert await told(store, at=KEPT_FOR) == []


async def test_posts_of_an_issue_are_there_once_for_each_channel(store: Store) -> None:
    issue = await frozen(store, 1)

    for _ in range(2):
        await store.notices.add_posts(["channel:daily/team", "channel:daily/lab"], issue.key, now=NOW)

    assert await store.notices.posted(issue.key) == {"channel:daily/team", "channel:daily/lab"}
    assert [one.kind for one in await told(store, "channel:daily/team")] == ["post"]


async def test_notices_are_forgotten_after_two_weeks_whatever_became_of_them(store: Store) -> None:
    issue = await frozen(store, 1)
    await store.notices.add_posts(["channel:daily/team"], issue.key, now=NOW)

    await store.notices.forget_old(now=NOW + KEPT_FOR - HOUR)
    assert await store.notices.posted(issue.key)
    await store.notices.forget_old(now=NOW + KEPT_FOR)

    assert await store.notices.ready(now=NOW + KEPT_FOR) == frozenset()
    assert not await store.notices.posted(issue.key)
