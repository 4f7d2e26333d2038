"""What is chosen for readers when an issue is closed, and what earlier issues brought them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.core.choice import Choice, Reason, ReasonKind, TextKind
from newsletter.core.choosing import Chooser
from newsletter.core.delivery import DeliveryState, Planned
from newsletter.core.issue import Draft, Issue
from newsletter.core.newsletter_list import WEEKLY_EDITION, Cadence
from newsletter.core.rendering import Headline, Part, Rendering
from newsletter.core.subscriber import Subscriber
from newsletter.ports import Store
from newsletter.store import choices
from newsletter.store.choices import NumberedChoices, read_choice
from newsletter.store.tables import choices as choices_table
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import DAY, HOUR, NOW, at, attempt, draft, in_issue, join, keys, paper, record, subscriber

WEEKLY = f"daily{WEEKLY_EDITION}"
RENDERING = Rendering(
    html=Part(page="<p>Grüße, 読者 %%abc.slot.name%%</p>", nonce="abc"),
    text=Part(page="%%def.slot.name%%\n", nonce="def"),
    headlines=(Headline(title="One", brief="About one."),),
    left_out=frozenset({3, 1}),
    html_bytes=12,
)

Had = dict[str, frozenset[int]]


def recording(had: Had, choose: Callable[[Subscriber], Choice] | None = None) -> Callable[..., Planned]:
    """Return a plan that notes what it is told of each reader, and chooses all of the rest but nothing of it."""

    def plan(reader: Subscriber, before: frozenset[int]) -> Planned:
        had[reader.email.partition("@")[0]] = before
        return Planned(due_at=NOW, choice=choose(reader) if choose else Choice((0,), ((),)), subject="Papers")

    return plan


def weekly(one: Draft) -> Draft:
    """Return a draft as one of the list's weekly edition."""
    masthead = replace(one.masthead, list=WEEKLY, cadence=Cadence.WEEKLY)
    return replace(one, terms=replace(one.terms, masthead=masthead))


def following(*listings: int, days: int) -> Draft:
    """Return the draft of an issue some days later, with these listings."""
    held = (in_issue(key, rank) for rank, key in enumerate(listings, 1))
    return draft(*held, day=DAY + timedelta(days=days), number=days + 1)


@pytest.fixture
async def papers(store: Store) -> list[int]:
    """The keys of four papers."""
    await record(store, *(paper(number, url=f"https://example.org/{number}") for number in range(4)))
    return list((await keys(store)).values())


async def test_a_delivery_is_claimed_with_its_choice_and_subject(store: Store, papers: list[int]) -> None:
    await join(store, subscriber(1), subscriber(2))
    why = (Reason(ReasonKind.TOPIC, "agents", "tool use"), Reason(ReasonKind.AUTHOR, "Größe"))
    chosen = {
        "reader1@example.org": Planned(
            due_at=NOW,
            choice=Choice((1, 0), (why, ())),
            subject="Two",
        ),
        "reader2@example.org": Planned(due_at=NOW, choice=Choice((0,), ((),)), subject="One"),
    }
    one = draft(in_issue(papers[0]), in_issue(papers[1], 2))
    issue, _ = await store.issues.freeze(one, "Papers", lambda reader, _had: chosen[reader.email], now=NOW)

    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, now=NOW, limit=9, issue_key=issue.key)

    assert {delivery.subscriber.email: (delivery.choice, delivery.subject) for delivery in claimed} == {
        email: (planned.choice, planned.subject) for email, planned in chosen.items()
    }
    for email, planned in chosen.items():
        assert await store.issues.chosen(issue.key, email) == (planned.choice, planned.subject)
    assert await store.issues.chosen(issue.key, "nobody@example.org") is None
    assert await store.issues.chosen(issue.key + 1, "reader1@example.org") is None


async def test_who_gets_nothing_has_no_choice(store: Store) -> None:
    await join(store, subscriber())
    issue, _ = await store.issues.freeze(
        draft(), "Papers", lambda _, _had: Planned(due_at=None, reason="nothing new in it"), now=NOW
    )

    assert await store.issues.chosen(issue.key, "reader1@example.org") is None


async def test_readers_who_wish_alike_share_one_choice(open_at: Opener, url: str) -> None:
    store = await open_at(url)
    await join(store, *(subscriber(number) for number in range(2500)))
    one, other = (Reason(ReasonKind.TOPIC, name) for name in "ab")
    wishes = (
        Choice((0, 1), ((), ())),
        Choice((1, 0), ((one,), ())),
        Choice((1, 0), ((other,), ())),
        Choice((1, 0), ((other,), ()), TextKind.ABSTRACT),
    )

    def plan(reader: Subscriber, _had: frozenset[int]) -> Planned:
        number = int(reader.email[6:].partition("@")[0])
        return Planned(due_at=NOW, choice=wishes[number % 4], subject=f"Subject {number % 4}")

    issue, _ = await store.issues.freeze(draft(), "Papers", plan, now=NOW)

    async with at(url) as database, database.read() as connection:
        rows = (await connection.execute(sa.select(choices_table).order_by(choices_table.c.number))).all()
    assert sorted((row.issue_key, row.number) for row in rows) == [(issue.key, number) for number in (1, 2, 3, 4)]
    assert {(read_choice(row.chosen), row.subject) for row in rows} == {
        (wish, f"Subject {number}") for number, wish in enumerate(wishes)
    }


def test_no_choice_is_mistaken_for_another_beyond_those_that_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choices, "_NUMBERS_KEPT", 3)
    numbered = NumberedChoices(1)
    made = [Choice((position,), ((),)) for position in range(5)]

    numbers = [numbered.number(choice, "Papers") for choice in (*made, *made)]

    by_number = dict(zip(numbers, (*made, *made), strict=True))
    assert all(by_number[number] == choice for number, choice in zip(numbers, (*made, *made), strict=True))
    assert numbers[:5] == [1, 2, 3, 4, 5]


async def test_what_was_chosen_for_a_reader_is_known_to_later_issues_of_both_editions(
    store: Store, papers: list[int]
) -> None:
    one, two, three, never = papers
    await join(store, subscriber("ann"), subscriber("bob"), subscriber("eve", cadence=Cadence.WEEKLY))
    wish = {"readerann@example.org": (0,), "readerbob@example.org": (1, 0), "readereve@example.org": (1,)}

    def choose(reader: Subscriber) -> Choice:
        positions = wish[reader.email]
        return Choice(positions, ((),) * len(positions))

    await store.issues.freeze(following(one, two, days=0), "Monday", recording({}, choose), now=NOW)

    daily: Had = {}
    await store.issues.freeze(following(two, one, three, days=1), "Tuesday", recording(daily), now=NOW)
    assert daily == {"readerann": {one}, "readerbob": {one, two}, "readereve": frozenset()}  # eve gets no daily

    of_week: Had = {}
    await store.issues.freeze(weekly(following(never, one, two, days=0)), "Week", recording(of_week), now=NOW)
    assert of_week == {"readerann": frozenset(), "readerbob": frozenset(), "readereve": {two}}

    other: Had = {}
    await join(store, subscriber("ann", "other"))
    elsewhere = draft(in_issue(one), in_issue(two, 2), list_name="other")
    await store.issues.freeze(elsewhere, "Other", recording(other), now=NOW)
    assert other == {"readerann": frozenset()}


async def test_what_was_withdrawn_or_refused_was_not_brought(store: Store, papers: list[int]) -> None:
    await join(store, *(subscriber(number) for number in range(4)))
    await store.issues.freeze(following(papers[0], days=0), "Monday", recording({}), now=NOW)
    ends = [DeliveryState.SENT, DeliveryState.REFUSED, DeliveryState.DEFERRED]
    async with store.outbox.worker() as worker:
        for delivery, end in zip(await claim(store.outbox, worker, now=NOW, limit=3), ends, strict=True):
            await attempt(store, delivery, end)

    had: Had = {}
    await store.issues.freeze(following(papers[0], papers[1], days=1), "Tuesday", recording(had), now=NOW)
    assert had == {
        "reader0": {papers[0]},
        "reader1": frozenset(),
        "reader2": {papers[0]},
        "reader3": {papers[0]},
    }

    await store.outbox.withdraw_late(1, due_before=NOW + HOUR, reason="late", now=NOW)
    await store.issues.freeze(following(papers[0], papers[2], days=2), "Wednesday", recording(had), now=NOW)
    assert had["reader3"] == {papers[0]}  # it came with Tuesday's issue, which is still to be sent
    assert had["reader1"] == {papers[0]}


async def test_a_paper_that_turned_out_to_be_another_counts_as_it(store: Store) -> None:
    await record(store, paper(1, url="https://example.org/one"))
    await record(store, paper(2, title="An Earlier Title", arxiv_id="", url="https://lab.example/two"))
    first, second = (await keys(store)).values()
    await join(store, subscriber())
    await store.issues.freeze(following(second, days=0), "Monday", recording({}), now=NOW)

    await record(store, paper(1, title="An Earlier Title", url="https://lab.example/two"), at=NOW + HOUR)

    [merged] = (await keys(store)).values()
    assert merged in {first, second}
    had: Had = {}
    await store.issues.freeze(following(merged, days=1), "Tuesday", recording(had), now=NOW)
    assert had == {"reader1": {merged}}


async def test_two_editions_that_are_closed_at_once_bring_no_reader_one_paper_twice(
    opened: Opener, store: Store, papers: list[int]
) -> None:
    """Each reader gets both editions here: whichever is closed last knows what the other chose."""
    await join(store, *(subscriber(number) for number in range(50)))
    stores = [await opened() for _ in range(4)]

    async def close(door: Store, one: Draft) -> Issue:
        chooser = Chooser(one.listings, one.terms)

        def plan(reader: Subscriber, had: frozenset[int]) -> Planned:
            choice = chooser.of(reader, had)
            return Planned(due_at=NOW if choice.positions else None, choice=choice, subject="Papers")

        return (await door.issues.freeze(one, "Papers", plan, now=NOW))[0]

    daily = following(*papers[:3], days=0)
    # A weekly edition whose readers are those of the daily one, so that both would choose for all of them.
    both = replace(daily.terms, masthead=replace(daily.masthead, list=WEEKLY))
    made = await asyncio.gather(
        *(close(door, one) for door, one in zip(stores, (daily, replace(daily, terms=both)) * 2, strict=True))
    )

    brought: dict[str, list[int]] = {}
    issues = {issue.key: issue for issue in made}
    assert len(issues) == 2
    async with store.outbox.worker() as worker:
        for delivery in await claim(store.outbox, worker, now=NOW, limit=1000):
            listings = issues[delivery.issue_key].listings
            brought.setdefault(delivery.subscriber.email, []).extend(
                listings[position].key for position in delivery.choice.positions
            )
    assert len(brought) == 50
    assert all(sorted(held) == sorted(papers[:3]) for held in brought.values())


async def test_a_rendering_reads_back_as_it_was_stored(store: Store) -> None:
    await join(store, subscriber())
    issue, _ = await store.issues.freeze(draft(), "Papers", recording({}), now=NOW, renderings={"": RENDERING})

    assert await store.issues.rendering(issue.key) == RENDERING


async def test_renderings_in_several_languages_are_told_apart(store: Store) -> None:
    german = replace(RENDERING, html_bytes=99)
    rendered = {"": RENDERING, "de": german}
    issue, _ = await store.issues.freeze(draft(), "Papers", recording({}), now=NOW, renderings=rendered)
    assert await store.issues.languages(issue.key) == ("de",)
    assert await store.issues.rendering(issue.key) == RENDERING
    assert await store.issues.rendering(issue.key, "de") == german
    assert await store.issues.rendering(issue.key, "fr") is None


@pytest.mark.parametrize("kind", TextKind)
@pytest.mark.parametrize("language", ["", "de"])
def test_a_choice_is_read_as_it_was_written(kind: TextKind, language: str) -> None:
    choice = Choice((0, 2), ((), ()), kind, language)
    numbered = NumberedChoices(1)
    numbered.number(choice, "Papers")
    [(_, _, written, _)] = numbered.take_new()
    assert read_choice(written) == choice


async def test_a_rendering_that_comes_later_is_stored_once(store: Store) -> None:
    issue, _ = await store.issues.freeze(draft(), "Papers", recording({}), now=NOW)
    assert await store.issues.rendering(issue.key) is None

    first = await store.issues.keep_rendering(issue.key, RENDERING)
    second = await store.issues.keep_rendering(issue.key, replace(RENDERING, html_bytes=99))

    assert first == second == await store.issues.rendering(issue.key) == RENDERING
