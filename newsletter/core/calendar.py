"""When issues are due, when each reader's copy is, and when mail may leave.

Wall-clock times are read in IANA zones; results are UTC. A local time that a DST change skips is taken as much
later as the clocks jump (02:30 becomes 03:30); one that comes twice is its first occurrence. An issue is keyed on
(list, local date), so neither makes two issues.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from newsletter.core.choice import Choice
from newsletter.core.delivery import Planned
from newsletter.core.newsletter_list import Cadence, Hours, NewsletterList
from newsletter.core.steps import OTHER_DAY, OTHER_EDITION, PAUSED, Plan
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms

# A skipped time may fall on the next date, and a repeated midnight begins the next date twice: so a search begins
# a day beyond the present date. Eight days on, every weekday has come by, at whatever hour.
_DAYS_TO_SEARCH = range(-1, 9)
_WEEK = 7  # days: so many more are looked at for each that has its issue already
# So far back, in days, slots are looked for that passed without an issue.
_LONGEST_LOOK_BACK = 31

# Hours may have begun on the day before, and a change of the clocks can leave a day without any.
_DAYS_WITH_HOURS = range(-4, 4)

# How long an issue that is made is shown as the present one, and a slot that led to none is tried again.
SHOWN_FOR = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Slot:
    """An issue's day (local to the list) and the moment (UTC) at which it is due."""

    day: date
    at: datetime


def local_time(day: date, hour: time, timezone: str) -> datetime:
    """Return the moment (UTC) at which clocks in `timezone` show `hour` on `day`."""
    return datetime.combine(day, hour.replace(fold=0), ZoneInfo(timezone)).astimezone(UTC)


def slot_on(list_: NewsletterList, day: date) -> Slot:
    """Return the slot of a day, whether the list comes out on that weekday or not."""
    return Slot(day, local_time(day, list_.hour, list_.timezone))


def comes_out_on(list_: NewsletterList, day: date) -> bool:
    """Return whether a list has an issue on a weekday."""
    return day.weekday() in list_.issue_days


def last_slot(list_: NewsletterList, now: datetime) -> Slot | None:
    """Return the newest slot at or before `now`, or None where the list has had none in the last eight days."""
    today = now.astimezone(ZoneInfo(list_.timezone)).date()
    for back in _DAYS_TO_SEARCH:
        slot = slot_on(list_, today - timedelta(days=back))
        if slot.at <= now and comes_out_on(list_, slot.day):
            return slot
    return None


def next_slot(list_: NewsletterList, now: datetime, made: Collection[date] = ()) -> Slot | None:
    """Return the next slot after `now` that has no issue yet, or None where the list has no days.

    Args:
        list_: the list.
        now: the moment, aware.
        made: the days from `earliest_day` on that have an issue already: somebody has named them.
    """
    today = now.astimezone(ZoneInfo(list_.timezone)).date()
    for ahead in range(_DAYS_TO_SEARCH.start, _DAYS_TO_SEARCH.stop + _WEEK * len(made)):
        slot = slot_on(list_, today + timedelta(days=ahead))
        if slot.at > now and comes_out_on(list_, slot.day) and slot.day not in made:
            return slot
    return None


def earliest_day(now: datetime) -> date:
    """Return the first day that a slot after `now` (aware) may have, by the clocks of any zone."""
    return now.astimezone(UTC).date() - timedelta(days=2)


def slots_between(list_: NewsletterList, after: date, before: date) -> list[Slot]:
    """Return a list's slots on the days between two days, of at most a month before the second; oldest first."""
    days = min((before - after).days, _LONGEST_LOOK_BACK)
    slots = (slot_on(list_, before - timedelta(days=back)) for back in range(days - 1, 0, -1))
    return [slot for slot in slots if comes_out_on(list_, slot.day)]


class SlotState(StrEnum):
    """What is to be done about a list's newest slot."""

    DUE = "due"  # its issue is to be made, or was made a short while ago
    MISSED = "missed"  # it passed unused, and is too long ago
    OVER = "over"  # nothing, until the next one


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What is known of a slot.

    `made_at` is when its issue was frozen; None: it has none. `in_vain`: it was tried, and there was nothing to
    send, or nobody to send it to. `is_new`: the list did not come out before, and when the slot came it had
    not been seen yet. `is_overtaken`: an issue of a later day was made since it came, as when the list has got
    other days; what was new then competed for that. `is_assumed`: it came in a time that a restored backup does
    not know, and the operator says that it was used.
    """

    made_at: datetime | None = None
    in_vain: bool = False
    is_new: bool = False
    is_overtaken: bool = False
    is_assumed: bool = False


def slot_state(list_: NewsletterList, slot: Slot, used: Used, now: datetime) -> SlotState:
    """Return what is to be done about a list's newest slot.

    What was not used is caught up within the list's deadline, and missed after it. A new list has missed nothing:
    it begins with the slot of its first day, be it over, or else with the next one.
    """
    age, deadline = now - slot.at, list_.stale_after
    if used.made_at is not None:
        return SlotState.DUE if now - max(used.made_at, slot.at) <= SHOWN_FOR else SlotState.OVER
    if used.is_assumed or used.is_overtaken:
        return SlotState.OVER
    if used.in_vain:
        return SlotState.DUE if age <= min(SHOWN_FOR, deadline) else SlotState.OVER
    if used.is_new:
        begins = slot.day == now.astimezone(ZoneInfo(list_.timezone)).date()
        return SlotState.DUE if begins and age <= deadline else SlotState.OVER
    return SlotState.DUE if age <= deadline else SlotState.MISSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """What a list's calendar says at one moment, all of it asked at once. Moments are aware, in UTC."""

    list: NewsletterList
    now: datetime
    today: date  # by the clocks of the list
    named: Slot | None  # of the day that somebody has named: its issue is due, whatever the hour and weekday
    last: Slot | None  # the newest one that has come; None: the list has had none in the last eight days
    opens: datetime  # when its mail may leave: now, within its hours, or when they begin

    @property
    def slot(self) -> Slot | None:
        """Return the slot that the run is about."""
        return self.named or self.last

    @property
    def day(self) -> date:
        """Return the day of the issue that should be out by now; today where there is none."""
        if self.named is not None:
            return self.named.day
        if self.last is None or self.now - self.last.at > self.list.stale_after:
            return self.today
        return self.last.day

    def state(self, used: Used) -> SlotState:
        """Return what is to be done about the slot, given what is known of it."""
        if self.named is not None:
            return SlotState.DUE
        return SlotState.OVER if self.last is None else slot_state(self.list, self.last, used, self.now)


def agenda(list_: NewsletterList, now: datetime, *, day: date | None = None) -> Agenda:
    """Return what a list's calendar says at a moment.

    Args:
        list_: the list.
        now: the moment, aware.
        day: the day of which somebody wants the issue; None: nobody has named one.
    """
    return Agenda(
        list=list_,
        now=now,
        today=now.astimezone(ZoneInfo(list_.timezone)).date(),
        named=None if day is None else slot_on(list_, day),
        last=last_slot(list_, now),
        opens=opening(list_, now),
    )


def reader_time(hour: time | None, timezone: str, slot: Slot) -> datetime:
    """Return when a reader's copy is due: the first time at or after the slot that it is the reader's hour.

    Args:
        hour: the reader's; None: the slot's.
        timezone: the IANA name of the zone whose clocks show the hour.
        slot: of the issue.
    """
    if hour is None:
        return slot.at
    first = slot.at.astimezone(ZoneInfo(timezone)).date()
    moments = (local_time(first + timedelta(days=ahead), hour, timezone) for ahead in range(-1, 3))
    return next(moment for moment in moments if moment >= slot.at)


class Window(Protocol):
    """When mail may leave and how late: of a list, or of a closed issue's terms."""

    @property
    def hours(self) -> Hours | None:
        """Return the hours within which mail may leave; None: it may at any time."""
        ...

    @property
    def timezone(self) -> str:
        """Return the IANA name of the zone of the hours."""
        ...

    @property
    def stale_after(self) -> timedelta:
        """Return how late a delivery may be."""
        ...


def opening(window: Window, moment: datetime) -> datetime:
    """Return the first time from `moment` on that mail may leave: `moment` itself, within the hours."""
    if window.hours is None:
        return moment
    spans = _hours_around(window.hours, window.timezone, moment)
    return next(max(opens, moment) for opens, closes in spans if max(opens, moment) < closes)


def closing(window: Window, moment: datetime) -> datetime | None:
    """Return the end of the hours that contain `moment`; `moment` itself if it is outside; None without hours."""
    if window.hours is None:
        return None
    end = moment
    for opens, closes in _hours_around(window.hours, window.timezone, moment):
        if opens <= end < closes:
            end = closes
    return end


def late_before(window: Window, now: datetime) -> datetime:
    """Return the moment before which what was due is too late by now.

    Waiting for the hours makes nothing late. What is late could leave for `stale_after` within the hours, or for
    all the hours of a day.
    """
    late = now - window.stale_after
    if window.hours is None:
        return late
    end, left = now, min(window.stale_after, window.hours.length)
    for opens, closes in reversed(_hours_around(window.hours, window.timezone, now)):
        end = min(now, closes)
        if left <= end - opens:
            break
        left -= max(end - opens, timedelta())
    return min(late, end - left)


def _hours_around(hours: Hours, timezone: str, moment: datetime) -> list[tuple[datetime, datetime]]:
    """Return from when till when mail may leave, on the days around a moment."""
    today = moment.astimezone(ZoneInfo(timezone)).date()
    spans = []
    for ahead in _DAYS_WITH_HOURS:
        day = today + timedelta(days=ahead)
        last = day + timedelta(days=hours.goes_over_midnight)
        spans.append((local_time(day, hours.since, timezone), local_time(last, hours.until, timezone)))
    return spans


def planner(
    list_: NewsletterList,
    slot: Slot,
    now: datetime,
    *,
    at_once: bool,
    choose: Callable[[Subscriber, frozenset[int]], Choice],
    subject_of: Callable[[Choice], str],
    is_quiet: bool = False,
) -> Plan:
    """Return the function that plans a subscriber's copy of an issue.

    Args:
        list_: the list.
        slot: the issue's slot.
        now: when the issue is closed; nothing is due before it.
        at_once: everything is due now, whatever the readers' hours and the list's.
        choose: returns what a reader gets of the issue, given the keys of listings that the reader had before;
            who gets nothing gets no mail.
        is_quiet: the issue says that there is no news, and brings nothing to anybody: all get its mail.
        subject_of: returns the subject of a mail with this choice.
    """
    terms = Terms.of(list_)

    # Among a million readers there are few hours; clocks and zones cost more than all else that is planned.
    @lru_cache(maxsize=4096)
    def due(hour: time | None, timezone: str | None) -> datetime:
        return now if at_once else opening(terms, max(now, reader_time(hour, timezone or list_.timezone, slot)))

    def plan(subscriber: Subscriber, had: frozenset[int]) -> Planned:
        if reason := _not_wanted(subscriber, list_, slot.day, terms):
            return Planned(due_at=None, reason=reason)
        choice = choose(subscriber, had)
        if not choice.positions and not is_quiet:
            return Planned(due_at=None, reason=_nothing_for(subscriber))
        due_at = due(subscriber.hour, subscriber.timezone)
        return Planned(due_at=due_at, choice=choice, subject=subject_of(choice))

    return plan


def _not_wanted(subscriber: Subscriber, list_: NewsletterList, day: date, terms: Terms) -> str:
    """Return why a reader wants no issue of a day, or nothing where they want it.

    A weekly issue is for all who want one, whatever their days. So is every issue where the list has come to have
    other days than all of the reader's.
    """
    if not terms.suits(subscriber.cadence):
        return _other_edition(subscriber, terms)
    if subscriber.paused_until is not None and day < subscriber.paused_until:
        return PAUSED.reason
    if subscriber.days is None or list_.cadence is Cadence.WEEKLY or day.weekday() in subscriber.days:
        return ""
    return OTHER_DAY.reason if set(subscriber.days).intersection(list_.days) else ""


def _other_edition(subscriber: Subscriber, terms: Terms) -> str:
    wanted = subscriber.cadence or Cadence.DAILY
    return f"{OTHER_EDITION}{wanted} issue, this one is {terms.cadence}"


def _nothing_for(subscriber: Subscriber) -> str:
    follows = [follow.name for follow in subscriber.follows]
    wishes = (*subscriber.topics, *follows, *(["the reader's own words"] if subscriber.interest else []))
    return f"nothing new in it for {', '.join(wishes) or 'this reader'}"
