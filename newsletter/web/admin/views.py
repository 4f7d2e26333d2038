"""What the operator's templates show: numbers, moments and states in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.core.address import domain_of
from newsletter.core.alarm_words import headline, words_of
from newsletter.core.alarms import Alarm
from newsletter.core.bounces import EventKind, Outcome
from newsletter.core.delivery import WAITING, DeliveryState
from newsletter.core.diagnosis import Health
from newsletter.core.growth import ReaderDay
from newsletter.core.halt import Halt
from newsletter.core.reply_words import reply_in_words
from newsletter.core.steps import OPEN
from newsletter.core.text import counted
from newsletter.operations.doctor.kept import Examination
from newsletter.operations.overview import DAYS_OF_SOURCES, NextDue, SourceReport
from newsletter.ports import CameBack, DeliveryRecord, Grown, IssueSummary, PlacedDelivery
from newsletter.web.admin.charts import days_bars, growth_chart, share_bar, state_bar

# What mailbox providers want complaints to stay below (Gmail's and Yahoo's rules for who sends many mails, 2024).
COMPLAINTS_LIMIT = 0.001

_NOTHING = "\N{EN DASH}"
_WEEK = timedelta(days=7)
_EXCEPTIONS = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.DEFERRED,
    DeliveryState.UNCERTAIN,
    DeliveryState.REFUSED,
    DeliveryState.WITHDRAWN,
)
_KINDS = {
    EventKind.COMPLAINT: "Complaint",
    EventKind.UNSUBSCRIBE: "Left by mail",
    EventKind.HARD: "Refused for good",
    EventKind.EXPIRED: "Not delivered in time",
    EventKind.SOFT: "Refused for now",
    EventKind.OURS: "Refused because of us",
    EventKind.NOTHING: "Says nothing of a reader",
}
_OUTCOMES = {
    Outcome.SUPPRESSED: "not mailed again",
    Outcome.DEAD: "called dead: not mailed again once that is certain",
    Outcome.COUNTED: "counted; suppressed if it goes on",
    Outcome.LEFT: "off the list",
    Outcome.IGNORED: "nothing to do",
}
_UNCERTAIN = "cut off while it was sent: if it is sent again, it bears the same Message-ID"
_A_WEEK = 7  # days
_OLD_EXAMINATION = timedelta(days=_A_WEEK)
_DOTS = {DeliveryState.DEFERRED: "w", DeliveryState.UNCERTAIN: "b", DeliveryState.REFUSED: "b"}


@dataclass(frozen=True, slots=True)
class Moments:
    """Says moments by the clocks of a zone, beside a present moment (aware)."""

    timezone: str
    now: datetime

    def __call__(self, moment: datetime | None) -> str:
        """Return a moment in words: `08:00 today`, `08:00 Mon`, `22:10, Tue 10 June`; nothing for None."""
        if moment is None:
            return ""
        zone = ZoneInfo(self.timezone)
        local, today = moment.astimezone(zone), self.now.astimezone(zone).date()
        days = (local.date() - today).days
        soon = f"{local:%a}" if 1 < days < _A_WEEK else None
        near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days, soon)
        return f"{local:%H:%M} {near}" if near else f"{local:%H:%M}, {day_in_words(local.date())}"


def alarm_row(alarm: Alarm, moments: Moments) -> dict[str, str]:
    """Return what a page says of an alarm."""
    return {
        "headline": headline(alarm),
        "reason": alarm.reason,
        "since": moments(alarm.since),
        "over": moments(alarm.over_at),
        "advice": "" if alarm.over_at else words_of(alarm).advice,
    }


def examination(found: Examination | None, moments: Moments) -> dict[str, Any] | None:
    """Return what a page says of what `newsletter doctor` found last; None: it found nothing yet."""
    if found is None:
        return None
    troubles = [one for one in found.found if one.status is not Health.OK]
    troubles.sort(key=lambda one: one.status is Health.WARN)
    well = dict.fromkeys(one.check for one in found.found)
    for one in troubles:
        well.pop(one.check, None)
    return {
        "at": moments(found.at),
        "is_old": moments.now - found.at > _OLD_EXAMINATION,
        "troubles": [
            {
                "dot": "b" if one.status is Health.FAIL else "w",
                "word": one.status.value,
                "says": one.says,
                "do": one.do,
            }
            for one in troubles
        ],
        "well": ", ".join(well),
    }


def day_in_words(day: date) -> str:
    """Return a day as in `Wed 11 June`; the year stands in its address."""
    return f"{day:%a} {day.day} {day:%B}"


def percent(part: int, whole: int, digits: int = 1) -> str:
    """Return a share in percent, never rounded up to all; a dash of nothing."""
    if not whole:
        return _NOTHING
    text = f"{100 * part / whole:.{digits}f}"
    full = f"{100:.{digits}f}"
    return f"{100 - 10**-digits:.{digits}f} %" if text == full and part < whole else f"{text} %"


def issue_row(issue: IssueSummary) -> dict[str, Any]:
    """Return what a table of issues shows of one."""
    return {
        "list": issue.list,
        "day": day_in_words(issue.day),
        "path": f"issues/{issue.list}/{issue.day}/",
        "number": issue.number,
        "subject": issue.subject,
        "bar": state_bar(issue.deliveries),
        "label": states_in_words(issue),
        "readers": f"{sum(issue.deliveries.values()):,}",
    }


def states_in_words(issue: IssueSummary) -> str:
    """Return how an issue's deliveries stand, naming the exceptions alone."""
    found = [f"{number:,} {state}" for state in _EXCEPTIONS if (number := issue.deliveries.get(state, 0))]
    said = ", ".join(found) or ("all sent" if issue.deliveries.get(DeliveryState.SENT) else "nobody")
    return f"{issue.halt}: {said}" if issue.halt else said


def is_going_out(issue: IssueSummary) -> bool:
    """Return whether an issue has something left to do now."""
    return issue.halt is None and any(issue.deliveries.get(state, 0) for state in OPEN)


def issue_actions(issue: IssueSummary) -> list[dict[str, str]]:
    """Return what an operator may do about an issue: the words of each button, what it sends, what follows."""
    counts = issue.deliveries
    waits = any(counts.get(state, 0) for state in WAITING)
    found = []
    if issue.halt is None and waits:
        found.append(_action("pause", "Pause", "No more of it is sent until you resume it."))
    if issue.halt is Halt.PAUSED:
        found.append(_action("resume", "Resume", "What waits goes out at the next tick."))
    if issue.halt is not Halt.CANCELLED and waits:
        says = "No more of it is sent, for good. Who did not get it finds its papers in the next issue."
        found.append(_action("cancel", "Cancel…", says))
    if counts.get(DeliveryState.DEFERRED) and issue.halt is None:
        found.append(_action("retry", "Retry deferred", "They are due now, however late."))
    if counts.get(DeliveryState.UNCERTAIN):
        found.append(_action("release", "Send uncertain again", "Under the same Message-ID."))
        found.append(_action("as-sent", "Count uncertain as sent", "Nothing is sent."))
    return found


def _action(name: str, label: str, says: str) -> dict[str, str]:
    return {"name": name, "label": label, "says": says}


def delivery_row(found: PlacedDelivery, moments: Moments) -> dict[str, Any]:
    """Return what a table of deliveries shows of one: what was said in words, and as it was said."""
    record, state = found.record, found.record.state
    raw = " ".join(str(part) for part in (record.code, record.text) if part)
    return {
        "email": record.email or "(erased)",
        "state": state.value,
        "dot": _DOTS.get(state, ""),
        "said": _UNCERTAIN if state is DeliveryState.UNCERTAIN else _said(record),
        "raw": raw,
        "attempts": record.attempts,
        "tries": counted(record.attempts, "try", "tries"),
        "next": moments(record.next_attempt_at) if state is DeliveryState.DEFERRED else "",
        "issue": f"{record.list}, {day_in_words(record.day)}",
        "path": f"issues/{record.list}/{record.day}/",
        "place": f"{found.place.issue_key}-{found.place.key}",
    }


def _said(record: DeliveryRecord) -> str:
    return reply_in_words(record.code, record.text, record.reason)


def domain_rows(found: Sequence[PlacedDelivery]) -> list[dict[str, Any]]:
    """Return the domains that deliveries have trouble with, the most first, with what their servers mostly say."""
    numbers: Counter[str] = Counter(domain_of(one.record.email) for one in found if one.record.email)
    rows = []
    for domain, number in numbers.most_common(20):
        theirs = [one.record for one in found if domain_of(one.record.email) == domain]
        said = Counter(_said(one) for one in theirs)
        states = Counter(one.state.value for one in theirs)
        rows.append(
            {
                "domain": domain,
                "number": number,
                "states": ", ".join(f"{count:,} {state}" for state, count in states.most_common()),
                "said": said.most_common(1)[0][0],
            }
        )
    return rows


def next_due(due: NextDue | None, now: datetime) -> dict[str, Any] | None:
    """Return what the page says of the issue that is due next."""
    if due is None:
        return None
    return {
        "at": Moments(due.timezone, now)(due.at),
        "list": due.list,
        "day": day_in_words(due.day),
        "papers": due.papers,
    }


def growth(grown: Grown, now: datetime) -> dict[str, Any]:
    """Return what pages say of how lists grew: numbers of the last week, the chart, and its days as a table."""
    since = (now - _WEEK).date()
    week = [one for one in grown.days if one.day > since]
    joined, left = sum(one.joined for one in week), sum(one.left for one in week)
    return {
        "readers": f"{grown.days[-1].readers:,}" if grown.days else _NOTHING,
        "joined": joined,
        "left": left,
        "change": f"{joined - left:+,}",
        "grows": joined > left,
        "chart": growth_chart(grown.days) if grown.days else "",
        "days": [_growth_row(one) for one in reversed(grown.days)],
        "is_counted": grown.counted_at is not None,
    }


def _growth_row(one: ReaderDay) -> dict[str, Any]:
    return {"day": one.day.isoformat(), "readers": f"{one.readers:,}", "joined": one.joined, "left": one.left}


def returned_rows(came_back: Sequence[CameBack], limit: int = 50) -> list[dict[str, Any]]:
    """Return what came back by what it means, the most frequent first."""
    numbers: Counter[tuple[str, str]] = Counter()
    for one in came_back:
        numbers[_meaning(one), _OUTCOMES.get(one.outcome, "")] += one.number
    most = max(numbers.values(), default=0)
    return [
        {"meaning": meaning, "outcome": outcome, "number": number, "bar": share_bar(number, most)}
        for (meaning, outcome), number in numbers.most_common(limit)
    ]


def _meaning(one: CameBack) -> str:
    if one.status and one.kind not in {EventKind.COMPLAINT, EventKind.UNSUBSCRIBE}:
        words = reply_in_words(None, one.status, _KINDS[one.kind])
        return words[:1].upper() + words[1:]
    return _KINDS[one.kind]


def source_row(report: SourceReport, moments: Moments) -> dict[str, Any]:
    """Return what is said of a source: when it was read, with what, and how many papers its days held."""
    health = report.health
    today = moments.now.date()
    newest = max((day for day, number in report.papers.items() if number), default=None)
    if health.error:
        dot, said = "b", health.error
    elif health.read_at is None:
        dot, said = "w", "not read yet"
    else:
        dot, said = "", moments(health.read_at)
    return {
        "name": health.source,
        "dot": dot,
        "word": {"": "well", "w": "waits", "b": "in trouble"}[dot],
        "said": said,
        "read": moments(health.read_at),
        "tried": moments(health.tried_at),
        "lists": ", ".join(report.lists),
        "bars": days_bars(report.papers, today, DAYS_OF_SOURCES),
        "newest": f"{report.papers[newest]:,} on {day_in_words(newest)}" if newest else "none lately",
        "days": ", ".join(f"{day:%d %b}: {number}" for day, number in sorted(report.papers.items())),
    }


def delivered(counts: Mapping[DeliveryState, int]) -> dict[str, Any]:
    """Return how much of what was handed over was taken."""
    sent = counts.get(DeliveryState.SENT, 0)
    tried = sent + sum(
        counts.get(state, 0) for state in (DeliveryState.REFUSED, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN)
    )
    return {"share": percent(sent, tried), "sent": f"{sent:,}", "tried": f"{tried:,}"}


def complaints(number: int, counts: Mapping[DeliveryState, int]) -> dict[str, Any]:
    """Return how many readers complained, beside what mailbox providers put up with."""
    sent = counts.get(DeliveryState.SENT, 0)
    return {
        "share": percent(number, sent, 2),
        "number": f"{number:,}",
        "sent": f"{sent:,}",
        "is_much": bool(sent) and number / sent >= COMPLAINTS_LIMIT,
        "limit": f"{100 * COMPLAINTS_LIMIT:.2f} %",
    }
