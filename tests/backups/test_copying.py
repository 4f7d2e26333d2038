"""`newsletter db copy`: a ledger goes to another database, whoever dies meanwhile, and one of them is used."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from newsletter.composition.copying import copy_ledger
from newsletter.core.delivery import DeliveryState
from newsletter.core.delivery import begun as started
from newsletter.core.diagnosis import Health
from newsletter.core.erasure import AddressHashes
from newsletter.core.errors import ConfigurationError, StoreError, UsageError
from newsletter.core.full_text import read_query
from newsletter.core.subscriber import Wishes
from newsletter.delivery.record.journal import Journal
from newsletter.operations.doctor.database import database
from newsletter.ports import Store
from newsletter.settings import Settings, load
from newsletter.store import open_store, upgrade
from newsletter.store.copies import sides
from newsletter.store.copies.digests import Digest
from newsletter.store.copies.sides import alone_at
from newsletter.store.copies.whole import copied
from newsletter.store.looking import look_at
from tests import examples
from tests.backups.conftest import sqlite_url
from tests.backups.test_killed import killed_at
from tests.backups.test_restore import begun, states, within
from tests.claiming import claim
from tests.cli.conftest import Call
from tests.store.samples import NOW, attempt, frozen, join, outcome, paper, record, subscriber

EVERY_STEP = range(1, 100)


@pytest.fixture
def former(folder: Path) -> str:
    """The URL of the folder's ledger, which is not there yet."""
    return sqlite_url(folder / "var" / "newsletter.db")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "_ROWS", 3)
    monkeypatch.setattr(sides, "_LARGE_ROWS", 2)


async def lived(store: Store) -> None:
    """Let a ledger have rows of many kinds: moments, days, yes and no, bytes, nothing, letters of all kinds."""
    await record(store, *(paper(number, title=f"Ünïcode \u202e “{number}”\t\\N\n") for number in range(1, 6)))
    issue = await frozen(store, 7)
    assert issue.number == 1
    [first, *_] = await claim(store.outbox, "worker", now=NOW, limit=3)
    await attempt(store, first, DeliveryState.SENT)
    await store.subscribers.leave(2, reason="unsubscribed", now=NOW)
    await store.subscribers.change_wishes(3, lambda _: Wishes(name="Third", topics=("one",)), now=NOW)
    await store.personal_data.erase("reader4@example.org", now=NOW)
    await join(store, subscriber("-gone"))


def rows_at(url: str) -> dict[str, list[Any]]:
    with alone_at(url) as side:
        found = {table.name: [row for page, _ in side.pages(table) for row in page] for table in copied()}
    return {name: rows for name, rows in found.items() if rows}


def copy_now(
    settings: Settings, source: str, target: str, *, progress: Callable[..., object] = lambda *_: None
) -> Any:
    return copy_ledger(settings, source, target, now=NOW, progress=progress)


async def test_a_ledger_goes_over_to_the_other_engine_and_back_and_only_the_newest_is_used(
    former: str, folder: Path, call: Call, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = AddressHashes(("k" * 32,))
    await within(former, lived, hashes=hashes)
    before = await asyncio.to_thread(rows_at, former)
    back = sqlite_url(folder / "back.db")

    for source, target in ((former, postgres_url), (postgres_url, back)):
        code, out, err = await asyncio.to_thread(call, "db", "copy", source, target, "--json")
        assert code == 0, err
        done = json.loads(out)
        assert done["rows"] == sum(map(len, before.values()))
        assert not done["went_on"]
        monkeypatch.setenv("NEWSLETTER_DATABASE__URL", source)
        [diagnosis] = database(await look_at(source))
        assert (diagnosis.status, done["target"] in diagnosis.says) == (Health.FAIL, True)
        for command in ("status", "db backup backup.db", "run"):
            code, _, err = await asyncio.to_thread(call, *command.split())
            assert (code, err.count("\n")) == (78, 1)
            assert done["target"] in err
        assert not (folder / "backup.db").exists()
        monkeypatch.setenv("NEWSLETTER_DATABASE__URL", target)
        assert (await asyncio.to_thread(call, "status"))[0] == 0

    after = await asyncio.to_thread(rows_at, back)
    assert (
        after.pop("ledger")[0][:-1] == before.pop("ledger")[0][:-1]
    )  # the last is the key, which PostgreSQL knows
    assert after == before
    assert (folder / "back.db").stat().st_mode & 0o777 == 0o600

    async def goes_on(store: Store) -> None:
        assert (await store.papers.search(read_query("unicode"))).total == 5
        await join(store, subscriber("-new"))

    await within(back, goes_on)
    given = [row[0] for row in (await asyncio.to_thread(rows_at, back))["subscribers"]]
    assert given[-1] > max(row[0] for row in before["subscribers"])


def _dies_at(calls: int) -> Callable[..., object]:
    left = calls

    def progress(done: int, total: int) -> None:
        nonlocal left
        assert done <= total
        left -= 1
        if left == 0:
            raise KeyboardInterrupt

    return progress


async def test_a_copy_that_is_cut_off_after_any_page_goes_on_there(
    former: str, folder: Path, postgres_url: str
) -> None:
    await within(former, lived)
    settings = load()

    def act() -> int:
        cut_off = 0
        for _ in EVERY_STEP:
            try:
                done = copy_now(settings, former, postgres_url, progress=_dies_at(9))
            except KeyboardInterrupt:
                cut_off += 1
                for url, said in ((former, "is being copied to"), (postgres_url, "holds half a copy of")):
                    with pytest.raises(ConfigurationError, match=said):
                        asyncio.run(within(url, states))
            else:
                assert done.went_on
                return cut_off
        raise AssertionError

    before = await asyncio.to_thread(rows_at, former)
    assert await asyncio.to_thread(act) > 1
    assert await asyncio.to_thread(rows_at, postgres_url) == before


async def test_whoever_is_killed_at_any_step_leaves_one_ledger_that_can_be_used(former: str, folder: Path) -> None:
    await within(former, begun)
    settings, target = load(), folder / "copy.db"
    await upgrade(sqlite_url(target))

    def act() -> None:
        copy_now(settings, former, sqlite_url(target))

    def die_and_go_on() -> None:
        before, step = rows_at(former), 1
        while killed_at(step, act):
            step += 1
        assert step > 3
        assert rows_at(sqlite_url(target)) == before

    await asyncio.to_thread(die_and_go_on)
    with pytest.raises(ConfigurationError, match="was copied to"):
        await within(former, states)
    assert len(await within(sqlite_url(target), states)) == 3


async def test_nothing_is_copied_over_a_ledger_nor_from_what_somebody_uses(
    former: str, folder: Path, postgres_url: str
) -> None:
    await within(former, begun)
    await within(postgres_url, begun)
    settings, empty = load(), sqlite_url(folder / "empty.db")

    def fails(source: str, target: str, error: type[Exception], why: str) -> None:
        with pytest.raises(error, match=why):
            copy_now(settings, source, target)

    store = await open_store(former)
    other = await open_store(postgres_url)
    assert len(await states(other)) == 3  # a session is open
    for source in (former, postgres_url):
        await asyncio.to_thread(fails, source, empty, StoreError, "use")
    await store.close()
    await other.close()
    await asyncio.to_thread(fails, former, postgres_url, UsageError, "holds a ledger already")
    await asyncio.to_thread(fails, former, former, UsageError, "are the same database")
    await asyncio.to_thread(fails, former, "sqlite://", UsageError, "in memory")
    await asyncio.to_thread(fails, former, "mysql://root:secret@db/x", UsageError, "write sqlite:///")
    await asyncio.to_thread(fails, empty + "x", former, UsageError, "there is no ledger")
    for url in (former, postgres_url):
        assert len(await within(url, states)) == 3


async def test_what_a_killed_process_noted_beside_the_ledger_goes_over_too(former: str, folder: Path) -> None:
    async def die(store: Store) -> None:
        await begun(store)
        [one, *_] = await claim(store.outbox, "dead", now=NOW, limit=2)
        journal = Journal(folder / "var" / "newsletter.db.journals", "dead")
        journal.append([started(one, NOW), outcome(one, DeliveryState.SENT)])
        journal.close()

    await within(former, die)
    target = sqlite_url(folder / "copy.db")
    await asyncio.to_thread(copy_now, load(), former, target)
    assert sorted(one.state for one in await within(target, lambda store: store.outbox.records())) == [
        *(DeliveryState.QUEUED, DeliveryState.QUEUED, DeliveryState.SENT)
    ]


async def test_a_ledger_that_is_reopened_is_copied_anew(former: str, folder: Path, call: Call) -> None:
    await within(former, begun)
    settings, target = load(), sqlite_url(folder / "copy.db")

    def half() -> None:
        with pytest.raises(KeyboardInterrupt):
            copy_now(settings, former, target, progress=_dies_at(3))

    await asyncio.to_thread(half)
    code, out, _ = await asyncio.to_thread(call, "db", "copy", former, "--reopen", "--json")
    assert (code, json.loads(out.splitlines()[-1])["was_whole"]) == (0, False)
    await within(former, lambda store: join(store, subscriber("-meanwhile")))
    before = await asyncio.to_thread(rows_at, former)
    assert not (await asyncio.to_thread(copy_now, settings, former, target)).went_on
    assert await asyncio.to_thread(rows_at, target) == before
    assert (await asyncio.to_thread(call, "db", "copy", target, "--reopen"))[0] == 2


async def test_a_row_that_changes_in_the_copy_is_found_and_the_copy_begins_anew(former: str, folder: Path) -> None:
    await within(former, begun)
    settings, target = load(), sqlite_url(folder / "copy.db")
    before = await asyncio.to_thread(rows_at, former)

    def meddle(done: int, total: int) -> None:
        engine = sa.create_engine(target)
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE deliveries SET attempts = 7"))
        engine.dispose()

    def act() -> None:
        with pytest.raises(StoreError, match="the copy of deliveries is not what"):
            copy_now(settings, former, target, progress=meddle)
        copy_now(settings, former, target)

    await asyncio.to_thread(act)
    assert await asyncio.to_thread(rows_at, target) == before


VALUES = st.tuples(st.integers(), st.text() | st.none(), st.binary(max_size=9))


@hypothesis.settings(max_examples=examples.slow(30))
@given(st.lists(VALUES, unique=True, max_size=9), st.randoms())
def test_a_digest_is_that_of_the_rows_in_any_order_and_in_any_pieces(rows: list[Any], random: Any) -> None:
    whole = Digest()
    whole.add(rows)
    random.shuffle(rows)
    half = Digest()
    half.add(rows[::2])
    rest = Digest(half.text, half.count)
    rest.add(rows[1::2])
    assert (rest.text, rest.count) == (whole.text, whole.count)
    if rows:
        fewer = Digest()
        fewer.add(rows[1:])
        assert fewer.text != whole.text
