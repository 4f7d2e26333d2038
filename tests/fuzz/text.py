"""Texts of papers, and what is made of them on the way into a mail."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from functools import partial

from newsletter.core import topics
from newsletter.core.errors import RenderError
from newsletter.core.follows import Follows, read_follow
from newsletter.core.identity import identities
from newsletter.core.interest import Interests
from newsletter.core.listing import Listing
from newsletter.core.searching import SearchIndex
from newsletter.core.text import one_line
from newsletter.core.titles import normalised_title
from newsletter.core.tokens import Links
from newsletter.render.issue.clauses import brief, clause, columns, cut
from newsletter.render.issue.mathtext import readable
from newsletter.render.issue.sentences import cut_at_sentence, gist, passage
from newsletter.render.issue.view import web_link
from newsletter.render.issue.words import wrapped
from newsletter.render.mime import headers
from newsletter.render.mime.addresses import Mailbox
from newsletter.sources.arxiv import author_names
from newsletter.sources.reading import records
from newsletter.sources.reading.plaintext import plain
from tests.fuzz.target import Target, text_target

_ABSTRACTS = (
    r"A rate of $\mathcal{O}(T^{-1/3})$ and a \textit{RL} bound \(x_1 \le 2\), \"Ust\"un et al.~\cite{a}.",
    "mathcal{O}(n^2) and 1.45times reduction, sim!30 FPS, 360^circ, left( m{varepsilon^2} right) of $5 to $10.",
    "``Quoted'' text -- and---dashes, `code`, https://example.org/a_b{x}, me@example.org, C:\\path, ~/x and 50%.",
    r"\begin{equation} \frac{a}{b} \sqrt[3]{x} \href{https://a.b/c}{d} \footnote{e} \binom{n}{k} \end{equation}",
)
_HTML = (
    "<p>Some <em>words</em> &amp; more &lt;a&gt; &#x41;.</p><!-- no --><script>x</script><jats:p>y</jats:p>",
    "<![CDATA[<div class='a'>b</div>]]> let's <think> a < b, <img src=x onerror='y'>",
)
_NAMES = ("Ada Example (1 and 2), Bo Beispiel (Example, Inc.), $x$ Y", "Last, F.; Other, G. H.")
_ADDRESSES = (
    *("https://arxiv.org/abs/2603.00001v2", "10.1101/2026.03.01.123456v1.full.pdf", "arXiv:math.GT/0309136"),
    *("https://example.org:80/a/?utm_source=x&b=1#c", "https://doi.org/10.1145/12345.678", "http://[::1]/%41"),
)
_MAILBOXES = ("Daily Papers <papers@example.org>", '"A \\" B" <a@example.org>', "a@bücher.example")
_LINKS = Links("https://papers.example.org", "a key of the tests")
_TOKENS = (_LINKS.unsubscribe(7).rpartition("/")[2], _LINKS.bounce_address("b@example.org", 7))


def _readable(text: str) -> None:
    read = readable(text)
    assert len(read) <= 2 * len(text) + 16, f"{len(text):,} characters have become {len(read):,}"
    made = {char for char in read if unicodedata.category(char) in {"Cc", "Cf"}} - set(text)
    assert not made, f"made control characters {made}"


def _identified(text: str) -> None:
    for identity in identities(arxiv=text, doi_=text, urls=(text,), title=text):
        assert str(identity)


def _matched(text: str) -> None:
    papers = [Listing(title=text, abstract=text, authors=(text,), organization=text, keywords=(text,))]
    topic = topics.Topic(
        name="t", keywords=("graph", text), authors=(text,), organizations=(text,), exclude=("x y",)
    )
    index = SearchIndex(papers)
    topics.matches(index, {"t": topic})
    Interests(index).scores(text)
    for kind in ("author", "organization", "keyword"):
        with suppress(ValueError):  # a text without a letter names nobody
            Follows(index).matching(read_follow(f"{kind}: {text}"))


def _field(text: str) -> None:
    for line in headers.text("Subject", text).split(b"\r\n")[1:-1]:
        assert line.startswith(b" ")
    assert one_line(text) == one_line(one_line(text))


def _mailbox(text: str) -> None:
    field = headers.mailbox("To", Mailbox.parse(text)) + headers.mailbox("To", Mailbox(text, "a@example.org"))
    assert b"\n" not in field.replace(b"\r\n ", b"").removesuffix(b"\r\n").replace(b"\r\nTo:", b"")


def _linked(text: str) -> None:
    for link in (
        web_link(text),
        records.link(text, "https://example.org/feed"),
        records.link(text),
    ):
        assert not set(link) & set(' \n<>"'), link
    records.image(text)
    records.day_of(text)


def _laid_out(text: str) -> None:
    assert "".join(wrapped(text, 4).split()) == "".join(text.split())
    assert columns(cut(text, 72)) <= 72
    assert columns(clause(text, 150)) <= 150
    assert columns(brief(text[:80], text, 65)) <= 65
    assert columns(passage(text)) <= 600
    assert len(gist(text)) <= len(text) + 2  # a letter may be two in capitals
    assert columns(cut_at_sentence(text, 480)) <= 480


def _opened(text: str) -> None:
    assert _LINKS.read_unsubscribe(text) in {None, 7}
    assert _LINKS.read_delivery_mark(text) in {None, 7}


TARGETS: tuple[Target, ...] = (
    text_target("mathtext", "mathtext", _readable, _ABSTRACTS),
    text_target("html", "text", plain, _HTML),
    text_target("names", "text", author_names, _NAMES),
    text_target("clean", "text", partial(records.text, limit=records.ABSTRACT), _ABSTRACTS),
    text_target("titles", "text", normalised_title, _ABSTRACTS),
    text_target("identity", "text", _identified, (*_ADDRESSES, *_ABSTRACTS)),
    text_target("topics", "text", _matched, _ABSTRACTS),
    text_target("layout", "text", _laid_out, _ABSTRACTS),
    text_target("headers", "text", _field, (*_ABSTRACTS, *_MAILBOXES)),
    text_target("mailboxes", "text", _mailbox, _MAILBOXES, documented=(RenderError,)),
    text_target("links", "text", _linked, _ADDRESSES),
    text_target("tokens", "tokens", _opened, _TOKENS),
)
