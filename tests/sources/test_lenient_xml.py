"""What feeds look like in the field, each as a small document of its own."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.feed import read_feed
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.lenient_xml import read_xml
from newsletter.sources.reading.records import Seen
from newsletter.sources.reading.syndication import parse_feed

MATH = 'xmlns:mml="http://www.w3.org/1998/Math/MathML"'


def rss(*items: str, head: str = '<?xml version="1.0"?>', attributes: str = "") -> str:
    return f'{head}<rss version="2.0" {attributes}><channel><title>F</title>{"".join(items)}</channel></rss>'


def item(title: str, more: str = "", *, link: str = "https://example.org/1") -> str:
    return f"<item><title>{title}</title><link>{link}</link>{more}</item>"


def atom(*entries: str) -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>{"".join(entries)}</feed>'


def entry(title: str, more: str = "") -> str:
    return f'<entry>{title}<link href="https://example.org/1"/><id>urn:1</id>{more}</entry>'


def seen(body: str | bytes, *, charset: str = "", url: str = "https://example.org/feeds/all.xml") -> list[Seen]:
    content = body.encode() if isinstance(body, str) else body
    found = read_feed(Document(content=content, url=url, charset=charset))
    assert all(isinstance(paper, Seen) for paper in found), found
    return [paper for paper in found if isinstance(paper, Seen)]


def titles(body: str | bytes, **how: str) -> list[str]:
    return [paper.listing.title for paper in seen(body, **how)]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("R&D of codes, AT&T labs", "R&D of codes, AT&T labs"),
        ("R&amp;D at AT&amp;T", "R&D at AT&T"),
        ("A & B && C &", "A & B && C &"),
        ("Q&A; more & more;", "Q&A; more & more;"),
        ("x?a=1&copy=2&lt=3", "x?a=1&copy=2&lt=3"),
        ("caf&eacute; &ndash; &#8211; &#x2013;", "café – – –"),
        ("&bogus; &#x110000; &#99999999999;", "&bogus; \ufffd &#99999999999;"),
        ("<![CDATA[R&D <i>in</i> labs]]>", "R&D in labs"),
        ("<![CDATA[Caf&eacute; R&D]]>", "Café R&D"),
        ("p<0.05 and a < b", "p<0.05 and a < b"),
        ("On <i>E. coli</i>", "On E. coli"),
        ("Let's <think> twice", "Let's <think> twice"),
        ("What the &lt;s&gt; token does in a &lt;table&gt;", "What the <s> token does in a <table>"),
        ("The role of &lt;i&gt;in vitro&lt;/i&gt; tests", "The role of in vitro tests"),
        (f"On <mml:math {MATH}><mml:mi>x</mml:mi><mml:mo>+</mml:mo></mml:math> sets", "On x+ sets"),
        ("On &lt;mml:math&gt;&lt;mml:mi&gt;x&lt;/mml:mi&gt;&lt;/mml:math&gt; sets", "On x sets"),
        ("On &lt;m:mi&gt;x&lt;/m:mi&gt;", "On x"),
        ("C &lt;-&gt; D", "C <-> D"),
    ],
)
def test_titles_read_as_they_were_meant(written: str, title: str) -> None:
    assert titles(rss(item(written))) == [title]


@pytest.mark.parametrize(
    ("element", "title"),
    [
        ("<title>The HTML &lt;pre&gt; element</title>", "The HTML <pre> element"),
        ('<title type="text">An &lt;s&gt; in &lt;b&gt;x&lt;/b&gt;</title>', "An <s> in <b>x</b>"),
        ('<title type="html">An &lt;b&gt;x&lt;/b&gt; &amp;amp; y</title>', "An x & y"),
        ('<title type="text/html">An &lt;b&gt;x&lt;/b&gt;</title>', "An x"),
        ('<title type="text">AT&amp;amp;T</title>', "AT&amp;T"),
        ("<title><![CDATA[<b>]]></title>", "<b>"),
        (
            '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">An <b>x</b> &lt; y</div></title>',
            "An x < y",
        ),
    ],
)
def test_a_title_of_atom_is_what_its_type_says(element: str, title: str) -> None:
    assert titles(atom(entry(element))) == [title]


def test_a_text_of_atom_without_a_type_is_no_html() -> None:
    body = atom(entry("<title>A</title>", "<summary>If a &lt;b&gt; c</summary>"))
    assert [paper.listing.abstract for paper in seen(body)] == ["If a <b> c"]
    body = atom(entry("<title>A</title>", '<content type="html">If &lt;b&gt;a&lt;/b&gt;</content>'))
    assert [paper.listing.abstract for paper in seen(body)] == ["If a"]


@pytest.mark.parametrize(
    "body",
    [
        rss(item("A"), item("B")) + "junk <b> & more" * 1000,
        rss(item("A"), item("B")) + "\n<!-- cached at 12:00 -->\n<script>x</script>",
        "\n\n  " + rss(item("A"), item("B")),
        "<br />\n<b>Warning</b>: mysql_connect() in <b>x.php</b><br />" + rss(item("A"), item("B")),
        "\ufeff" + rss(item("A"), item("B")),
        rss(item("A", "<description>one<br>two<p>three</description><guid>1</guid>"), item("B")),
        rss(item("A", "<description>one</b> two</i></description>"), item("B")),
        rss(item("A")[: -len("</item>")], item("B")),
        rss(item("A", "<description><![CDATA[<p>]]></description>"), item("B")),
        rss(item("A", "<x:y>undeclared</x:y>"), item("B")),
        rss(
            item("A", "<media:title>C</media:title><media:description>Of a film</media:description>"),
            item("B"),
        ),
        rss(item("A"), item("B")).replace("<channel>", "<channel><!-- a > b -->"),
        rss(item("A"), item("B"), head='<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "<b>">]>'),
        rss(item("A"), item("B")).replace("rss", "RSS").replace("item>", "ITEM>"),
        rss(item("A", "\x00\x07\x1b"), item("B")),
        rss(item("A", "<authors><a>x</a></authors><author>y</author>"), item("B")),
    ],
    ids=range(16),
)
def test_what_is_wrong_costs_itself_alone(body: str) -> None:
    assert titles(body) == ["A", "B"]


def test_what_stands_behind_an_open_tag_belongs_to_its_own_entry() -> None:
    first, second = seen(
        rss(
            item("A", "<description>one<br>two</description><category>x</category>"),
            item("B", "<description>three</description>", link="https://example.org/2"),
        )
    )
    assert (first.listing.abstract, first.listing.categories) == ("one two", ("x",))
    assert (second.listing.abstract, second.listing.url) == ("three", "https://example.org/2")


def test_the_words_of_a_film_are_no_abstract() -> None:
    media = 'xmlns:media="http://search.yahoo.com/mrss/"'
    more = (
        "<description>The abstract.</description><media:content url='https://example.org/a.png'>"
        "<media:description>A picture of the lab</media:description><media:title>Picture</media:title>"
        "<media:thumbnail url='/t.png'/></media:content><media:description>More</media:description>"
    )
    (paper,) = seen(rss(item("A", more), attributes=media))
    assert (paper.listing.title, paper.listing.abstract) == ("A", "The abstract.")
    assert paper.listing.thumbnail_url == "https://example.org/t.png"


@pytest.mark.parametrize(
    ("codec", "declared", "charset"),
    [
        ("utf-8", "", ""),
        ("utf-8-sig", "", "iso-8859-1"),
        ("utf-8", "iso-8859-1", "us-ascii"),
        ("utf-16", "utf-16", ""),
        ("utf-16-le", "utf-16", ""),
        ("utf-16-be", "", ""),
        ("utf-32", "", ""),
        ("iso-8859-1", "ISO-8859-1", ""),
        ("cp1252", "", "iso-8859-1"),
        ("cp1252", "windows-1252", "utf-8"),
        ("cp1252", "", ""),
        ("cp1252", "utf-8", ""),
        ("cp1252", "punycode", "zlib"),
        ("iso-8859-15", "iso-8859-15", ""),
    ],
)
def test_feeds_are_read_in_whatever_encoding(codec: str, declared: str, charset: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else '<?xml version="1.0"?>'
    body = rss(item("Über naïve Codes"), head=head).encode(codec)
    assert titles(body, charset=charset) == ["Über naïve Codes"]


@pytest.mark.parametrize(
    ("codec", "name", "title"),
    [
        ("cp1251", "windows-1251", "Разреженные коды"),
        ("koi8-r", "koi8-r", "Разреженные коды"),
        ("gb18030", "gb2312", "稀疏编码"),
        ("shift_jis", "Shift_JIS", "疎な符号"),
        ("iso2022_jp", "iso-2022-jp", "疎な符号"),
        ("euc_jp", "euc-jp", "疎な符号"),
        ("euc_kr", "ks_c_5601-1987", "희소 부호"),
        ("big5", "big5", "稀疏編碼"),
        ("cp1254", "iso-8859-9", "Seyrek şifreler"),
        ("iso-8859-2", "iso-8859-2", "Řídké kódy"),
    ],
)
@pytest.mark.parametrize("where", ["declaration", "header"])
def test_scripts_of_the_world_are_read(codec: str, name: str, title: str, where: str) -> None:
    head = f'<?xml version="1.0" encoding="{name}"?>' if where == "declaration" else '<?xml version="1.0"?>'
    body = rss(item(title), head=head).encode(codec)
    assert titles(body, charset=name if where == "header" else "") == [title]


@pytest.mark.parametrize("bad", [b"\xff", b"\xe9", b"\xc3", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\x80"])
@pytest.mark.parametrize("head", ['<?xml version="1.0" encoding="UTF-8"?>', ""])
def test_one_bad_byte_costs_no_other_letter(bad: bytes, head: str) -> None:
    body = rss(item("Über naïve Codes", "<description>Abstract @ 1.</description>"), head=head).encode()
    (paper,) = seen(body.replace(b"@", bad))
    assert paper.listing.title == "Über naïve Codes"
    assert paper.listing.abstract.startswith("Abstract ")
    assert paper.listing.abstract.endswith(" 1.")


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("posts/one.html", "https://example.org/feeds/posts/one.html"),
        ("/one", "https://example.org/one"),
        ("?id=1", "https://example.org/feeds/all.xml?id=1"),
        ("//other.example/one", "https://other.example/one"),
        ("\n  https://example.org/o\n  ne \n", "https://example.org/o  ne".replace(" ", "%20")),
        ("https://example.org/wiki/Bayes'_theorem", "https://example.org/wiki/Bayes'_theorem"),
        ("https://example.org/a?x=1&y=2&copy=3", "https://example.org/a?x=1&y=2&copy=3"),
        ("<![CDATA[https://example.org/a?x=1&y=2]]>", "https://example.org/a?x=1&y=2"),
    ],
)
def test_links_lead_where_they_should(link: str, url: str) -> None:
    assert [paper.listing.url for paper in seen(rss(item("A", link=link)))] == [url]


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ('<link href="one"/>', "https://example.org/feeds/one"),
        ('<link href="e" rel="edit"/><link href="one"/>', "https://example.org/feeds/one"),
        (
            '<link href="j" type="application/json"/><link href="one" type="text/html"/>',
            "https://example.org/feeds/one",
        ),
        ('<link xml:base="https://other.example/" href="one"/>', "https://other.example/one"),
        (
            '<link rel="http://www.iana.org/assignments/relation/alternate" href="one"/>',
            "https://example.org/feeds/one",
        ),
        ("<id>https://example.org/id</id>", "https://example.org/id"),
        ("<id>urn:1</id>", ""),
    ],
)
def test_the_link_of_an_atom_entry_is_the_page(more: str, url: str) -> None:
    assert [paper.listing.url for paper in seen(atom(f"<entry><title>A</title>{more}</entry>"))] == [url]


def test_a_base_counts_within_its_element() -> None:
    body = atom('<entry xml:base="https://other.example/x/"><title>A</title><link href="one"/></entry>')
    assert [paper.listing.url for paper in seen(body.replace("<feed", '<feed xml:base="/y/"'))] == [
        "https://other.example/x/one"
    ]


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ("<author>ada@example.org (Ada Example)</author>", ("Ada Example",)),
        ("<dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator><author>x@y.z</author>", ("Ada", "Bo")),
        ("<author><name>Ada</name></author>", ("Ada",)),
        ("<itunes:author>Ada</itunes:author>", ("Ada",)),
        ("<authors a='b'/><author>y</author>", ("y",)),
        ("<author/>", ()),
    ],
)
def test_authors_are_found(more: str, names: tuple[str, ...]) -> None:
    assert [paper.listing.authors for paper in seen(rss(item("A", more)))] == [names]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<!doctype html><html><body><rss></body></html>", "it is a web page"),
        ("<html><title>Down</title>", "it is a web page"),
        ("", "not a feed"),
        ("just words & more", "not a feed"),
        (rss(item("A"))[:-40], "cut short"),
        (rss(item("A"))[:-3], "cut short"),
    ],
)
def test_what_is_no_whole_feed_says_why(body: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_feed(Document(content=body.encode()))


N = 100_000
HOSTILE = {
    "author": rss(item("A", f"<author>{'a' * 4 * N}</author>")),
    "mail": rss(item("A", f"<author>{'a@' * N}</author>")),
    "creator": rss(item("A", f"<dc:creator>{'$x' * N}</dc:creator>")),
    "brackets": rss(item("A", f"<author>{'(' * 4 * N}</author>")),
    "attributes": rss(item("A"), attributes=" ".join(f"a{n}='x'" for n in range(N))),
    "namespaces": rss(item("A"), attributes=" ".join(f"xmlns:a{n}='x'" for n in range(N))),
    "long name": rss(item("A"), attributes="a" * 4 * N),
    "long names": rss(item("A"), attributes="a:" * N + "=" * N),
    "quotes of names": rss(item("A"), attributes="a='b" * N),
    "announcements": rss(item("A", f"<description>{' ' * 2 * N}arXiv:{' ' * N}</description>")),
    "open tags": rss(item("A" + "<a b" * N)),
    "open quotes": rss(item("A" + '<a "' * N)),
    "mixed quotes": rss(item("A" + "<a '\"" * N)),
    "escaped tags": rss(item("A" + "&lt;a b" * N)),
    "nested": rss(item("A" + "<a>" * N)),
    "nested names": rss(item("A" + "".join(f"<a{n}>" for n in range(N // 4)))),
    "ends": rss(item("A" + "</a>" * N)),
    "ampersands": rss(item("A" + "&a" * N)),
    "digits": rss(item(f"A &#{'9' * N};")),
    "comments": rss(item("A", "<!--a-->" * N)),
    "sections": rss(item("A", "<![CDATA[a]]>" * N)),
    "declarations": rss(item("A"), head="<!DOCTYPE x [" + "<!ENTITY a 'b'>" * N + "]>"),
    "scripts": rss(item("A", f"<description>{'&lt;script&gt;' * N}</description>")),
    "formulas": rss(item("A", f"<description>{'&lt;mml:annotation' * N}</description>")),
    "dates": rss(item("A", f"<pubDate>{'1 ' * N}</pubDate>")),
    "links": rss(item("A", link="http://" * N)),
    "hosts": rss(item("A", link=f"http://{'ü' * 1900}.de/")),
    "spaces": rss(item("A" + " " * 4 * N)),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_time_grows_with_length_and_no_faster(body: str) -> None:
    """Whatever took a parser seconds or minutes takes this one a fraction of a second."""
    began = time.process_time()
    assert titles(body)[0].startswith("A")
    # As a rule it is a tenth of a second. Coverage, which looks at each line, takes ten times as long.
    assert time.process_time() - began < (15 if "coverage" in sys.modules else 2)


@pytest.mark.parametrize(
    "body", ["<feed <item><item>", '<rss a="<item><item></item>', "<entry/><feed <entry><entry>"]
)
def test_a_root_of_an_entrys_name_is_no_feed(body: str) -> None:
    with pytest.raises(ValueError, match=r"cut short|not a feed|no element"):
        parse_feed(Document(content=body.encode()))


def test_too_many_elements_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 500,000 elements"):
        parse_feed(Document(content=rss("<a/>" * 500_001).encode()))


@given(st.text(alphabet="<>/!?[]-&;#\"'= abit:xmlnsCDATA"))
def test_any_text_gives_a_tree_or_says_why_not(text: str) -> None:
    for body in (text, rss(item(text)), atom(entry(f"<title>{text}</title>"))):
        try:
            root = read_xml(body, prefixes={}, alone=frozenset({"item", "entry"}))
        except ValueError:
            continue
        root.markup()
        assert len(root.text()) <= len(body)


def test_a_namespace_is_known_by_its_address_whatever_its_prefix() -> None:
    body = (
        '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>F</a:title>'
        '<a:entry><a:title>Held by a prefix</a:title><a:id>urn:1</a:id><a:link href="https://example.org/1"/>'
        "<a:author><a:name>Ada Example</a:name></a:author></a:entry></a:feed>"
    )
    for prefix in ("a", "atom", "ns0", "A10", "dc"):
        named = body.replace("a:", f"{prefix}:").replace("xmlns:a=", f"xmlns:{prefix}=")
        (paper,) = seen(named)
        assert paper.listing.title == "Held by a prefix"
        assert [str(author) for author in paper.listing.authors] == ["Ada Example"]


def test_a_link_of_atom_in_an_rss_entry_stands_where_rss_gives_none() -> None:
    own = '<a:link rel="alternate" href="https://example.org/7"/>'
    body = rss(f"<item><title>One</title>{own}</item>", attributes='xmlns:a="http://www.w3.org/2005/Atom"')
    assert [paper.listing.url for paper in seen(body)] == ["https://example.org/7"]


@pytest.mark.parametrize("root", ["a:feed", "x:rss", "soap:feed"])
def test_a_root_of_a_prefix_that_nobody_declares_is_a_failure_not_an_empty_feed(root: str) -> None:
    body = f"<{root}><a:entry><a:title>Lost</a:title></a:entry></{root}>"
    with pytest.raises(ValueError, match=f"<{root}> is of no namespace"):
        parse_feed(Document(content=body.encode()))
