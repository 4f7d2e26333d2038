"""Issues are closed page by page: what others see meanwhile, and what becomes of half an issue."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.delivery import DeliveryState, Planned
from newsletter.core.errors import NoReaderError, StaleDraftError, StoreError
from newsletter.core.issue import Draft
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.newsletter_list import WEEKLY_EDITION
from newsletter.core.steps import PAUSED, SUPPRESSED
from newsletter.core.subscriber import Subscriber
from newsletter.ports import Issues, Outbox, Store
from newsletter.store import closing, half_issues, session_workers
from newsletter.store.alike import Page
from newsletter.store.closing import IssueCloser
from newsletter.store.half_issues import HalfIssues
from newsletter.store.tables import choices, deliveries, delivery_events, issue_listings, issues, renderings
from tests.store.conftest import Opener
from tests.store.half_closed import RENDERING, halfway, small_pages
from tests.store.samples import (
    DAY,
    HOUR,
    NOW,
    at,
    draft,
    due,
    frozen,
    in_issue,
    join,
    keys,
    paper,
    record,
    subscriber,
    synced,
    why,
)

__all__ = ["small_pages"]

pytestmark = pytest.mark.usefixtures("small_pages")

TABLES = (issues, issue_listings, renderings, choices, deliveries, delivery_events)
WEEKLY = f"daily{WEEKLY_EDITION}"


def chosen(reader: Subscriber, _had: frozenset[int]) -> Planned:
    """Plan the first listing for each reader, under a subject of their own."""
    return Planned(due_at=NOW, choice=Choice((0,), ((Reason(ReasonKind.TOPIC, reader.email),),)), subject="Papers")


def chosen_but_missed(reader: Subscriber, had: frozenset[int]) -> Planned:
    """Plan the first listing for each reader but one, who pauses."""
    return Planned(due_at=None, reason=PAUSED.reason) if "reader3" in reader.email else chosen(reader, had)


def weekly(one: Draft) -> Draft:
    """Return a draft as one of the list's weekly edition, for the same readers."""
    return replace(one, terms=replace(one.terms, masthead=replace(one.masthead, list=WEEKLY)))


async def rows(url: str) -> dict[str, int]:
    """Return how many rows the tables of issues have."""
    async with at(url) as database, database.read() as connection:
        counts = {table.name: sa.select(sa.func.count()).select_from(table) for table in TABLES}
        return {name: int(await connection.scalar(query) or 0) for name, query in counts.items()}


async def readers(store: Store, number: int) -> None:
    """Let readers 1 to `number` join the list."""
    await join(store, *(subscriber(one) for one in range(1, number + 1)))


async def states(store: Store) -> dict[str, str]:
    """Return how the deliveries of each reader stand, by the first part of the address."""
    return {one.email.partition("@")[0]: why(one) or one.state.value for one in await store.outbox.records()}


async def numbers(store: Store) -> tuple[int, int]:
    """Return how many issues and deliveries there are."""
    return await store.issues.count(), await store.outbox.count()


# What others may ask of issues and deliveries.
Question = Callable[[Store, int], Any]
QUESTIONS: Mapping[str, Question] = {
    "find": lambda store, _: store.issues.find("daily", DAY),
    "get": lambda store, key: store.issues.get(key),
    "latest": lambda store, _: store.issues.latest("daily"),
    "outline": lambda store, _: store.issues.outline("daily"),
    "last_number": lambda store, _: store.issues.last_number("daily"),
    "competed": lambda store, _: store.issues.competed("daily", range(100)),
    "listing": lambda store, _: store.issues.listing(["daily"], 1),
    "machine_summaries": lambda store, _: store.issues.machine_summaries(["daily"], range(100)),
    "missed": lambda store, _: store.issues.missed("daily", range(100)),
    "rendering": lambda store, key: store.issues.rendering(key),
    "languages": lambda store, key: store.issues.languages(key),
    "chosen": lambda store, key: store.issues.chosen(key, "reader1@example.org"),
    "history": lambda store, _: store.issues.history(),
    "days": lambda store, _: store.issues.days("daily"),
    "headings": lambda store, _: store.issues.headings(["daily"], since=DAY, until=DAY),
    "of_subscriber": lambda store, _: store.outbox.of_subscriber(1, "daily", limit=9),
    "claim": lambda store, key: store.outbox.claim("somebody", issue_key=key, now=NOW, limit=9),
    "dead_workers": lambda store, _: store.outbox.dead_workers(),
    "open_issues": lambda store, _: store.outbox.open_issues(),
    "issues_with": lambda store, _: store.outbox.issues_with(DeliveryState.QUEUED),
    "records": lambda store, _: store.outbox.records(),
    "count": lambda store, _: numbers(store),
    "summaries": lambda store, key: store.issues.summaries([key]),
}
# Asked by the key of an issue that was found before.
BY_KEY = {
    "hasten",
    "withdraw_late",
    "counts",
    "suppressed_count",
    "next_due",
    "due_count",
    "is_held",
    "times",
    "keep_rendering",
    "add_delivery",
}
OF_WORKERS = {"worker", "note", "record", "release", "recover"}


def methods(*ports: type) -> set[str]:
    return {name for port in ports for name in dir(port) if not name.startswith("_")}


def test_every_question_about_issues_and_deliveries_is_asked() -> None:
    assert methods(Issues, Outbox) == {*QUESTIONS, *BY_KEY, *OF_WORKERS, "freeze"}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_an_issue_that_is_being_closed_exists_for_nobody_else(
    opened: Opener, store: Store, question: str
) -> None:
    await record(store, paper(1))
    [listing] = (await keys(store)).values()
    await readers(store, 3)
    other, ask = await opened(), QUESTIONS[question]
    before = await ask(other, 1)

    summarised = replace(
        in_issue(listing), machine=MachineSummary(text="It counts.", language="en", model="llama")
    )
    async with halfway(store, draft(summarised), chosen_but_missed) as half:
        assert await ask(other, 1) == before
        issue, created = await half.finish()

    assert (issue.key, created) == (1, True)
    if question != "dead_workers":  # of those there is none
        assert await ask(other, 1) != before


async def test_a_closing_that_dies_leaves_nothing_and_the_next_one_begins_anew(
    opened: Opener, store: Store, url: str
) -> None:
    await record(store, paper(1))
    [listing] = (await keys(store)).values()
    await readers(store, 5)
    async with halfway(store, draft(in_issue(listing)), chosen, pages=2) as half:
        await half.die()
    assert (await rows(url))["deliveries"] == 4

    other = await opened()
    issue, created = await other.issues.freeze(draft(in_issue(listing)), "Again", chosen, now=NOW + HOUR)

    assert (created, issue.number, issue.subject, issue.frozen_at) == (True, 1, "Again", NOW + HOUR)
    assert Counter((await states(other)).values()) == {"queued": 5}
    assert await rows(url) == {
        "issues": 1,
        "issue_listings": 1,
        "renderings": 0,
        "choices": 5,
        "deliveries": 5,
        "delivery_events": 0,
    }


async def test_half_an_issue_is_thrown_away_with_what_happened_to_its_deliveries(store: Store, url: str) -> None:
    await readers(store, 5)
    async with halfway(store, draft(), pages=2) as half:
        await store.subscribers.suppress("reader1@example.org", list_name=None, reason="left", now=NOW)
        await half.die()
    assert (await rows(url))["delivery_events"] == 1

    await store.issues.freeze(draft(day=DAY + timedelta(days=1)), "Tuesday", due(), now=NOW)

    assert (await rows(url))["delivery_events"] == 0
    assert len(await store.outbox.records()) == 5
    assert await store.issues.find("daily", DAY) is None


async def test_half_an_issue_of_the_other_edition_is_thrown_away_too(store: Store, url: str) -> None:
    await readers(store, 3)
    async with halfway(store, weekly(draft())) as half:
        await half.die()

    await store.issues.freeze(draft(), "Papers", due(), now=NOW)

    assert (await rows(url))["issues"] == 1
    assert [one.list for one in await store.issues.history()] == ["daily"]


async def test_half_an_issue_of_another_list_is_left_alone(store: Store, url: str) -> None:
    await join(store, *(subscriber(one, "other") for one in range(3)))
    async with halfway(store, draft(list_name="other")) as half:
        await store.issues.freeze(draft(), "Papers", due(), now=NOW)
        _, created = await half.finish()

    assert created
    assert (await rows(url))["issues"] == 2


async def test_who_comes_second_waits_and_gets_the_issue_of_the_first(opened: Opener, store: Store) -> None:
    await readers(store, 5)
    other = await opened()
    async with halfway(store, draft()) as half:
        second = asyncio.create_task(other.issues.freeze(draft(), "Another", due(), now=NOW + HOUR))
        await asyncio.wait([second], timeout=0.3)
        assert not second.done()
        issue, created = await half.finish()

    assert created
    assert await second == (issue, False)
    assert len(await store.outbox.records()) == 5


async def test_who_waits_for_one_that_dies_makes_the_issue(opened: Opener, store: Store, url: str) -> None:
    await readers(store, 5)
    other = await opened()
    async with halfway(store, draft()) as half:
        second = asyncio.create_task(other.issues.freeze(draft(), "Another", due(), now=NOW + HOUR))
        await asyncio.wait([second], timeout=0.3)
        await half.die()

    issue, created = await second
    assert (issue.subject, created) == ("Another", True)
    assert (await rows(url))["deliveries"] == 5


async def test_several_who_wait_for_one_that_dies_make_one_issue(opened: Opener, store: Store, url: str) -> None:
    await readers(store, 9)
    others = [await opened() for _ in range(3)]
    async with halfway(store, draft(), pages=3) as half:
        waiting = [asyncio.create_task(one.issues.freeze(draft(), "Papers", due(), now=NOW)) for one in others]
        await asyncio.wait(waiting, timeout=0.2)
        await half.die()

    made = await asyncio.gather(*waiting)
    assert sorted(created for _, created in made) == [False, False, True]
    assert len({issue.key for issue, _ in made}) == 1
    assert (await rows(url))["deliveries"] == 9


async def test_one_that_lives_and_does_not_go_on_is_not_waited_for_for_ever(opened: Opener, store: Store) -> None:
    await readers(store, 5)
    other = await opened(patience=0.3)
    async with halfway(store, draft()) as half:
        with pytest.raises(StoreError, match="is closing an issue of daily and does not go on"):
            await other.issues.freeze(draft(), "Another", due(), now=NOW)
        _, created = await half.finish()

    assert created


async def test_an_edition_waits_until_the_other_one_is_closed(opened: Opener, store: Store) -> None:
    await record(store, paper(1))
    [listing] = (await keys(store)).values()
    await readers(store, 5)
    other, had = await opened(), set[frozenset[int]]()

    def plan(_: Subscriber, before: frozenset[int]) -> Planned:
        had.add(before)
        return Planned(due_at=NOW)

    async with halfway(store, draft(in_issue(listing)), chosen) as half:
        second = asyncio.create_task(other.issues.freeze(weekly(draft(in_issue(listing))), "Week", plan, now=NOW))
        await asyncio.wait([second], timeout=0.3)
        assert not second.done()
        await half.finish()

    _, created = await second
    assert created
    assert had == {frozenset([listing])}


async def test_a_draft_is_stale_if_its_number_was_taken_by_an_issue_that_it_waited_for(
    opened: Opener, store: Store
) -> None:
    await readers(store, 5)
    other, tomorrow = await opened(), draft(day=DAY + timedelta(days=1))
    async with halfway(store, draft()) as half:
        second = asyncio.create_task(other.issues.freeze(tomorrow, "Another", due(), now=NOW))
        await asyncio.wait([second], timeout=0.3)
        await half.finish()

    with pytest.raises(StaleDraftError, match="daily 2026-03-03"):
        await second


async def test_one_that_was_taken_for_dead_writes_nothing_more(store: Store, url: str) -> None:
    await readers(store, 5)
    async with halfway(store, draft()) as half:
        async with at(url) as database, database.write() as connection:
            await connection.execute(sa.update(issues).values(closing_by="another"))
        with pytest.raises(StaleDraftError, match="another process has thrown the issue away"):
            await half.finish()

    assert (await rows(url))["deliveries"] == 2  # it is the other's to throw them away
    _, created = await store.issues.freeze(draft(), "Papers", due(), now=NOW)
    assert created
    assert (await rows(url))["deliveries"] == 5


async def test_nothing_is_left_of_an_issue_that_nobody_is_to_get(store: Store, url: str) -> None:
    await readers(store, 5)

    with pytest.raises(NoReaderError, match=r"5 of 5: wants none"):
        await store.issues.freeze(
            draft(),
            "Papers",
            lambda _, _had: Planned(due_at=None, reason="wants none"),
            now=NOW,
            renderings={"": RENDERING},
            needs_reader=True,
        )

    assert set((await rows(url)).values()) == {0}


async def test_nothing_is_left_of_an_issue_whose_plan_fails(store: Store, url: str) -> None:
    await readers(store, 5)

    def plan(reader: Subscriber, had: frozenset[int]) -> Planned:
        if reader.email.startswith("reader4"):
            raise LookupError(reader.email)
        return chosen(reader, had)

    with pytest.raises(LookupError):
        await store.issues.freeze(draft(), "Papers", plan, now=NOW, renderings={"": RENDERING})

    assert set((await rows(url)).values()) == {0}


async def test_who_leaves_while_an_issue_is_closed_is_not_mailed(opened: Opener, store: Store) -> None:
    """The delivery of reader 1 is written, that of reader 3 is planned, and reader 5 is still to be read."""
    await readers(store, 6)
    other = await opened()
    async with halfway(store, draft(), pages=1) as half:
        for number in (1, 3, 5):
            await other.subscribers.suppress(f"reader{number}@example.org", list_name=None, reason="left", now=NOW)
        issue, _ = await half.finish()

    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, issue_key=issue.key, now=NOW, limit=9)
    assert sorted(one.subscriber.email[:7] for one in claimed) == ["reader2", "reader4", "reader6"]
    gone = f"{SUPPRESSED}: left"
    assert await states(store) == {
        **dict.fromkeys(("reader1", "reader3", "reader5"), gone),
        **dict.fromkeys(("reader2", "reader4", "reader6"), "queued"),
    }
    assert (await store.outbox.counts(issue.key))[DeliveryState.WITHDRAWN] == 3


async def test_a_list_may_be_synced_while_its_issue_is_closed(opened: Opener, store: Store) -> None:
    """Whoever the file adds, changes or removes has one delivery at most, and who is removed gets no mail."""
    await readers(store, 8)
    other = await opened()
    changed = [replace(subscriber(number), topics=("one",)) for number in (2, 4, 5, 7, 8)]
    added = [subscriber(number) for number in (0, 9)]
    async with halfway(store, draft(), chosen, pages=1) as half:
        assert (await synced(other, *changed, *added)).removed == 3
        issue, _ = await half.finish()

    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, issue_key=issue.key, now=NOW, limit=9)
    # Who joins meanwhile has a later key than all pages so far.
    addresses = sorted(one.subscriber.email[:7] for one in claimed)
    assert addresses == [f"reader{number}" for number in (0, 2, 4, 5, 7, 8, 9)]
    withdrawn = {name for name, state in (await states(store)).items() if state == "removed from the list"}
    # Reader 6 may have been planned by then, as the page after those that are written is.
    assert withdrawn - {"reader6"} == {"reader1", "reader3"}


async def test_listings_may_be_merged_while_an_issue_is_closed(opened: Opener, store: Store) -> None:
    await record(store, paper(1), source="saved_page")
    await record(store, paper(2, title="An Earlier Title", arxiv_id="", url="https://lab.example/two"))
    first, second = (await keys(store, "saved_page", "huggingface")).values()
    await readers(store, 5)
    other = await opened()
    both = draft(in_issue(first), in_issue(second, 2))
    async with halfway(store, both, chosen) as half:
        await record(other, paper(1, title="An Earlier Title", url="https://lab.example/two"), at=NOW + HOUR)
        issue, _ = await half.finish()

    [merged] = (await keys(store, "saved_page", "huggingface")).values()
    assert await store.issues.competed("daily", [merged]) == {merged: True}
    again = await store.issues.get(issue.key)
    assert again is not None
    assert [one.listing for one in again.listings] == [one.listing for one in issue.listings]


async def test_no_transaction_grows_with_the_number_of_readers(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # real pages
    written: list[int] = []
    write = IssueCloser._write

    async def counting(closer: IssueCloser, closing: Any, page: Page, *planned: Any) -> None:
        written.append(sum(group.number for group in page.groups))
        await write(closer, closing, page, *planned)

    monkeypatch.setattr(IssueCloser, "_write", counting)
    monkeypatch.setattr(closing, "PAGE_OF_POSTGRESQL", closing.PAGE_OF_SQLITE)

    await frozen(store, 1201)

    assert written == [1000, 201]


async def test_the_event_loop_has_its_turns_while_readers_are_planned(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # real pages
    turns, planned_in = 0, Counter[int]()

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def plan(_: Subscriber, _had: frozenset[int]) -> Planned:
        planned_in[turns] += 1
        return Planned(due_at=NOW)

    await readers(store, 600)
    counting = asyncio.create_task(count_turns())
    await store.issues.freeze(draft(), "Papers", plan, now=NOW)
    counting.cancel()

    assert planned_in.total() == 600
    assert max(planned_in.values()) <= 100


async def test_half_an_issue_is_thrown_away_in_pieces(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(half_issues, "_PIECE", 3)
    pieces: list[dict[str, int]] = []
    delete = HalfIssues._delete_piece

    async def watched(half: HalfIssues, key: int, worker: str) -> bool:
        before = await rows(url)
        more = await delete(half, key, worker)
        pieces.append(dict(Counter(before) - Counter(await rows(url))))
        return more

    monkeypatch.setattr(HalfIssues, "_delete_piece", watched)
    await readers(store, 8)
    async with halfway(store, draft(), chosen, pages=3) as half:
        await half.die()

    await store.issues.freeze(draft(), "Papers", due(), now=NOW)

    assert pieces == [
        *({"deliveries": 3}, {"deliveries": 3}),
        *({"choices": 3}, {"choices": 3}),
        {"issues": 1, "renderings": 2},
    ]


async def test_one_whose_session_was_lost_is_taken_for_dead_and_gives_way(
    open_at: Opener, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_workers, "_PAUSE", 60.0)  # it would come back before a slow machine sees it dead
    store, other = await open_at(postgres_url), await open_at(postgres_url)
    await readers(store, 5)
    async with halfway(store, draft()) as half:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )
        _, created = await other.issues.freeze(draft(), "Papers", due(), now=NOW)
        with pytest.raises(StaleDraftError, match="another process has thrown the issue away"):
            await half.finish()

    assert created
    assert (await rows(postgres_url))["deliveries"] == 5


async def test_the_number_of_its_deliveries_is_kept_with_an_issue(store: Store, url: str) -> None:
    await readers(store, 5)
    await store.subscribers.suppress("reader1@example.org", list_name=None, reason="left", now=NOW)
    await store.issues.freeze(draft(), "Papers", due(), now=NOW)

    async with at(url) as database, database.read() as connection:
        kept = (await connection.execute(sa.select(issues.c.delivery_count, issues.c.closing_by))).all()
    assert [tuple(one) for one in kept] == [(5, None)]
