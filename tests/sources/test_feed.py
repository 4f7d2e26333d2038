from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from newsletter.core.errors import SourceError
from newsletter.core.listing import Listing, Page
from newsletter.sources.reading.records import Record
from newsletter.sources.reading.syndication import published_on
from tests.sources.api import json_feed_item
from tests.sources.conftest import DAY, NOW
from tests.sources.feeds import announced, rss

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pytest_httpserver import HTTPServer

    from tests.sources.conftest import Build

    Read = Callable[[str | bytes], Awaitable[Page]]

POST = """<item>
  <title>Let's &lt;think&gt; about &lt;b&gt;bold&lt;/b&gt; &amp;amp; more</title>
  <link>/posts/1</link>
  <description>&lt;p&gt;First.&lt;/p&gt;&lt;p&gt;Second &amp;amp; last.&lt;/p&gt;</description>
  <pubDate>Wed, 11 Mar 2026 23:30:00 -0500</pubDate>
  <dc:creator>Ada Example</dc:creator>
  <category>thoughts</category>
  <media:thumbnail url="https://example.org/clip.mp4"/>
  <enclosure url="https://example.org/a.png" type="image/png" length="1"/>
</item>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>f</title><entry>
  <id>tag:example.org,2026:1</id><title>Atom Post</title><link href="https://example.org/1"/>
  <updated>2026-03-12T08:00:00Z</updated><author><name>Ada</name></author><author><name>Bo</name></author>
  <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Well <i>formed</i>.</p></div></content>
</entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>Journal</title></channel>
 <item rdf:about="https://example.org/s1"><title>An Article</title><link>https://example.org/s1</link>
 <dc:identifier>doi:10.1000/S1</dc:identifier><dc:date>2026-03-12</dc:date></item></rdf:RDF>"""


@pytest.fixture
def read(source: Build, httpserver: HTTPServer) -> Read:
    async def reading(body: str | bytes) -> Page:
        httpserver.clear()
        httpserver.expect_request("/feed.xml").respond_with_data(body)
        return await source("feed:" + httpserver.url_for("/feed.xml")).read(DAY, now=NOW)

    return reading


def only(page: Page) -> Listing:
    (entry,) = page.entries
    assert not page.skipped
    return entry.listing


@pytest.mark.parametrize(
    ("links", "url"),
    [
        ('<enclosure url="https://example.org/a.pdf" type="application/pdf"/>', "https://example.org/a.pdf"),
        ('<enclosure url="https://example.org/A.PDF"/>', "https://example.org/A.PDF"),
        ('<link>https://example.org/1</link><enclosure url="a.pdf"/>', "https://example.org/1"),
    ],
)
async def test_a_paper_that_is_enclosed_is_its_pdf_and_its_link_where_there_is_no_other(
    links: str, url: str, read: Read
) -> None:
    listing = only(
        await read(rss(f"<item><title>Enclosed</title><guid isPermaLink='false'>1</guid>{links}</item>"))
    )
    assert listing.url == url
    assert listing.pdf_url.lower().endswith("/a.pdf")


async def test_an_rss_post_becomes_a_listing_in_plain_text(read: Read, httpserver: HTTPServer) -> None:
    listing = only(await read(rss(POST, title="Blog")))
    assert listing == Listing(
        title="Let's <think> about bold & more",
        abstract="First. Second & last.",
        authors=("Ada Example",),
        published_on=date(2026, 3, 12),
        categories=("thoughts",),
        url=httpserver.url_for("/posts/1"),
        thumbnail_url="https://example.org/a.png",
    )


async def test_an_atom_entry_is_read(read: Read) -> None:
    listing = only(await read(ATOM))
    assert (listing.title, listing.abstract) == ("Atom Post", "Well formed.")
    assert listing.authors == ("Ada", "Bo")
    assert (listing.published_on, listing.url) == (date(2026, 3, 12), "https://example.org/1")


async def test_the_doi_of_a_journal_is_found(read: Read) -> None:
    listing = only(await read(RDF))
    assert (listing.doi, listing.title) == ("10.1000/s1", "An Article")


async def test_a_paper_in_a_feed_is_known_by_its_arxiv_id(read: Read) -> None:
    listing = only(await read(rss(announced(creators="Ada Example (Inst, City), Bo Beispiel"))))
    assert (listing.arxiv_id, listing.pdf_url) == ("2603.00001", "https://arxiv.org/pdf/2603.00001")
    assert listing.authors == ("Ada Example", "Bo Beispiel")
    assert listing.abstract == "We announce."


async def test_a_json_feed_is_read(read: Read) -> None:
    listing = only(await read("\ufeff " + json.dumps({"version": "x", "items": [json_feed_item()]})))
    assert listing == Listing(
        title="Post 1",
        abstract="Some words & more.",
        authors=("Ada Example",),
        published_on=date(2026, 3, 12),
        categories=("words",),
        url="https://example.org/posts/1",
        thumbnail_url="https://example.org/a.png",
    )


async def test_an_item_of_an_older_json_feed_is_read(read: Read) -> None:
    item = {
        "id": "7",
        "external_url": "https://arxiv.org/abs/2603.00009",
        "title": "A Link",
        "author": {"name": "Ada"},
    }
    listing = only(await read(json.dumps({"items": [item]})))
    assert (listing.url, listing.arxiv_id, listing.authors) == (item["external_url"], "2603.00009", ("Ada",))


async def test_an_id_that_is_no_address_is_no_link(read: Read) -> None:
    assert only(await read(json.dumps({"items": [{"id": "7", "title": "A Note"}]}))).url == ""


@pytest.mark.parametrize(
    "written", ["-0099-01-01", "9999-99-99", "soon", "Thu, 12 Mar 2026 08:00 +99999999", "9" * 5000, None]
)
def test_a_date_that_is_none_costs_itself(written: object) -> None:
    assert published_on(Record({"published": written})) is None


async def test_an_entry_without_a_title_costs_itself(read: Read) -> None:
    page = await read(rss("<item><description>x</description></item>", POST))
    assert len(page.entries) == 1
    assert [entry.reason for entry in page.skipped] == ["no title"]


def item(title: str = "A Paper", link: str = "https://lab.example/1", more: str = "") -> str:
    return f"<item><title>{title}</title><link>{link}</link>{more}</item>"


def guid(text: str) -> str:
    return f'<guid isPermaLink="false">{text}</guid>'


@pytest.mark.parametrize(
    "more",
    [
        "<prism:doi>10.1000/AbCdE</prism:doi>",
        "<dc:identifier>doi:10.1000/abcde</dc:identifier>",
        "<prism:url>https://doi.org/10.1000/abcde</prism:url>",
        guid("10.1000/abcde"),
        guid("https://doi.org/10.1000/abcde/full"),
        guid("https://www.journal.example/doi/abs/10.1000/abcde"),
    ],
)
async def test_a_doi_is_read_wherever_a_journal_states_it(more: str, read: Read) -> None:
    assert only(await read(rss(item(more=more)))).doi == "10.1000/abcde"


async def test_a_stated_doi_goes_before_one_in_the_address(read: Read) -> None:
    link = "https://academic.journal.example/j/advance-article/doi/10.1000/abcde/part"
    listing = only(await read(rss(item(link=link, more="<prism:doi>10.1000/abcde</prism:doi>"))))
    assert listing.doi == "10.1000/abcde"


@pytest.mark.parametrize("number", ["2024.10291", "2403.10291", "2403.10291v2", "hep-th/9901001", "10.2024/5"])
async def test_an_article_number_is_no_id_of_somebody_elses(number: str, read: Read) -> None:
    listing = only(await read(rss(item(more=guid(number)))))
    assert (listing.arxiv_id, listing.doi, listing.pdf_url) == ("", "", "")


async def test_entries_at_one_link_are_told_apart_by_their_guids_or_titles(read: Read) -> None:
    shared = "https://lab.example/upcoming/"
    with_guids = [item(f"Paper {n}", shared, guid(f"LAB-{n}")) for n in range(4)]
    without = [item(f"Paper {n}", shared) for n in range(4)]
    one_for_all = [item(f"Paper {n}", f"https://lab.example/{n}", guid("LAB")) for n in range(4)]
    one_of_each = [item(f"Paper {n}", shared, guid("LAB")) for n in range(4)]
    for items in (with_guids, without, one_for_all, one_of_each):
        page = await read(rss(*items))
        assert [entry.listing.title for entry in page.entries] == [f"Paper {n}" for n in range(4)]
        assert len({entry.guid for entry in page.entries}) == 4


async def test_entries_without_guid_and_link_are_told_apart_by_title_and_date(read: Read) -> None:
    dates = [f"<pubDate>{day} Mar 2026 08:00:00 GMT</pubDate>" for day in (10, 11)]
    items = [f"<item><title>{title}</title>{day}</item>" for day in dates for title in ("Editorial", "Paper")]
    assert len((await read(rss(*items))).entries) == 4


async def test_an_entry_that_stands_there_twice_is_told(read: Read) -> None:
    other = item("Another", "https://lab.example/2", guid("2"))
    page = await read(
        rss(item(more=guid("1")), item(link="https://lab.example/1/?utm_source=x", more=guid("1")), other)
    )
    assert [(entry.listing.title, entry.sighting.position) for entry in page.entries] == [
        ("A Paper", 0),
        ("Another", 1),
    ]
    assert [(entry.what, entry.reason) for entry in page.repeats] == [
        ("A Paper https://lab.example/1/?utm_source=x", "same id in the feed as “A Paper”")
    ]


@pytest.mark.parametrize("reference", ["&#x110000;", "&#99999999999999999999;", "&#0;", "&bogus;", "\x07", "&"])
async def test_a_character_that_is_none_costs_itself(reference: str, read: Read) -> None:
    listing = only(await read(rss(POST.replace("Second", f"Second{reference}"))))
    assert listing.title == "Let's <think> about bold & more"


@pytest.mark.parametrize(
    "body",
    ["<!doctype html><title>We are down</title>", "", '{"items": 5}', "{", rss(POST)[:-40], "/etc/hostname"],
    ids=["html", "nothing", "no items", "no JSON", "cut short", "a file"],
)
async def test_what_is_no_feed_is_one_line_after_some_tries(body: str, read: Read, waits: list[float]) -> None:
    with pytest.raises(SourceError, match=r"\Afeed:http://\S+: 127\.0\.0\.1:\d+: .+ \(tried 5 times\)\Z"):
        await read(body)
    assert len(waits) == 4


async def test_entities_fetch_no_file_and_do_not_explode(read: Read) -> None:
    doctype = (
        '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    )
    body = rss("<item><title>Title &b; &f;</title></item>").replace("<rss", doctype + "<rss")
    assert "root" not in only(await read(body)).title


async def test_a_feed_on_a_private_address_is_refused(source: Build, httpserver: HTTPServer) -> None:
    feed = source("feed:" + httpserver.url_for("/feed.xml"), allow_private=False)
    with pytest.raises(SourceError, match=r"127\.0\.0\.1, which is not a public address"):
        await feed.read(DAY, now=NOW)
    assert not httpserver.log
