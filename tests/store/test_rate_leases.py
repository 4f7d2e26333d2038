from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import chain
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.ports import AskedPlaces, RateLeases, Store
from newsletter.store.engine import Database, connect
from newsletter.store.rate_leases import SqlRateLeases, rates
from tests.store.conftest import Opener

LATE = 1.0  # seconds that this machine may need for a few transactions


@pytest.fixture
async def database(url: str, store: Store) -> AsyncIterator[Database]:
    """Gives the database of the store, to look into it."""
    database = connect(url)
    yield database
    await database.close()


async def first_place(leases: RateLeases, spacing: float, places: int = 1, scope: str = "relay") -> float:
    return (await leases.lease([AskedPlaces(scope, spacing, places)]))[scope]


async def test_places_follow_each_other_whoever_takes_them(store: Store, opened: Opener) -> None:
    other = await opened()

    assert await first_place(store.rates, 100.0, 3) == 0
    assert 300 - LATE < await first_place(other.rates, 100.0) <= 300
    assert 400 - LATE < await first_place(store.rates, 100.0) <= 400


async def test_a_rate_that_was_not_used_saves_nothing_up(store: Store) -> None:
    await first_place(store.rates, 0.01)
    await asyncio.sleep(0.1)

    assert await first_place(store.rates, 100.0) == 0
    assert await first_place(store.rates, 100.0) > 100 - LATE


async def test_no_two_who_lease_at_once_get_the_same_places(store: Store, opened: Opener) -> None:
    stores = [store, *[await opened() for _ in range(3)]]

    async def some(one: Store) -> list[float]:
        return [await first_place(one.rates, 100.0, 2) for _ in range(5)]

    found = sorted(chain.from_iterable(await asyncio.gather(*map(some, stores))))

    assert [round(place / 200) for place in found] == list(range(20))


async def test_scopes_have_rates_of_their_own_and_are_leased_together(store: Store, opened: Opener) -> None:
    other = await opened()
    asked = [AskedPlaces(f"domain d{number}.example", 10.0 * number, 1) for number in range(1, 30)]

    # In either order, and so often that they meet.
    turns = [one.rates.lease(asked[:: 1 - 2 * (i % 2)]) for one in (store, other) for i in range(4)]
    given = await asyncio.gather(*turns)

    for one in asked:
        places = sorted(each[one.scope] for each in given)
        assert [round(place / one.spacing) for place in places] == list(range(8))


async def test_a_clock_that_was_set_back_stops_nobody_for_longer_than_a_minute(
    store: Store, database: Database
) -> None:
    await first_place(store.rates, 0.1)
    async with database.write() as connection:
        await connection.execute(sa.update(rates).values(free_at=rates.c.free_at + 3600 * 1_000_000))

    assert await first_place(store.rates, 0.1) <= 60


async def test_rates_that_were_not_used_lately_leave_no_rows(store: Store, database: Database) -> None:
    async def known() -> set[Any]:
        async with database.read() as connection:
            return set((await connection.execute(sa.select(rates.c.scope))).scalars())

    await store.rates.lease([AskedPlaces("old", 0.1, 1), AskedPlaces("busy", 1000.0, 1)])
    async with database.write() as connection:
        await connection.execute(sa.update(rates).values(free_at=rates.c.free_at - 100 * 1_000_000))

    await first_place(SqlRateLeases(database), 0.1, scope="new")  # of another process, which looks for old ones

    assert await known() == {"busy", "new"}
