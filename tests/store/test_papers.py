"""Papers one by one, and the search, in both engines."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.errors import SearchError
from newsletter.core.full_text import like, read_query
from newsletter.core.identity import ListingId
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence
from newsletter.ports import Found, InIssue, Store
from newsletter.store import papers, upgrade
from tests import examples
from tests.store.conftest import Opener
from tests.store.samples import (
    DAY,
    HOUR,
    NOW,
    at,
    draft,
    due,
    entry,
    in_issue,
    join,
    keys,
    paper,
    record,
    subscriber,
)
from tests.store.test_migrations import fill

CATS = Listing(
    title="Schrödinger's Cats",
    arxiv_id="2603.00001",
    authors=("Zoë Ångström",),
    abstract="We study large neural networks that purr.",
)
DOGS = Listing(title="Dogs that bark", arxiv_id="2603.00002", abstract="They chase a cat through 深度学习.")
BIRDS = Listing(title="Birds", doi="10.1000/birds", abstract="No animal of another kind.")


async def found(store: Store, query: str, *sources: str, offset: int = 0, limit: int = 20) -> list[str]:
    """Return the titles that a query finds, the best first."""
    hits = await store.papers.search(read_query(query), sources=sources or None, offset=offset, limit=limit)
    titles = {key: title for title, key in (await keys(store, "huggingface", "other")).items()}
    assert hits.total >= len(hits.keys)
    return [titles[key] for key in hits.keys]


@pytest.fixture
async def filled(store: Store) -> Store:
    await record(store, CATS, DOGS)
    await record(store, BIRDS, source="other")
    return store


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("cat", [CATS.title, DOGS.title]),  # the title counts for more
        ("SCHRODINGER", [CATS.title]),
        ("schröd", [CATS.title]),
        ("network", [CATS.title]),
        ("networks purring", [CATS.title]),
        ('"neural networks"', [CATS.title]),
        ('"networks neural"', []),
        ("neural dogs", []),
        ("Angstrom", [CATS.title]),
        ("arXiv:2603.00002v3", [DOGS.title]),
        ("10.1000/birds", [BIRDS.title]),
        ("学习", [DOGS.title]),
        ("习学", []),
        ("", []),
        ('"; DROP TABLE listings; --', []),
        ("NEAR(cat AND", []),
    ],
)
async def test_papers_are_found_by_their_words(filled: Store, query: str, titles: list[str]) -> None:
    assert await found(filled, query) == titles


async def test_a_search_may_be_among_the_papers_of_some_sources(filled: Store) -> None:
    assert await found(filled, "birds", "other") == [BIRDS.title]
    assert await found(filled, "birds", "huggingface") == []


async def test_results_come_page_by_page(store: Store) -> None:
    await record(store, *(paper(number) for number in range(1, 8)))
    first = await store.papers.search(read_query("nature"), limit=3)
    rest = await store.papers.search(read_query("nature"), offset=3, limit=10)
    assert (first.total, len(first.keys), len(rest.keys)) == (7, 3, 4)
    assert set(first.keys).isdisjoint(rest.keys)
    assert (await store.papers.search(read_query("nature"), offset=10**9)).keys == ()


async def test_the_index_follows_what_is_learnt_and_what_is_merged(store: Store) -> None:
    await record(store, Listing(title="A working title", url="https://example.org/paper"))
    await record(store, Listing(title="Its last name", url="https://example.org/paper", arxiv_id="2603.00007"))
    assert await found(store, "working") == []
    assert await found(store, "last name") == ["Its last name"]

    # A listing of its own, until an entry shows that both are one.
    await record(store, Listing(title="Another name", doi="10.1000/seven"), source="other")
    assert await found(store, "another") == ["Another name"]
    both = Listing(title="Its last name", arxiv_id="2603.00007", url="https://doi.org/10.1000/seven")
    recorded = await record(store, both, at=NOW + HOUR)
    assert len(recorded.merged) == 1
    assert await found(store, "another") == []


async def test_a_paper_is_known_by_all_its_identities_with_its_sightings_and_issues(store: Store) -> None:
    url = Listing(title="Cats", url="https://example.org/cats")
    full = Listing(title="Cats", url="https://example.org/cats", arxiv_id="2603.00001")
    await store.library.record("huggingface", DAY, [entry(url, upvotes=3)], now=NOW)
    later = NOW + timedelta(hours=8)
    await store.library.record("huggingface", DAY, [entry(full, at=later, upvotes=9)], now=later)
    (key,) = (await keys(store)).values()

    by_id = [
        await store.papers.find(ListingId.parse(text))
        for text in ("arxiv:2603.00001", "url:example.org/cats", "title:cats")
    ]
    paper_ = by_id[0]
    assert paper_ is not None
    assert by_id == [paper_] * 3
    assert (paper_.key, paper_.listing.arxiv_id, paper_.updated_at) == (key, "2603.00001", later)
    assert [one.upvotes for one in paper_.sightings] == [3, 9]
    assert await store.papers.find(ListingId.parse("arxiv:2603.99999")) is None


async def test_issues_of_a_paper_say_its_place(store: Store) -> None:
    await record(store, paper(1), paper(2))
    key = (await keys(store))[paper(2).title]
    await join(store, subscriber())
    held = draft(in_issue(key - 1, 1), in_issue(key, 2))
    again = replace(in_issue(key, 1), again=True)
    await store.issues.freeze(held, "Papers", due(), now=NOW)
    await store.issues.freeze(draft(again, day=DAY + timedelta(days=1), number=2), "Papers", due(), now=NOW)

    known = await store.papers.find(paper(2).id)

    assert known is not None
    assert known.issues == (
        InIssue(
            list="daily",
            title="Daily",
            day=DAY,
            cadence=Cadence.DAILY,
            rank=2,
            listings=held.candidates,
            upvotes=3,
        ),
    )


async def test_a_title_of_two_papers_stands_for_neither(store: Store) -> None:
    await record(
        store,
        Listing(title="An Introduction", arxiv_id="2603.00001", authors=("A. One",)),
        Listing(title="An Introduction", arxiv_id="2603.00002", authors=("B. Two",)),
    )
    assert await store.papers.find(ListingId.parse("title:an introduction")) is None
    assert await store.papers.newest_key() == 2


async def test_papers_near_another_have_words_of_its_title(filled: Store) -> None:
    known = await keys(filled)
    asked = like(Listing(title="Schrödinger's dogs bark"), most=8)
    assert await filled.papers.near(known[CATS.title], asked, limit=5) == (known[DOGS.title],)
    assert await filled.papers.near(known[CATS.title], read_query(""), limit=5) == ()


async def test_all_papers_have_an_address(filled: Store) -> None:
    known = [one async for one in filled.papers.addresses()]
    assert [str(one.identity) for one in known] == ["arxiv:2603.00001", "arxiv:2603.00002", "doi:10.1000/birds"]
    assert {one.updated_at for one in known} == {NOW}
    some = [one async for one in filled.papers.addresses(since=2, until=2)]
    assert some == known[1:2]


# As the version before `0020` left it.
LISTED = """
    INSERT INTO listings (key, record, first_seen_at, updated_at) VALUES
        (3, '{"title": "Found again"}', '2026-03-02 08:00:00.000000+00:00', '2026-03-02 08:00:00.000000+00:00')
"""


async def test_the_migration_indexes_what_was_listed_before(open_at: Opener, url: str) -> None:
    await fill(url, "0018", LISTED)
    await upgrade(url)
    store = await open_at(url)
    assert (await store.papers.search(read_query("again"))).keys == (3,)


async def test_without_an_index_search_is_off_and_papers_are_recorded(open_at: Opener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    await upgrade(url)
    async with at(url) as database, database.write() as connection:
        await connection.exec_driver_sql("DROP TABLE listing_search")
    store = await open_at(url)
    await record(store, CATS)
    assert await store.papers.near(1, read_query("cat"), limit=3) == ()
    with pytest.raises(SearchError, match="built without FTS5"):
        await store.papers.search(read_query("cat"))


async def test_a_search_that_takes_too_long_is_broken_off(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(papers, "_SECONDS", 0.1)
    endless = (
        "WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more) SELECT max(n) AS key, 0.0 AS rank"
    )
    for name in ("_FTS5", "_TSVECTOR"):
        monkeypatch.setattr(papers, name, f"{endless} FROM more WHERE :asked = :asked")
    with pytest.raises(SearchError, match="too long"):
        await filled.papers.search(read_query("cat"))
    monkeypatch.undo()
    assert await found(filled, "bark") == [DOGS.title]


async def test_a_flood_of_searches_is_turned_away_and_holds_up_nobody(filled: Store) -> None:
    asked = [filled.papers.search(read_query("cat")) for _ in range(100)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(one) for one in answers} == {Found, SearchError}
    assert await found(filled, "bark") == [DOGS.title]


@settings(max_examples=examples.slow(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.text(st.sampled_from("cat\"'*():^-+&|!<>\\{}~@ ANDOR学é\0\u202e1"), max_size=30)
    | st.text(max_size=60)
)
async def test_no_query_of_a_stranger_is_an_error(filled: Store, query: str) -> None:
    assert (await filled.papers.search(read_query(query))).total in {0, 1, 2, 3}
