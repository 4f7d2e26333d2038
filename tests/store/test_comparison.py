"""The database compares a list's subscribers with whom its files name as one would who looks at each of them."""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.choice import TextKind
from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import FileChangedError, StoreError
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Member, Origin, Subscriber, SubscriberStatus
from newsletter.core.syncing import SyncCounts
from newsletter.core.topics import TopicsMode
from newsletter.ports import SeenFiles, Store
from newsletter.store import open_store, staging
from newsletter.store.bulk import run
from newsletter.store.statements import Statement
from newsletter.store.tables import subscribers as table
from tests import examples
from tests.readers.oracle import planned
from tests.rosters import member
from tests.store.conftest import Opener
from tests.store.samples import HOUR, LIST, NOW, at, frozen, join, of_list, subscriber, synced, why

SEEN = SeenFiles(definition="a", stamp="1 2 3", digest="b", members=2)
LATER = NOW + timedelta(days=1)

addresses = st.sampled_from(["ann@example.org", "Ann@example.org", "bob@bücher.example", "b\\x@example.org"])
wishes = {
    "email": addresses,
    "name": st.sampled_from(["", 'Ann "A", B', "Änn", "\\N", "\\."]),
    "topics": st.sampled_from([(), ("agents",), ("vision", 'a"b', "λ,;")]),
    "cadence": st.sampled_from([None, *Cadence]),
    "hour": st.sampled_from([None, time(0), time(7, 30)]),
    "timezone": st.sampled_from([None, "Asia/Tokyo"]),
    "topics_mode": st.sampled_from([None, *TopicsMode]),
    "interest": st.sampled_from(["", "graphs, mostly"]),
    "text": st.sampled_from(TextKind),
    "days": st.sampled_from([None, (0,), (0, 3)]),
    "language": st.sampled_from([None, "de"]),
}
named = st.builds(Subscriber, list=st.just(LIST), **wishes)
known = st.builds(
    Subscriber,
    list=st.just(LIST),
    **wishes,
    status=st.sampled_from(SubscriberStatus),
    origin=st.sampled_from(Origin),
)


def once(people: st.SearchStrategy[Subscriber]) -> st.SearchStrategy[list[Subscriber]]:
    """Return lists of people in which no address comes twice."""
    return st.lists(people, unique_by=lambda one: one.address_key, max_size=4)


@settings(max_examples=examples.slow(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(once(known), once(named), st.booleans())
def test_the_database_does_what_is_right_for_each_subscriber(
    url: str, before: list[Subscriber], wanted: list[Subscriber], is_repeated: bool
) -> None:
    async def act() -> None:
        store = await open_store(url)
        try:
            await empty(url)
            await join(store, *before)
            elsewhere = subscriber("ann", "other")
            await join(store, elsewhere)
            counts, after = planned(before, wanted)

            assert await synced(store, *wanted) == counts
            assert {one.address_key: one for one in await of_list(store)} == after
            assert await of_list(store, "other") == [elsewhere]
            if is_repeated:
                assert await synced(store, *wanted) == SyncCounts(unchanged=len(wanted))
        finally:
            await store.close()

    asyncio.run(act())


async def empty(url: str) -> None:
    async with at(url) as database, database.write() as connection:
        await connection.execute(sa.delete(table))


async def test_only_who_changes_is_written(store: Store, url: str) -> None:
    await join(store, *(subscriber(number) for number in range(4)), subscriber(4, origin=Origin.WEB))

    await synced(store, subscriber(0), subscriber(1, name="One"), subscriber(3), subscriber(4), now=LATER)

    async with at(url) as database, database.read() as connection:
        query = sa.select(table.c.address_key).where(table.c.updated_at == LATER).order_by(table.c.address_key)
        assert list(await connection.scalars(query)) == ["reader1@example.org", "reader2@example.org"]


async def test_a_comparison_alone_changes_nothing(store: Store) -> None:
    await join(store, subscriber(1))
    async with store.subscribers.compare(LIST, [member(subscriber(2))]) as comparison:
        assert comparison.counts == SyncCounts(added=1, removed=1)
    assert await of_list(store) == [subscriber(1)]
    assert await store.subscribers.synced_files(LIST) is None


async def test_many_rows_come_in_chunks_and_waiting_mail_of_all_who_are_gone_is_withdrawn(store: Store) -> None:
    issue = await frozen(store, 2300)

    assert await synced(store, subscriber(7), now=NOW + HOUR) == SyncCounts(removed=2299, unchanged=1)

    counts = await store.outbox.counts(issue.key)
    assert (counts[DeliveryState.QUEUED], counts[DeliveryState.WITHDRAWN]) == (1, 2299)
    queued = await store.outbox.records(states=[DeliveryState.QUEUED])
    assert [record.email for record in queued] == ["reader7@example.org"]
    assert {why(one) for one in await store.outbox.records(states=[DeliveryState.WITHDRAWN])} == {
        "removed from the list"
    }


async def test_nothing_is_left_behind_when_reading_ends_in_an_error(store: Store) -> None:
    def broken() -> Iterator[Member]:
        for number in range(2500):
            yield member(subscriber(number))
        raise FileChangedError(())

    for _ in range(2):
        with pytest.raises(FileChangedError):
            async with store.subscribers.compare(LIST, broken()):
                pytest.fail("it was not read to its end")
    assert await of_list(store) == []
    assert await synced(store, subscriber(1)) == SyncCounts(added=1)


async def test_who_joins_or_leaves_between_comparing_and_applying_keeps_that(opened: Opener) -> None:
    store, other = await opened(), await opened()
    await join(store, subscriber("bob"), subscriber("cid"), subscriber("dan"))
    signed_up = subscriber("ann", cadence=Cadence.WEEKLY, origin=Origin.WEB)

    async with store.subscribers.compare(
        LIST, [member(subscriber("ann")), member(subscriber("bob", name="Bob"))]
    ) as comparison:
        await join(other, signed_up)
        for name in ("bob", "cid"):
            await other.subscribers.suppress(f"reader{name}@example.org", list_name=LIST, reason="left", now=NOW)
        await comparison.apply(SEEN, now=NOW)

    left = SubscriberStatus.UNSUBSCRIBED
    assert await of_list(store) == [
        signed_up,
        subscriber("bob", name="Bob", status=left),
        subscriber("cid", status=left),
        subscriber("dan", status=SubscriberStatus.REMOVED),
    ]


async def test_a_comparison_from_before_another_sync_is_made_anew(opened: Opener) -> None:
    store, other = await opened(), await opened()
    async with store.subscribers.compare(LIST, [member(subscriber(1)), member(subscriber(2))]) as ours:
        async with other.subscribers.compare(LIST, [member(subscriber(2)), member(subscriber(3))]) as theirs:
            await theirs.apply(replace(SEEN, digest="theirs"), now=NOW)
        await ours.apply(SEEN, now=NOW)

    assert ours.counts == SyncCounts(added=1, removed=1, unchanged=1)
    assert [one.email for one in await of_list(store) if one.status is SubscriberStatus.ACTIVE] == [
        "reader1@example.org",
        "reader2@example.org",
    ]
    assert await store.subscribers.synced_files(LIST) == SEEN


async def test_syncs_at_once_end_in_what_one_of_them_names(opened: Opener) -> None:
    stores = [await opened() for _ in range(4)]

    async def one(number: int) -> None:
        members = [member(subscriber(number)), member(subscriber("all"))]
        async with stores[number].subscribers.compare(LIST, members) as comparison:
            await comparison.apply(replace(SEEN, digest=str(number)), now=NOW)

    await asyncio.gather(*map(one, range(4)))

    seen = await stores[0].subscribers.synced_files(LIST)
    assert seen is not None
    active = {one.email for one in await of_list(stores[0]) if one.status is SubscriberStatus.ACTIVE}
    assert active == {f"reader{seen.digest}@example.org", "readerall@example.org"}


async def test_what_the_files_were_is_kept_and_their_stamp_renewed(store: Store) -> None:
    async with store.subscribers.compare(LIST, []) as comparison:
        await comparison.apply(SEEN, now=NOW)
    touched = replace(SEEN, stamp="4 5 6")
    await store.subscribers.note_files(LIST, touched, now=NOW)
    assert await store.subscribers.synced_files(LIST) == touched

    await store.subscribers.note_files(LIST, replace(SEEN, digest="of an older sync"), now=NOW)
    assert await store.subscribers.synced_files(LIST) == touched


async def test_who_may_be_mailed_again_is_compared_with_the_files_anew(store: Store) -> None:
    await join(store, subscriber(1))
    await store.subscribers.suppress("reader1@example.org", list_name=LIST, reason="left", now=NOW)
    async with store.subscribers.compare(LIST, []) as comparison:
        await comparison.apply(SEEN, now=NOW)

    await store.suppressions.lift(["reader1@example.org"], list_name=LIST, now=NOW)

    assert await store.subscribers.synced_files(LIST) is None
    assert await synced(store) == SyncCounts(removed=1)


async def test_comparing_locks_nobody_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    store, impatient = await open_store(url), await open_store(url, patience=0.01)
    try:

        def members() -> Iterator[Member]:
            asyncio.run_coroutine_threadsafe(join(impatient, subscriber("meanwhile")), loop).result(10)
            yield member(subscriber(1))

        loop = asyncio.get_running_loop()
        async with store.subscribers.compare(LIST, members()) as comparison:
            await join(impatient, subscriber("later", origin=Origin.WEB))
            await comparison.apply(SEEN, now=NOW)
        assert len(await of_list(store)) == 3
    finally:
        await impatient.close()
        await store.close()


async def test_a_database_that_is_locked_is_an_error_and_nothing_is_changed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    store = await open_store(url, patience=0.05)
    try:
        async with at(url) as database, database.write():
            with pytest.raises(StoreError, match="another process is writing"):
                await synced(store, subscriber(1))
        assert await of_list(store) == []
    finally:
        await store.close()


_KILLED = """
import asyncio, sys
from newsletter.core.subscriber import Member
from newsletter.store import open_store, staging
from newsletter.store.bulk import run
from newsletter.store.statements import Statement
from tests.store.samples import LIST, NOW
from tests.store.test_comparison import SEEN

async def main():
    store = await open_store(sys.argv[1])
    async with store.subscribers.compare(LIST, (Member(f"r{n}@example.org") for n in range(8_000))) as comparison:
        print("compared", flush=True)
        await comparison.apply(SEEN, now=NOW)
    print("applied", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_sync_that_is_killed_is_done_whole_or_not_at_all(url: str, opened: Opener) -> None:
    store = await opened()
    for wait in (0, 0.05, 0.2):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _KILLED, url), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"compared\n"
            await asyncio.sleep(wait)
            process.kill()
            await process.wait()
        seen = await store.subscribers.synced_files(LIST)
        assert len(await of_list(store)) == (0 if seen is None else 8_000)
    members = [Member(f"r{number}@example.org") for number in range(8_000)]
    async with store.subscribers.compare(LIST, members) as comparison:
        await comparison.apply(SEEN, now=NOW)
    assert comparison.counts.added + comparison.counts.unchanged == len(await of_list(store)) == 8_000


async def test_the_memory_that_comparing_takes_does_not_grow_with_the_list(tmp_path: Path) -> None:
    async def peak(count: int) -> int:
        store = await open_store(f"sqlite:///{tmp_path}/{count}.db")
        tracemalloc.start()
        try:
            async with store.subscribers.compare(LIST, map(member, map(subscriber, range(count)))) as comparison:
                await comparison.apply(None, now=NOW)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            await store.close()

    assert await peak(20_000) < await peak(4000) + 2_000_000  # 16,000 members would take three times that


async def test_subscribers_and_members_are_found_by_their_indexes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    await (await open_store(url)).close()
    async with at(url) as database, database.aside() as connection, connection.begin():
        for statement in (*staging.TABLES, *staging.FILLED):
            await run(connection, statement)
        plans = []
        for statement in (*staging.COMPARE, staging.ADD, *staging.CHANGE, staging.REMOVED):
            explained = Statement(f"EXPLAIN QUERY PLAN {statement.sqlite}", "")
            values = {"list": LIST, "now": "", "last": 0, "limit": 1}
            plans += [row[3] for row in await run(connection, explained, **values)]
    scanned = {plan for plan in plans if plan.startswith("SCAN")}
    assert scanned <= {"SCAN staged USING INDEX staged_address", "SCAN differing", "SCAN gone"}
    assert any("subscribers" in plan and "(list=? AND address_key=?)" in plan for plan in plans)
