"""Alarms: once a cause and subject, whoever finds it, and once more when it is over."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from newsletter.core.alarm_words import headline, words_of
from newsletter.core.alarms import MAIL, OF_FILES, OF_ISSUE, OVER, RAISED, Alarm, Cause, cause_of
from newsletter.core.errors import LintError, RenderError, SourceError, StoreError
from newsletter.operations.alarms import LedgerAlarm, issue_failed, issue_made
from newsletter.ports import Store
from newsletter.store import open_store
from tests import factories
from tests.store.samples import NOW

DAY = factories.DAY
MINUTE = timedelta(minutes=1)


@dataclass
class House:
    """A ledger with an alarm, and a clock in the test's hands."""

    store: Store
    now: datetime = NOW
    tell: list[str] = field(default_factory=lambda: [MAIL])

    def alarm(self) -> LedgerAlarm:
        return LedgerAlarm(self.store.alarms, self.tell, lambda: self.now)

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the notices to the operator that are due, in order."""
        notices = []
        while notice := await self.store.notices.claim(MAIL, now=self.now):
            notices.append((notice.kind, json.loads(notice.data)))
        return notices


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = await open_store(f"sqlite:///{tmp_path}/newsletter.db")
    yield House(store)
    await store.close()


async def test_trouble_is_told_once_whoever_finds_it_and_once_more_when_it_is_over(house: House) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            await house.alarm().ring(Cause.RELAY, "relay.example:587", "535 no")
            house.now += MINUTE
        for _ in range(2):
            await house.alarm().over([Cause.RELAY], "relay.example:587")
    (raised, begin), (over, end) = await house.told()
    assert (raised, over) == (RAISED, OVER)
    assert (begin["headline"], begin["over_at"]) == ("the relay relay.example:587 takes no mail", None)
    assert (end["since"], end["over_at"]) == ("2026-03-02T08:00:00+00:00", "2026-03-02T08:03:00+00:00")
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("alarm", "error"), ("alarm_over", "info")]


async def test_what_begins_again_is_told_again(house: House) -> None:
    for _ in range(2):
        await house.alarm().ring(Cause.TOKEN, "relay.example:587", "expired")
        await house.alarm().over(frozenset(Cause), "relay.example:587")
    assert [kind for kind, _ in await house.told()] == [RAISED, OVER] * 2


async def test_another_list_or_cause_is_other_trouble_another_day_is_not(house: House) -> None:
    broken = RenderError("templates/daily/body.html:7: 'autors' is undefined")
    await issue_failed(house.alarm(), "daily", DAY, broken)
    await issue_failed(house.alarm(), "weekly", DAY, broken)
    await issue_failed(house.alarm(), "daily", DAY + timedelta(days=1), broken)
    await issue_failed(house.alarm(), "daily", DAY, SourceError("huggingface: answered 500"))
    told = [(one["list"], one["cause"]) for _, one in await house.told()]
    assert told == [("daily", "template"), ("weekly", "template"), ("daily", "sources")]
    await issue_made(house.alarm(), "daily")
    assert [(one.subject, one.cause) for one in await house.store.alarms.lasting()] == [("weekly", "template")]


async def test_an_alarm_that_lasts_is_noted_and_logged_now_and_then(house: House) -> None:
    with capture_logs() as logs:
        for reason in ("first", "first", "second"):
            await house.alarm().ring(Cause.STUCK, "daily", reason)
        house.now += 11 * MINUTE
        await house.alarm().ring(Cause.STUCK, "daily", "second")
    assert [entry["event"] for entry in logs] == ["alarm", "alarm_lasts", "alarm_lasts"]
    [alarm] = await house.store.alarms.lasting()
    assert (alarm.reason, alarm.since, alarm.seen_at) == ("second", NOW, house.now)


async def test_its_beginning_is_told_before_its_end_though_it_could_not_be_told_before(house: House) -> None:
    await house.alarm().ring(Cause.RELAY, "relay.example:587", "no answer")
    notice = await house.store.notices.claim(MAIL, now=house.now)
    assert notice is not None
    await house.store.notices.failed(notice, "no relay", again_at=house.now + timedelta(hours=4), now=house.now)
    house.now += MINUTE
    await house.alarm().over([Cause.RELAY], "relay.example:587")
    assert [kind for kind, _ in await house.told()] == [RAISED, OVER]


async def test_it_never_raises_not_even_where_the_ledger_cannot_be_used(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(house.store.alarms, "ring", broken)
    monkeypatch.setattr(house.store.alarms, "over", broken)
    with capture_logs() as logs:
        await house.alarm().ring(Cause.STUCK, "daily", "two deliveries")
        await house.alarm().over([Cause.STUCK], "daily")
    assert [entry["event"] for entry in logs] == ["alarm_not_noted"] * 2


async def test_alarms_are_kept_for_a_year_after_they_are_over(house: House) -> None:
    await house.alarm().ring(Cause.STUCK, "daily", "lasts")
    await house.alarm().ring(Cause.RELAY, "relay.example:25", "ends")
    await house.alarm().over([Cause.RELAY], "relay.example:25")
    for days, left in ((364, 2), (366, 1)):
        await house.store.alarms.forget_old(now=NOW + timedelta(days=days))
        assert len(await house.store.alarms.newest(limit=9)) == left


def test_errors_have_their_causes_and_those_of_issues_end_with_an_issue() -> None:
    causes = {
        LintError("daily: HTML part: 96,000 bytes"): Cause.LINT,
        RenderError("body.html:7"): Cause.TEMPLATE,
        SourceError("answered 500"): Cause.SOURCES,
        StoreError("the ledger cannot be written"): Cause.TROUBLE,
    }
    assert {error: cause_of(error) for error in causes} == causes
    assert set(causes.values()) < OF_ISSUE
    assert not OF_ISSUE & OF_FILES


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_says_what_it_is_and_what_to_do(cause: Cause) -> None:
    alarm = Alarm(id="1", cause=cause, subject="{thing}", reason="", day=DAY, since=NOW, seen_at=NOW)
    words = words_of(alarm)
    assert words.problem.endswith(".")
    assert words.advice.endswith(".")
    assert "{thing}" in words.headline or "ledger" in words.headline or "Thursday, 12 March 2026" in words.headline
    assert ("{thing}" in headline(alarm)) is (cause not in {Cause.LEDGER, Cause.RESTORED})


def test_a_run_that_broke_off_says_nothing_of_whether_there_is_an_issue() -> None:
    alarm = Alarm(id="1", cause=Cause.TROUBLE, subject="daily", reason="", day=DAY, since=NOW, seen_at=NOW)
    assert headline(alarm) == "daily: a run broke off before the issue of Thursday, 12 March 2026 was sent"
    assert "or not all of it was sent" in words_of(alarm).problem
