"""A drill: each kind of trouble that no run can see rings once, and its end is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.core.alarms import MAIL, Cause
from newsletter.core.bounces import EventKind, FoundBy, InboundEvent
from newsletter.core.delivery import DeliveryState
from newsletter.core.halt import Order
from newsletter.core.watching import Limit
from newsletter.lists.files import ListFiles
from newsletter.operations.alarms import LedgerAlarm
from newsletter.operations.doctor.machine import Space
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.ports import SlowDown, SlowDownKind, Store
from newsletter.scheduling.watch import Limits, Watch
from newsletter.store import open_store
from tests.clusters import SeenCluster, queue, worker
from tests.store.samples import DAY, NOW, frozen, paper, record
from tests.store.test_oversight import bring

HOUR = timedelta(hours=1)
LIST = 'title = "Daily"\nsender = "Daily <daily@example.org>"\nsources = ["huggingface"]\nhour = "08:00"\n'


@dataclass
class House:
    """A ledger that is watched, and a clock in the test's hands."""

    folder: Path
    store: Store
    now: datetime = NOW
    free: int = 10**9  # bytes
    cluster: SeenCluster = field(default_factory=SeenCluster)

    async def look(self, *, after: timedelta = timedelta()) -> list[str]:
        """Look twice, and return what was told since the last time: causes, with `(over)` at an end."""
        self.now += after
        limits = Limits(
            bounces=Limit(percent=5, least=2),
            complaints=Limit(percent=0.1, least=1),
            relay_after=HOUR / 2,
            no_worker_after=HOUR / 12,
        )
        watch = Watch(
            store=self.store,
            lists=ListFiles(self.folder, check_source=lambda _: ""),
            source_names=lambda list_: list_.sources,
            alarm=LedgerAlarm(self.store.alarms, [MAIL], lambda: self.now),
            limits=limits,
            cluster=self.cluster.reader(self.store.oversight),
            mark=HighWaterMark(self.store.high_water, self.folder),
            folder=self.folder,
            space=lambda _: Space(1, self.free, 1000),
        )
        for _ in range(2):
            await watch.look(self.now)
        told = []
        while notice := await self.store.notices.claim(MAIL, now=self.now):
            await self.store.notices.sent(notice, now=self.now)
            cause = notice.data.split('"cause": "')[1].split('"')[0]
            told.append(cause + (" (over)" if notice.kind.endswith("over") else ""))
        return told


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    folder = tmp_path / "subscribers"
    folder.mkdir()
    (folder / "daily.toml").write_text(LIST)
    store = await open_store(f"sqlite:///{tmp_path}/newsletter.db")
    await store.slots.first_seen("daily", now=NOW - timedelta(days=30))
    yield House(folder, store)
    await store.close()


async def test_where_all_is_well_nothing_rings(house: House) -> None:
    await frozen(house.store, 3)
    await record(house.store, paper(1))
    assert await house.look() == []
    assert await house.look(after=HOUR) == []


async def test_a_relay_in_trouble_for_half_an_hour(house: House) -> None:
    await frozen(house.store)
    relay = SlowDown(
        kind=SlowDownKind.RELAY,
        name="relay.example:587",
        since=NOW,
        reason="535 5.7.8 no",
        forgotten_at=NOW + 9 * HOUR,
    )
    await house.store.slow_downs.note([relay], now=NOW)
    assert await house.look(after=HOUR / 3) == []
    assert await house.look(after=HOUR / 3) == ["relay"]
    await house.store.slow_downs.note([], over=[(relay.kind, relay.name)], now=house.now)
    assert await house.look(after=HOUR / 3) == ["relay (over)"]


async def test_jobs_that_no_living_worker_takes(house: House) -> None:
    house.cluster.queues = [queue("issues", house.now), queue("mails", None, later=3)]
    house.cluster.workers = [worker("mail-1", house.now, queues=("mails",))]
    assert await house.look(after=HOUR / 20) == []
    assert await house.look(after=HOUR / 20) == ["no-worker"]
    [alarm] = await house.store.alarms.lasting()
    assert (alarm.subject, alarm.reason) == ("issues", "the oldest is due since 08:00 on 2026-03-02, UTC")
    house.cluster.workers.append(worker("mail-2", house.now))
    assert await house.look() == ["no-worker (over)"]


async def test_mails_that_a_scheduler_sends_by_itself_wait_for_no_worker(house: House) -> None:
    house.cluster.queues = [queue("mails", house.now)]
    house.cluster.mails_wait = False
    assert await house.look(after=HOUR / 2) == []
    house.cluster.mails_wait = True
    assert await house.look() == ["no-worker"]


async def test_deliveries_that_are_open_for_half_the_deadline_unless_the_operator_has_paused_them(
    house: House,
) -> None:
    issue = await frozen(house.store, 2)
    assert await house.look(after=17 * HOUR) == []
    assert await house.look(after=2 * HOUR) == ["stuck"]
    [alarm] = await house.store.alarms.lasting()
    assert alarm.reason == "issue of 2026-03-02: 2 queued; the first is due since 08:00 on 2026-03-02, UTC"
    await house.store.halts.obey(issue.key, Order.PAUSE, now=house.now)
    assert await house.look() == ["stuck (over)"]


async def test_that_all_mails_come_back_is_said_in_plain_numbers(house: House) -> None:
    issue = await frozen(house.store, 6)
    await bring(house.store, issue.key, *[DeliveryState.REFUSED] * 6)
    assert await house.look() == ["bounces"]
    [alarm] = await house.store.alarms.lasting()
    assert alarm.reason == "6 of 6 mails of the last seven days were refused or came back (100 %)"


async def test_many_mails_that_come_back_and_readers_who_complain(house: House) -> None:
    issue = await frozen(house.store, 6)
    sent = await bring(house.store, issue.key, *[DeliveryState.SENT] * 5, DeliveryState.REFUSED)
    assert await house.look() == []
    kinds = {sent[0]: EventKind.HARD, sent[1]: EventKind.COMPLAINT}
    events = [
        InboundEvent(id=str(key), source="mail", kind=kind, delivery_key=key, found_by=FoundBy.HEADER)
        for key, kind in kinds.items()
    ]
    await house.store.inbound.take(events, now=house.now)
    assert await house.look() == ["bounces", "complaints"]
    reasons = [one.reason for one in await house.store.alarms.lasting()]
    assert reasons[0] == "2 of 6 mails of the last seven days were refused or came back (33 %)"
    (house.folder / "daily.toml").unlink()  # nothing else is looked at
    assert await house.look(after=timedelta(days=8)) == ["bounces (over)", "complaints (over)"]


async def test_an_issue_that_is_not_made_an_hour_after_its_time(house: House) -> None:
    await frozen(house.store, day=DAY - timedelta(days=1))
    assert await house.look(after=HOUR / 2) == []
    assert await house.look(after=HOUR) == ["no-issue"]
    await house.store.slots.note_in_vain("daily", DAY, now=house.now)
    assert await house.look() == ["no-issue (over)"]


async def test_a_new_list_has_an_hour_for_its_first_issue(house: House) -> None:
    (house.folder / "new.toml").write_text(LIST)
    (house.folder / "daily.toml").unlink()
    assert await house.look(after=1.5 * HOUR) == []
    assert await house.look(after=0.9 * HOUR) == []
    assert await house.look(after=0.2 * HOUR) == ["no-issue"]


async def test_what_is_known_to_keep_an_issue_back_is_not_told_a_second_time(house: House) -> None:
    await frozen(house.store, day=DAY - timedelta(days=1))
    alarm = LedgerAlarm(house.store.alarms, [MAIL], lambda: house.now)
    await alarm.ring(Cause.TEMPLATE, "daily", "body.html:7: it is wrong", day=DAY)
    assert await house.look(after=2 * HOUR) == ["template"]


async def test_a_source_that_shows_nothing_for_longer_than_ever(house: House) -> None:
    await frozen(house.store)
    days = [date(2026, 2, 2) + timedelta(days=ahead) for ahead in range(26)]
    for number, day in enumerate(day for day in days if day.weekday() < 5):
        await record(house.store, paper(number), day=day)
    for day in (date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)):
        await house.store.library.record("huggingface", day, [], now=NOW)
    house.now = datetime(2026, 3, 4, 7, tzinfo=NOW.tzinfo)
    assert "source-silent" not in await house.look()
    assert "source-silent" in await house.look(after=24 * HOUR)
    await record(house.store, paper(99), day=date(2026, 3, 4))
    assert "source-silent (over)" in await house.look()


async def test_a_list_whose_file_is_gone_has_no_trouble(house: House) -> None:
    alarm = LedgerAlarm(house.store.alarms, [MAIL], lambda: house.now)
    await alarm.ring(Cause.LIST_FILE, "former", "former.toml:1: it is wrong")
    assert await house.look() == ["list-file", "list-file (over)"]


async def test_little_room_on_the_disk_of_a_machine(house: House) -> None:
    await frozen(house.store)
    house.free = 499 * 10**6
    assert await house.look() == ["disk"]
    house.free = 550 * 10**6
    assert await house.look(after=HOUR / 2) == []
    house.free = 10**9
    assert await house.look(after=HOUR / 4) == []  # another machine may have found it a moment ago
    assert await house.look(after=HOUR / 4) == ["disk (over)"]


async def test_a_ledger_that_is_an_older_copy_until_the_operator_accepts_it(house: House) -> None:
    mark = HighWaterMark(house.store.high_water, house.folder)
    await frozen(house.store)
    await mark.advance()
    (name, reached, *_) = await house.store.high_water.read()
    (house.folder / "high-water.json").write_text(f'{{"{name}": {reached + 1}}}')
    assert await house.look() == ["restored"]
    await mark.accept()
    assert await house.look(after=HOUR) == ["restored (over)"]
