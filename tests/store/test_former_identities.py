"""A database of the version before: what it knows is recognised, and nothing of it becomes news again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection

import newsletter.store
from newsletter.core.listing import Listing
from newsletter.ports import Store
from newsletter.store import upgrade
from newsletter.store.tables import listing_ids, listings
from tests.postgres import Server
from tests.store.conftest import Opener
from tests.store.samples import DAY, HOUR, NOW, at, page

FEED = "feed:https://lab.example/feed.xml"
DOI = "10.3389/roses.26"
NEXT = DAY + timedelta(days=1)

# What that version kept of some pages: each listing with all that it was known by. Links had no fragment and
# no `ref` or `source`, titles neither signs nor vowel signs, and what looked like an arXiv id or DOI was one.
KEPT: list[tuple[Listing, list[str]]] = [
    (
        Listing(title="Paper number 1 on sparse codes", url="https://lab.example/all.html#p1"),
        ["url:lab.example/all.html", "title:paper number 1 on sparse codes"],
    ),
    (
        Listing(title="Announced first", url="https://lab.example/upcoming"),
        ["url:lab.example/upcoming", "title:announced first"],
    ),
    (
        Listing(title="Seen first", url="https://lab.example/moved"),
        ["url:lab.example/moved", "url:lab.example/overview", "title:seen first"],
    ),
    (
        Listing(title="Editorial", url="https://lab.example/e/3", abstract="Three."),  # of three, taken for one
        ["url:lab.example/e/1", "url:lab.example/e/2", "url:lab.example/e/3", "title:editorial"],
    ),
    (
        Listing(title="Why we teach C++", url="https://lab.example/c?ref=2"),
        ["url:lab.example/c", "title:why we teach c"],
    ),
    (Listing(title="कला का नया अध्ययन"), ["title:कल क नय अधययन"]),
    (
        Listing(title="A note on roses", url="https://j.example/e/1", arxiv_id="2024.10291"),
        ["arxiv:2024.10291", "url:j.example/e/1", "title:a note on roses"],
    ),
    (
        Listing(
            title="Roses again",
            url="https://f.example/articles/10.3389/roses.26/full",
            doi="10.3389/roses.26/full",
        ),
        [f"doi:{DOI}/full", "title:roses again"],
    ),
    (
        Listing(title="A Name That It Had Later", arxiv_id="2603.00007", url="https://arxiv.org/abs/2603.00007"),
        ["arxiv:2603.00007", "url:lab.example/seven", "title:a name that it had later", "title:a first name"],
    ),
]

# What their sources show on the next day, and how many of these pages' papers are already known.
SHOWN_AGAIN = [
    Listing(title="Paper number 1 on sparse codes", url="https://lab.example/all.html#p1"),
    Listing(title="Announced first", url="https://lab.example/upcoming"),
    Listing(title="Seen first", url="https://lab.example/overview"),
    Listing(title="Editorial", url="https://lab.example/e/1", abstract="One."),
    Listing(title="Editorial", url="https://lab.example/e/2", abstract="Two."),
    Listing(title="Editorial", url="https://lab.example/e/3", abstract="Three."),
    Listing(title="Why we teach C++", url="https://lab.example/c?ref=2"),
    Listing(title="कला का नया अध्ययन"),
    Listing(title="A note on roses", url="https://j.example/e/1"),
    Listing(title="Roses again", url=f"https://f.example/articles/{DOI}/full", doi=DOI),
    Listing(title="A First Name", url="https://lab.example/seven"),
]
NEW = [
    Listing(title="Announced second", url="https://lab.example/upcoming"),
    Listing(title="Seen second", url="https://lab.example/overview"),
    Listing(title="Paper number 2 on sparse codes", url="https://lab.example/all.html#p2"),
    Listing(title="Editorial", url="https://lab.example/e/4"),
    Listing(title="Why we teach C#", url="https://lab.example/c?ref=3"),
    Listing(title="कली का नया अध्ययन"),
    Listing(title="Quantum sparse codes", arxiv_id="2403.10291"),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        (tmp_path / "newsletter.db").touch()
        yield f"sqlite:///{tmp_path}/newsletter.db"
        return
    server: Server = request.getfixturevalue("postgres")
    server.run("CREATE DATABASE {}", "before")
    yield server.url("before")
    server.run("DROP DATABASE {} WITH (FORCE)", "before")


def as_before(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(newsletter.store.__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "0002")
    for listing, ids in KEPT:
        row = {"record": listing, "first_seen_at": NOW, "updated_at": NOW}
        key = connection.scalar(listings.insert().returning(listings.c.key), row)
        connection.execute(listing_ids.insert(), [{"identity": one, "listing_key": key} for one in ids])


@pytest.fixture
async def store(empty: str, open_at: Opener) -> Store:
    """A store that the version before has filled, brought up to date."""
    async with at(empty) as database, database.write() as connection:
        await connection.run_sync(as_before)
    await upgrade(empty)
    return await open_at(empty)


async def record(store: Store, *shown: Listing, hours: int = 0) -> int:
    """Record a page of a feed and return how much of it was new."""
    entries = [
        replace(one, guid=f"{one.listing.url} {one.listing.title}")
        for one in page(shown, source=FEED, at=NOW + hours * HOUR)
    ]
    return (await store.library.record(FEED, NEXT, entries, now=NOW + hours * HOUR)).new


async def test_nothing_that_was_known_is_news_on_the_day_of_the_upgrade(store: Store) -> None:
    assert await record(store, *SHOWN_AGAIN) == 0
    assert await record(store, *SHOWN_AGAIN, hours=1) == 0


@pytest.mark.parametrize("known", SHOWN_AGAIN, ids=str)
async def test_each_is_recognised_alone(store: Store, known: Listing) -> None:
    assert await record(store, known) == 0


async def test_what_was_wrongly_taken_for_something_known_is_new_from_then_on(store: Store) -> None:
    assert await record(store, *SHOWN_AGAIN, *NEW) == len(NEW)
    assert await record(store, *SHOWN_AGAIN, *NEW, hours=1) == 0


async def test_what_comes_days_later_is_new(store: Store) -> None:
    assert await record(store, *SHOWN_AGAIN) == 0
    for hours, one in enumerate(NEW, start=1):
        assert await record(store, one, hours=hours) == 1
