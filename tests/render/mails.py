"""Issues, pages and mails for the tests of rendering.

A small issue with its marks, as templates would write it, and its messages; then the samples with golden copies in
`golden/`, which the checkers and the browser read too.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from newsletter.core.choice import NOTHING
from newsletter.core.choosing import Chooser
from newsletter.core.delivery import Delivery, DeliveryState
from newsletter.core.issue import Issue, IssueListing
from newsletter.core.listing import Listing
from newsletter.core.machine_summary import SummaryShow
from newsletter.core.newsletter_list import Cadence, Masthead
from newsletter.core.pictures import Figure
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms
from newsletter.core.tokens import Links
from newsletter.core.topics import Topic
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.message import IssueMessage
from newsletter.render.issue.rendered import RenderedIssue
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.issue.view import issue_view
from newsletter.render.mime.addresses import Mailbox
from newsletter.render.mime.markers import Markers
from newsletter.render.mime.signing import Signer
from newsletter.render.mime.single import single_message
from tests import factories
from tests.render.signup_samples import signup_mails, signup_pages
from tests.render.summarised import summarised

DAY = date(2026, 3, 12)
MOMENT = datetime(2026, 3, 12, 8, 0, tzinfo=UTC)
LINKS = Links("https://papers.example.org", "a secret of 32 bytes for tests only")
POSTAL_ADDRESS = "1 Reading Lane\nBooktown"
TOPICS = {
    "agents": Topic(name="agents", keywords=("agent",)),
    "cells": Topic(name="cells", keywords=("cell",)),
}
SUBJECT = "Daily Papers, 12 March: Café “Crème” and 2 more"


def masthead(**changes: str) -> Masthead:
    values = {
        "list": "daily",
        "title": "Daily Papers",
        "sender": "Daily Papers <papers@example.org>",
        "postal_address": POSTAL_ADDRESS,
    }
    return Masthead(**(values | changes))  # type: ignore[arg-type]  # strings only


def issue(listings: int = 3, *, head: Masthead | None = None, subject: str = SUBJECT) -> Issue:
    """Return an issue of papers 0, 1, 2 …: the even ones are about agents, the third one about cells too."""
    words = {0: "agents", 1: "stars", 2: "agents in cells"}
    return Issue(
        key=1,
        number=1,
        subject=subject,
        frozen_at=MOMENT,
        terms=Terms(masthead=head or masthead(), stale_after=timedelta(hours=36), topics=TOPICS),
        day=DAY,
        candidates=listings,
        listings=tuple(
            IssueListing(
                key=position,
                rank=position + 1,
                listed_on=DAY,
                listing=Listing(
                    title=f"Paper {position} on {words.get(position % 3)}", url=f"https://example.org/{position}"
                ),
            )
            for position in range(listings)
        ),
    )


_SECTIONS = ("lead", "for_you", "also_today", "brief")


def html_page(of: Issue, marks: Markers) -> str:
    forms = "\n".join(
        f'{marks.form("line", position)}<tr><td style="color:#222222">'
        f'New: <h3><a href="{item.listing.url}" style="color:#1a5fb4" class="link">{item.listing.title}</a></h3>'
        f"{marks.when('matched')} matches {marks.slot('matched')}{marks.end()}</td></tr>{marks.end()}"
        for position, item in enumerate(of.listings)
    )
    rows = "\n".join(f"{marks.section(name)}{marks.run('line')}{marks.end()}{marks.end()}" for name in _SECTIONS)
    return f"""<!DOCTYPE html>
<html lang="en" dir="ltr"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>{marks.slot("subject")}</title>
<style>
@media (prefers-color-scheme: dark) {{
  .ground, .ground td {{ background-color: #101010 !important; color: #f0f0f0 !important }}
  .link {{ color: #99c1f1 !important }}
}}
</style></head>
<body class="ground" bgcolor="#ffffff" style="background-color:#ffffff">
{marks.when("name")}<p style="color:#222222" class="link">Hello {marks.slot("name")}</p>{marks.end()}
<table role="presentation" class="ground">
{rows}{forms}
</table>
<p class="link" style="color:#444444">{of.masthead.postal_address.replace(chr(10), "<br>")}
<a class="link" style="color:#1a5fb4" href="{marks.slot("unsubscribe_url")}">Leave</a> {marks.slot("email")}</p>
</body></html>
"""


def text_page(of: Issue, marks: Markers) -> str:
    forms = "".join(
        f"{marks.form('line', position)}{item.listing.title}\n"
        f"{marks.when('matched')}{marks.slot('matched')}\n{marks.end()}{item.listing.url}\n\n{marks.end()}"
        for position, item in enumerate(of.listings)
    )
    blocks = "".join(f"{marks.section(name)}{marks.run('line')}{marks.end()}{marks.end()}" for name in _SECTIONS)
    return (
        f"{marks.when('name')}Hello {marks.slot('name')},\n\n{marks.end()}{blocks}{forms}--\n"
        f"{of.masthead.postal_address}\nLeave:\n{marks.slot('unsubscribe_url')}\n"
    )


def rendered(of: Issue) -> RenderedIssue:
    html_marks, text_marks = Markers(html=True), Markers(html=False)
    return RenderedIssue(
        view=issue_view(of, str),
        html=html_page(of, html_marks),
        text=text_page(of, text_marks),
        html_markers=html_marks,
        text_markers=text_marks,
    )


def delivery(email: str = "reader@example.org", name: str = "", *, topics: tuple[str, ...] = ()) -> Delivery:
    """Return a delivery for which nothing is chosen yet: see `chosen`."""
    return Delivery(
        key=7,
        issue_key=1,
        subscriber_key=42,
        subscriber=Subscriber(list="daily", email=email, name=name, topics=topics),
        state=DeliveryState.SENDING,
        due_at=MOMENT,
    )


def chosen(of: Issue, to: Delivery, *, had: frozenset[int] = frozenset()) -> Delivery:
    """Return a delivery with what its reader gets of an issue; the subject of a part names all its papers."""
    assert isinstance(to.subscriber, Subscriber)
    choice = Chooser(of.listings, replace(of.terms, topics=of.terms.topics or TOPICS)).of(to.subscriber, had)
    if of.is_quiet:
        return to._replace(choice=NOTHING, subject=of.subject)
    part = [of.listings[position].listing.title for position in choice.positions]
    subject = of.subject if len(part) in {0, len(of.listings)} else ", ".join(part)
    return to._replace(choice=choice, subject=subject)


def message(
    of: Issue | None = None, *, links: Links = LINKS, signer: Signer | None = None, trial: bool = False
) -> IssueMessage:
    of = of or issue()
    return made_of(rendered(of), of, links=links, signer=signer, trial=trial)


def made_of(
    page: RenderedIssue, of: Issue, *, links: Links = LINKS, signer: Signer | None = None, trial: bool = False
) -> IssueMessage:
    """Return the message that rendered parts make."""
    return IssueMessage(of, page.stored(), links=links, signer=signer, trial=trial)


def mail(
    of: Issue | None = None, to: Delivery | None = None, *, links: Links = LINKS, signer: Signer | None = None
) -> bytes:
    """Return the final bytes of an issue for one reader."""
    of = of or issue()
    return message(of, links=links, signer=signer).for_reader(chosen(of, to or delivery()))[1]


READER = ("ada@example.org", "Ada Lovelace")


def sample_mail(name: str, renderer: TemplateRenderer, signer: Signer | None = None) -> bytes:
    """Return the mail of a sample issue to a reader who has chosen two topics; the subject is their lead."""
    of = issues()[name]
    reader = chosen(of, delivery(*READER, topics=tuple(SAMPLE_TOPICS)))
    if 0 < len(reader.choice.positions) < len(of.listings):
        reader = reader._replace(subject=of.listings[reader.choice.positions[0]].listing.title)
    return issue_mail(renderer, of, reader, signer=signer)


def issue_mail(
    renderer: TemplateRenderer,
    of: Issue,
    to: Delivery | None = None,
    *,
    links: Links = LINKS,
    signer: Signer | None = None,
) -> bytes:
    """Return the mail of an issue by the templates; None: to a reader without wishes."""
    mails = MailRenderer(renderer, links, signer)
    return mails.message(of, mails.render(of)).for_reader(to or chosen(of, delivery(*READER)))[1]


def single_mail(name: str, renderer: TemplateRenderer) -> bytes:
    """Return a sample mail to one person, such as `welcome`."""
    content = renderer.mail(name, single_mails()[name])
    return single_message(
        sender="Daily Papers <papers@example.org>",
        to=Mailbox("Ada Lovelace", "ada@example.org"),
        content=content,
        date=MOMENT,
        message_id="<1@example.org>",
    )


@cache
def rsa_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ed25519_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def pem(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def dns(name: bytes, timeout: int = 5) -> bytes:
    """Answer for the selectors `main` (RSA) and `second` (Ed25519), as a resolver would."""
    if name.startswith(b"main._domainkey.example.org"):
        public = rsa_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    assert name.startswith(b"second._domainkey.example.org")
    public = ed25519_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public)


WEB_URL = "https://papers.example.org/daily/2026-03-12"

_HEBREW = replace(
    factories.PAPERS[3],
    title="למידה עמוקה לזיהוי כתב יד עברי היסטורי",
    abstract=(
        "מאגר חדש של כתבי יד עבריים מאפשר לאמן מודלים לזיהוי תווים. "
        "אנו מציגים שיטה פשוטה המשיגה דיוק של 97% ומשחררים את הקוד."
    ),
    authors=("רות כהן", "דוד לוי", "Maria Rossi", "Ḥayim Nahman"),
    organization="האוניברסיטה העברית",
)
_CHINESE = replace(
    factories.PAPERS[5],
    title="面向低资源语言的语音识别",
    abstract="我们提出一种只需少量标注数据的语音识别方法，并在五种语言上验证了它的效果。代码已经公开。",
    arxiv_id="",
    authors=("王小明", "李华"),
    organization="清华大学",
)
_MATHEMATICS = (
    replace(
        factories.PAPERS[4],
        title="nabla^2DFT: A Universal Benchmark with Codebook Size 2^{128} for 360^circ Scenes",
        abstract=(
            r"We prove a rate of mathcal{O}(T^{-1/3}) and reach a 1.45times reduction, resulting in a 54.6\% "
            r"speedup. For an \textit{RL}-based policy, sim!30 FPS are enough (\"Ust\"un et al.). A prize of "
            "$1 Million stays prose, and 100% of snake_case files cost ~5 & 50%."
        ),
    ),
    replace(
        factories.PAPERS[5],
        title=r"Bounds on $\min \int_{\mathbb{R}^N} f(u,\nabla u)$ for texttt{D}ual-texttt{H}ead Models",
        abstract=r"With $m \gg n$ samples and V_{0.5}, let's <think> about the Journal de l'\'Ecole.",
    ),
)
_HOSTILE = Listing(
    title='<script>alert(1)</script> & "quotes" \' class="ink" %%slot.email%% {{ subject }}',
    summary='<img src=x onerror="alert(1)"> </p></td></table> <!-- comment --> &amp; {% raw %}',
    abstract="]]> <style>.ink{display:none}</style>\r\nBcc: all@example.org\r\n\x00\u202etxet\u2066 \ud800 end. "
    * 20,
    authors=("<b>Bobby</b>", "Robert'); DROP TABLE students;--", '" onmouseover="alert(1)'),
    organization="</title><script>",
    url="javascript:alert(document.cookie)",
    pdf_url="data:text/html,<script>alert(1)</script>",
    code_url='https://example.org/a"onclick="alert(1)?x=<b>&y=ü',
    project_url="https://example.org/two words",
    thumbnail_url="https://example.org/movie.mp4",
    discussion_url="HTTPS://example.org/ok?a=1&b=2#c",
)
_CROWD = replace(
    factories.PAPERS[1],
    title="A Very Large Collaboration Reports",
    authors=tuple(f"Author Number{number}" for number in range(1, 601)),
)


SAMPLE_TOPICS = {
    "language": Topic(name="language", keywords=("reward model",)),
    "scenes": Topic(name="scenes", keywords=("gaussian splatting",)),
}
_FIGURE = Figure(url="https://cdn.example.org/figures/2305.18290.png", width=1200, height=480)


def issues() -> dict[str, Issue]:
    """Return the sample issues by name."""
    return {
        "one": _open(_sample(factories.papers(1))),
        "short": _sample(factories.papers(4)),
        "twenty": _with_figure(_sample(factories.papers(46))),
        "sixty": _sample(factories.papers(60), most=0),
        "no_abstract": _sample(
            [replace(paper, abstract="", summary="", ai_summary="") for paper in factories.papers(3)]
        ),
        "bare_titles": _sample(
            [
                Listing(title=paper.title, abstract=paper.abstract, author_count=len(paper.authors))
                for paper in factories.papers(9)
            ]
        ),
        "six_hundred_authors": _sample([_CROWD, *factories.papers(2)]),
        "right_to_left": _sample([_HEBREW, *factories.papers(1)]),
        "mathematics": _sample(_MATHEMATICS),
        "hostile": _sample(
            [_HOSTILE, *factories.papers(1)],
            head=factories.masthead(title='"Best" <Papers> & more', intro="<i>Hi</i>", outro="A & B"),
            subject='"Best" <Papers> · <script>alert(1)</script> & "quotes"',
        ),
        "german": _open(
            _sample(factories.papers(9), head=factories.masthead(language="de", title="Neue Artikel"))
        ),
        "german_reader": _sample(factories.papers(4)).in_language("de"),  # of an English list
        "chinese": _week(
            _sample(
                [*factories.papers(8), _CHINESE],
                head=factories.masthead(
                    list="weekly",
                    language="zh-CN",
                    cadence=Cadence.WEEKLY,
                    title="每周论文",
                    intro="本周最受关注的论文。",
                ),
            )
        ),
        "summaries": summarised(_with_figure(_sample(factories.papers(46))), "en", "meta-llama/llama-3.3-70b"),
        "summaries_both": summarised(_sample(factories.papers(14)), "en", show=SummaryShow.BOTH),
        "summaries_german": summarised(
            _open(_sample(factories.papers(9), head=factories.masthead(language="de", title="Neue Artikel"))), "de"
        ),
        "summaries_arabic": summarised(_sample(factories.papers(4)), "ar", show=SummaryShow.BOTH),
        "summaries_chinese": summarised(
            _week(
                _sample(
                    [*factories.papers(8), _CHINESE],
                    head=factories.masthead(
                        list="weekly", language="zh-CN", cadence=Cadence.WEEKLY, title="每周论文"
                    ),
                )
            ),
            "zh-CN",
            "qwen3:8b",
        ),
        "quiet": _quiet(_sample(factories.papers(3), subject="No new papers today")),
        "weekly": _week(
            _sample(
                factories.papers(30),
                head=factories.masthead(
                    list="weekly",
                    cadence=Cadence.WEEKLY,
                    title="Weekly Papers",
                    intro="The week's best, picked by votes.",
                    outro="Reply to this mail to reach the editors.",
                    theme={"logo": "The Weekly", "accent": "#1a5f7a", "background": "#eef2f3", "pictures": "no"},
                ),
            )
        ),
    }


def _open(of: Issue) -> Issue:
    """Return an issue of a list that anybody may sign up for."""
    return replace(of, terms=replace(of.terms, is_open=True))


def _sample(
    papers: Sequence[Listing], *, most: int = 20, head: Masthead | None = None, subject: str = ""
) -> Issue:
    terms = factories.terms(masthead=head or factories.masthead(), topics=SAMPLE_TOPICS, max_listings=most)
    return factories.issue(papers, terms=terms, subject=subject or papers[0].title)


def _with_figure(issue: Issue) -> Issue:
    """Return an issue with a picture of the paper that leads for readers of `language`."""
    listings = (
        replace(item, figure=_FIGURE) if item.listing.arxiv_id == "2305.18290" else item for item in issue.listings
    )
    return replace(issue, listings=tuple(listings))


def _quiet(issue: Issue) -> Issue:
    """Return an issue of a day without news, which names three papers of earlier issues."""
    risen, also, discussed = issue.listings
    listings = (
        replace(risen, listed_on=DAY - timedelta(days=2), first_upvotes=(risen.upvotes or 0) // 3),
        replace(also, listed_on=DAY - timedelta(days=1), first_upvotes=(also.upvotes or 0) // 2),
        replace(discussed, listed_on=DAY - timedelta(days=1), first_upvotes=discussed.upvotes, comments=17),
    )
    return replace(issue, candidates=0, listings=listings)


def _week(issue: Issue) -> Issue:
    """Return an issue whose papers are of the days of a week, from before it too, and rose since."""
    listings = (
        replace(item, listed_on=DAY - timedelta(days=position % 8), first_upvotes=(item.upvotes or 0) // 2)
        for position, item in enumerate(issue.listings)
    )
    return replace(issue, listings=tuple(listings))


def single_mails() -> Mapping[str, dict[str, Any]]:
    """Return the values of one mail of each other kind, by its folder."""
    masthead = factories.masthead()
    return {
        "confirm": {
            "masthead": masthead,
            "email": "ada@example.org",
            "confirm_url": "https://papers.example.org/-/confirm/WyJhZGFAZXhhbXBsZS5vcmciXQ.aVn3xQ.u5e8Xk1",
            "valid_for": "7 days",
        },
        "welcome": {
            "masthead": masthead,
            "name": "Ada Lovelace",
            "email": "ada@example.org",
            "schedule": "every weekday at 08:00 (Europe/London)",
            "archive_url": "https://papers.example.org/daily",
            "preferences_url": "https://papers.example.org/-/preferences/MQ.x3Jt8q",
            "unsubscribe_url": "https://papers.example.org/-/unsubscribe/MQ.x3Jt8q",
        },
        "goodbye": {
            "masthead": masthead,
            "email": "ada@example.org",
            "signup_url": "https://papers.example.org/-/signup/daily",
        },
        "new_address": {
            "masthead": masthead,
            "email": "ada@example.org",
            "confirm_url": "https://papers.example.org/-/new-address/WyJhZGFAZXhhbXBsZS5vcmciXQ.aVn3xQ.u5e8Xk1",
            "days": 3,
        },
        "moved": {
            "masthead": masthead,
            "email": "ada@example.org",
            "new": "l•••@lab.example",
        },
        "alarm": {
            "masthead": masthead,
            "headline": "the issue of 12 March was not sent",
            "problem": "The relay refused the login, so nothing was handed over. 312 deliveries wait.",
            "details": [("Relay", "mail.example.org:587"), ("Answer", "535 5.7.8 Authentication failed")],
            "advice": "Check the user name and password; the next run sends what waits, to each reader once.",
            "is_over": False,
        },
        **signup_mails(),
    }


def pages() -> Mapping[str, dict[str, Any]]:
    """Return the values of the web pages, by name."""
    masthead = factories.masthead()
    reader = {"masthead": masthead, "email": "ada@example.org"}
    paper = {
        "masthead": masthead,
        "title": factories.PAPERS[0].title,
        "paper_url": factories.PAPERS[0].url,
        "lang": "",
    }
    return {
        **signup_pages(),
        "unsubscribe": {**reader, "has_weekly": True, "has_pause": True},
        "gone": {},
        "not_found": {},
        "test_copy": {},
        "feedback": {**paper, "wish": "more", "is_done": False},
    }


def feedback_states() -> list[dict[str, Any]]:
    """Return the values of the page `feedback` in all its states."""
    return [
        {**pages()["feedback"], "wish": wish, "is_done": is_done}
        for wish in ("more", "less", "undo")
        for is_done in (False, True)
    ]
