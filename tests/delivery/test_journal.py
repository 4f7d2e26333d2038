from __future__ import annotations

import asyncio
import resource
import tempfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import Change, DeliveryState, Uncertain
from newsletter.core.errors import StoreError
from newsletter.delivery.record.journal import DamagedJournalError, Journal, path_of, read
from newsletter.delivery.record.notes import JournalledNotes
from newsletter.delivery.record.recovery import recover
from newsletter.ports import Outbox
from tests.delivery.fakes import ISSUE, NOW, FakeOutbox
from tests.delivery.services import names

WORKER = "host-1-abc"
SENDING, SENT, QUEUED = DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.QUEUED


def intent(key: int) -> Change:
    return Change(key=key, state=SENDING, at=NOW, attempts=1)


def outcome(key: int) -> Change:
    return Change(key=key, state=SENT, at=NOW, attempts=1, code=250, text="taken", relay="relay:25")


def ledger(outbox: FakeOutbox, journal: Journal, batch: int = 4) -> JournalledNotes:
    return JournalledNotes(cast("Outbox", outbox), lambda: journal, batch=batch)


moments = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
changes = st.builds(
    Change,
    key=st.integers(min_value=1, max_value=2**62),
    state=st.sampled_from(DeliveryState),
    at=moments,
    attempts=st.integers(min_value=0, max_value=99),
    next_attempt_at=st.none() | moments,
    code=st.none() | st.integers(min_value=200, max_value=599),
    text=st.text(),
    relay=st.text(),
    reason=st.text(),
    suppress=st.booleans(),
).filter(lambda change: change.state is not SENDING) | st.builds(
    lambda key, at, attempts: Change(key=key, state=SENDING, at=at, attempts=attempts),
    st.integers(min_value=1),
    moments,
    st.integers(min_value=1),
)


@given(st.lists(changes))
def test_what_is_written_down_is_read_back(written: list[Change]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), WORKER)
        for change in written:
            journal.append([change])
        journal.close()

        assert read(Path(folder), WORKER) == written


def test_turns_are_read_in_order_until_they_are_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path, WORKER)
    journal.append([intent(1)])
    journal.next_turn()
    journal.append([outcome(1)])
    assert read(tmp_path, WORKER) == [intent(1), outcome(1)]

    journal.forget_last_turn()
    journal.next_turn()
    journal.append([intent(2)])

    assert read(tmp_path, WORKER) == [outcome(1), intent(2)]
    journal.remove()
    assert list(tmp_path.iterdir()) == []


def test_lines_that_are_not_whole_do_not_count_nor_what_stands_behind_them(tmp_path: Path) -> None:
    journal = Journal(tmp_path, WORKER)
    journal.append([intent(1), outcome(1)])
    journal.close()
    path = path_of(tmp_path, WORKER)
    whole = path.read_bytes()
    length = len(whole.split(b"\0")[0])

    for damaged in range(3, length - 1):
        path.write_bytes(whole[:damaged] + bytes([whole[damaged] ^ 1]) + whole[damaged + 1 :])
        try:
            found = read(tmp_path, WORKER)
        except DamagedJournalError as error:
            found = error.changes
        assert found in ([intent(1)], [])


def test_lines_of_an_earlier_turn_in_the_same_half_do_not_count(tmp_path: Path) -> None:
    journal = Journal(tmp_path, WORKER)
    journal.append([intent(1), outcome(1), intent(2)])
    for _ in range(2):
        journal.next_turn()
        journal.forget_last_turn()

    assert read(tmp_path, WORKER) == []
    journal.append([intent(3)])
    assert read(tmp_path, WORKER) == [intent(3)]
    journal.close()


def test_a_worker_without_a_journal_wrote_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, WORKER) == []


def test_a_journal_is_full_before_it_is_written_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path, WORKER)
    written = []
    while not journal.is_filling:
        journal.append([intent(1)])
        written.append(intent(1))
    many = [outcome(2)] * 10_000
    with pytest.raises(StoreError, match="is full"):
        journal.append(many)

    assert read(tmp_path, WORKER) == written
    journal.close()


def test_a_full_disk_is_noticed_when_the_journal_begins(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # no file may grow beyond it
    try:
        with pytest.raises(StoreError, match="can't be written: the disk is full"):
            Journal(tmp_path, WORKER)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="can't be written"):
        Journal(tmp_path / "file" / "journals", WORKER)


async def test_the_outbox_hears_of_a_batch_at_once(tmp_path: Path) -> None:
    outbox, journal = FakeOutbox.of(4), Journal(tmp_path, WORKER)
    notes = ledger(outbox, journal)

    await notes.write(intent(1))
    notes.note(outcome(1))
    await notes.write(intent(2))
    assert (outbox.transactions, outbox.state(1)) == (0, QUEUED)
    notes.note(outcome(2))
    await notes.flush()

    assert outbox.transactions == 1
    assert outbox.states() == {SENT: 2, QUEUED: 2}
    assert read(tmp_path, WORKER) == []
    await notes.drain()


async def test_the_outbox_is_not_left_behind_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.delivery.record.notes._LAG", 0.01)
    outbox, journal = FakeOutbox.of(1), Journal(tmp_path, WORKER)
    notes = ledger(outbox, journal, batch=1000)

    await notes.write(intent(1))
    notes.note(outcome(1))
    async with asyncio.timeout(5):
        await outbox.recorded.wait()
    assert outbox.state(1) is SENT
    await notes.drain()


async def test_an_intent_is_durable_before_it_is_acknowledged(tmp_path: Path) -> None:
    notes = ledger(FakeOutbox.of(1), Journal(tmp_path, WORKER))

    await notes.write(intent(1))

    assert read(tmp_path, WORKER) == [intent(1)]
    await notes.drain()


async def test_senders_wait_for_an_outbox_that_cannot_keep_up(tmp_path: Path) -> None:
    outbox, journal = FakeOutbox.of(20), Journal(tmp_path, WORKER)
    notes = ledger(outbox, journal, batch=2)

    for key in range(1, 21):
        await notes.write(intent(key))

    assert outbox.transactions >= 2
    await notes.drain()


async def test_recovery_knows_what_was_sent_and_what_was_in_flight(tmp_path: Path) -> None:
    outbox = FakeOutbox.of(5)
    async with outbox.worker() as dead:
        await outbox.claim(dead, issue_key=ISSUE, now=NOW, limit=4)
        journal = Journal(tmp_path, dead)
        journal.append([intent(1), outcome(1), intent(2)])
        journal.close()

    await recover(cast("Outbox", outbox), Uncertain.HOLD, now=NOW, journals=tmp_path)

    assert [outbox.state(key) for key in range(1, 6)] == [
        SENT,
        DeliveryState.UNCERTAIN,
        QUEUED,
        QUEUED,
        QUEUED,
    ]
    assert not any(row.claimed_by for row in outbox.rows.values())
    assert names(tmp_path) == ["recovery.lock"]


def kept(folder: Path) -> Path:
    """Keep a journal that says something, and return its file."""
    journal = Journal(folder, WORKER)
    journal.append([intent(1), outcome(1), intent(2), outcome(2), intent(3)])
    journal.close()
    return path_of(folder, WORKER)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def change_a_line(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"sent"', b'"sunk"', 1))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: cut(path, 0),
    "cut in its first line": lambda path: cut(path, 40),
    "cut behind its lines": lambda path: cut(path, 100_000),
    "cut at its half": lambda path: cut(path, 2 * 1024 * 1024),
    "longer than it was": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "nothing but zeros": lambda path: path.write_bytes(bytes(4 * 1024 * 1024)),
    "something else": lambda path: path.write_bytes(b"PK" * 2 * 1024 * 1024),
    "with a line that was changed": change_a_line,
    "put aside": lambda path: path.rename(f"{path}.lost"),
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_what_the_worker_of_a_damaged_journal_held_is_uncertain(tmp_path: Path, damage: str) -> None:
    outbox = FakeOutbox.of(5)
    async with outbox.worker() as dead:
        await outbox.claim(dead, issue_key=ISSUE, now=NOW, limit=4)
    kept(tmp_path).rename(path_of(tmp_path, dead))
    DAMAGE[damage](path_of(tmp_path, dead))

    in_flight = await recover(cast("Outbox", outbox), Uncertain.HOLD, now=NOW, journals=tmp_path)

    states = [outbox.state(key) for key in range(1, 6)]
    assert states[4] is QUEUED  # nobody held it
    assert set(states[:4]) <= {DeliveryState.UNCERTAIN, SENT}  # sent, where the journal says it still
    assert states[:4].count(DeliveryState.UNCERTAIN) == in_flight > 0
    assert [name for name in names(tmp_path) if not name.endswith(".lost")] == ["recovery.lock"]


@pytest.mark.parametrize("end", range(1, 8))
def test_a_line_that_was_cut_off_by_a_kill_is_no_damage(tmp_path: Path, end: int) -> None:
    path = kept(tmp_path)
    content = path.read_bytes()
    last = len(content.split(b"\0")[0])
    path.write_bytes(content[: last - end] + bytes(end) + content[last:])

    assert read(tmp_path, WORKER) == [intent(1), outcome(1), intent(2), outcome(2)]


@pytest.mark.parametrize("size", [0, 100, 4 * 1024 * 1024])
async def test_a_process_that_was_killed_while_it_made_its_journal_had_sent_nothing(
    tmp_path: Path, size: int
) -> None:
    outbox = FakeOutbox.of(2)
    async with outbox.worker() as dead:
        await outbox.claim(dead, issue_key=ISSUE, now=NOW, limit=2)
    path = path_of(tmp_path, dead)
    path.with_name(f"{path.name}.new").write_bytes(bytes(size))

    assert await recover(cast("Outbox", outbox), Uncertain.HOLD, now=NOW, journals=tmp_path) == 0

    assert outbox.states() == {QUEUED: 2}
    assert names(tmp_path) == ["recovery.lock"]


def test_a_journal_that_another_version_wrote_is_damaged_and_no_mistake_of_ours(tmp_path: Path) -> None:
    path = kept(tmp_path)
    line = b'[9,"unheard of",0,1]'
    content = path.read_bytes()
    head = content[:12]
    other = b"%08x%b\n" % (zlib.crc32(line, 0), line)
    path.write_bytes((head + other + content[12:])[: len(content)])

    with pytest.raises(DamagedJournalError):
        read(tmp_path, WORKER)


async def test_a_journal_that_cannot_be_read_is_one_line_and_nothing_is_sent(tmp_path: Path) -> None:
    outbox = FakeOutbox.of(2)
    async with outbox.worker() as dead:
        await outbox.claim(dead, issue_key=ISSUE, now=NOW, limit=1)
    path_of(tmp_path, dead).mkdir()

    with pytest.raises(StoreError, match=r"\.journal.* can't be read: .*rename it to .*\.lost") as told:
        await recover(cast("Outbox", outbox), Uncertain.HOLD, now=NOW, journals=tmp_path)

    assert "\n" not in str(told.value)
    assert outbox.states() == {QUEUED: 2}
    assert outbox.rows[1].claimed_by == dead


async def test_recovery_leaves_the_living_alone(tmp_path: Path) -> None:
    outbox = FakeOutbox.of(2)
    async with outbox.worker() as living:
        await outbox.claim(living, issue_key=ISSUE, now=NOW, limit=1)
        journal = Journal(tmp_path, living)
        journal.append([intent(1)])

        await recover(cast("Outbox", outbox), Uncertain.RESEND, now=NOW, journals=tmp_path)

        assert outbox.rows[1].claimed_by == living
        assert read(tmp_path, living) == [intent(1)]
        journal.remove()


async def test_a_run_with_nothing_to_do_keeps_no_journal(tmp_path: Path) -> None:
    notes = JournalledNotes(cast("Outbox", FakeOutbox()), lambda: Journal(tmp_path, WORKER), batch=4)

    await notes.drain()

    assert names(tmp_path) == []
