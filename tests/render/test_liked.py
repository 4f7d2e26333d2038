"""A paper that comes for one which the reader liked says so, in both parts of the mail."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.render.issue.renderer import TemplateRenderer
from tests.render import mails as make

LONG = "A very long title of a paper that goes on about its own length for longer than any reason may"


def parts(renderer: TemplateRenderer, *titles: str) -> list[str]:
    of = make.issues()["twenty"]
    reasons = tuple(Reason(ReasonKind.LIKED, title) for title in titles)
    choice = Choice((4, 0), (reasons, ()))
    message = make.made_of(renderer.issue(of, web_url=make.WEB_URL), of)
    raw = message.for_reader(make.delivery()._replace(choice=choice, subject="Papers"))[1]
    mail = message_from_bytes(raw, policy=default)
    bodies = (mail.get_body((kind,)) for kind in ("plain", "html"))
    return [" ".join(body.get_content().split()) for body in bodies if body]


def test_the_liked_paper_is_named_in_readable_words(renderer: TemplateRenderer) -> None:
    for part in parts(renderer, r"Sorting in $\mathcal{O}(n)$"):
        assert "like “Sorting in O(n)”" in part.replace("𝒪", "O")


def test_a_long_title_is_cut_between_words(renderer: TemplateRenderer) -> None:
    for part in parts(renderer, LONG):
        assert "like “A very long title of a" in part
        assert LONG not in part


def test_each_reason_is_a_chip_of_its_own_and_a_followed_author_is_named(renderer: TemplateRenderer) -> None:
    of = make.issues()["twenty"]
    authors = of.listings[4].listing.authors
    assert len(authors) > 3
    reasons = (Reason(ReasonKind.AUTHOR, authors[-1].upper()), Reason(ReasonKind.KEYWORD, "tables"))
    message = make.made_of(renderer.issue(of, web_url=make.WEB_URL), of)
    for positions in ((4, 0), (0, 4)):
        choice = Choice(positions, tuple(reasons if position == 4 else () for position in positions))
        raw = message.for_reader(make.delivery()._replace(choice=choice, subject="Papers"))[1]
        body = message_from_bytes(raw, policy=default).get_body(("html",))
        assert body is not None
        html = " ".join(body.get_content().replace("\xa0", " ").split())
        assert re.search(rf"you follow {authors[-1].upper()} ?</span> <span[^>]*> ?you follow tables", html)
        assert f'· <span dir="auto">{authors[-1]}</span>' in html
