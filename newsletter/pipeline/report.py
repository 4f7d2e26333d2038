"""What a run came to, in the contract's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from newsletter.core.calendar import Slot, Window
from newsletter.core.delivery import WAITING, DeliveryState
from newsletter.core.errors import NewsletterError
from newsletter.core.halt import Halt
from newsletter.core.newsletter_list import NewsletterList
from newsletter.pipeline.rehearsal import Rehearsal
from newsletter.pipeline.summary_counts import SummaryCounts
from newsletter.ports import ChunkReport


class RunStatus(StrEnum):
    """How a run of one list ended."""

    SENT = "sent"
    PARTIAL = "partial"
    NOTHING_NEW = "nothing_new"
    NOT_DUE = "not_due"
    MISSED = "missed"
    DRY_RUN = "dry_run"
    FAILED = "failed"


_NOTABLE = {RunStatus.FAILED, RunStatus.DRY_RUN}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueReport:
    """The issue of a run; `number` is 0 if it is not frozen."""

    number: int
    subject: str
    listings: int
    html_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run of one list did. `deliveries` holds the states of the issue's deliveries after it.

    `trouble` is why an issue that was due was not made; None: it was made, or there was nothing to make.
    `collected` counts what sources list on the day itself, `read` all papers on their pages, those of earlier days
    too, `skipped` what on them could not be read.
    `rehearsal` is what a dry run found out: whom the issue would reach, and when.
    `summaries` is what came of the texts that the list wants of a model; None: it wants none, or has its issue.
    `weekly` is what it did for those readers of a daily list who want one issue a week, where that was due.
    """

    list: str
    date: date
    status: RunStatus
    collected: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    read: int = 0
    skipped: int = 0
    new: int = 0
    issue: IssueReport | None = None
    deliveries: Mapping[DeliveryState, int] = field(default_factory=dict)
    suppressed: int = 0
    sent_now: int = 0
    has_tried: bool = False  # to deliver something just now
    reason: str = ""
    trouble: NewsletterError | None = None
    rehearsal: Rehearsal | None = None
    summaries: SummaryCounts | None = None
    weekly: RunReport | None = None

    @property
    def is_notable(self) -> bool:
        """Return whether something happened: a relay took mail or was asked to, or something failed."""
        return any(one.has_tried or one.failures or one.status in _NOTABLE for one in self.editions)

    @property
    def editions(self) -> tuple[RunReport, ...]:
        """Return the report of the list itself, and that of its weekly edition if there is one."""
        return (self, self.weekly) if self.weekly else (self,)

    def as_json(self) -> dict[str, Any]:
        """Return the object that `run --json` prints for a list."""
        states = {state: self.deliveries.get(state, 0) for state in DeliveryState}
        return {
            "list": self.list,
            "date": self.date.isoformat(),
            "status": self.status.value,
            "collected": dict(self.collected),
            "failures": dict(self.failures),
            "read": self.read,
            "skipped": self.skipped,
            "new": self.new,
            "issue": None
            if self.issue is None
            else {
                "number": self.issue.number,
                "subject": self.issue.subject,
                "listings": self.issue.listings,
                "html_bytes": self.issue.html_bytes,
            },
            "deliveries": {
                # A delivery in flight is queued to whoever asks from outside: it is not sent yet.
                "queued": states[DeliveryState.QUEUED] + states[DeliveryState.SENDING],
                "sent": states[DeliveryState.SENT],
                "deferred": states[DeliveryState.DEFERRED],
                "refused": states[DeliveryState.REFUSED],
                "uncertain": states[DeliveryState.UNCERTAIN],
                "suppressed": self.suppressed,
                "withdrawn": states[DeliveryState.WITHDRAWN] - self.suppressed,
            },
            "sent_now": self.sent_now,
            "reason": self.reason,
            **({"rehearsal": self.rehearsal.as_json()} if self.rehearsal else {}),
            **({"summaries": self.summaries.as_json()} if self.summaries else {}),
            **({"weekly": self.weekly.as_json()} if self.weekly else {}),
        }


_WORST_FIRST = (RunStatus.FAILED, RunStatus.PARTIAL)


def of_list(name: str, reports: Sequence[RunReport]) -> RunReport:
    """Return one report for issues of one list, each of which has a report: its daily issues, and weekly ones.

    Args:
        name: the list's.
        reports: at least one, of the list or of its weekly edition.
    """
    daily = [one for one in reports if one.list == name]
    weekly = [one for one in reports if one.list != name]
    about = _of_edition(daily) if daily else RunReport(list=name, date=weekly[0].date, status=RunStatus.NOT_DUE)
    return replace(about, weekly=_of_edition(weekly)) if weekly else about


def _of_edition(reports: Sequence[RunReport]) -> RunReport:
    """Return the report of the issue that stands worst, with what was done for all of them."""
    shown = next((one for status in _WORST_FIRST for one in reports if one.status is status), reports[0])
    return replace(
        shown,
        sent_now=sum(one.sent_now for one in reports),
        has_tried=any(one.has_tried for one in reports),
        trouble=next((one.trouble for one in reports if one.trouble), None),
    )


def missed_in_words(list_: NewsletterList, slot: Slot) -> str:
    """Return in words that a slot was missed."""
    at = slot.at.astimezone(ZoneInfo(list_.timezone))
    return (
        f"no issue of {slot.day} was made at its hour ({at:%H:%M}, {list_.timezone}) or within "
        f"{in_hours(list_.stale_after)} after it; `newsletter run --date {slot.day}` makes it now"
    )


def in_hours(span: timedelta) -> str:
    """Return a span of time in words."""
    return f"{span.total_seconds() / 3600:g} hours"


def next_in_words(list_: NewsletterList, slot: Slot | None) -> str:
    """Return in words when the next issue is due, if ever, by the clocks of the list."""
    if slot is None:
        return "the list has no days"
    at = slot.at.astimezone(ZoneInfo(list_.timezone))
    return f"the next issue is due on {at:%Y-%m-%d at %H:%M}, {list_.timezone}"


def waits_in_words(window: Window, counts: Mapping[DeliveryState, int], until: datetime | None) -> str:
    """Return in words for which hours an issue's deliveries wait; an empty string if they don't."""
    if until is None or not any(counts.get(state) for state in WAITING):
        return ""
    at = until.astimezone(ZoneInfo(window.timezone))
    return f"waits until {at:%H:%M} on {at:%Y-%m-%d}, {window.timezone}: the list's hours are {window.hours}"


def halted_in_words(list_name: str, day: date, halt: Halt | None) -> str:
    """Return in words that the operator has halted an issue, and what to do; an empty string if they have not."""
    if halt is Halt.PAUSED:
        return f"the issue is paused: `newsletter issues resume --list {list_name} --date {day}` goes on with it"
    return "" if halt is None else "the issue is cancelled"


def uncertain_in_words(list_name: str, day: date, counts: Mapping[DeliveryState, int]) -> str:
    """Return in words what to do about an issue's deliveries that are uncertain; an empty string if none is."""
    count = counts.get(DeliveryState.UNCERTAIN, 0)
    release = f"`newsletter deliveries release --list {list_name} --date {day}`"
    return f"{count:,} uncertain: {release} sends them again, with --as-sent counts them as sent" if count else ""


def status_of(
    counts: Mapping[DeliveryState, int],
    delivered: ChunkReport,
    due: datetime | None,
    now: datetime,
    *,
    waits: bool,
    held: bool,
) -> RunStatus:
    """Return how a run of an issue ended.

    Args:
        counts: the issue's deliveries by state.
        delivered: what this run's delivering came to.
        due: when the next delivery is due; None: none is left.
        now: the moment.
        waits: whether the deliveries wait for the list's hours.
        held: whether another process holds some of those that wait.
    """
    if delivered.trouble and not counts.get(DeliveryState.SENT):
        return RunStatus.FAILED
    if counts.get(DeliveryState.SENDING) or counts.get(DeliveryState.UNCERTAIN) or held:
        return RunStatus.PARTIAL
    if waits:
        return RunStatus.NOT_DUE
    if counts.get(DeliveryState.DEFERRED) or (due is not None and due <= now):
        return RunStatus.PARTIAL
    return RunStatus.SENT
