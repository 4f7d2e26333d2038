"""Sample listings, a list and three readers: for the demo, and for previews while there is nothing yet.

Titles, authors and counts are those of real papers as listed on one day; the abstracts are our own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from newsletter.core.diff import select
from newsletter.core.issue import Draft
from newsletter.core.listing import Candidate, Page
from newsletter.core.newsletter_list import Masthead, NewsletterList

FOLDER = Path(__file__).parent
DAY = date(2026, 8, 21)
SPEC = f"jsonl:listings-{DAY}.jsonl"
LIST = "sample"


def sample_draft(page: Page, masthead: Masthead, day: date) -> Draft:
    """Return an issue of a list as it might be.

    Args:
        page: the sample listings, as `SPEC` in `FOLDER` lists them on `DAY`.
        masthead: the list's.
        day: the issue's day.
    """
    of_page = candidates(page, listed_on=DAY)
    return select(of_page, NewsletterList(masthead=masthead, sources=()), day, number=0)


def candidates(page: Page, *, listed_on: date) -> list[Candidate]:
    """Return the listings of a page as if they had been listed on a day and competed for an issue."""
    return [
        Candidate(key=key, listing=entry.listing, sightings=(replace(entry.sighting, listed_on=listed_on),))
        for key, entry in enumerate(page.entries, start=1)
    ]
