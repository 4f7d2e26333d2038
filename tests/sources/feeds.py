"""Invented feeds in the shapes that arXiv and others publish."""

from __future__ import annotations

from xml.sax.saxutils import escape


def announced(
    number: int = 1,
    *,
    kind: str = "new",
    creators: str = "Ada Example, Bo Beispiel",
    abstract: str = "We announce.",
) -> str:
    """Return an item of arXiv's daily RSS."""
    return f"""<item>
      <title>Announced Paper {number} with $x^2$</title>
      <link>https://arxiv.org/abs/2603.{number:05d}</link>
      <description>arXiv:2603.{number:05d}v1 Announce Type: {kind} \nAbstract: {escape(abstract)}</description>
      <guid isPermaLink="false">oai:arXiv.org:2603.{number:05d}v1</guid>
      <category>cs.CL</category>
      <category>cs.LG</category>
      <pubDate>Thu, 12 Mar 2026 00:00:00 -0400</pubDate>
      <arxiv:announce_type>{kind}</arxiv:announce_type>
      <dc:creator>{escape(creators)}</dc:creator>
    </item>"""


def rss(*items: str, title: str = "cs.CL updates on arXiv.org") -> str:
    """Return an RSS feed of these items."""
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
     xmlns:media="http://search.yahoo.com/mrss/" xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"
     version="2.0">
  <channel><title>{title}</title><link>https://example.org/</link>{"".join(items)}</channel>
</rss>"""


def found(number: int = 1) -> str:
    """Return an entry of arXiv's search API."""
    return f"""<entry>
    <id>http://arxiv.org/abs/2603.{number:05d}v3</id>
    <title>Found Paper {number}\n  on Two Lines</title>
    <updated>2026-03-11T17:59:56Z</updated>
    <published>2026-03-09T17:59:56Z</published>
    <link href="https://arxiv.org/abs/2603.{number:05d}v3" rel="alternate" type="text/html"/>
    <summary>We search, and find a &lt; b.</summary>
    <category term="cs.AI" scheme="http://arxiv.org/schemas/atom"/>
    <category term="hep-th" scheme="http://arxiv.org/schemas/atom"/>
    <arxiv:comment>12 pages. Code: https://github.com/example/found.</arxiv:comment>
    <arxiv:primary_category term="hep-th"/>
    <arxiv:doi>10.1000/XYZ.{number}</arxiv:doi>
    <author><name>Ada Example</name></author>
    <author><name>Bo Beispiel</name></author>
  </entry>"""


def refused(reason: str) -> str:
    """Return the entry in which the search API says that it did not understand."""
    return f"""<entry><id>https://arxiv.org/api/errors#x</id><title>Error</title><summary>{reason}</summary></entry>"""


def results(*entries: str, total: int | None = None) -> str:
    """Return an answer of arXiv's search API."""
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom"
      xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/x</id><title>arXiv Query</title><updated>2026-03-12T00:00:00Z</updated>
  <opensearch:totalResults>{len(entries) if total is None else total}</opensearch:totalResults>
  {"".join(entries)}
</feed>"""
