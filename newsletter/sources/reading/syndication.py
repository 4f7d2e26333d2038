"""RSS (0.9 to 2.0, and RDF) and Atom, with the modules that journals, arXiv and podcasts use.

https://www.rssboard.org/rss-specification, https://web.resource.org/rss/1.0/spec, RFC 4287.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any
from urllib.parse import urljoin

import structlog

from newsletter.sources.reading.character_sets import decoded
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.feed_dates import moment
from newsletter.sources.reading.lenient_xml import Element, read_xml
from newsletter.sources.reading.plaintext import plain, plain_title
from newsletter.sources.reading.records import Record

_log = structlog.get_logger(__name__)
_ROOT = re.compile(r"<(?:[A-Za-z][\w.-]*:)?(?:rss|rdf|feed)[\s>]", re.IGNORECASE)
_PAGE = re.compile(r"<(?:!doctype\s+)?html\b", re.IGNORECASE)
_ROOTS = frozenset({"rss", "rdf", "rdf_rdf", "feed"})
_ENTRY = frozenset({"item", "entry"})
MOST_ENTRIES = 10_000  # the largest feeds hold a few thousand
_LONGEST = 200_000  # characters of a field
_LONGEST_NAME = 500
# The start of each description in arXiv's daily feeds.
_ANNOUNCED = re.compile(r"\s*arXiv:\S+\s+Announce Type:\s*\S+\s+Abstract:\s*")
_NAME_IN_MAIL = re.compile(r"[^\s()]+@[^\s()]+\s*\(([^()]*)\)")  # RSS: `ada@example.org (Ada Example)`

_PREFIXES = {
    "http://www.w3.org/2005/atom": "",
    "http://purl.org/atom/ns#": "",
    "http://purl.org/rss/1.0/": "",
    "http://purl.org/net/rss1.1#": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://channel.netscape.com/rdf/simple/0.9/": "",
    "http://backend.userland.com/rss2": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/dc/elements/1.0/": "dc",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://prismstandard.org/namespaces/basic/1.2/": "prism",
    "http://prismstandard.org/namespaces/basic/2.0/": "prism",
    "http://prismstandard.org/namespaces/1.2/basic/": "prism",
    "http://prismstandard.org/namespaces/2.0/basic/": "prism",
    "http://arxiv.org/schemas/atom": "arxiv",
    "http://a9.com/-/spec/opensearch/1.1/": "opensearch",
    "http://a9.com/-/spec/opensearchrss/1.0/": "opensearch",
}
# Fields with several names, the most informative first.
_NAMES = {
    "id": ("id", "guid"),
    "title": ("title", "dc_title"),
    "summary": ("description", "summary", "abstract", "dc_description", "dcterms_abstract"),
    "published": ("pubdate", "published", "issued", "dc_date", "dcterms_issued", "dcterms_created", "created"),
    "updated": ("updated", "modified", "dcterms_modified", "lastbuilddate"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed's own fields (`meta`) and its entries, by name; names of modules have a prefix, as in `dc_creator`.

    `links` holds all links and enclosures, `link` the link to the entry; they are absolute if possible. Texts are
    unchanged, with HTML; `html` lists the names of the fields that are HTML.
    """

    meta: dict[str, Any]
    entries: list[dict[str, Any]]


def parse_feed(document: Document) -> Feed:
    """Return the feed in a document. A mistake in its XML affects no more than the place where it stands.

    Raises:
        ValueError: it is no RSS or Atom feed, or is cut short.
    """
    text = decoded(document.content, document.charset)
    start = _ROOT.search(text)
    if start is None or _PAGE.search(text, 0, start.start()):
        raise ValueError("it is a web page, not a feed" if _PAGE.search(text) else "not a feed")
    root = read_xml(text, prefixes=_PREFIXES, alone=_ENTRY, start=start.start())
    if not root.is_closed:
        raise ValueError("a feed that is cut short")
    if root.name not in _ROOTS:
        raise ValueError(f"<{root.tag}> is of no namespace that feeds have")
    is_atom = root.name == "feed"
    base = _base(root, document.url)
    channel = next((child for child in root.elements if child.name == "channel"), root)
    meta = _fields(channel, _base(channel, base), is_atom=is_atom)
    found = list(_entries(root))
    if len(found) > MOST_ENTRIES:
        _log.warning("entries_cut", url=document.url, entries=len(found), limit=MOST_ENTRIES)
    entries = [_fields(entry, _base(entry, base), is_atom=is_atom) for entry in found[:MOST_ENTRIES]]
    return Feed(meta=meta, entries=entries)


def published_on(entry: Record) -> date | None:
    """Return the day (UTC) on which an entry was published, or else last changed."""
    for name in ("published", "updated"):
        value = entry.raw(name)
        when = moment(value) if isinstance(value, str) else None
        if when is not None:
            try:
                return when.astimezone(UTC).date()
            except OverflowError:  # the first or last day that there is
                return when.date()
    return None


def shown(entry: Record, name: str) -> str:
    """Return the visible text of an entry's field, one line or more."""
    value, is_html = entry.raw(name), name in entry.items("html")
    if not isinstance(value, str):
        return ""
    if not is_html:
        return value
    return plain_title(value) if name == "title" else plain(value)


def without_announcement(description: str) -> str:
    """Return the abstract in a description of arXiv's daily feeds; other texts unchanged."""
    announcement = _ANNOUNCED.match(description)
    return description[announcement.end() :] if announcement else description


def _entries(root: Element) -> Iterator[Element]:
    """Yield the entries at any depth: an unclosed tag puts the entries after it further down."""
    return (element for element in root.below() if element.name in _ENTRY)


def _base(element: Element, base: str) -> str:
    return _joined(base, element.attributes.get("xml:base", ""))


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link.strip())
    except ValueError:  # not an address
        return ""


def _fields(element: Element, base: str, *, is_atom: bool) -> dict[str, Any]:
    """Return the fields of an entry, or of the feed itself."""
    children: dict[str, list[Element]] = {}
    for child in element.elements:
        if child.name not in _ENTRY:
            children.setdefault(child.name, []).append(child)
    fields: dict[str, Any] = {name: _simple(some[0]) for name, some in children.items() if name not in _NAMES}
    html: list[str] = []
    for name, names in _NAMES.items():
        found = next((child for other in names for child in children.get(other, []) if not child.is_empty), None)
        if found is not None:
            fields[name], is_html = _construct(found, is_atom=is_atom)
            html += [name] if is_html else []
    if about := element.attributes.get("about"):  # RDF
        fields.setdefault("id", about)
    authors = list(_authors(children))
    return fields | {
        "html": html,
        **_links(children, base, fields.get("id", "")),
        "content": list(_contents(children, is_atom=is_atom)),
        "authors": [{"name": name} for name in authors],
        "author": ", ".join(authors),
        "tags": [{"term": term} for term in _terms(children)],
        "media_thumbnail": [
            {"url": _joined(base, child.attributes.get("url", ""))}
            for child in element.below()
            if child.name == "media_thumbnail"
        ],
    }


def _simple(element: Element) -> str | dict[str, str]:
    """Return the text of an element, or its attributes if it has no text."""
    return element.text()[:_LONGEST] or dict(element.attributes)


def _construct(element: Element, *, is_atom: bool) -> tuple[str, bool]:
    """Return a text and whether it is HTML.

    In Atom `type` says so, and its default is `text` (RFC 4287, 3.1.1). In RSS any text may be HTML.
    """
    if element.has_elements:
        return element.markup()[:_LONGEST], True
    kind = element.attributes.get("type", "text" if is_atom else "html").lower()
    return element.text()[:_LONGEST], "html" in kind


def _contents(children: dict[str, list[Element]], *, is_atom: bool) -> Iterator[dict[str, Any]]:
    for element in (*children.get("content", []), *children.get("content_encoded", [])):
        kind = element.attributes.get("type", "").lower()
        if "/" not in kind or kind.startswith("text/") or "html" in kind:  # others are images and the like
            value, is_html = _construct(element, is_atom=is_atom and element.name == "content")
            yield {"value": value, "html": ["value"] if is_html else []}


def _links(children: dict[str, list[Element]], base: str, identifier: str) -> dict[str, Any]:
    """Return the links of an entry, the link to the entry itself, and whether its id is a link."""
    written = sorted(children.get("link", []), key=lambda link: "href" in link.attributes)  # RSS's own ones first
    links = [
        {
            "rel": link.attributes.get("rel", "").rpartition("/")[2].lower() or "alternate",
            "type": link.attributes.get("type", "").lower(),
            "href": _joined(_base(link, base), link.attributes.get("href") or link.text()),
        }
        for link in written
        if link.attributes.get("href") or link.text()
    ]
    links += [
        {
            "rel": "enclosure",
            "type": child.attributes.get("type", ""),
            "href": _joined(base, child.attributes["url"]),
        }
        for child in children.get("enclosure", [])
        if "url" in child.attributes
    ]
    alternates = [link for link in links if link["rel"] == "alternate"]
    pages = [link for link in alternates if not link["type"] or "html" in link["type"]]
    is_link = any(
        guid.attributes.get("ispermalink", "true").lower() != "false" for guid in children.get("guid", [])
    )
    best = next((link["href"] for link in (*pages, *alternates)), "")
    return {"links": links, "link": best or (identifier if is_link else ""), "guidislink": is_link}


def _authors(children: dict[str, list[Element]]) -> Iterator[str]:
    """Yield the names of an entry's authors, from the first kind of field that has any."""
    for kind in ("dc_creator", "author", "itunes_author"):
        names = [_name(element) for element in children.get(kind, [])]
        if any(names):
            yield from filter(None, names)
            return


def _name(author: Element) -> str:
    if author.has_elements:
        return next((child.text() for child in author.elements if child.name.endswith("name")), "")[:_LONGEST]
    name = author.text()[:_LONGEST]
    in_mail = _NAME_IN_MAIL.fullmatch(name[:_LONGEST_NAME])
    return in_mail[1] if in_mail else name


def _terms(children: dict[str, list[Element]]) -> Iterator[str]:
    for element in (*children.get("category", []), *children.get("dc_subject", [])):
        if term := element.attributes.get("term") or element.text():
            yield term[:_LONGEST]
