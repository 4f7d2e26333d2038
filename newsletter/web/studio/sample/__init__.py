"""Sample listings, a list and three readers: for the demo, and for previews while there is nothing yet.

Titles, authors and counts are those of real papers as listed on one day; the abstracts are our own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from newsletter.core.listing import Candidate, Page

FOLDER = Path(__file__).parent
DAY = date(2026, 8, 21)
SPEC = f"jsonl:listings-{DAY}.jsonl"
LIST = "sample"


def candidates(page: Page, *, listed_on: date) -> list[Candidate]:
    """Return the listings of a page, as `SPEC` in `FOLDER` lists them on `DAY`, as if they competed for an issue.

    Args:
        page: the page.
        listed_on: the day on which they are to have been listed.
    """
    return [
        Candidate(key=key, listing=entry.listing, sightings=(replace(entry.sighting, listed_on=listed_on),))
        for key, entry in enumerate(page.entries, start=1)
    ]
