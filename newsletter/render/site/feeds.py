"""Feeds as Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1 (https://jsonfeed.org/version/1.1). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from types import MappingProxyType
from typing import Any

from feedgenerator import Atom1Feed, Rss201rev2Feed
from typing_extensions import override

# What XML 1.0 has no place for (2.2), and halves of surrogate pairs.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DUBLIN_CORE = {"xmlns:dc": "http://purl.org/dc/elements/1.1/"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """A paper or an issue in a feed.

    Attributes:
        id: a URI that never changes (RFC 4287, 4.2.6).
        url: its page.
        title: plain text.
        summary: plain text, or nothing.
        content: HTML.
        at: when it became known; aware.
        authors: names.
        keywords: plain texts.
    """

    id: str
    url: str
    title: str
    summary: str
    content: str
    at: datetime
    authors: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed.

    Attributes:
        id: as that of an entry.
        title: plain text.
        description: plain text.
        url: the page that shows the same.
        own_url: where the feed itself is.
        language: a tag (BCP 47).
        updated_at: when it last changed; aware.
        entries: the newest first.
    """

    id: str
    title: str
    description: str
    url: str
    own_url: str
    language: str
    updated_at: datetime
    entries: tuple[FeedEntry, ...]


class _Atom(Atom1Feed):  # type: ignore[misc]  # without types
    """An Atom feed with all authors of an entry, and with a date where it has no entries."""

    @override
    def latest_post_date(self) -> datetime:
        return self.feed["updated_at"]  # type: ignore[no-any-return]

    @override
    def add_item_elements(self, handler: Any, item: Mapping[str, Any]) -> None:
        super().add_item_elements(handler, item)
        for name in item["authors"]:
            handler.startElement("author", {})
            handler.addQuickElement("name", name)
            handler.endElement("author")


class _Rss(Rss201rev2Feed):  # type: ignore[misc]  # without types
    """An RSS feed with all authors of an entry."""

    @override
    def latest_post_date(self) -> datetime:
        return self.feed["updated_at"]  # type: ignore[no-any-return]

    @override
    def add_item_elements(self, handler: Any, item: Mapping[str, Any]) -> None:
        super().add_item_elements(handler, item)
        for name in item["authors"]:
            handler.addQuickElement("dc:creator", name, _DUBLIN_CORE)


def atom(feed: Feed) -> bytes:
    """Return a feed as Atom."""
    made = _Atom(
        title=_clean(feed.title),
        link=feed.url,
        description=_clean(feed.description),
        feed_url=feed.own_url,
        feed_guid=feed.id,
        language=feed.language,
        author_name=_clean(feed.title),
        updated_at=feed.updated_at,
    )
    for one in feed.entries:
        made.add_item(
            title=_clean(one.title),
            link=one.url,
            description=_escaped(one.summary) or None,
            content=_clean(one.content),
            unique_id=one.id,
            pubdate=one.at,
            updateddate=one.at,
            categories=_all_clean(one.keywords),
            authors=_all_clean(one.authors),
        )
    return _written(made)


def rss(feed: Feed) -> bytes:
    """Return a feed as RSS 2.0; the description of an entry is its whole content."""
    made = _Rss(
        title=_clean(feed.title),
        link=feed.url,
        description=_clean(feed.description),
        feed_url=feed.own_url,
        language=feed.language,
        updated_at=feed.updated_at,
    )
    for one in feed.entries:
        made.add_item(
            title=_clean(one.title),
            link=one.url,
            description=_clean(one.content),
            unique_id=one.id,
            unique_id_is_permalink=False,
            pubdate=one.at,
            categories=_all_clean(one.keywords),
            authors=_all_clean(one.authors),
        )
    return _written(made)


def json_feed(feed: Feed) -> bytes:
    """Return a feed as JSON Feed 1.1."""
    made = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.description,
        "home_page_url": feed.url,
        "feed_url": feed.own_url,
        "language": feed.language,
        "items": [_json_item(one) for one in feed.entries],
    }
    return json.dumps(made, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _json_item(one: FeedEntry) -> dict[str, Any]:
    item = {
        "id": one.id,
        "url": one.url,
        "title": one.title,
        "summary": one.summary,
        "content_html": one.content,
        "date_published": one.at.isoformat(timespec="seconds"),
        "authors": [{"name": name} for name in one.authors],
        "tags": list(one.keywords),
    }
    return {name: value for name, value in item.items() if value}


def _written(made: Any) -> bytes:
    content = BytesIO()
    made.write(content, "utf-8")
    return content.getvalue()


def _clean(text: str) -> str:
    return _NO_XML.sub("", text)


def _all_clean(texts: Iterable[str]) -> list[str]:
    return [_clean(text) for text in texts]


def _escaped(text: str) -> str:
    """Return a plain text as HTML: what summaries in Atom are taken for."""
    return _clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# How feeds are written, by the ending of their address, with their media types.
WRITERS: Mapping[str, tuple[Callable[[Feed], bytes], str]] = MappingProxyType(
    {
        "atom": (atom, "application/atom+xml; charset=utf-8"),
        "rss": (rss, "application/rss+xml; charset=utf-8"),
        "json": (json_feed, "application/feed+json; charset=utf-8"),
    }
)
