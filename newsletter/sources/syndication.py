"""RSS and Atom: the one module that knows feedparser."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from time import struct_time
from typing import TYPE_CHECKING, Any

import feedparser
import structlog

if TYPE_CHECKING:
    from newsletter.sources.records import Record

_log = structlog.get_logger(__name__)
_END = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")
_MAX_DIGITS = 8
_TAIL = 1_000  # bytes at the end of a whole feed that hold its last tag
# arXiv's daily feeds begin each description so.
_ANNOUNCED = re.compile(r"\s*arXiv:\S+\s+Announce Type:\s*\S+\s+Abstract:\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What a feed says of itself, and its entries; under feedparser's names, texts as they came, HTML and all."""

    meta: dict[str, Any]
    entries: list[dict[str, Any]]


def parse_feed(body: bytes) -> Feed:
    """Return the feed that a body holds; small errors in its XML are forgiven.

    Raises:
        ValueError: it is no RSS or Atom feed, or is cut short.
    """
    # A stream: feedparser would take bytes for the name of a file, if there is one of that name.
    stream = BytesIO(_REFERENCE.sub(_character, body))
    parsed = feedparser.parse(stream, sanitize_html=False, resolve_relative_uris=False)
    if not parsed.get("version"):
        raise ValueError("not a feed")
    if parsed.bozo:
        if not _END.search(body[-_TAIL:]):
            raise ValueError("a feed that is cut short")
        _log.info("feed_forgiven", error=str(parsed.get("bozo_exception", "")))
    return Feed(meta=dict(parsed.feed), entries=[dict(entry) for entry in parsed.entries])


def _character(reference: re.Match[bytes]) -> bytes:
    """Return a numeric reference, if it is to a character: feedparser gives up on a feed with any other."""
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    return reference[0] if len(digits) <= _MAX_DIGITS and int(digits, base) <= sys.maxunicode else b"?"


def published_on(entry: Record) -> date | None:
    """Return the day (UTC) on which an entry came out, or last changed."""
    moment = entry.raw("published_parsed") or entry.raw("updated_parsed")
    try:
        return date(*moment[:3]) if isinstance(moment, struct_time) else None
    except ValueError:  # such as year -99
        return None


def without_announcement(description: str) -> str:
    """Return the abstract of a description in arXiv's daily feeds; other texts come back as they are."""
    found = _ANNOUNCED.match(description)
    return description[found.end() :] if found else description
