"""Sample listings, a list and three readers: for the demo, and for previews while there is nothing yet.

Titles, authors and counts are those of real papers as listed on one day; the abstracts are our own.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from newsletter.core.diff import select
from newsletter.core.issue import Draft
from newsletter.core.listing import Candidate
from newsletter.core.newsletter_list import Masthead, NewsletterList
from newsletter.sources.jsonl import JsonLines
from newsletter.sources.parts import NoHttp, Parts, SourceConfig

FOLDER = Path(__file__).parent
DAY = date(2026, 8, 21)
LIST = "sample"


async def sample_draft(masthead: Masthead, day: date, now: datetime) -> Draft:
    """Return an issue of a list as it might be, made of the sample listings as if they were listed on `day`."""
    parts = Parts(
        scheme="jsonl",
        rest=f"listings-{DAY}.jsonl",
        folder=FOLDER,
        config=SourceConfig(),
        http=NoHttp(),
    )
    page = await JsonLines(parts).read(DAY, now=now)
    candidates = [
        Candidate(key=key, listing=entry.listing, sightings=(entry.sighting,))
        for key, entry in enumerate(page.entries, start=1)
    ]
    return select(candidates, NewsletterList(masthead=masthead, sources=()), day, number=0)
