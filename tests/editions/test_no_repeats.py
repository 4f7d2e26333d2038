"""A reader gets each paper at most once, over daily and weekly issues, whatever changes between them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from newsletter.bootstrap import packaged_templates
from newsletter.core.calendar import slot_on
from newsletter.core.delivery import DeliveryState
from newsletter.core.listing import Entry, Listing, Sighting
from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.core.topics import Topic, TopicsMode
from newsletter.pipeline.publish import publish
from newsletter.ports import Store
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.store import open_store
from newsletter.store.choices import read_choice
from newsletter.store.tables import choices, deliveries, issue_listings
from tests import examples, factories
from tests.store.samples import attempt, join

SOURCE = "huggingface"
FIRST = date(2026, 3, 2)
NAMES = ("ann", "bob", "eve")
WORDS = ("agent", "cell", "graph")
LIST = NewsletterList(masthead=factories.masthead(), sources=(SOURCE,), max_listings=4, lookback_days=7)
RENDERER = MailRenderer(TemplateRenderer(None, packaged_templates()), Links("", "a key of this test"))


@dataclass(frozen=True)
class Step:
    """A day: what the source shows, what readers wish by then, which edition is closed, and how its mails end.

    A paper is shown by its number under its own link, under its title alone, or with both; the last shows that the
    first two are one.
    """

    papers: Sequence[tuple[int, str]]
    wishes: Mapping[str, tuple[tuple[str, ...], TopicsMode | None, Cadence | None]]
    waits: Mapping[str, tuple[tuple[int, ...] | None, int]]  # on which days they want mail; days that they pause
    topics: dict[str, str]
    weekly: bool
    ends: Sequence[DeliveryState]


STEPS = st.builds(
    Step,
    papers=st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["link", "title", "both"])), max_size=5),
    wishes=st.dictionaries(
        st.sampled_from(NAMES),
        st.tuples(
            st.lists(st.sampled_from(WORDS), unique=True, max_size=2).map(tuple),
            st.sampled_from([None, *TopicsMode]),
            st.sampled_from([None, *Cadence]),
        ),
    ),
    waits=st.dictionaries(
        st.sampled_from(NAMES), st.tuples(st.sampled_from([None, (0, 2), (1, 4)]), st.sampled_from([0, 0, 2]))
    ),
    topics=st.dictionaries(st.sampled_from(WORDS), st.sampled_from(WORDS)),
    weekly=st.booleans(),
    ends=st.lists(
        st.sampled_from([DeliveryState.SENT, DeliveryState.REFUSED, DeliveryState.DEFERRED]), max_size=3
    ),
)


def listing(number: int, form: str) -> Listing:
    title = f"On the {WORDS[number % 3]} that is number {number}"
    link = f"https://example.org/papers/{number}"
    renamed = f"An earlier name of the {WORDS[number % 3]} numbered {number}"
    return {
        "link": Listing(title=renamed, url=link),
        "title": Listing(title=title, arxiv_id=f"2603.{number:05}"),
        "both": Listing(title=title, arxiv_id=f"2603.{number:05}", url=link),
    }[form]


@dataclass
class History:
    """Lives through the days of a list."""

    store: Store
    readers: dict[str, Subscriber] = field(default_factory=dict)

    async def day(self, number: int, step: Step) -> None:
        """Live through one day, and find out whether what it chose was chosen before."""
        day = FIRST + timedelta(days=number)
        now = datetime.combine(day, time(8), UTC)
        await self._show(day, now, step)
        await self._wish(day, now, step)
        topics = {name: Topic(name=name, keywords=(word,)) for name, word in step.topics.items()}
        list_ = replace(LIST, topics=topics)
        edition = list_.weekly_edition if step.weekly else list_
        assert edition is not None
        before = await self._brought()
        published = await publish(
            self.store,
            RENDERER,
            edition,
            [SOURCE],
            slot_on(edition, day),
            now=now,
            at_once=True,
            check=lambda _issue, _message: None,
        )
        if published.issue is not None and published.created:
            await self._check(published.issue.key, before)
            await self._deliver(published.issue.key, now, step.ends)

    async def _show(self, day: date, now: datetime, step: Step) -> None:
        entries = [
            Entry(
                listing=listing(number, form),
                sighting=Sighting(source=SOURCE, listed_on=day, seen_at=now, position=position),
            )
            for position, (number, form) in enumerate(step.papers)
        ]
        await self.store.library.record(SOURCE, day, entries, now=now)

    async def _wish(self, day: date, now: datetime, step: Step) -> None:
        for name in NAMES:
            self.readers.setdefault(name, Subscriber(list="daily", email=f"{name}@example.org"))
        for name, (topics, mode, cadence) in step.wishes.items():
            known = self.readers[name]
            self.readers[name] = replace(known, topics=topics, topics_mode=mode, cadence=cadence)
        for name, (days, pause) in step.waits.items():
            until = day + timedelta(days=pause)
            self.readers[name] = replace(self.readers[name], days=days, paused_until=until)
        await join(self.store, *self.readers.values(), now=now)

    async def _brought(self, issue_key: int | None = None) -> list[tuple[int, int]]:
        """Return all pairs of a reader and a listing that came to the reader, or is to, by what is known now."""
        chosen = (
            sa.select(deliveries.c.subscriber_key, deliveries.c.issue_key, choices.c.chosen)
            .join(
                choices,
                sa.and_(choices.c.issue_key == deliveries.c.issue_key, choices.c.number == deliveries.c.choice),
            )
            .where(deliveries.c.state.not_in([DeliveryState.REFUSED, DeliveryState.WITHDRAWN]))
        )
        if issue_key is not None:
            chosen = chosen.where(deliveries.c.issue_key == issue_key)
        held = sa.select(issue_listings.c.issue_key, issue_listings.c.rank, issue_listings.c.listing_key)
        async with self.store.issues._database.read() as connection:  # type: ignore[attr-defined]
            listings = {(issue, rank): key for issue, rank, key in await connection.execute(held)}
            rows = (await connection.execute(chosen)).all()
        return [
            (reader, listings[issue, position + 1])
            for reader, issue, text in rows
            for position in read_choice(text).positions
        ]

    async def _check(self, issue_key: int, before: list[tuple[int, int]]) -> None:
        brought = await self._brought(issue_key)
        assert len(set(brought)) == len(brought)
        assert not set(brought) & set(before)

    async def _deliver(self, issue_key: int, now: datetime, ends: Sequence[DeliveryState]) -> None:
        """Let some deliveries end in some way; what remains goes on waiting."""
        async with self.store.outbox.worker() as worker:
            claimed = await self.store.outbox.claim(worker, now=now, limit=len(ends) or 1, issue_key=issue_key)
            for delivery, end in zip(claimed, ends, strict=False):
                await attempt(self.store, delivery, end)
            await self.store.outbox.release(worker, [one.key for one in claimed])


async def live(steps: list[Step]) -> int:
    """Live through these days, and return how many issues there were."""
    store = await open_store("sqlite://")
    try:
        history = History(store)
        for number, step in enumerate(steps):
            await history.day(number, step)
        return len(await store.issues.history())
    finally:
        await store.close()


@settings(
    max_examples=examples.slow(12),
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
@given(st.lists(STEPS, min_size=3, max_size=7))
def test_no_reader_gets_a_paper_twice(steps: list[Step]) -> None:
    asyncio.run(live(steps))


async def test_who_turns_weekly_gets_the_rest_of_the_week() -> None:
    papers = [(1, "both"), (2, "both")]
    daily = Step(papers, {}, {}, {}, weekly=False, ends=[DeliveryState.SENT])
    weekly = Step([*papers, (3, "both")], {"ann": ((), None, Cadence.WEEKLY)}, {}, {}, weekly=True, ends=[])

    assert await live([daily, weekly]) == 2
