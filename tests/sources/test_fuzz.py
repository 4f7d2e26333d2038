"""A record may hold anything at all: it costs itself at most, and what comes of it is safe to keep and to show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.listing import Listing, Skipped
from newsletter.sources import biorxiv, feed, hackernews, huggingface, jsonl
from newsletter.sources.parts import NO_SERVICES, NoHttp, Parts
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.records import Record, Seen, each, page
from newsletter.sources.reading.syndication import parse_feed
from tests.sources.api import daily_paper, json_feed_item, preprint, story
from tests.sources.feeds import announced, found, results, rss

DAY = date(2026, 3, 12)
NOW = datetime(2026, 3, 12, 9, tzinfo=UTC)

MISSING = object()
HOSTILE = st.sampled_from(
    [
        "<script>alert(1)</script>",
        "javascript:alert(1)",
        "\r\nBcc: everyone@example.org",
        "\u202eexe.fdp",
        "\x00",
        "\ud800",
        "a" * 30_000,
        "{{ 7 * 7 }}",
        10**30,
        -1,
        float("nan"),
        "9999-99-99",
        "https://user:word@example.org",
        ["x"] * 3_000,
    ]
)
ANYTHING = HOSTILE | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def parts(scheme: str, rest: str = "") -> Parts:
    return Parts(scheme=scheme, rest=rest, folder=Path(), config=NO_SERVICES, http=NoHttp())


WEB_FEED = feed.FeedReader("https://example.org/feed.xml")
READERS: dict[str, tuple[Callable[[Record], Seen | None], dict[str, Any]]] = {
    "huggingface": (huggingface.read_paper, daily_paper()),
    "biorxiv": (biorxiv.Biorxiv(parts("biorxiv"))._read, preprint()),
    "hackernews": (hackernews._read, story()),
    "jsonl": (jsonl.read_record, {"title": "A", "authors": ["B"], "url": "https://example.org", "upvotes": 1}),
    "json feed": (WEB_FEED.item, json_feed_item()),
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where in a record values stand, that of the record itself first."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, item in pairs for inner in paths(item, (*path, key)))]


def rebuilt(value: Any, changes: dict[tuple[Any, ...], Any], path: tuple[Any, ...] = ()) -> Any:
    """Return a record with other values in some places, or (`MISSING`) with none."""
    if path in changes:
        return changes[path]
    if isinstance(value, dict):
        inner = {key: rebuilt(item, changes, (*path, key)) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item is not MISSING}
    if isinstance(value, list):
        return [rebuilt(item, changes, (*path, index)) for index, item in enumerate(value)]
    return value


def damaged(record: dict[str, Any]) -> st.SearchStrategy[Any]:
    places = st.sampled_from(paths(record))
    changes = st.dictionaries(places, ANYTHING | st.just(MISSING), min_size=1, max_size=4)
    return changes.map(lambda some: rebuilt(record, some))


@pytest.mark.parametrize("source", READERS)
@given(data=st.data())
def test_a_damaged_record_costs_itself_at_most(source: str, data: st.DataObject) -> None:
    read, record = READERS[source]
    broken = data.draw(damaged(record))
    whole = Seen(listing=Listing(title="A whole one", url="https://example.org/whole"))
    read_page = page(source, DAY, NOW, [whole, *each([broken], read), whole])
    assert read_page.entries[0].listing is whole.listing
    assert len(read_page.entries) <= 2
    for entry in read_page.entries[1:]:
        assert_safe(entry.listing)
        sighting = entry.sighting
        for number in (sighting.upvotes, sighting.comments, sighting.stars):
            assert number is None or 0 <= number < 2**31
    assert all("\n" not in skipped.what + skipped.reason for skipped in read_page.skipped)


def assert_safe(listing: Listing) -> None:
    assert 0 < len(listing.title) <= 500
    assert len(listing.abstract) <= 20_000
    assert len(listing.authors) <= 2_000
    texts = [listing.title, listing.abstract, listing.summary, listing.organization, listing.submitted_by]
    for text in (*texts, *listing.authors, *listing.keywords, *listing.categories):
        text.encode()
        assert not set(text) & set("\x00\r\n\u202e")
    for name in ("url", "pdf_url", "code_url", "project_url", "thumbnail_url", "discussion_url"):
        url = getattr(listing, name)
        assert url == "" or (url.startswith(("http://", "https://")) and url.isprintable() and " " not in url)
    assert not listing.thumbnail_url or not listing.thumbnail_url.endswith(("mp4", "mov"))
    assert str(listing.id)


SNIPPETS = st.sampled_from(
    [*b"< > & &#x110000; &#0; <!-- ]]> <![CDATA[ \x00 \xff </item> <item> 9999-99-99 -0001-01-01 <?xml".split()]
) | st.sampled_from([b"<!DOCTYPE x>", b" xmlns:x='y z'", b" mode='base64'", b"http://[::1"])


@pytest.mark.parametrize(
    "body", [rss(announced(1), announced(2)), results(found(1), found(2))], ids=["rss", "atom"]
)
@given(data=st.data())
def test_a_damaged_feed_is_read_as_far_as_it_goes_or_is_a_value_error(body: str, data: st.DataObject) -> None:
    broken = bytearray(body.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(broken) - 1))
        broken[start : start + data.draw(st.integers(0, 20))] = data.draw(SNIPPETS | st.binary(max_size=3))
    try:
        entries = parse_feed(Document(content=bytes(broken))).entries
    except ValueError:
        return
    for item in each(entries, WEB_FEED.entry):
        if not isinstance(item, Skipped):
            assert_safe(item.listing)
