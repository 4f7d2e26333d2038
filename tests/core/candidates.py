"""Candidates for tests, and days of votes as a community page has them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from newsletter.core.listing import Candidate, Listing, Sighting
from newsletter.core.newsletter_list import Masthead, NewsletterList

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
