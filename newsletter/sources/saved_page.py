"""Listing pages saved as a browser shows them: `saved_page:listings/*.txt`.

The file's name ends with the day of the page (`…-YYYY-MM-DD.txt`). Two layouts are read, and mixtures of them:

- with blank lines and a head; after an abstract may stand the number of authors, the paper's date and the number
  of comments;
- without blank lines: titles and abstracts alternate.

A page saved as HTML is read as its text. Lines that an editor wrapped are joined again (`wrapping`). A page
without any readable paper is a failure.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

from newsletter.core.listing import Listing, Page, Skipped
from newsletter.ports import Source
from newsletter.sources.parts import Parts
from newsletter.sources.reading.file_text import UNREADABLE
from newsletter.sources.reading.files import Files, content, day_in, require_readable
from newsletter.sources.reading.plaintext import is_page, page_lines, page_title
from newsletter.sources.reading.records import ABSTRACT, TITLE, Seen, count, page, text
from newsletter.sources.reading.wrapping import WrappedError, unwrapped

_ABSTRACT = 200  # characters: a longer line is an abstract; a shorter one is an abstract or a title
_LONGEST_TITLE = 300
_HEAD = re.compile(
    r"new|subscribe|(?:daily|trending) papers|get trending papers in your email inbox.*"
    r"|by\s*\S.{0,60}\bcommunity|by(?:…|\.\.\.)",
    re.IGNORECASE,
)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_AUTHORS = re.compile(r"[•·\s]*(?P<count>\d[\d,]*) authors?")
_DATE = re.compile(
    rf"[·\s]*(?P<month>{'|'.join(_MONTHS)})[a-z]* (?P<day>\d{{1,2}})(?:, (?P<year>\d{{4}}))?"
    r"(?: (?P<comments>\d[\d,]*))?"
)
_NUMBER = re.compile(r"\d[\d,]*")
_BULLETS = frozenset("•·- ")
_QUOTED = re.compile(r"^>+ ?", re.MULTILINE)  # as a mail program quotes
_HEADING = re.compile(r"^#{1,6} ")  # of Markdown
_ERROR_PAGE = re.compile(
    r"(?:error\W+)?[45]\d\d\b|too many requests|rate limit|(?:access )?(?:denied|forbidden)|(?:page )?not found"
    r"|bad gateway|gateway time-?out|service (?:temporarily )?unavailable|internal server error|just a moment",
    re.IGNORECASE,
)


class SavedPages(Source):
    """Pages on disk. What cannot be read in a page is skipped with a reason; the rest is read."""

    dated = True

    def __init__(self, parts: Parts) -> None:
        self._files = Files.of(parts.folder, parts.rest)
        self.name = f"{parts.scheme}:{self._files}"

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the papers on the pages of a day, in page order.

        Raises:
            SourceError: no file matches, of any day, or nothing can be read in the files of this day.
        """
        found = await asyncio.to_thread(self._found, day)
        return page(self.name, day, now, found)

    def _found(self, day: date) -> list[Seen | Skipped]:
        paths = self._files.matching(self.name)
        undated = [
            Skipped(what=path.name, reason="no day at the end of its name, such as -2026-03-12.txt")
            for path in paths
            if day_in(path) is None
        ]
        found = [item for path in paths if day_in(path) == day for item in _read(path, day)]
        require_readable(self.name, found, undated if len(undated) == len(paths) else _unread(found))
        return [*found, *undated]


def _unread(found: list[Seen | Skipped]) -> list[Skipped]:
    return [item for item in found if isinstance(item, Skipped)]


def _read(path: Path, day: date) -> Iterator[Seen | Skipped]:
    """Return the papers of a file; what is skipped in it is named with the file's name."""
    known = content(path)
    yield from known.skipped
    if known.text is None:
        return
    if not known.text.strip():
        yield Skipped(what=path.name, reason="it is empty: save the page once more")
        return
    try:
        shown = _shown(known.text)
    except (WrappedError, _ErrorPageError) as error:
        yield Skipped(what=path.name, reason=str(error))
        return
    for item in papers(shown, day):
        yield Skipped(what=f"{path.name}: {item.what}", reason=item.reason) if isinstance(item, Skipped) else item


class _ErrorPageError(ValueError):
    """A server's error was saved in place of a page."""


def _shown(saved: str) -> str:
    """Return what a browser shows of a saved page, each paragraph on a line.

    Raises:
        WrappedError: its lines are wrapped, and nothing shows where paragraphs end.
        _ErrorPageError: it is the page of an error.
    """
    if is_page(saved):
        title = page_title(saved)
        if _ERROR_PAGE.match(title):
            raise _ErrorPageError(f"it is the page of an error, {title[:80]!r}: save the page once more")
        return page_lines(saved)
    filled = [line for line in saved.split("\n") if line.strip()]
    if 2 * sum(line.startswith(">") for line in filled) > len(filled):
        saved = _QUOTED.sub("", saved)
    return unwrapped(saved)


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A paper, from the lines that have been read so far."""

    title: str
    abstract: str = ""
    authors: int | None = None
    published_on: date | None = None
    comments: int | None = None

    def done(self) -> Seen | Skipped:
        """Return the paper; a title without anything after it may be any stray line, and is skipped."""
        if not self.abstract and self.authors is None:
            return Skipped(what=self.title[:80], reason="a line that no abstract follows")
        listing = Listing(
            title=text(self.title, TITLE),
            abstract=text(self.abstract, ABSTRACT),
            author_count=self.authors,
            published_on=self.published_on,
        )
        return Seen(listing=listing, comments=self.comments)


def papers(page_text: str, day: date) -> Iterator[Seen | Skipped]:
    """Return the papers of one page, in its order.

    Args:
        page_text: the page as a browser shows it.
        day: the day of the page; dates without a year get their year from it.
    """
    draft: _Draft | None = None
    for line, following in pairwise([*_lines(page_text), ""]):
        if line == UNREADABLE:
            if draft:
                yield draft.done()
            draft = None
        elif _is_detail(line):
            _add_detail(draft, line, day)
        elif draft and not draft.abstract and _is_abstract(line, following, draft):
            draft.abstract = line
        else:
            if draft:
                yield draft.done()
            draft = _Draft(title=line) if _may_be_title(line, following) else None
            if draft is None:
                yield Skipped(what=line[:80], reason="an abstract that no title precedes")
    if draft:
        yield draft.done()


def _lines(page_text: str) -> list[str]:
    """Return the lines with content, without those of the page's head."""
    lines: list[str] = []
    button = False  # the head's button was found, or cannot come any more
    after_head = False
    for raw in page_text.split("\n"):
        line = _HEADING.sub("", text(raw, 10 * ABSTRACT))
        if not button and _joined_to_button(line, after_head=after_head):
            button, line = True, line.removeprefix("Subscribe")
        button = button or line == "Subscribe" or len(line) > _ABSTRACT
        if _HEAD.fullmatch(line):
            after_head = True
        elif not _BULLETS.issuperset(line):
            lines.append(line)
    return lines


def _joined_to_button(line: str, *, after_head: bool) -> bool:
    """Return whether a browser joined the head's button and the first title: `SubscribeAttention Is …`."""
    title = line.removeprefix("Subscribe")
    return title not in {line, ""} and (after_head or not title[0].islower())


def _is_abstract(line: str, following: str, draft: _Draft) -> bool:
    """Return whether a line after a title is its abstract, and not the next title."""
    if len(line) > _ABSTRACT:
        return True
    if draft.authors is not None:
        return False
    return bool(_AUTHORS.fullmatch(following)) or (line.endswith(".") and len(following) <= _ABSTRACT)


def _may_be_title(line: str, following: str) -> bool:
    long_title = len(line) <= _LONGEST_TITLE and not line.endswith(".") and len(following) > _ABSTRACT
    return len(line) <= _ABSTRACT or long_title


def _is_detail(line: str) -> bool:
    return any(pattern.fullmatch(line) for pattern in (_AUTHORS, _DATE, _NUMBER))


def _add_detail(draft: _Draft | None, line: str, day: date) -> None:
    """Add the detail in a line after an abstract. A line before the first title is the page's own date."""
    if draft is None:
        return
    if authors := _AUTHORS.fullmatch(line):
        draft.authors = count(authors["count"].replace(",", ""))
    elif dated := _DATE.fullmatch(line):
        draft.published_on = _date(dated, day)
        draft.comments = count((dated["comments"] or "").replace(",", ""))
    elif draft.published_on and draft.comments is None:
        draft.comments = count(line.replace(",", ""))


def _date(written: re.Match[str], day: date) -> date | None:
    """Return the date as written; without a year, the last such date up to the page's day."""
    years = [int(written["year"])] if written["year"] else [day.year, day.year - 1]
    for year in years:
        try:
            found = date(year, 1 + _MONTHS.index(written["month"]), int(written["day"]))
        except ValueError:  # such as 29 February in most years
            continue
        if written["year"] or found <= day:
            return found
    return None
