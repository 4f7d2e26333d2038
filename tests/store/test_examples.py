"""Papers that readers gave as examples, in every store: what is looked up, and what issues are chosen by."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from newsletter.core.choice import Choice
from newsletter.core.delivery import Planned
from newsletter.core.examples import GivenPaper
from newsletter.core.listing import Listing
from newsletter.core.subscriber import Subscriber
from newsletter.core.syncing import SyncCounts
from newsletter.ports import Store
from tests.store.conftest import Opener
from tests.store.samples import DAY, HOUR, LIST, NOW, draft, in_issue, key_of, of_list, paper, record, synced

MONTH = timedelta(days=30)
SHOWN, UNKNOWN = GivenPaper("2603.00001"), GivenPaper("2501.00009")
TOLD = GivenPaper(title="A title", abstract="An abstract")
UNTOLD = GivenPaper("2501.00010", title="On untold things")


def ann(*examples: GivenPaper, name: str = "ann") -> Subscriber:
    return Subscriber(list=LIST, email=f"{name}@example.org", examples=examples)


async def wanted(store: Store, most: int = 10, list_name: str = LIST) -> list[str]:
    return await store.examples.to_look_up(list_name, most=most, unknown_since=NOW)


async def titles(store: Store, name: str = "ann") -> dict[int | str, str]:
    said = await store.feedback.of_address(LIST, f"{name}@example.org")
    assert all(one.liked for one in said)
    return {one.example.key: one.example.title for one in said}


async def test_a_sync_keeps_them_as_the_files_name_them_and_sees_when_they_change(store: Store) -> None:
    assert await synced(store, ann(SHOWN, TOLD)) == SyncCounts(added=1)
    assert [one.examples for one in await of_list(store)] == [(SHOWN, TOLD)]
    assert await synced(store, ann(SHOWN, TOLD)) == SyncCounts(unchanged=1)
    assert await synced(store, ann(TOLD)) == SyncCounts(changed=1)
    assert [one.examples for one in await of_list(store)] == [(TOLD,)]


async def test_what_neither_a_source_nor_the_files_tell_is_looked_up_once(store: Store) -> None:
    await record(store, paper(1))
    await synced(store, ann(SHOWN, UNKNOWN, TOLD, UNTOLD), ann(UNKNOWN, name="bob"), ann(name="cat"))
    assert await wanted(store) == ["2501.00009", "2501.00010"]
    assert await wanted(store, most=1) == ["2501.00009"]
    assert await wanted(store, list_name="weekly") == []
    await store.examples.keep({"2501.00009": None, "2501.00010": paper(10)}, now=NOW)
    assert await wanted(store) == []
    later = NOW + MONTH
    assert await store.examples.to_look_up(LIST, most=10, unknown_since=later) == ["2501.00009"]
    await store.examples.keep({"2501.00009": paper(9)}, now=later)
    assert await store.examples.to_look_up(LIST, most=10, unknown_since=later + MONTH) == []
    await synced(store, ann(name="cat"))
    await store.examples.keep({}, now=NOW)
    assert await wanted(store) == []  # who is removed has nothing looked up


async def test_a_paper_has_the_texts_of_a_source_else_of_arxiv_else_of_the_files(store: Store) -> None:
    await record(store, paper(1), Listing(title="A title", url="https://example.org/1"))
    at_source = await key_of_title(store, "On the Nature of Number 1")
    other = await key_of_title(store, "A title")
    await synced(store, ann(SHOWN, UNKNOWN, UNTOLD, TOLD, GivenPaper(doi="10.1000/1", title="By its DOI")))
    told = {at_source: "On the Nature of Number 1", "arxiv:2501.00010": "On untold things", other: "A title"}
    assert await titles(store) == {**told, "doi:10.1000/1": "By its DOI"}
    found = Listing(title="Found at arXiv", abstract="It was there.", arxiv_id="2501.00009")
    await store.examples.keep({"2501.00009": found, "2501.00010": None}, now=NOW)
    assert await titles(store) == {**told, "doi:10.1000/1": "By its DOI", "arxiv:2501.00009": "Found at arXiv"}


async def key_of_title(store: Store, title: str) -> int:
    found = await store.library.candidates(["huggingface"], since=DAY, until=DAY)
    return next(one.key for one in found if one.listing.title == title)


async def test_what_was_said_of_a_paper_in_a_mail_counts_in_place_of_the_example(store: Store) -> None:
    await record(store, paper(1))
    await synced(store, ann(SHOWN))
    key = await key_of_title(store, "On the Nature of Number 1")
    who = await key_of(store, LIST, "ann@example.org")
    await store.feedback.say(who, key, liked=False, now=NOW + HOUR)
    [one] = await store.feedback.of_address(LIST, "ann@example.org")
    assert (one.example.key, one.liked) == (key, False)


async def test_an_issue_is_chosen_by_the_examples_of_each_reader(store: Store) -> None:
    await record(store, paper(1))
    await synced(store, ann(SHOWN, TOLD), ann(name="bob"))
    plans: dict[str, list[str]] = {}

    def plan(reader: Subscriber, _had: frozenset[int]) -> Planned:
        plans[reader.email] = [one.example.title for one in reader.opinions]
        return Planned(due_at=NOW, choice=Choice.first(1))

    await store.issues.freeze(draft(in_issue(await key_of_title(store, paper(1).title))), "Papers", plan, now=NOW)
    assert plans == {"ann@example.org": ["On the Nature of Number 1", "A title"], "bob@example.org": []}


async def test_two_runs_at_once_may_look_up_the_same(opened: Opener) -> None:
    stores = [await opened() for _ in range(2)]
    await synced(stores[0], ann(UNKNOWN))
    await asyncio.gather(*(store.examples.keep({"2501.00009": paper(9)}, now=NOW) for store in stores * 3))
    assert await wanted(stores[1]) == []
