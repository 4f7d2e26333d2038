"""Feeds: RSS, Atom and JSON Feed, as bytes, and what the sources make of their entries."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

from newsletter.core.listing import Skipped
from newsletter.sources.arxiv_feed import read_batch
from newsletter.sources.arxiv_search import read_results
from newsletter.sources.feed import read_feed
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.records import BadRecordError, Seen
from tests.fuzz.target import Target, as_bytes, text_target
from tests.sources.api import json_feed_item
from tests.sources.feeds import announced, found, results, rss
from tests.sources.test_fuzz import assert_safe

_ITEM = """<item><title>A &lt;i&gt;b&lt;/i&gt; &amp; c</title><link>https://example.org/a?b=1#c</link>
<author>a@example.org (Ada)</author><dc:creator>Bo</dc:creator><media:thumbnail url="https://example.org/a.png"/>
<description><![CDATA[<p>Words &amp; more.</p>]]></description><pubDate>Thu, 12 Mar 2026 00:00:00 GMT</pubDate>
<guid isPermaLink="false">10.1000/xyz.1</guid><enclosure url="/a.pdf" length="1" type="application/pdf"/></item>"""
_SEEDS = (
    rss(announced(1), announced(2)),
    results(found(1), found(2)),
    rss(_ITEM, _ITEM),
    json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [json_feed_item(1)]}),
)


def _found(body: bytes) -> list[Seen | Skipped]:
    """Return what all sources that read feeds make of a body."""
    document = Document(content=body, url="https://example.org/feed.xml")
    found = read_feed(document)
    if not body.startswith(b"{"):
        found += read_batch(document, wanted=frozenset({"new", "cross", "replace"})).found
        found += read_results(document).found
    return found


def _read(text: str) -> None:
    for item in _found(as_bytes(text)):
        if not isinstance(item, Skipped):
            assert_safe(item.listing)


def _feed_of(text: str) -> str:
    """Return a feed with a text in each place that a source reads, as text."""
    return rss(announced(1, creators=text, abstract=text).replace("Announced Paper 1", escape(text)))


def _feed_around(text: str) -> str:
    """Return a feed with a text in it as it is, markup and all."""
    return rss(_ITEM.replace("Words", text).replace("(Ada)", text))


TARGETS: tuple[Target, ...] = (
    text_target(
        "feeds", "feeds", _read, _SEEDS, documented=(ValueError, BadRecordError), longer=_feed_of, longest=60_000
    ),
    text_target(
        "feed markup",
        "feeds",
        _read,
        _SEEDS,
        documented=(ValueError, BadRecordError),
        longer=_feed_around,
        longest=60_000,
    ),
    text_target(
        "json feeds",
        "feeds",
        _read,
        _SEEDS[3:],
        documented=(ValueError, BadRecordError),
        longer=lambda text: json.dumps(
            {"items": [json_feed_item(title=text, content_html=text, id=text, url=text)]}
        ),
    ),
)
