"""A list as its file describes it: one newsletter with its sources, rules, cadence, hour and sender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from enum import StrEnum

from newsletter.core.channels import Channel
from newsletter.core.landing import Landing
from newsletter.core.layout import Layout
from newsletter.core.machine_summary import SummaryRule
from newsletter.core.ranking import Weights
from newsletter.core.topics import Topic, TopicsMode


class Cadence(StrEnum):
    """How often a list comes out, or a subscriber wants it."""

    DAILY = "daily"
    WEEKLY = "weekly"


# Behind a daily list's name, it names the weekly edition of the list. No list file's name has a full stop.
WEEKLY_EDITION = ".weekly"

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def editions_of(name: str) -> tuple[str, str]:
    """Return the names under which the subscribers of a list get issues: the list's and its weekly edition's."""
    return name, name + WEEKLY_EDITION


class QuietDays(StrEnum):
    """What happens on a day without news."""

    SKIP = "skip"  # there is no mail
    SHORT = "short"  # a short mail says so, and names what still rises


class SignUpRule(StrEnum):
    """Who comes on a list beside those whom its files name."""

    OPEN = "open"  # whoever signs up on the web and confirms it
    APPROVAL = "approval"  # likewise, once the operator accepts them
    CLOSED = "closed"  # nobody


@dataclass(frozen=True, slots=True)
class Hours:
    """When a list's mail may leave, by the clocks of its zone; over midnight where `until` is before `since`."""

    since: time
    until: time

    def __str__(self) -> str:
        return f"{self.since:%H:%M}-{self.until:%H:%M}"

    @property
    def goes_over_midnight(self) -> bool:
        """Return whether they end on the day after the one on which they begin."""
        return self.until <= self.since

    @property
    def length(self) -> timedelta:
        """Return how long they are on a day on which the clocks don't change."""
        since, until = (timedelta(hours=one.hour, minutes=one.minute) for one in (self.since, self.until))
        return until - since + timedelta(days=self.goes_over_midnight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masthead:
    """What of a list shows on its mail, frozen with each issue."""

    list: str  # the file's name without `.toml`; with `.weekly` after it for a weekly edition
    title: str
    sender: str  # "Name <address>"
    reply_to: str = ""  # where answers go, like `sender`; empty: to the sender
    postal_address: str = ""
    language: str = "en"
    written_in: str = ""  # the list's own language, where `language` is that of a reader; empty: `language`
    unsubscribe_mailto: str = ""
    bounces_to: str = ""  # the mailbox for what comes back; each delivery has an address of its own there
    intro: str = ""
    outro: str = ""
    theme: Mapping[str, str] = field(default_factory=dict)
    cadence: Cadence = Cadence.DAILY

    @property
    def readers_of(self) -> str:
        """Return the name of the list whose subscribers get it: of a weekly edition that is the daily list."""
        return self.list.removesuffix(WEEKLY_EDITION)

    @property
    def is_weekly_edition(self) -> bool:
        """Return whether it is of the weekly edition of a daily list."""
        return self.list != self.readers_of

    @property
    def own_language(self) -> str:
        """Return the language of the list's own texts, such as its title, whatever the words around them."""
        return self.written_in or self.language

    def in_language(self, tag: str) -> Masthead:
        """Return it for readers of a language; empty: of the list's own."""
        return replace(self, language=tag, written_in=self.own_language) if tag else self

    @property
    def editions(self) -> tuple[str, str]:
        """Return the names under which the same subscribers get issues: the list's and its weekly edition's."""
        return editions_of(self.readers_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterList:
    """One list. `hour` is a wall-clock time in `timezone` (an IANA name); days are numbers, Monday is 0."""

    masthead: Masthead
    sources: tuple[str, ...]
    folder: str = "."  # where the list file stands; saved pages are relative to it
    cadence: Cadence = Cadence.DAILY
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    weekly_day: int | None = None  # for what comes out weekly; else the first of the days
    hour: time = time(8)
    timezone: str = "UTC"
    hours: Hours | None = None  # outside of which no mail leaves; None: it may at any time
    deadline: timedelta | None = None  # how late an issue may be; None: by its cadence
    lookback_days: int = 3
    max_listings: int = 20  # 0: no limit
    min_listings: int = 1
    quiet_days: QuietDays = QuietDays.SKIP
    signup: SignUpRule = SignUpRule.CLOSED
    ranking: Weights = field(default_factory=Weights)
    topics: Mapping[str, Topic] = field(default_factory=dict)
    topics_mode: TopicsMode = TopicsMode.FIRST
    layout: Layout = field(default_factory=Layout)
    landing: Landing = Landing.SOURCE
    subjects: Mapping[Cadence, str] = field(default_factory=dict)  # patterns; a cadence without one has a template
    channels: tuple[Channel, ...] = ()  # where its issues are posted
    summaries: SummaryRule = field(default_factory=SummaryRule)

    @property
    def name(self) -> str:
        """Return the list's name."""
        return self.masthead.list

    @property
    def issue_days(self) -> tuple[int, ...]:
        """Return the weekdays on which it comes out."""
        if self.cadence is Cadence.DAILY:
            return self.days
        return self.days[:1] if self.weekly_day is None else (self.weekly_day,)

    @property
    def stale_after(self) -> timedelta:
        """Return how late an issue may be made, and a delivery be: after that it would be old news."""
        if self.deadline is not None:
            return self.deadline
        return timedelta(hours=36) if self.cadence is Cadence.DAILY else timedelta(days=4)

    @property
    def weekly_edition(self) -> NewsletterList | None:
        """Return the list's issues for those of its readers who want one a week; None if all its issues are such.

        It is a list of its own with numbers and a history of its own, and has the daily list's subscribers.
        """
        if self.cadence is Cadence.WEEKLY:
            return None
        masthead = replace(self.masthead, list=self.name + WEEKLY_EDITION, cadence=Cadence.WEEKLY)
        return replace(self, masthead=masthead, cadence=Cadence.WEEKLY)
