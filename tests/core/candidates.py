"""Candidates for tests, and days of votes as a community page has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from newsletter.core.calendar import Slot, planner
from newsletter.core.choice import Choice
from newsletter.core.delivery import Planned
from newsletter.core.listing import Candidate, Listing, Sighting
from newsletter.core.newsletter_list import Masthead, NewsletterList
from newsletter.core.subscriber import Subscriber

DAY = date(2026, 3, 12)  # a Thursday
NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
YESTERDAY = DAY - timedelta(days=1)


def sighting(listed_on: date = DAY, **values: Any) -> Sighting:
    known: dict[str, Any] = {"source": "huggingface", "listed_on": listed_on, "seen_at": NOON}
    return Sighting(**known | values)


def candidate(key: int, *sightings: Sighting, **values: Any) -> Candidate:
    """Return a candidate with these sightings, else with one that has the given values."""
    return Candidate(key=key, listing=Listing(title=f"Paper {key}"), sightings=sightings or (sighting(**values),))


def papers(limit: int = 0, **changes: Any) -> NewsletterList:
    masthead = Masthead(list="daily", title="Daily Papers", sender="papers@example.org")
    return NewsletterList(masthead=masthead, sources=("huggingface",), max_listings=limit, **changes)


def planning(
    list_: NewsletterList,
    slot: Slot,
    now: datetime,
    *,
    at_once: bool,
    choose: Callable[[Subscriber, frozenset[int]], Choice] = lambda _reader, _had: Choice.first(1),
) -> Callable[[Subscriber], Planned]:
    """Return the planner of an issue for readers who had nothing of it; its mails have one subject."""
    plan = planner(list_, slot, now, at_once=at_once, choose=choose, subject_of=lambda _: "Papers")
    return lambda reader: plan(reader, frozenset())
