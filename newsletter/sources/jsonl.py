"""The operator's own files: `jsonl:papers/*.jsonl`, a JSON object on each line.

`title` is required. Optional are `abstract`, `summary`, `ai_summary`, `authors` (names), `author_count`,
`published_on`, `organization`, `categories`, `keywords`, `arxiv_id`, `doi`, `url`, `pdf_url`, `code_url`,
`project_url`, `thumbnail_url`, `media_urls`, `submitted_by`, `discussion_url`, `upvotes`, `comments` and `stars`.
`listed_on` is the day on which the paper is listed; without it, the day at the end of the file's name counts
(`…-YYYY-MM-DD.jsonl`). Days are written `YYYY-MM-DD`. Other forms of JSON are read too: see `json_values`.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path

from newsletter.core.identity import arxiv_id, doi
from newsletter.core.listing import Listing, Page, Skipped
from newsletter.ports import Source
from newsletter.sources.parts import Parts
from newsletter.sources.reading.files import Files, content, day_in, require_readable
from newsletter.sources.reading.json_values import Mistake, values
from newsletter.sources.reading.records import (
    ABSTRACT,
    AUTHORS,
    BadRecordError,
    Record,
    Seen,
    image,
    page,
    read_or_skip,
)


class JsonLines(Source):
    """Listings in the operator's own files, each on its own `listed_on`, or else on its file's day."""

    dated = True

    def __init__(self, parts: Parts) -> None:
        self._files = Files.of(parts.folder, parts.rest)
        self.name = f"{parts.scheme}:{self._files}"

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the listings of a day, file by file, in their order.

        Raises:
            SourceError: no file matches, of any day, or nothing can be read in the files of this day.
        """
        found = await asyncio.to_thread(self._found, day)
        return page(self.name, day, now, found)

    def _found(self, day: date) -> list[Seen | Skipped]:
        found: list[Seen | Skipped] = []
        unread: list[Skipped] = []  # of files with no readable record of any day
        for path in self._files.matching(self.name):
            of_file, readable = _read(path, day)
            found += of_file
            if not readable and day_in(path) in {None, day}:
                unread += [item for item in of_file if isinstance(item, Skipped)]
        require_readable(self.name, found, unread)
        return found


def _read(path: Path, day: date) -> tuple[list[Seen | Skipped], bool]:
    """Return a file's listings of a day, and whether the file holds any readable listing at all."""
    readable = False

    def read(record: Record) -> Seen | None:
        nonlocal readable
        listed_on = record.day("listed_on") or day_in(path)
        if listed_on is None:
            raise BadRecordError("no listed_on, and no day at the end of the file's name")
        seen = read_record(record)
        readable = True
        return seen if listed_on == day else None

    known = content(path)
    found: list[Seen | Skipped] = [*known.skipped]
    for value in values(known.text or ""):
        what = f"{path.name}:{value.where}"
        if isinstance(value, Mistake):
            found.append(Skipped(what=what, reason=value.reason))
        else:
            found += read_or_skip(what, value.value, read)
    return found, readable


def read_record(record: Record) -> Seen:
    """Return the listing of an object.

    Raises:
        BadRecordError: it has no title.
    """
    return Seen(
        listing=Listing(
            title=record.title("title"),
            abstract=record.text("abstract", limit=ABSTRACT),
            summary=record.text("summary", limit=ABSTRACT),
            ai_summary=record.text("ai_summary", limit=ABSTRACT),
            authors=record.texts("authors", AUTHORS),
            author_count=record.count("author_count"),
            published_on=record.day("published_on"),
            organization=record.text("organization"),
            categories=record.texts("categories"),
            keywords=record.texts("keywords"),
            arxiv_id=arxiv_id(record.text("arxiv_id")),
            doi=doi(record.text("doi")),
            url=record.link("url"),
            pdf_url=record.link("pdf_url"),
            code_url=record.link("code_url"),
            project_url=record.link("project_url"),
            thumbnail_url=image(record.link("thumbnail_url")),
            media_urls=record.links("media_urls"),
            submitted_by=record.text("submitted_by"),
            discussion_url=record.link("discussion_url"),
        ),
        upvotes=record.count("upvotes"),
        comments=record.count("comments"),
        stars=record.count("stars"),
    )
