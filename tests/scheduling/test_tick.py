"""What the scheduler does of all lists, when some of their files are wrong, gone or in trouble."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from newsletter.core.errors import SourceError, StoreError
from newsletter.core.listing import Page
from newsletter.core.subscriber import SubscriberStatus
from newsletter.lists import stamps
from newsletter.lists.files import ListFiles
from newsletter.lists.lines import Lines
from newsletter.ports import ListFile, Store
from newsletter.scheduling.tick import Ticker
from newsletter.store import open_store
from tests.editions.desk import Desk
from tests.pipeline.parts import THURSDAY, ScriptedSource
from tests.store.samples import of_list

AT_EIGHT = datetime(2026, 3, 12, 8, tzinfo=UTC)
WRONG = "zone = 1\n"
LIST = """title = "Papers"
sender = "Papers <papers@example.org>"
postal_address = "1 Reading Lane"
sources = ["huggingface"]

[[subscribers]]
email = "{name}@example.org"
"""


class Office:
    """Several lists by their files, one store, and the scheduler that works for them."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder / "subscribers"
        self.folder.mkdir()
        self.desk = Desk(folder, store)
        self.desk.now = AT_EIGHT
        self.source = ScriptedSource(pages={THURSDAY: ["A Paper"]})
        self.desk.sources = [self.source]
        self.files = ListFiles(self.folder, check_source=lambda _: "")
        self.ticker = Ticker(self.files, self.desk.pipeline, self.desk.alarm)

    def write(self, name: str, *, before: str = "") -> None:
        (self.folder / f"{name}.toml").write_text(before + LIST.format(name=name))

    async def tick(self, *, after: timedelta = timedelta()) -> None:
        self.desk.now += after
        await self.ticker.tick(now=self.desk.now, stop=asyncio.Event())

    @property
    def readers(self) -> list[str]:
        """Return who has got mail, in the order of the alphabet."""
        return sorted(mail.email.partition("@")[0] for mail in self.desk.post.mails)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    store = await open_store("sqlite://")
    yield Office(tmp_path, store)
    await store.close()


async def test_all_lists_that_are_due_get_their_issues_in_one_tick(office: Office) -> None:
    for name in ("ann", "bob", "cat"):
        office.write(name)
    await office.tick()
    assert office.readers == ["ann", "bob", "cat"]


async def test_a_wrong_file_stops_its_own_new_issues_only(office: Office) -> None:
    office.write("ann", before=WRONG)
    office.write("bob")
    with capture_logs() as logs:
        await office.tick()
    assert office.readers == ["bob"]
    (entry,) = [log for log in logs if log["event"] == "alarm"]
    assert (entry["list"], entry["log_level"]) == ("ann", "error")
    assert "ann.toml:1: unknown key 'zone'" in entry["reason"]


async def test_a_file_that_was_corrected_counts_at_the_next_tick(office: Office) -> None:
    office.write("ann", before=WRONG)
    await office.tick()
    office.write("ann")
    await office.tick()
    assert office.readers == ["ann"]
    assert await office.desk.alarms() == ["2026-03-12.ann.list-file (over)"]


async def test_the_alarm_rings_once_for_a_file_that_was_right_before(office: Office) -> None:
    office.write("ann")
    await office.tick()
    office.write("ann", before=WRONG)
    with capture_logs() as logs:
        for _ in range(3):
            await office.tick(after=timedelta(seconds=15))
    assert await office.desk.alarms() == ["2026-03-12.ann.list-file"]
    assert len([log for log in logs if log["event"] == "alarm"]) == 1


async def test_a_restart_rings_no_second_alarm_and_notices_that_the_file_is_right(office: Office) -> None:
    office.write("ann")
    await office.tick()
    office.write("ann", before=WRONG)
    for over in ("", " (over)"):
        office.ticker = Ticker(office.files, office.desk.pipeline, office.desk.alarm)
        await office.tick()
        assert await office.desk.alarms() == [f"2026-03-12.ann.list-file{over}"]
        office.write("ann")


def with_members(office: Office, *rows: str, before: str = "") -> None:
    """Write the files of the list `ann`, whose readers stand in a members file."""
    (office.folder / "ann.csv").write_text("email,cadence\n" + "".join(f"{row}\n" for row in rows))
    office.write("ann", before=before + 'members = "ann.csv"\n')


async def test_a_wrong_members_file_stops_the_new_issues_of_its_list_with_one_alarm(office: Office) -> None:
    with_members(office, "cid@example.org,", before='hours = "09:00-17:00"\n')
    office.write("bob")
    await office.tick()
    assert office.readers == ["bob"]
    with_members(office, "cid@example.org,", "?,", before='hours = "09:00-17:00"\n')
    office.source.pages[THURSDAY + timedelta(days=1)] = ["Another Paper"]
    with capture_logs() as logs:
        await office.tick(after=timedelta(hours=1))
        assert office.readers == ["ann", "bob", "cid"]  # the issue was closed
        for _ in range(2):
            await office.tick(after=timedelta(hours=12))
    assert office.readers == ["ann", "bob", "bob", "cid"]
    assert await office.desk.alarms() == ["2026-03-12.ann.list-file"]
    assert len([log for log in logs if log["event"] == "alarm"]) == 1
    with_members(office, "cid@example.org,", "dan@example.org,")
    await office.tick()
    assert office.readers == ["ann", "ann", "bob", "bob", "cid", "cid", "dan"]
    assert await office.desk.alarms() == ["2026-03-12.ann.list-file (over)"]


@pytest.mark.parametrize("rows", [["cid@example.org,"], ["?,"]], ids=["right", "wrong"])
async def test_a_members_file_that_does_not_change_is_not_read_at_each_tick(
    office: Office, monkeypatch: pytest.MonkeyPatch, rows: list[str]
) -> None:
    reads = []
    iterate = Lines.__iter__

    def noting(self: Lines) -> Iterator[str]:
        reads.append(self)
        return iterate(self)

    monkeypatch.setattr(Lines, "__iter__", noting)
    office.desk.now -= timedelta(hours=2)
    with_members(office, *rows)
    for _ in range(4):
        await office.tick(after=timedelta(minutes=1))
    assert len(reads) == 1
    await office.tick(after=timedelta(hours=2))
    await office.tick(after=timedelta(seconds=15))
    assert len(reads) == (2 if rows == ["cid@example.org,"] else 1)


async def test_who_is_taken_out_of_a_file_gets_nothing_more_of_a_closed_issue(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_members(office, "cid@example.org,", "dan@example.org,", before='hours = "09:00-17:00"\n')
    await office.tick()
    with_members(office, "cid@example.org,", before='hours = "09:00-17:00"\n')
    await office.tick(after=timedelta(seconds=15))
    people = await of_list(office.desk.store, "ann")
    assert {one.status for one in people} == {SubscriberStatus.ACTIVE}  # somebody may still be writing
    monkeypatch.setattr(stamps, "_AT_REST_NS", 0)
    await office.tick(after=timedelta(hours=1))
    assert office.readers == ["ann", "cid"]


async def test_files_that_a_command_is_to_apply_are_not_applied_between_issues(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "_AT_REST_NS", 0)
    with_members(office, "cid@example.org,")
    office.ticker = Ticker(office.files, replace(office.desk.pipeline, applies_files=False), office.desk.alarm)
    await office.tick(after=-timedelta(hours=1))
    assert await of_list(office.desk.store, "ann") == []


@pytest.mark.parametrize(("age", "rests"), [(1, False), (6, True), (-60, True)])
def test_a_file_that_was_written_seconds_ago_is_not_at_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int, *, rests: bool
) -> None:
    path = tmp_path / "ann.csv"
    path.write_text("email\n")
    written = path.stat().st_ctime_ns
    monkeypatch.setattr(time, "time_ns", lambda: written + age * 10**9)
    assert stamps.is_at_rest(stamps.stamp_of(path)) is rests


async def test_the_first_weekly_reader_of_a_members_file_gets_the_weekly_edition(office: Office) -> None:
    with_members(office)
    await office.tick()
    monday = THURSDAY + timedelta(days=4)
    office.source.pages[monday] = ["Paper of Monday"]
    with_members(office, "cid@example.org,weekly")
    await office.tick(after=timedelta(days=4))
    assert office.readers == ["ann", "ann", "cid"]


async def test_a_members_file_that_is_being_written_makes_the_tick_wait_and_rings_no_alarm(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_members(office)
    blocks = Lines._blocks

    def growing(self: Lines) -> Iterator[bytes]:
        yield from blocks(self)
        with (office.folder / "ann.csv").open("a") as file:
            file.write("dan@example.org,\n")

    with monkeypatch.context() as patched:
        patched.setattr(Lines, "_blocks", growing)
        await office.tick()
    assert (office.readers, await office.desk.alarms()) == ([], [])
    with_members(office, "dan@example.org,")
    await office.tick()
    assert office.readers == ["ann", "dan"]


@pytest.mark.parametrize("is_gone", [False, True], ids=["wrong", "gone"])
async def test_a_closed_issue_is_delivered_although_its_list_file_is_wrong_or_gone(
    office: Office, is_gone: bool
) -> None:
    office.write("ann", before='hour = "08:00"\nhours = "09:00-17:00"\n')
    office.write("bob")
    await office.tick()
    assert office.readers == ["bob"]
    path = office.folder / "ann.toml"
    path.unlink() if is_gone else path.write_text("?")
    await office.tick(after=timedelta(hours=1))
    assert office.readers == ["ann", "bob"]


async def test_a_source_that_breaks_one_list_delays_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.write("ann")
    office.write("bob")
    sync = type(office.desk.pipeline).sync

    async def broken_for_ann(self: object, file: ListFile, *, now: datetime) -> None:
        if file.list.name == "ann":
            raise SourceError("trouble of one list")
        await sync(self, file, now=now)  # type: ignore[arg-type]

    monkeypatch.setattr(type(office.desk.pipeline), "sync", broken_for_ann)
    await office.tick()
    assert office.readers == ["bob"]
    assert await office.desk.alarms() == ["2026-03-12.ann.sources"]


async def test_a_defect_in_one_list_is_raised_after_the_others_are_done(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.write("ann")
    office.write("bob")
    sync = type(office.desk.pipeline).sync

    async def broken_for_ann(self: object, file: ListFile, *, now: datetime) -> None:
        if file.list.name == "ann":
            raise ZeroDivisionError
        await sync(self, file, now=now)  # type: ignore[arg-type]

    monkeypatch.setattr(type(office.desk.pipeline), "sync", broken_for_ann)
    with pytest.raises(ZeroDivisionError):
        await office.tick()
    assert office.readers == ["bob"]


async def test_trouble_with_a_new_issue_keeps_no_earlier_issue_back(office: Office) -> None:
    office.write("ann", before='hours = "09:00-17:00"\n')
    await office.tick()
    office.source.failing.update({THURSDAY, THURSDAY + timedelta(days=1)})
    await office.tick(after=timedelta(days=1, hours=1))
    assert office.readers == ["ann"]
    assert await office.desk.alarms() == ["2026-03-13.ann.sources"]


async def test_a_store_that_cannot_be_read_rings_the_alarm_and_the_next_tick_tries_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.write("ann")

    async def locked(*_: object, **__: object) -> None:
        raise StoreError("the ledger is locked")

    with monkeypatch.context() as broken:
        broken.setattr(office.desk.store.library, "record", locked)
        await office.tick()
    assert await office.desk.alarms() == ["2026-03-12.ann.trouble"]
    await office.tick(after=timedelta(minutes=31))
    assert office.readers == ["ann"]
    assert await office.desk.alarms() == ["2026-03-12.ann.trouble (over)"]


async def test_an_issue_that_the_store_broke_off_is_made_within_a_minute_but_not_at_each_tick(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.write("ann")
    closings = []

    async def restarting(*_: object, **__: object) -> None:
        closings.append(office.desk.now)
        raise StoreError("the database system is starting up")

    with monkeypatch.context() as broken:
        broken.setattr(type(office.desk.store.issues), "freeze", restarting)
        await office.tick()
        await office.tick(after=timedelta(seconds=15))
    assert len(closings) == 1
    await office.tick(after=timedelta(seconds=45))
    assert office.readers == ["ann"]
    assert await office.desk.alarms() == ["2026-03-12.ann.trouble (over)"]


async def test_a_list_that_is_still_at_work_is_left_alone_and_the_others_are_not(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()
    read = type(office.source).read

    async def slow(self: ScriptedSource, day: date, *, now: datetime) -> Page:
        reading.set()
        await go_on.wait()
        return await read(self, day, now=now)

    office.write("ann")
    with monkeypatch.context() as waiting:
        waiting.setattr(type(office.source), "read", slow)
        first = asyncio.create_task(office.tick())
        async with asyncio.timeout(30):
            await reading.wait()
    office.write("bob")
    await office.tick()
    assert office.readers == ["bob"]
    go_on.set()
    await first
    assert office.readers == ["ann", "bob"]


async def test_log_lines_name_list_and_day_however_deep_they_are_written(office: Office) -> None:
    from structlog.contextvars import merge_contextvars

    office.write("ann")
    with capture_logs(processors=[merge_contextvars]) as logs:
        await office.tick()
    (entry,) = [log for log in logs if log["event"] == "collected"]
    assert (entry["list"], entry["day"]) == ("ann", "2026-03-12")


async def test_collecting_reads_the_sources_of_every_list_and_makes_no_issue(office: Office) -> None:
    office.write("ann")
    office.write("bob", before=WRONG)
    office.write("cat")
    await office.ticker.collect(now=AT_EIGHT, stop=asyncio.Event())
    assert office.source.asked.count(THURSDAY) == 2
    assert not office.readers


async def test_no_more_lists_are_collected_for_once_it_is_to_stop(office: Office) -> None:
    office.write("ann")
    stop = asyncio.Event()
    stop.set()
    await office.ticker.collect(now=AT_EIGHT, stop=stop)
    assert office.source.asked == []
