"""Steps that a database takes at once are those that are taken one by one."""

# ruff: noqa: S311, S608 - chance decides about nothing secret, and the statements are made of our own words

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.steps import Walk, walk
from newsletter.store import changes as steps
from newsletter.store import outbox
from newsletter.store.bulk import in_chunks
from newsletter.store.changes import take_steps
from newsletter.store.column_types import moment_text, moment_texts
from newsletter.store.engine import Database
from newsletter.store.outbox import SqlOutbox
from newsletter.store.plain_steps import PlainSteps
from newsletter.store.worker_notes import _text
from newsletter.store.worker_tables import worker_notes
from newsletter.store.workers import LocalWorkers
from tests.claiming import claim
from tests.postgres import Server
from tests.store.conftest import Opener
from tests.store.samples import HOUR, NOW, at, frozen

READERS, ERASED, UNCLAIMED = 12, 3, 2
LATER = timedelta(milliseconds=3)


async def ledger(url: str, open_at: Opener) -> list[int]:
    """Make a ledger whose deliveries are claimed, but the last; the reader of one was erased meanwhile."""
    store = await open_at(url)
    await frozen(store, READERS)
    async with store.outbox.worker() as worker:
        keys = [one.key for one in await claim(store.outbox, worker, now=NOW, limit=READERS - UNCLAIMED)]
        async with at(url) as database, database.write() as connection:
            await connection.execute(sa.text(f"UPDATE deliveries SET email = '' WHERE key = {keys[ERASED]}"))
            await connection.execute(
                sa.text("UPDATE deliveries SET claimed_by = 'w' WHERE claimed_by IS NOT NULL")
            )
    return [*keys, *range(keys[-1] + 1, keys[-1] + 1 + UNCLAIMED)]


async def rows(database: Database) -> list[tuple[Any, ...]]:
    """Return where all deliveries stand, and how they came there."""
    said = "relay, code, text, reason"
    names = f"key, state, due_at, ready_at, next_attempt_at, claimed_by, attempts, updated_at, {said}"
    past = f"delivery_key, at, state, attempt, {said} FROM delivery_events ORDER BY delivery_key, key"
    async with database.read() as connection:
        found = await connection.execute(sa.text(f"SELECT {names} FROM deliveries ORDER BY key"))
        events = await connection.execute(sa.text(f"SELECT {past}"))
        return [*map(tuple, found), *map(tuple, events)]


async def notes_left(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(worker_notes)) or 0)


def sent(key: int, number: int) -> Change:
    texts = ("2.0.0 Ok: queued as 4Zé", "two  \x00lines\n", "")
    return Change(
        key,
        DeliveryState.SENT,
        NOW + number * LATER,
        1,
        code=250 + number % 2,
        text=texts[number % 3],
        relay="a:25",
    )


def deferred(key: int, number: int) -> Change:
    return sent(key, number)._replace(state=DeliveryState.DEFERRED, next_attempt_at=NOW + number * HOUR, code=450)


def begun(key: int, number: int) -> Change:
    return Change(key, DeliveryState.SENDING, NOW + number * LATER, 1)


def batches(keys: Sequence[int], seed: int) -> list[list[Change]]:
    """Return what connections note of their deliveries, in some order, in batches; now and then what is wrong."""
    chance = random.Random(seed)
    ends = [deferred if seed % 3 and chance.random() < 0.2 else sent for _ in keys]
    notes = [(key, make) for key, end in zip(keys, ends, strict=True) for make in (begun, end)]
    notes.sort(key=lambda note: (note[0] // 3, chance.random() if seed and chance.random() < 0.05 else 0.5))
    every = [make(key, number) for number, (key, make) in enumerate(notes)]
    cuts = sorted(chance.sample(range(1, len(every)), 3))
    return [every[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[str]]:
    """The URLs of two ledgers."""
    if request.param == "sqlite":
        yield [f"sqlite:///{tmp_path}/{name}.db" for name in ("at-once", "one-by-one")]
        return
    server: Server = request.getfixturevalue("migrated_postgres")
    server.run("CREATE DATABASE {} TEMPLATE {}", "one_by_one", "template_newsletter")
    yield [request.getfixturevalue("postgres_url"), server.url("one_by_one")]
    server.run("DROP DATABASE {} WITH (FORCE)", "one_by_one")


@pytest.mark.parametrize("seed", range(12))
async def test_all_at_once_leads_to_the_same_ledger_as_one_by_one(
    both: list[str], open_at: Opener, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    keys, same_keys = [await ledger(url, open_at) for url in both]
    assert keys == same_keys
    chosen = keys if seed % 2 else [key for key in keys[:-UNCLAIMED] if key != keys[ERASED]]
    walked: list[Change] = []

    def seen(standings: Any, changes: Sequence[Change], *of: Any, **how: Any) -> Any:
        walked.extend(changes)
        return walk(standings, changes, *of, **how)

    async def none(*_: Any) -> bool:
        return False

    async def nothing(*_: Any) -> None:
        """Write nothing, as the real one does where something does not stand as the notes say."""

    every = [change for batch in batches(chosen, seed) for change in batch]
    async with at(both[0]) as at_once, at(both[1]) as one_by_one:
        monkeypatch.setattr(steps, "walk", seen)
        left_out = [one for batch in batches(chosen, seed) for one in await taken(at_once, batch)]
        assert seed or not walked
        monkeypatch.setattr(steps, "take_plain_steps", none)
        monkeypatch.setattr(outbox, "take_noted_steps", nothing)
        walked.clear()
        assert left_out == [one for change in every for one in await taken(one_by_one, [change])]
        assert [one.key for one in walked] == [one.key for one in every]
        assert await rows(at_once) == await rows(one_by_one)
        assert not await notes_left(at_once)


async def taken(database: Database, changes: Sequence[Change]) -> list[int]:
    """Take steps in one transaction, as a journal or notes tell of them; return the keys of what was left out."""
    left_out: list[int] = []

    def seen(standings: Any, changes: Sequence[Change], *of: Any, **how: Any) -> Any:
        walked: Walk = walked_by(standings, changes, *of, **how)
        left_out.extend(change.key for change, _ in walked.left_out)
        return walked

    walked_by = vars(steps)["walk"]  # which the test may have replaced
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(steps, "walk", seen)
        if database.is_postgresql:
            numbers = await noted(database, changes)
            await SqlOutbox(database, LocalWorkers()).record(changes, worker="w", noted=numbers)
        else:
            async with database.write() as connection:
                await take_steps(connection, changes, plain=PlainSteps.of(changes))
    return left_out


async def noted(database: Database, changes: Sequence[Change]) -> list[int]:
    """Note changes for the worker, each few of them together; return the notes' numbers."""
    some = list(in_chunks(changes, 3))
    notes = [{"worker": "w", "number": 7 + place, "changes": _text(few)} for place, few in enumerate(some)]
    async with database.write() as connection:
        await connection.execute(sa.insert(worker_notes), notes)
    return [7 + place for place, _ in enumerate(some)]


@pytest.mark.parametrize("wrong", ["another worker", "another attempt", "another attempt was sent"])
async def test_a_workers_notes_of_what_it_does_not_hold_so_are_looked_at_one_by_one(
    postgres_url: str, open_at: Opener, wrong: str
) -> None:
    keys = await ledger(postgres_url, open_at)
    first, second = keys[:2]
    changes = [begun(first, 1), sent(first, 2), begun(second, 3), sent(second, 4)]
    attempts = {"another attempt": (2, 2), "another attempt was sent": (1, 2)}.get(wrong, (1, 1))
    changes[2:] = [one._replace(attempts=n) for one, n in zip(changes[2:], attempts, strict=True)]

    async with at(postgres_url) as database:
        async with database.write() as connection:
            if wrong == "another worker":
                await connection.execute(sa.text(f"UPDATE deliveries SET claimed_by = 'v' WHERE key = {second}"))
        left_out = set(await taken(database, changes))
        state, other_state = [row[1] for row in await rows(database) if row[0] in {first, second}][:2]

    assert left_out == {second}
    assert state == "sent"
    assert other_state == ("sending" if wrong == "another attempt was sent" else "queued")


async def test_a_note_that_the_changes_do_not_tell_of_is_not_written_with_them(
    postgres_url: str, open_at: Opener
) -> None:
    first, second, *_ = await ledger(postgres_url, open_at)
    changes = [begun(first, 1), sent(first, 2)]

    async with at(postgres_url) as database:
        await noted(database, [*changes, begun(second, 3)])  # its intent did not count in the end
        await SqlOutbox(database, LocalWorkers()).record(changes, worker="w", noted=[7])
        found = {row[0]: row[1] for row in (await rows(database))[:READERS]}

        assert (found[first], found[second]) == ("sent", "queued")
        assert not await notes_left(database)


# Some within a second, some at its very beginning, some before the one that precedes them.
MOMENTS = st.lists(
    st.builds(
        lambda second, fraction: datetime(2026, 3, 12, 23, 59, 57, tzinfo=UTC) + timedelta(0, second, fraction),
        st.integers(0, 4),
        st.sampled_from([0, 1, 999_999]) | st.integers(0, 999_999),
    )
)


@given(MOMENTS)
def test_moments_that_are_written_together_are_written_as_each_by_itself(moments: list[datetime]) -> None:
    assert moment_texts(moments) == [moment_text(moment) for moment in moments]
