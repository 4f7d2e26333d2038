from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.errors import StoreError
from newsletter.delivery.record import journal
from newsletter.delivery.record import notes as notes_module
from newsletter.delivery.record.journal import Journal
from newsletter.delivery.record.notes import GroupedNotes, JournalledNotes
from newsletter.ports import Outbox
from tests.delivery.fakes import NOW, FakeOutbox


def grouped_notes(outbox: FakeOutbox) -> GroupedNotes:
    return GroupedNotes(cast("Outbox", outbox), "worker", batch=100, pauses=(0.0, 0.0))


def noted(outbox: FakeOutbox) -> list[Change]:
    return [change for _, changes in sorted(outbox.notes.items()) for change in changes]


def intent(key: int) -> Change:
    return Change(key=key, state=DeliveryState.SENDING, at=NOW, attempts=1)


def outcome(key: int, state: DeliveryState = DeliveryState.SENT) -> Change:
    return Change(key=key, state=state, at=NOW, attempts=1)


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class SlowOutbox(FakeOutbox):
    """An outbox whose transactions end when the test says so."""

    def __init__(self) -> None:
        super().__init__(FakeOutbox.of(9).rows[key].delivery for key in range(1, 10))
        self.go_on = asyncio.Event()

    async def note(self, worker: str, number: int, changes: Sequence[Change]) -> Collection[int]:
        await self.go_on.wait()
        return await super().note(worker, number, changes)

    async def record(
        self, changes: Sequence[Change], *, worker: str | None = None, noted: Sequence[int] = ()
    ) -> Collection[int]:
        await self.go_on.wait()
        return await super().record(changes, worker=worker, noted=noted)


async def test_what_connections_write_in_one_turn_of_the_loop_is_one_transaction() -> None:
    outbox = FakeOutbox.of(16)
    notes = grouped_notes(outbox)

    await asyncio.gather(*(notes.write(intent(key)) for key in range(1, 17)))

    assert outbox.transactions == 1
    assert noted(outbox) == [intent(key) for key in range(1, 17)]
    await notes.drain()
    assert outbox.states() == {DeliveryState.SENDING: 16}


async def test_what_comes_during_a_transaction_goes_into_the_next_one() -> None:
    outbox = SlowOutbox()
    notes = grouped_notes(outbox)
    first = asyncio.create_task(notes.write(intent(1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(notes.write(intent(key))) for key in range(2, 10)]
    await asyncio.sleep(0)

    outbox.go_on.set()
    await asyncio.gather(first, *others)

    assert outbox.transactions == 2
    await notes.drain()


async def test_an_outcome_and_the_next_intent_share_a_transaction() -> None:
    outbox = FakeOutbox.of(2)
    notes = grouped_notes(outbox)
    await notes.write(intent(1))

    notes.note(outcome(1))
    await notes.write(intent(2))

    assert outbox.notes == {("worker", 1): [intent(1)], ("worker", 2): [outcome(1), intent(2)]}
    await notes.drain()
    assert (outbox.state(1), outbox.state(2)) == (DeliveryState.SENT, DeliveryState.SENDING)


async def test_who_writes_soon_is_told_when_the_group_is_written_and_what_was_left_out() -> None:
    outbox = SlowOutbox()
    outbox.rows[2].state = DeliveryState.WITHDRAWN
    notes = grouped_notes(outbox)

    first, second = notes.write_soon(intent(1)), notes.write_soon(intent(2))
    assert first
    assert second
    await asyncio.sleep(0.01)
    assert not first.done()
    outbox.go_on.set()

    assert (await first, await second) == ({2}, {2})
    await notes.drain()


async def test_an_outcome_is_written_although_nobody_waits_for_it() -> None:
    outbox = FakeOutbox.of(1)
    notes = grouped_notes(outbox)
    await notes.write(intent(1))

    notes.note(outcome(1))
    await notes.drain()

    assert outbox.state(1) is DeliveryState.SENT


async def test_whoever_writes_learns_whose_change_was_left_out() -> None:
    outbox = FakeOutbox.of(2)
    notes = grouped_notes(outbox)
    await outbox.record([Change(key=1, state=DeliveryState.WITHDRAWN, at=NOW)])

    left_out = await notes.write(intent(1), intent(2))

    assert set(left_out) == {1}
    await notes.drain()
    assert outbox.states() == {DeliveryState.WITHDRAWN: 1, DeliveryState.SENDING: 1}


async def test_a_ledger_that_fails_tells_those_who_wait_and_keeps_the_outcomes_for_another_try() -> None:
    outbox = FakeOutbox.of(2)
    notes = grouped_notes(outbox)
    await notes.write(intent(1))
    outbox.fail = StoreError("the disk is full")

    notes.note(outcome(1))
    with pytest.raises(StoreError, match="disk is full"):
        await notes.write(intent(2))
    outbox.fail = None
    await notes.drain()

    assert (outbox.state(1), outbox.state(2)) == (DeliveryState.SENT, DeliveryState.QUEUED)


async def test_outcomes_that_cannot_be_written_at_the_end_are_an_error() -> None:
    outbox = FakeOutbox.of(1)
    notes = grouped_notes(outbox)
    await notes.write(intent(1))
    outbox.fail = StoreError("the disk is full")

    notes.note(outcome(1))

    with pytest.raises(StoreError, match="disk is full"):
        await notes.drain()


async def test_outcomes_are_written_when_the_database_is_back() -> None:
    class IsRestarting(FakeOutbox):
        async def record(
            self, changes: Sequence[Change], *, worker: str | None = None, noted: Sequence[int] = ()
        ) -> Collection[int]:
            self.fail = StoreError("the database is starting up") if self.transactions < 3 else None
            self.transactions += self.fail is not None
            return await super().record(changes, worker=worker, noted=noted)

    outbox = IsRestarting([FakeOutbox.of(1).rows[1].delivery])
    notes = grouped_notes(outbox)
    notes.note(intent(1), outcome(1, DeliveryState.SENT))

    await notes.drain()

    assert outbox.state(1) is DeliveryState.SENT


async def test_one_who_gives_up_waiting_does_not_disturb_the_others() -> None:
    outbox = SlowOutbox()
    notes = grouped_notes(outbox)
    impatient, patient = (asyncio.create_task(notes.write(intent(key))) for key in (1, 2))
    await asyncio.sleep(0)

    impatient.cancel()
    outbox.go_on.set()

    assert set(await patient) == set()
    assert noted(outbox) == [intent(1), intent(2)]
    await notes.drain()


async def test_noted_changes_come_to_the_rows_in_batches_and_then_their_notes_are_gone() -> None:
    outbox = FakeOutbox.of(60)
    notes = grouped_notes(outbox)
    for key in range(1, 60):
        await notes.write(intent(key))
        notes.note(outcome(key))
    assert outbox.states()[DeliveryState.SENT] >= 45

    await notes.flush()

    assert outbox.states() == {DeliveryState.SENT: 59, DeliveryState.QUEUED: 1}
    assert not outbox.notes
    assert outbox.transactions < 59 + 10
    await notes.drain()


async def test_what_is_noted_comes_to_the_rows_soon_even_if_nothing_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notes_module, "_LAG", 0.005)
    outbox = FakeOutbox.of(1)
    notes = grouped_notes(outbox)

    await notes.write(intent(1), outcome(1))

    async with asyncio.timeout(60):
        await outbox.recorded.wait()
    assert outbox.state(1) is DeliveryState.SENT
    assert not outbox.notes
    await notes.drain()


async def test_a_flush_waits_for_what_is_being_noted() -> None:
    outbox = SlowOutbox()
    notes = grouped_notes(outbox)
    writing = asyncio.create_task(notes.write(intent(1), outcome(1)))
    for _ in range(5):
        await asyncio.sleep(0)

    flushing = asyncio.create_task(notes.flush())
    await asyncio.sleep(0)
    outbox.go_on.set()
    await flushing

    assert outbox.state(1) is DeliveryState.SENT
    await writing
    await notes.drain()


async def test_rows_that_cannot_be_written_are_written_with_the_next_try_and_nothing_is_forgotten_before() -> None:
    class FailsOnce(FakeOutbox):
        tries = 0

        async def record(
            self, changes: Sequence[Change], *, worker: str | None = None, noted: Sequence[int] = ()
        ) -> Collection[int]:
            self.tries += 1
            if self.tries == 1:
                raise StoreError("the database is starting up")
            return await super().record(changes, worker=worker, noted=noted)

    outbox = FailsOnce([FakeOutbox.of(1).rows[1].delivery])
    notes = grouped_notes(outbox)
    await notes.write(intent(1))
    notes.note(outcome(1))

    with pytest.raises(StoreError, match="starting up"):
        await notes.flush()
    assert noted(outbox) == [intent(1), outcome(1)]
    await notes.flush()

    assert outbox.state(1) is DeliveryState.SENT
    assert not outbox.notes
    await notes.drain()


async def test_a_ledger_that_cannot_keep_up_is_waited_for() -> None:
    class IsSlow(FakeOutbox):
        async def record(
            self, changes: Sequence[Change], *, worker: str | None = None, noted: Sequence[int] = ()
        ) -> Collection[int]:
            assert len(self.notes) <= 400
            for _ in range(1000):
                await asyncio.sleep(0)
            return await super().record(changes, worker=worker, noted=noted)

    outbox = IsSlow(FakeOutbox.of(600).rows[key].delivery for key in range(1, 601))
    notes = grouped_notes(outbox)
    for key in range(1, 601):
        await notes.write(intent(key))

    await notes.drain()

    assert outbox.states() == {DeliveryState.SENDING: 600}


async def test_no_flush_begins_while_the_journal_is_put_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes_module, "_LAG", 0.005)  # sooner than the sync that is waited for
    outbox = SlowOutbox()
    asyncio.get_running_loop().call_later(0.1, outbox.go_on.set)
    notes = JournalledNotes(cast("Outbox", outbox), partial(Journal, tmp_path, "worker"), batch=100)
    await notes.write(intent(1))
    notes.note(outcome(1))

    await notes.drain()

    assert outbox.state(1) is DeliveryState.SENT
    assert outbox.transactions == 1
    assert files_in(tmp_path) == []


async def test_many_notes_are_written_piece_by_piece_so_that_others_write_in_between(tmp_path: Path) -> None:
    outbox = FakeOutbox.of(1250)
    notes = JournalledNotes(cast("Outbox", outbox), partial(Journal, tmp_path, "worker"), batch=10_000)
    for key in range(1, 1251):
        notes.note(intent(key), outcome(key))

    await notes.flush()

    assert outbox.transactions == 3  # of 2,500 steps
    assert outbox.states() == {DeliveryState.SENT: 1250}
    await notes.drain()


async def test_pieces_that_could_not_be_written_are_written_at_the_end_and_none_twice(tmp_path: Path) -> None:
    class FailsOnce(FakeOutbox):
        async def record(
            self, changes: Sequence[Change], *, worker: str | None = None, noted: Sequence[int] = ()
        ) -> Collection[int]:
            self.fail = StoreError("the disk is full") if self.transactions == 1 else None
            self.transactions += self.fail is not None
            left_out = await super().record(changes, worker=worker, noted=noted)
            assert not left_out
            return left_out

    outbox = FailsOnce(row.delivery for row in FakeOutbox.of(1250).rows.values())
    notes = JournalledNotes(cast("Outbox", outbox), partial(Journal, tmp_path, "worker"), batch=10_000)
    for key in range(1, 1251):
        notes.note(intent(key), outcome(key))

    with pytest.raises(StoreError):
        await notes.flush()
    await notes.drain()

    assert outbox.states() == {DeliveryState.SENT: 1250}
    assert files_in(tmp_path) == []


async def test_what_is_written_at_once_is_in_the_journal_before_anything_else_happens(tmp_path: Path) -> None:
    outbox = FakeOutbox.of(2)
    notes = JournalledNotes(cast("Outbox", outbox), partial(Journal, tmp_path, "worker"), batch=100)
    await notes.write(intent(1))

    assert notes.write_at_once(outcome(1), intent(2))

    assert journal.read(tmp_path, "worker") == [intent(1), outcome(1), intent(2)]
    await notes.drain()
    assert (outbox.state(1), outbox.state(2)) == (DeliveryState.SENT, DeliveryState.SENDING)


async def test_the_disk_follows_for_all_that_is_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_synced = asyncio.Event()

    class Watched(Journal):
        async def sync(self) -> None:
            count = len(journal.read(tmp_path, "worker"))
            await super().sync()
            if count == 60:
                all_synced.set()

    monkeypatch.setattr(notes_module, "_SYNC_EVERY", 0.001)
    notes = JournalledNotes(cast("Outbox", FakeOutbox.of(1)), partial(Watched, tmp_path, "worker"), batch=10_000)
    for written in range(1, 61):
        assert notes.write_at_once(intent(1))
        if written % 3 == 0:  # turns of the disk begin and end in between
            await asyncio.sleep(0.001 * (written % 5))
    await asyncio.wait_for(all_synced.wait(), 10)
    await notes.drain()


async def test_nothing_is_written_at_once_that_the_disk_has_to_be_waited_for(tmp_path: Path) -> None:
    notes = JournalledNotes(cast("Outbox", FakeOutbox.of(1)), partial(Journal, tmp_path, "worker"), batch=10_000)
    written = 0
    while written <= 1000 and notes.write_at_once(intent(1)):
        written += 1
    assert written == 500

    await notes.write(intent(1))  # waits for the disk

    assert notes.write_at_once(intent(1))
    await notes.drain()


async def test_a_transaction_is_never_written_at_once() -> None:
    outbox = FakeOutbox.of(1)
    assert not grouped_notes(outbox).write_at_once(intent(1))
    assert outbox.states() == {DeliveryState.QUEUED: 1}
