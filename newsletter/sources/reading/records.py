"""Reads records of sources, which may hold any value: each field has the type that it should have, or is empty.

All functions are total: no value raises. Texts are one clean line, counts fit a database integer, links are
absolute http(s) URLs without a user name. Excessive sizes are cut, and each cut is logged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from unicodedata import category
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import structlog

from newsletter.core.identity import IdKind
from newsletter.core.listing import Entry, LinksLeftOut, Listing, Page, Sighting, Skipped
from newsletter.core.matching import place
from newsletter.core.text import one_line
from newsletter.core.titles import title_key
from newsletter.core.weblinks import normalised_url
from newsletter.sources.http.addresses import ascii_host
from newsletter.sources.reading.plaintext import plain

_log = structlog.get_logger(__name__)

TITLE, ABSTRACT, NAME, LINK = 500, 20_000, 200, 2_000  # characters
AUTHORS, LABELS = 2_000, 50  # items
_SHOWN = frozenset("LNPS")  # categories of characters that show something: letters, numbers, punctuation, symbols
_MAX_COUNT = 2**31 - 1
_DAY = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_BREAKS = re.compile(r"[\t\r\n]")
_NEVER_IN_A_LINK = ' #<>"\\^`{|}%'
_NOT_IN_A_LINK = re.compile(r"%(?![0-9a-fA-F]{2})|[^!$-;=?-\[\]_a-z~]")
_WEB = re.compile(r"\s*https?:", re.IGNORECASE)
_IMAGE = re.compile(r"\.(?:png|jpe?g|gif|webp)", re.IGNORECASE)


# The links that the record being read has and that are refused, each with what it has or lacks; None: no record is
# being read.
_refused_links: ContextVar[dict[str, str] | None] = ContextVar("refused links", default=None)


class BadRecordError(ValueError):
    """A record that cannot be a listing; the text says why."""


def text(value: object, limit: int = NAME) -> str:
    """Return a text as one clean line of at most `limit` characters; anything else gives an empty string."""
    if not isinstance(value, str):
        return ""
    clean = one_line(value)
    if len(clean) > limit:
        _log.warning("text_cut", start=clean[:60], length=len(clean), limit=limit)
    return clean[:limit].rstrip()


def markup(value: object, limit: int = NAME) -> str:
    """Return the visible text of HTML as one clean line; anything else gives an empty string."""
    return text(plain(value), limit) if isinstance(value, str) else ""


def texts(values: object, limit: int = LABELS) -> tuple[str, ...]:
    """Return the texts in a list, at most `limit`. Equal texts stay: two authors may have the same name."""
    found = tuple(filter(None, map(text, values if isinstance(values, (list, tuple)) else ())))
    if len(found) > limit:
        _log.warning("items_cut", first=found[0], items=len(found), limit=limit)
    return found[:limit]


def count(value: object) -> int | None:
    """Return a number of votes, comments or stars, also from its digits as text; anything else gives None."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(_MAX_COUNT)):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_COUNT:
        return value
    return None


def day_of(value: object) -> date | None:
    """Return the day of an ISO date or time, with or without leading zeros; anything else gives None."""
    match = _DAY.match(value) if isinstance(value, str) else None
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def link(value: object, base: str = "") -> str:
    """Return an absolute http(s) URL, or an empty string. A relative link is joined to `base`.

    Line breaks are removed, as in browsers. Characters that a URL cannot hold are percent-encoded (RFC 3986, 2.1),
    and the host is written in ASCII (IDNA). A URL with a user name is refused: it hides where it leads.

    While a record is read, what is refused and was meant as a link is noted with the reason.
    """
    if not isinstance(value, str) or not value.strip():
        return ""
    if len(value) > LINK:
        return _left_out(value, base, f"more than {LINK:,} characters")
    try:
        parts = urlsplit(urljoin(base, _BREAKS.sub("", value.strip())))
        host, port = ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return _left_out(value, base, "no host and port that can be read")
    if parts.username is not None or parts.password is not None:
        return _left_out(value, base, "a user name or a password")
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        return _left_out(value, base, "no host on the web; a backslash is no slash")
    path, query, fragment = (_encoded(part) for part in (parts.path, parts.query, parts.fragment))
    netloc = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, netloc if port is None else f"{netloc}:{port}", path, query, fragment))


def _left_out(value: str, base: str, reason: str) -> str:
    """Note that a text is no link that can be shown, if it was meant as one. Return the empty string."""
    noted = _refused_links.get()
    if noted is not None and (base or _WEB.match(value)):
        noted[value] = reason
    return ""


def _encoded(part: str) -> str:
    """Return a part of a URL, percent-encoded; letters of any script stay."""
    return _NOT_IN_A_LINK.sub(_percent, part)


def _percent(found: re.Match[str]) -> str:
    char = found[0]
    return quote(char, safe="", errors="replace") if char in _NEVER_IN_A_LINK or not char.isprintable() else char


def links(values: object, limit: int = LABELS) -> tuple[str, ...]:
    """Return the URLs in a list, without repeats, at most `limit`."""
    found = tuple(dict.fromkeys(filter(None, map(link, values if isinstance(values, list) else ()))))
    if len(found) > limit:
        _log.warning("items_cut", first=found[0], items=len(found), limit=limit)
    return found[:limit]


def first(values: Iterable[str]) -> str:
    """Return the first text that is not empty, or an empty string."""
    return next(filter(None, values), "")


def image(*urls: str) -> str:
    """Return the first URL with the ending of an image file, or an empty string."""
    return first(url for url in urls if _IMAGE.fullmatch(url[url.rfind(".") :].partition("?")[0]))


class Record:
    """A JSON object; any other value counts as an object without fields.

    Of several names, the first with a usable value counts.
    """

    def __init__(self, value: object) -> None:
        self._fields: dict[Any, Any] = value if isinstance(value, dict) else {}

    def raw(self, name: str) -> object:
        """Return a field unchanged, or None."""
        return self._fields.get(name)

    def text(self, *names: str, limit: int = NAME) -> str:
        """Return a text, or an empty string."""
        return first(text(self.raw(name), limit) for name in names)

    def markup(self, name: str, limit: int = NAME) -> str:
        """Return the visible text of HTML, or an empty string."""
        return markup(self.raw(name), limit)

    def texts(self, name: str, limit: int = LABELS) -> tuple[str, ...]:
        """Return the texts of a list."""
        return texts(self.raw(name), limit)

    def count(self, name: str) -> int | None:
        """Return a count, or None."""
        return count(self.raw(name))

    def day(self, *names: str) -> date | None:
        """Return a day, or None."""
        return next(filter(None, (day_of(self.raw(name)) for name in names)), None)

    def link(self, *names: str, base: str = "") -> str:
        """Return an absolute http(s) URL, joined to `base` where it is relative, or an empty string."""
        return first(link(self.raw(name), base) for name in names)

    def links(self, name: str) -> tuple[str, ...]:
        """Return the absolute http(s) URLs of a list."""
        return links(self.raw(name))

    def record(self, name: str) -> Record:
        """Return an object within this one."""
        return Record(self.raw(name))

    def records(self, name: str) -> list[Record]:
        """Return the objects of a list."""
        return [Record(value) for value in self.items(name)]

    def items(self, name: str) -> list[Any]:
        """Return the values of a list unchanged; none if there is no list."""
        values = self.raw(name)
        return values if isinstance(values, list) else []

    def listed(self, name: str) -> list[Any]:
        """Return the values of a required list.

        Raises:
            BadRecordError: there is no list.
        """
        if not isinstance(self.raw(name), list):
            raise BadRecordError(f"no list of {name} in it")
        return self.items(name)

    def title(self, name: str, *, is_markup: bool = False) -> str:
        """Return the title, which a listing must have.

        Raises:
            BadRecordError: there is none.
        """
        if not self._fields:
            raise BadRecordError("not an object")
        title = (markup if is_markup else text)(self.raw(name), TITLE)
        if any(category(char)[0] in _SHOWN for char in title):
            return title
        raise BadRecordError("no title")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A listing with the source's counts.

    `guid` is the source's own id of it, or nothing; `listed_on` its day, if that is not the day of the page.
    """

    listing: Listing
    guid: str = ""
    listed_on: date | None = None
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    links_left_out: tuple[LinksLeftOut, ...] = ()


def read_or_skip(what: str, raw: object, read: Callable[[Record], Seen | None]) -> Iterator[Seen | Skipped]:
    """Yield a record as read, or the reason why it is skipped, named `what`; nothing if `read` returns None."""
    refused: dict[str, str] = {}
    noting = _refused_links.set(refused)
    try:
        found: Seen | Skipped | None = read(Record(raw))
    except BadRecordError as error:
        found = Skipped(what=what, reason=str(error))
    finally:
        _refused_links.reset(noting)
    if isinstance(found, Seen) and refused:
        title, reasons = found.listing.title, Counter(refused.values())
        left_out = (LinksLeftOut(what=title, reason=reason, number=n) for reason, n in reasons.items())
        found = replace(found, links_left_out=tuple(left_out))
    if found is not None:
        yield found


def each(records: Iterable[object], read: Callable[[Record], Seen | None]) -> Iterator[Seen | Skipped]:
    """Read records; a record that cannot be read is skipped, and the others are not affected."""
    for number, raw in enumerate(records, start=1):
        yield from read_or_skip(f"record {number}", raw, read)


def page(source: str, day: date, now: datetime, found: Iterable[Seen | Skipped]) -> Page:
    """Return the page of a day: each listing once, in the order found, and the skipped records and repeats.

    Args:
        source: the source's name.
        day: the day that the page is for.
        now: when it was read.
        found: its records, read or skipped.
    """
    items = list(found)
    seen = [item for item in items if isinstance(item, Seen)]
    entries = [
        Entry(
            listing=item.listing,
            sighting=Sighting(
                source=source,
                listed_on=min(item.listed_on or day, day),
                seen_at=now,
                upvotes=item.upvotes,
                comments=item.comments,
                stars=item.stars,
            ),
            guid=guid,
        )
        for item, guid in zip(seen, _guids(seen), strict=True)
    ]
    placement = place((), entries)
    once = [entry for number, entry in enumerate(entries) if number not in placement.repeats]
    return Page(
        entries=tuple(
            replace(entry, sighting=replace(entry.sighting, position=position))
            for position, entry in enumerate(once)
        ),
        skipped=tuple(item for item in items if isinstance(item, Skipped)),
        repeats=placement.repeated(entries),
        links_left_out=tuple(left_out for item in seen for left_out in item.links_left_out),
    )


def _guids(seen: Sequence[Seen]) -> list[str]:
    """Return the id by which the source distinguishes each listing: its own id, or else the link.

    If a page shows several papers under the same id, link and title together replace it. Papers with an arXiv id
    or a DOI need none.
    """
    shown: dict[str, set[tuple[str, str]]] = {}
    places = [(normalised_url(item.listing.url), title_key(item.listing.title)) for item in seen]
    for item, where in zip(seen, places, strict=True):
        for guid in {item.guid, where[0]}:
            shown.setdefault(guid, set()).add(where)
    guids = []
    for item, (link, title) in zip(seen, places, strict=True):
        if item.guid and len(shown[item.guid]) == 1:
            guids.append(item.guid)
        elif not link or item.listing.id.kind in {IdKind.ARXIV, IdKind.DOI}:
            guids.append("")
        else:
            guids.append(link if len(shown[link]) == 1 else f"{link} {title}")
    return guids
