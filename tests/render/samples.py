"""The issues and mails whose golden copies stand in `golden/`, and which the checkers and the browser look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from newsletter.core.issue import Issue
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence
from tests import factories

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


def issues() -> dict[str, Issue]:
    """Return the sample issues by name."""
    issue = factories.issue
    return {
        "one": issue(factories.papers(1)),
        "twenty": issue(factories.papers(20), candidates=46),
        "sixty": issue(factories.papers(60)),
        "no_abstract": issue(
            [replace(paper, abstract="", summary="", ai_summary="") for paper in factories.papers(3)]
        ),
        "bare_titles": issue(
            Listing(title=paper.title, abstract=paper.abstract, author_count=len(paper.authors))
            for paper in factories.papers(3)
        ),
        "six_hundred_authors": issue([_CROWD, *factories.papers(2)]),
        "right_to_left": issue([_HEBREW, *factories.papers(1)]),
        "mathematics": issue(_MATHEMATICS),
        "hostile": issue(
            [_HOSTILE, *factories.papers(1)],
            masthead=factories.masthead(title='"Best" <Papers> & more', intro="<i>Hi</i>", outro="A & B"),
            subject='"Best" <Papers> · <script>alert(1)</script> & "quotes"',
        ),
        "weekly": issue(
            factories.papers(12),
            masthead=factories.masthead(
                list="weekly",
                cadence=Cadence.WEEKLY,
                title="Weekly Papers",
                intro="The week's best, picked by votes.",
                outro="Reply to this mail to reach the editors.",
                theme={"logo": "The Weekly", "accent": "#1a5f7a", "background": "#eef2f3", "thumbnails": "no"},
            ),
        ),
    }


def mails() -> Mapping[str, dict[str, Any]]:
    """Return the values of one mail of each other kind, by its folder."""
    masthead = factories.masthead()
    return {
        "confirm": {
            "masthead": masthead,
            "email": "ada@example.org",
            "confirm_url": "https://papers.example.org/confirm/WyJhZGFAZXhhbXBsZS5vcmciXQ.aVn3xQ.u5e8Xk1",
            "valid_for": "7 days",
        },
        "welcome": {
            "masthead": masthead,
            "name": "Ada Lovelace",
            "email": "ada@example.org",
            "schedule": "every weekday at 08:00 (Europe/London)",
            "archive_url": "https://papers.example.org/daily",
            "preferences_url": "https://papers.example.org/preferences/MQ.x3Jt8q",
            "unsubscribe_url": "https://papers.example.org/unsubscribe/MQ.x3Jt8q",
        },
        "goodbye": {
            "masthead": masthead,
            "email": "ada@example.org",
            "signup_url": "https://papers.example.org/daily/subscribe",
        },
        "alarm": {
            "masthead": masthead,
            "headline": "the issue of 12 March was not sent",
            "problem": "The relay refused the login, so nothing was handed over. 312 deliveries wait.",
            "details": [("Relay", "mail.example.org:587"), ("Answer", "535 5.7.8 Authentication failed")],
            "advice": "Check the user name and password; the next run sends what waits, to each reader once.",
        },
    }


def pages() -> Mapping[str, dict[str, Any]]:
    """Return the values of the web pages, by name."""
    reader = {"masthead": factories.masthead(), "email": "ada@example.org"}
    return {"page": {}, "unsubscribe": reader, "unsubscribed": reader, "gone": {}, "not_found": {}}
