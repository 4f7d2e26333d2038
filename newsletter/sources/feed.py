"""Any feed: `feed:https://example.org/feed.xml`, RSS, Atom or JSON Feed (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime

from newsletter.core.identity import doi, doi_in, stated_arxiv_id
from newsletter.core.listing import Listing, Page, Skipped
from newsletter.ports import Source
from newsletter.sources.arxiv import author_names
from newsletter.sources.parts import Parts
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.json_text import read_json
from newsletter.sources.reading.records import (
    ABSTRACT,
    AUTHORS,
    LINK,
    Record,
    Seen,
    each,
    first,
    image,
    link,
    page,
    text,
    texts,
)
from newsletter.sources.reading.syndication import (
    MOST_ENTRIES,
    parse_feed,
    published_on,
    shown,
    without_announcement,
)

_JSON = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\0 \t\r\n]*\{")


class WebFeed(Source):
    """The entries of a feed, in the feed's order."""

    dated = False

    def __init__(self, parts: Parts) -> None:
        if not link(parts.rest):
            raise ValueError(
                "expected feed:URL with an http or https address, such as feed:https://example.org/feed.xml"
            )
        self.name = parts.name
        self._url = parts.rest
        self._public_only = not parts.config.allow_private
        self._http = parts.http

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the entries that the feed has now, as the page of `day`.

        Raises:
            SourceError: the feed cannot be read, or its address is not public.
        """
        found = await self._http.get(self._url, read_feed, source=self.name, public_only=self._public_only)
        return page(self.name, day, now, found)


def read_feed(document: Document) -> list[Seen | Skipped]:
    """Return the entries of a feed.

    Raises:
        ValueError: it is not a feed.
    """
    reader = FeedReader(document.url)
    if not _JSON.match(document.content):
        return list(each(parse_feed(document).entries, reader.entry))
    items = Record(read_json(document.content)).listed("items")
    return list(each(items[:MOST_ENTRIES], reader.item))


class FeedReader:
    """Reads the entries of a feed; its address is the base of their relative links."""

    def __init__(self, url: str) -> None:
        self._url = url

    def entry(self, entry: Record) -> Seen:
        """Return the paper of an entry of an RSS or Atom feed."""
        pdf = next((link.link("href") for link in entry.records("links") if _is_pdf(link)), "")
        address = entry.link("link", base=self._url) or entry.link("id") or pdf
        contents = (shown(entry, "summary"), *(shown(content, "value") for content in entry.records("content")))
        enclosures = [link.link("href") for link in entry.records("links") if link.raw("rel") == "enclosure"]
        pictures = [picture.link("url") for picture in entry.records("media_thumbnail")] + enclosures
        joined = entry.text("author", limit=100 * AUTHORS)
        names = texts([author.raw("name") for author in entry.records("authors")], AUTHORS)
        return _seen(
            Listing(
                title=Record({"title": shown(entry, "title")}).title("title"),
                abstract=first(text(without_announcement(content), ABSTRACT) for content in contents),
                authors=author_names(joined) if stated_arxiv_id(address) and len(names) <= 1 else names,
                published_on=published_on(entry),
                categories=texts([tag.raw("term") for tag in entry.records("tags")]),
                url=address,
                pdf_url=pdf,
                thumbnail_url=image(*pictures),
            ),
            guid=entry.text("id", limit=LINK),
            stated=(entry.text("prism_doi"), entry.text("dc_identifier"), entry.text("prism_url", limit=LINK)),
        )

    def item(self, item: Record) -> Seen:
        """Return the paper of an item of a JSON Feed."""
        address = item.link("url", "external_url", base=self._url) or item.link("id")
        authors = item.records("authors") or [item.record("author")]  # one object until version 1.1
        return _seen(
            Listing(
                title=item.title("title"),
                abstract=first(
                    (
                        item.text("content_text", limit=ABSTRACT),
                        item.markup("content_html", limit=ABSTRACT),
                        item.text("summary", limit=ABSTRACT),
                    )
                ),
                authors=texts([author.raw("name") for author in authors], AUTHORS),
                published_on=item.day("date_published"),
                categories=item.texts("tags"),
                url=address,
                thumbnail_url=image(item.link("image"), item.link("banner_image")),
            ),
            guid=item.text("id", limit=LINK),
            stated=(item.text("doi"), item.link("external_url")),
        )


def _is_pdf(link: Record) -> bool:
    """Return whether a link of an entry is to the paper itself."""
    return link.raw("rel") == "enclosure" and "pdf" in (link.text("type") or link.link("href")[-4:].lower())


def _seen(listing: Listing, *, guid: str, stated: tuple[str, ...]) -> Seen:
    """Return the listing with the arXiv id and DOI that its links and identifiers state.

    Args:
        listing: the paper as the entry describes it.
        guid: the feed's own id of the entry.
        stated: the fields for a DOI or a link; a DOI in them goes before a DOI in an address.
    """
    hints = (*stated, guid, listing.url)
    arxiv = first(map(stated_arxiv_id, hints))
    if not guid and not listing.url:
        guid = f"{listing.published_on or ''} {listing.title}"  # differs from others with this title
    return Seen(
        listing=replace(
            listing,
            arxiv_id=arxiv,
            doi=first(map(doi, stated[:2])) or first(map(doi_in, hints)),
            pdf_url=f"https://arxiv.org/pdf/{arxiv}" if arxiv else listing.pdf_url,
        ),
        guid=guid,
        # A feed shows old posts for years. Each counts on its own day, or the first issues would be full of them.
        # An entry that the feed first shows later is news all the same (`core.matching.first_shown`).
        listed_on=listing.published_on,
    )
