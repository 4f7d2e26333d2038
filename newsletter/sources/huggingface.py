"""Hugging Face Daily Papers: `huggingface` (a day), `huggingface:week`, `huggingface:month`.

`GET /api/daily_papers` answers with an array; that of a day is ordered by upvotes. Records have gained fields over
the years; every form since 2024 is read. https://huggingface.co/docs/hub/api
"""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Any

import structlog

from newsletter.core.identity import arxiv_id
from newsletter.core.listing import Listing, Page
from newsletter.ports import Source
from newsletter.sources.parts import Parts, endpoint
from newsletter.sources.reading.document import Document, HttpError
from newsletter.sources.reading.json_text import read_json
from newsletter.sources.reading.records import (
    ABSTRACT,
    AUTHORS,
    TITLE,
    BadRecordError,
    Record,
    Seen,
    each,
    first,
    image,
    page,
    texts,
)

_log = structlog.get_logger(__name__)
_LIMIT = 100  # the most that the API accepts
_MAX_PAGES = 20
_PERIODS = {"": ("date", "%Y-%m-%d"), "week": ("week", "%G-W%V"), "month": ("month", "%Y-%m")}


class HuggingFace(Source):
    """The papers of a day, as the community page lists them; or of the current week or month."""

    def __init__(self, parts: Parts) -> None:
        if parts.rest not in _PERIODS:
            raise ValueError("expected huggingface, huggingface:week or huggingface:month")
        self.name = parts.name
        self.dated = not parts.rest
        self._period, self._format = _PERIODS[parts.rest]
        self._url = endpoint(parts.config.huggingface_url, "/api/daily_papers")
        self._http = parts.http

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the papers of a day in the order of their upvotes; an empty page for a day in the future.

        Raises:
            SourceError: the API cannot be read.
        """
        records: list[Any] = []
        try:
            for number in range(_MAX_PAGES):
                batch = await self._batch(day, number)
                records += batch
                if len(batch) < _LIMIT:
                    break
        except HttpError as error:
            # East of Greenwich, where a list may be, the day begins earlier than for the API.
            to_come = day >= now.date() or b"future" in error.body
            if error.status != HTTPStatus.BAD_REQUEST or not to_come:
                raise
            _log.debug("not_listed_yet", source=self.name, day=str(day))
        return page(self.name, day, now, each(records, read_paper))

    async def _batch(self, day: date, number: int) -> list[Any]:
        params = {self._period: day.strftime(self._format), "limit": str(_LIMIT), "p": str(number)}
        return await self._http.get(self._url, _array, params, source=self.name)


def _array(document: Document) -> list[Any]:
    value = read_json(document.content)
    if isinstance(value, list):
        return value
    raise ValueError("not a list of papers")


def read_paper(record: Record) -> Seen:
    """Return the paper of a record of the API.

    Raises:
        BadRecordError: the record has no arXiv id.
    """
    paper = record.record("paper")
    title = paper.text("title", limit=TITLE) or record.title("title")
    identifier = arxiv_id(paper.text("id"))
    if not identifier:
        raise BadRecordError(f"no arXiv id: {title[:80]!r}")
    submitter = record.record("submittedBy")
    media = (*record.links("mediaUrls"), *paper.links("mediaUrls"), *filter(None, [record.link("mediaUrl")]))
    return Seen(
        listing=Listing(
            title=title,
            abstract=paper.text("summary", limit=ABSTRACT) or record.text("summary", limit=ABSTRACT),
            ai_summary=paper.text("ai_summary", limit=ABSTRACT),
            authors=texts([author.raw("name") for author in paper.records("authors")], AUTHORS),
            published_on=paper.day("publishedAt"),
            organization=_organization(record, paper),
            keywords=paper.texts("ai_keywords"),
            arxiv_id=identifier,
            url=f"https://huggingface.co/papers/{identifier}",
            pdf_url=f"https://arxiv.org/pdf/{identifier}",
            code_url=paper.link("githubRepo"),
            project_url=paper.link("projectPage"),
            thumbnail_url=image(record.link("thumbnail"), *media),
            media_urls=tuple(dict.fromkeys(media)),
            submitted_by=submitter.text("fullname", "name"),
            discussion_url=f"https://huggingface.co/papers/{identifier}#community",
        ),
        upvotes=paper.count("upvotes"),
        comments=record.count("numComments"),
        stars=paper.count("githubStars"),
    )


def _organization(record: Record, paper: Record) -> str:
    places = (
        record.record("organization"),
        paper.record("organization"),
        record.record("submitterOrganization"),  # so named in September and October 2025
    )
    return first(place.text("fullname", "name") for place in places)
