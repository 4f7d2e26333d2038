"""Readers who are alike are planned once: the deliveries are those that planning each reader makes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.calendar import planner, slot_on
from newsletter.core.choice import Choice, TextKind
from newsletter.core.choosing import chooser
from newsletter.core.delivery import DeliveryState, Planned
from newsletter.core.examples import GivenPaper
from newsletter.core.follows import read_follow
from newsletter.core.issue import Draft, Issue
from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.core.steps import Plan
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.core.topics import Topic, TopicsMode
from newsletter.ports import Store
from newsletter.store import closing
from newsletter.store.alike import Page, ReadersAlike
from newsletter.store.tables import choices, deliveries, issue_listings, issues, renderings
from tests.store.conftest import Opener
from tests.store.samples import (
    DAY,
    NOW,
    at,
    attempt,
    draft,
    in_issue,
    join,
    key_of,
    keys,
    paper,
    record,
    subscriber,
)

READERS, KINDS = 100, 12
LATER = NOW + timedelta(days=30)
TOPICS = {name: Topic(name=name, keywords=(name,)) for name in ("one", "two", "three")}


def readers(chance: random.Random) -> list[Subscriber]:
    """Return readers of all kinds, of whom many are alike."""

    def some(often: float, *values: Any) -> Any:
        return chance.choice(values) if chance.random() < often else None

    kinds = [
        {
            "topics": tuple(sorted(chance.sample(sorted(TOPICS), chance.randrange(3)))),
            "follows": (read_follow("author: B. Two"),) if some(0.2, True) else (),
            "interest": some(0.2, 'the nature of numbers, "quoted", (and) ünusual', "one\\ two") or "",
            "cadence": some(0.2, Cadence.DAILY, Cadence.WEEKLY),
            "hour": some(0.3, time(7), time(19, 30)),
            "timezone": some(0.3, "Asia/Tokyo", "America/New_York"),
            "topics_mode": some(0.2, TopicsMode.ONLY, TopicsMode.FIRST),
            "text": some(0.2, TextKind.ABSTRACT) or TextKind.SUMMARY,
            "language": some(0.2, "de", "fr"),
            "days": some(0.3, (0, 2), (1, 3)),
            "paused_until": some(0.2, DAY + timedelta(days=1), DAY + timedelta(days=9)),
            "examples": (GivenPaper(title="On the Nature of Number 2"),) if some(0.1, True) else (),
        }
        for _ in range(KINDS)
    ]
    statuses = chance.choices(tuple(SubscriberStatus), (8, 1, 1), k=READERS)
    return [
        subscriber(number, name=f"Reader {number}", status=status, **chance.choice(kinds))
        for number, status in enumerate(statuses)
    ]


async def past(store: Store, listings: list[int], chance: random.Random) -> None:
    """Give readers a past: two issues with all kinds of ends, opinions, and addresses that are suppressed."""
    for days, held in enumerate((listings[:2], listings[1:4])):
        one = issue_of(held, days)
        issue, _ = await store.issues.freeze(one, "Papers", plan_of(one.closed(0, "Papers", NOW), []), now=NOW)
        ends = [DeliveryState.SENT, DeliveryState.REFUSED, DeliveryState.DEFERRED]
        async with store.outbox.worker() as worker:
            claimed = await store.outbox.claim(worker, now=LATER, limit=30, issue_key=issue.key)
            for delivery in claimed:
                await attempt(store, delivery, chance.choice(ends))
        if days == 0:
            await store.outbox.withdraw_late(issue.key, due_before=LATER, reason="too late to be news", now=LATER)
    for number in chance.sample(range(READERS), 8):
        key = await key_of(store, "daily", f"reader{number}@example.org")
        await store.feedback.say(key, chance.choice(listings), liked=chance.random() < 0.5, now=NOW)
    for number in chance.sample(range(READERS), 4):
        await store.subscribers.suppress(
            f"reader{number}@example.org", list_name=chance.choice(("daily", None)), reason="they left", now=NOW
        )


def issue_of(listings: list[int], days: int) -> Draft:
    """Return the draft of an issue some days after the first, of which the last listing is there again."""
    held = [
        in_issue(key, rank, paper(key, abstract=f"One, two or three: {['one', 'two', 'three'][key % 3]}."))
        for rank, key in enumerate(listings, 1)
    ]
    if days > 1:
        held[-1] = replace(held[-1], again=True)
    made = draft(*held, day=DAY + timedelta(days=days), number=days + 1)
    return replace(made, terms=replace(made.terms, topics=TOPICS, max_listings=3))


def plan_of(issue: Issue, asked: list[str]) -> Plan:
    """Return the plan of an issue as the program makes it; whom it is asked for is noted."""
    list_ = NewsletterList(masthead=issue.terms.masthead, sources=("huggingface",), topics=TOPICS)
    choose: Callable[[Subscriber, frozenset[int]], Choice] = chooser(issue, ("de",)).of
    made = planner(
        list_,
        slot_on(list_, issue.day),
        NOW,
        at_once=False,
        choose=choose,
        subject_of=lambda choice: f"{choice.language} {len(choice.positions)} papers",
    )

    def plan(reader: Subscriber, had: frozenset[int]) -> Planned:
        asked.append(reader.email)
        return made(reader, had)

    return plan


async def planned(url: str, key: int) -> list[tuple[Any, ...]]:
    """Return the deliveries of an issue with what is chosen, in the order of their readers."""
    own = [one for one in deliveries.c if one.name not in {"key", "issue_key", "choice"}]
    chosen = sa.and_(choices.c.issue_key == deliveries.c.issue_key, choices.c.number == deliveries.c.choice)
    query = (
        sa.select(*own, choices.c.chosen, choices.c.subject)
        .select_from(deliveries.outerjoin(choices, chosen))
        .where(deliveries.c.issue_key == key)
        .order_by(deliveries.c.subscriber_key)
    )
    async with at(url) as database, database.read() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def thrown_away(url: str, key: int) -> None:
    """Delete an issue as if it had never been closed."""
    async with at(url) as database, database.write() as connection:
        for table in (deliveries, choices, issue_listings, renderings):
            await connection.execute(sa.delete(table).where(table.c.issue_key == key))
        await connection.execute(sa.delete(issues).where(issues.c.key == key))


@pytest.mark.parametrize("seed", [1, 2])
async def test_readers_who_are_planned_once_get_what_each_would_get_alone(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for name in ("PAGE_OF_SQLITE", "PAGE_OF_POSTGRESQL"):
        monkeypatch.setattr(closing, name, 25)
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    await record(store, *(paper(number) for number in range(6)))
    listings = list((await keys(store)).values())
    await join(store, *readers(chance))
    await past(store, listings, chance)
    one = issue_of([listings[1], listings[2], listings[4], listings[5], listings[0]], 2)
    each: list[str] = []
    alone, _ = await store.issues.freeze(one, "Papers", plan_of(one.closed(0, "Papers", NOW), each), now=NOW)
    expected = await planned(url, alone.key)
    counts = (await store.issues.summaries([alone.key]))[alone.key].deliveries
    assert sum(counts.values()) == len(expected)
    await thrown_away(url, alone.key)

    once: list[str] = []
    plan = plan_of(one.closed(0, "Papers", NOW), once)
    together, _ = await store.issues.freeze(one, "Papers", plan, now=NOW, once_for_alike=True)

    assert await planned(url, together.key) == expected
    assert (await store.issues.summaries([together.key]))[together.key].deliveries == counts
    assert len(once) < 0.8 * len(each)


async def test_many_readers_are_asked_for_once(store: Store, url: str) -> None:
    await record(store, paper(1))
    [listing] = (await keys(store)).values()
    await join(store, *(subscriber(number) for number in range(300)))
    one, asked = issue_of([listing], 0), list[str]()

    issue, _ = await store.issues.freeze(
        one, "Papers", plan_of(one.closed(0, "Papers", NOW), asked), now=NOW, once_for_alike=True
    )

    assert len(asked) == 1
    rows = await planned(url, issue.key)
    assert [row[1] for row in rows] == [f"reader{number}@example.org" for number in range(300)]


async def test_who_leaves_while_a_group_is_planned_takes_nobody_along(
    store: Store, opened: Opener, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(store, paper(1))
    [listing] = (await keys(store)).values()
    await join(store, *(subscriber(number) for number in range(30)))
    one, elsewhere, page = issue_of([listing], 0), await opened(), ReadersAlike.page

    async def page_and_leaving(
        self: ReadersAlike, connection: AsyncConnection, after: int, size: int
    ) -> Page | None:
        found = await page(self, connection, after, size)
        first = "reader0@example.org"  # who is planned for all
        await elsewhere.subscribers.suppress(first, list_name="daily", reason="they left", now=NOW)
        return found

    monkeypatch.setattr(ReadersAlike, "page", page_and_leaving)
    plan = plan_of(one.closed(0, "Papers", NOW), [])
    issue, _ = await store.issues.freeze(one, "Papers", plan, now=NOW, once_for_alike=True)

    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, now=LATER, limit=99, issue_key=issue.key)
    assert {one.subscriber.email for one in claimed} == {f"reader{number}@example.org" for number in range(1, 30)}


async def test_who_gets_nothing_is_written_and_counted(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "PAGE_OF_POSTGRESQL", 20)
    await record(store, paper(1))
    [listing] = (await keys(store)).values()
    cadences = [Cadence.WEEKLY if number % 10 == 0 or number >= 80 else None for number in range(100)]
    await join(store, *(replace(subscriber(number), cadence=cadences[number]) for number in range(100)))
    one = issue_of([listing], 0)

    issue, _ = await store.issues.freeze(
        one, "Papers", plan_of(one.closed(0, "Papers", NOW), []), now=NOW, once_for_alike=True
    )

    rows = await planned(url, issue.key)
    assert [row[1] for row in rows] == [f"reader{number}@example.org" for number in range(100)]
    counts = (await store.issues.summaries([issue.key]))[issue.key].deliveries
    assert (counts[DeliveryState.QUEUED], counts[DeliveryState.WITHDRAWN]) == (72, 28)
