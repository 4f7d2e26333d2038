"""bioRxiv and medRxiv: `biorxiv:`, `medrxiv:`, or with subjects, `biorxiv:neuroscience+cell biology`.

`GET /details/{server}/{from}/{to}/{cursor}`, https://api.biorxiv.org. Numbers may come as strings, dates unpadded.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from newsletter.core.identity import doi
from newsletter.core.listing import Listing, Page
from newsletter.ports import Source
from newsletter.sources.parts import Parts
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.json_text import read_json
from newsletter.sources.reading.records import (
    ABSTRACT,
    AUTHORS,
    BadRecordError,
    Record,
    Seen,
    count,
    each,
    page,
    texts,
)

_MOST = 5_000  # preprints of a day; a busy day has some 300


class Biorxiv(Source):
    """The preprints that a server first posted on a day; new versions are left out."""

    dated = True

    def __init__(self, parts: Parts) -> None:
        self._subjects = {_folded(subject) for subject in parts.rest.split("+") if subject.strip()}
        if parts.rest and not self._subjects:
            raise ValueError(f"expected {parts.scheme}: or {parts.scheme}:SUBJECT+SUBJECT, such as neuroscience")
        self.name = parts.name
        self._server = parts.scheme
        self._base = f"{parts.config.biorxiv_url.rstrip('/')}/details/{self._server}"
        self._http = parts.http

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the preprints that were posted on a day.

        Raises:
            SourceError: the API cannot be read.
        """
        records: list[Any] = []
        total = 1
        while len(records) < min(total, _MOST):
            url = f"{self._base}/{day}/{day}/{len(records)}/json"
            total, batch = await self._http.get(url, _collection, source=self.name)
            if not batch:
                break
            records += batch
        return page(self.name, day, now, each(records, self._read))

    def _read(self, record: Record) -> Seen | None:
        if (count(record.raw("version")) or 1) > 1:
            return None
        title = record.title("title", is_markup=True)
        identifier = doi(record.text("doi"))
        if not identifier:
            raise BadRecordError(f"no DOI: {title[:80]!r}")
        subject = record.text("category")
        if self._subjects and _folded(subject) not in self._subjects:
            return None
        address = f"https://www.{self._server}.org/content/{identifier}v1"
        return Seen(
            listing=Listing(
                title=title,
                abstract=record.markup("abstract", limit=ABSTRACT),
                authors=_authors(record.text("authors", limit=100 * AUTHORS)),
                published_on=record.day("date"),
                organization=record.text("author_corresponding_institution"),
                categories=(subject,) if subject else (),
                doi=identifier,
                url=address,
                pdf_url=f"{address}.full.pdf",
            )
        )


def _collection(document: Document) -> tuple[int, list[Any]]:
    """Return how many preprints there are in all, and the records in this part of the answer."""
    answer = Record(read_json(document.content))
    totals = [message.count("total") for message in answer.records("messages")]
    return (totals[0] if totals else None) or 0, answer.listed("collection")


def _authors(joined: str) -> tuple[str, ...]:
    """Return the names of `Last, F.; Last, F.`, each as `F. Last`."""
    names = (name.partition(",") for name in joined.split(";"))
    return texts([f"{first.strip()} {last.strip()}" for last, _, first in names], AUTHORS)


def _folded(subject: str) -> str:
    return " ".join(subject.replace("_", " ").casefold().split())
