"""One's own files: `jsonl:papers/*.jsonl`, one JSON object a line.

`title` is required. Optional are `abstract`, `summary`, `ai_summary`, `authors` (names), `author_count`,
`published_on`, `organization`, `categories`, `keywords`, `arxiv_id`, `doi`, `url`, `pdf_url`, `code_url`,
`project_url`, `thumbnail_url`, `media_urls`, `submitted_by`, `discussion_url`, `upvotes`, `comments` and `stars`.
`listed_on` is the day on which the paper is listed; without it, the end of the file's name is
(`…-YYYY-MM-DD.jsonl`). Days are written `YYYY-MM-DD`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from newsletter.core.identity import arxiv_id, doi
from newsletter.core.listing import Listing, Skipped
from newsletter.sources.files import Files, content, day_in
from newsletter.sources.http import read_json
from newsletter.sources.records import ABSTRACT, AUTHORS, BadRecordError, Record, Seen, image, one, page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from pathlib import Path

    from newsletter.core.listing import Page
    from newsletter.sources.parts import Parts


class JsonLines:
    """Listings in one's own files, each on the day that it names or that its file is for."""

    dated = True

    def __init__(self, parts: Parts) -> None:
        self._files = Files.of(parts.folder, parts.rest)
        self.name = f"{parts.scheme}:{self._files}"

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the listings of a day, file by file, in their order.

        Raises:
            SourceError: no file matches, of whatever day.
        """
        found = await asyncio.to_thread(lambda: list(self._found(day)))
        return page(self.name, day, now, found)

    def _found(self, day: date) -> Iterator[Seen | Skipped]:
        for path in self._files.matching(self.name):
            lines = content(path)
            yield from [lines] if isinstance(lines, Skipped) else _listed(path, lines, day)


def _listed(path: Path, lines: str, day: date) -> Iterator[Seen | Skipped]:
    """Return the listings of one file that are of a day."""

    def read(record: Record) -> Seen | None:
        listed_on = record.day("listed_on") or day_in(path)
        if listed_on is None:
            raise BadRecordError("no listed_on, and no day at the end of the file's name")
        return read_record(record) if listed_on == day else None

    for number, line in enumerate(lines.split("\n"), start=1):
        what = f"{path.name}:{number}"
        if line.strip():
            try:
                value = read_json(line.encode())
            except ValueError as error:
                yield Skipped(what=what, reason=str(error))
            else:
                yield from one(what, value, read)


def read_record(record: Record) -> Seen:
    """Return what one object says.

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
