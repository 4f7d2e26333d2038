"""What of a list an issue goes by once it is closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from newsletter.core.landing import Landing
from newsletter.core.layout import Layout
from newsletter.core.newsletter_list import Cadence, Hours, Masthead, NewsletterList, SignUpRule
from newsletter.core.topics import Topic, TopicsMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A list's terms as they were when an issue was closed; no later edit of the list file changes them.

    `timezone` is an IANA name. `hours` are by its clocks; None: mail may leave at any time. `stale_after` says how
    late a delivery may be.
    """

    masthead: Masthead
    stale_after: timedelta
    timezone: str = "UTC"
    hours: Hours | None = None
    topics: Mapping[str, Topic] = field(default_factory=dict)
    topics_mode: TopicsMode = TopicsMode.FIRST
    max_listings: int = 0  # the most that one reader gets of an issue; 0: no limit
    layout: Layout = field(default_factory=Layout)
    landing: Landing = Landing.SOURCE  # where titles lead
    is_open: bool = False  # whether anybody may sign up for it
    subject: str = ""  # the pattern of its mails' subjects; where there is none, a template says them

    @classmethod
    def of(cls, list_: NewsletterList) -> Terms:
        """Return the terms of a list as they are now."""
        is_weekly = list_.cadence is Cadence.WEEKLY
        return cls(
            masthead=replace(list_.masthead, cadence=list_.cadence),
            stale_after=list_.stale_after,
            timezone=list_.timezone,
            hours=list_.hours,
            topics=list_.topics,
            topics_mode=list_.topics_mode,
            max_listings=list_.max_listings if is_weekly else list_.layout.most(list_.max_listings),
            layout=list_.layout,
            landing=list_.landing,
            is_open=list_.signup is not SignUpRule.CLOSED,
            subject=list_.subjects.get(list_.cadence, ""),
        )

    @property
    def cadence(self) -> Cadence:
        """Return how often the list comes out."""
        return self.masthead.cadence

    def suits(self, cadence: Cadence | None) -> bool:
        """Return whether an issue is for a subscriber who has chosen a cadence, or (None) has chosen none."""
        usual = Cadence.DAILY if self.masthead.is_weekly_edition else self.cadence
        return (cadence or usual) is self.cadence
