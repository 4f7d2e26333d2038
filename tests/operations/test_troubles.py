"""What is stuck or wrong, as sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from newsletter.core.alarms import Alarm, Cause
from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import ListFileError, Mistake
from newsletter.core.halt import Halt
from newsletter.operations.troubles import Facts, troubles
from newsletter.ports import (
    DeliveryRecord,
    IssueSummary,
    Place,
    PlacedDelivery,
    SlowDown,
    SlowDownKind,
    SourceHealth,
)

NOW = datetime(2026, 6, 10, 8, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTHING = Facts(wrong={}, held_files={}, slow_downs=[], halted=[], stuck=[], counts={}, sources=[])


def deferred(key: int, email: str, next_attempt_at: datetime) -> PlacedDelivery:
    record = DeliveryRecord(
        key=key,
        list="daily",
        day=NOW.date(),
        email=email,
        state=DeliveryState.DEFERRED,
        due_at=NOW,
        attempts=3,
        updated_at=NOW - 3 * timedelta(minutes=1),
        next_attempt_at=next_attempt_at,
        relay="relay:25",
        code=451,
        text="4.7.1 greylisted",
        reason="",
        timezone="UTC",
    )
    return PlacedDelivery(Place(1, key), record)


def said(facts: Facts, timezone: str = "UTC") -> list[str]:
    return [f"{one.what} {one.said}" for one in troubles(facts, timezone, NOW)]


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert said(NOTHING) == []


def test_deferred_deliveries_are_told_by_the_domain_of_most_and_by_the_operators_clocks() -> None:
    stuck = [deferred(1, "a@other.example", NOW), *(deferred(n, "x@uni.example", NOW + n * HOUR) for n in (2, 3))]
    facts = replace(NOTHING, stuck=stuck, counts={DeliveryState.DEFERRED: 3})
    [sentence] = said(facts, "Europe/London")
    assert sentence == (
        "3 deliveries are deferred. uni.example, last at 09:02: greylisted: "
        "the server wants us to come back later; the next attempt is at 11:05."
    )


def test_what_stops_most_mail_comes_first() -> None:
    relay = SlowDown(
        kind=SlowDownKind.RELAY, name="smtp:587", since=NOW, until=NOW + HOUR, reason="no TLS", forgotten_at=NOW
    )
    issue = IssueSummary(
        list="daily",
        day=NOW.date(),
        number=1,
        subject="x",
        listings=1,
        frozen_at=NOW,
        deliveries={DeliveryState.QUEUED: 38},
        timezone="UTC",
        halt=Halt.PAUSED,
        halted_at=NOW - 24 * HOUR,
    )
    facts = Facts(
        wrong={"lab": ListFileError((Mistake("lab.toml", 3, "unknown key"),))},
        held_files={},
        slow_downs=[relay, replace(relay, kind=SlowDownKind.DOMAIN)],
        halted=[issue, replace(issue, halt=Halt.CANCELLED)],
        stuck=[],
        counts={DeliveryState.UNCERTAIN: 1, DeliveryState.DEFERRED: 2},
        sources=[
            SourceHealth(source="huggingface", read_at=NOW, tried_at=NOW, error=""),
            SourceHealth(source="arxiv:cs.CL", read_at=None, tried_at=NOW, error="answered 500"),
        ],
    )
    assert [one.partition(". ")[0] for one in said(facts)] == [
        "The file of list lab is wrong, so it gets no new issue",
        "The relay smtp:587 is in trouble",
        "daily of 2026-06-10 is paused",
        "1 delivery is uncertain",
        "2 deliveries are deferred",
        "The source arxiv:cs.CL could not be read",
    ]
    assert "Since 08:05 on 09 June; 38 deliveries wait." in said(facts)[2]


def test_alarms_say_what_to_do_unless_something_else_here_says_it() -> None:
    alarms = [
        Alarm(id="1", cause=cause, subject="daily", reason="why", day=None, since=NOW, seen_at=NOW)
        for cause in (Cause.STUCK, Cause.RELAY, Cause.LIST_FILE)
    ]
    [only] = troubles(replace(NOTHING, alarms=alarms), "UTC", NOW)
    assert only.what == "Mails of daily do not get on."
    assert "newsletter status" in only.advice


def test_a_quota_that_is_used_up_says_until_when_and_what_becomes_of_the_rest() -> None:
    quota = SlowDown(
        kind=SlowDownKind.QUOTA,
        name="smtp:587",
        since=NOW,
        until=NOW + HOUR,
        reason="3 mails in an hour, and all of them are used",
        forgotten_at=NOW + HOUR,
    )
    [only] = troubles(replace(NOTHING, slow_downs=[quota]), "UTC", NOW)
    assert only.what == f"The quota of the relay smtp:587 is used up until {NOW + HOUR:%H:%M}."
    assert "next relay, or waits" in only.advice
