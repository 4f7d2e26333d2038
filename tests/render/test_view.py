from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from newsletter.core.listing import Listing
from newsletter.core.pictures import Figure
from newsletter.render.issue.view import BRIEF, ListingView, direction, image_link, issue_view, size, web_link
from tests import factories


def view_of(listing: Listing, **changes: Any) -> ListingView:
    item = factories.issue_listing(listing, **changes)
    return issue_view(replace(factories.issue(), listings=(item,)), str.strip).listings[0]


def test_the_source_s_summary_is_the_brief_paragraph() -> None:
    paper = factories.PAPERS[0]
    view = view_of(paper)
    assert view.brief == view.summary == paper.summary
    assert view.abstract == paper.abstract


def test_without_a_summary_the_abstract_is_cut_at_a_sentence() -> None:
    paper = factories.PAPERS[1]
    view = view_of(paper)
    assert paper.abstract.startswith(view.brief)
    assert BRIEF // 2 < len(view.brief) <= BRIEF
    assert view.brief.endswith(".")


def test_a_summary_that_repeats_the_abstract_is_said_once() -> None:
    view = view_of(Listing(title="A", abstract="The same.", summary="The same."))
    assert (view.summary, view.abstract, view.brief) == ("", "The same.", "The same.")


def test_a_summary_by_a_model_comes_with_a_label() -> None:
    view = view_of(Listing(title="A", abstract="By the authors.", ai_summary="By a model."))
    assert (view.ai_label, view.ai_summary, view.summary) == ("AI summary:", "By a model.", "")
    assert (view.brief_label, view.brief, view.abstract) == ("AI summary:", "By a model.", "By the authors.")


@pytest.mark.parametrize(
    "listing",
    [
        Listing(title="A", abstract="Theirs."),
        Listing(title="A", summary="Theirs."),
        Listing(title="A", summary="Theirs.", ai_summary="By a model."),
        Listing(title="A", abstract="Theirs.", ai_summary="Theirs."),
    ],
)
def test_what_people_wrote_has_no_label(listing: Listing) -> None:
    view = view_of(listing)
    assert (view.brief, view.brief_label) == ("Theirs.", "")


@pytest.mark.parametrize(
    ("width", "height", "shown"), [(600, 400, 536), (1200, 300, 536), (800, 800, 420), (1000, 1500, 280)]
)
def test_a_figure_is_as_wide_as_the_text_or_less_so_that_it_is_not_too_tall(
    width: int, height: int, shown: int
) -> None:
    figure = Figure(url="https://example.org/shot.png?a=1&b=2", width=width, height=height)
    view = view_of(Listing(title="A"), figure=figure)
    assert (view.figure_url, view.figure_width) == (figure.url, shown)
    assert view.figure_alt == "Figure shown with the paper"
    assert shown * height // width <= 420


def test_a_paper_without_a_figure_has_nothing_in_its_place() -> None:
    view = view_of(Listing(title="A", media_urls=("https://example.org/shot.png",)))
    assert (view.figure_url, view.figure_width, view.figure_alt) == ("", 0, "")


def test_what_the_source_and_a_model_say_alike_is_taken_for_the_model_s() -> None:
    view = view_of(Listing(title="A", summary="The same.", ai_summary="The same."))
    assert (view.summary, view.ai_summary, view.brief_label) == ("", "The same.", "AI summary:")


def test_votes_are_told_once_although_a_reason_names_them() -> None:
    paper = factories.PAPERS[0]
    assert view_of(paper, upvotes=128, reasons=("new",)).facts == ("128 upvotes", "new")
    assert view_of(paper, upvotes=128, reasons=("128 upvotes",)).facts == ("128 upvotes",)
    assert view_of(paper, upvotes=0, reasons=()).facts == ()
    assert view_of(paper, upvotes=None, reasons=("rose late",)).facts == ("rose late",)


def test_counts_are_words() -> None:
    view = view_of(factories.PAPERS[0], comments=1, stars=16_400)
    assert (view.comments, view.stars) == ("1 comment", "16.4k stars")
    assert view_of(factories.PAPERS[0], comments=0).comments == ""


def test_a_discussion_without_comments_is_not_linked() -> None:
    assert view_of(factories.PAPERS[0], comments=3).discussion_url
    assert not view_of(factories.PAPERS[0], comments=None).discussion_url


def test_a_paper_without_a_link_of_its_own_leads_to_arxiv_or_the_doi() -> None:
    assert view_of(Listing(title="A", arxiv_id="2606.13677")).url == "https://arxiv.org/abs/2606.13677"
    assert view_of(Listing(title="A", arxiv_id="2606.13677")).pdf_url == "https://arxiv.org/pdf/2606.13677"
    assert view_of(Listing(title="A", doi="10.1101/2020.1")).url == "https://doi.org/10.1101/2020.1"
    assert view_of(Listing(title="A", url="ftp://example.org/a")).url == ""


def test_the_year_of_a_paper_is_told_where_it_is_another() -> None:
    assert view_of(Listing(title="A", published_on=date(2026, 1, 2))).published == "2 Jan"
    assert view_of(Listing(title="A", published_on=date(2023, 3, 2))).published == "2 Mar 2023"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://example.org/a?b=1&c=2#d", "https://example.org/a?b=1&c=2#d"),
        (" http://example.org ", "http://example.org"),
        ("https://example.org/ü|[x]", "https://example.org/%C3%BC%7C%5Bx%5D"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.org/a", ""),
        ("https:///a", ""),
        ("https://example.org/a b", ""),
        ("https://[bad", ""),
        ("", ""),
    ],
)
def test_only_http_links_pass_and_in_ascii(url: str, link: str) -> None:
    assert web_link(url) == link


def test_pictures_are_https_and_still() -> None:
    assert image_link("https://example.org/a.jpeg?w=1") == "https://example.org/a.jpeg?w=1"
    assert not image_link("https://example.org/a.webm")
    assert not image_link("http://example.org/a.png")
    assert not image_link("https://example.org/a")


def test_the_size_of_an_issue_is_a_phrase() -> None:
    assert size(1, 1) == "is 1 new paper"
    assert size(3, 3) == "are 3 new papers"
    assert size(3, 46) == "are 3 of 46 new papers"


def test_the_preheader_adds_to_the_subject() -> None:
    assert issue_view(factories.issue(factories.papers(3)), str).preheader.startswith(
        "Also: Segment Anything · Direct"
    )
    only = issue_view(factories.issue(factories.papers(1)), str).preheader
    assert only.startswith(factories.PAPERS[0].summary[:50])
    written = issue_view(factories.issue([Listing(title="A", ai_summary="By a model.")]), str).preheader
    assert written == "AI summary: By a model."
    assert issue_view(factories.issue([]), str).preheader == ""


def test_long_issues_have_a_table_of_contents() -> None:
    assert not issue_view(factories.issue(factories.papers(11)), str).has_contents
    assert issue_view(factories.issue(factories.papers(12)), str).has_contents


def test_markup_is_made_readable_in_every_text() -> None:
    paper = replace(
        factories.PAPERS[0], title="a", abstract="b", summary="c", authors=("d",), organization="e", ai_summary="f"
    )
    view = issue_view(factories.issue([paper]), str.upper).listings[0]
    assert (view.title, view.abstract, view.summary, view.ai_summary) == ("A", "B", "C", "F")
    assert (view.authors, view.organization) == (("D",), "E")


def test_directions_follow_the_language() -> None:
    assert [direction(language) for language in ("en", "ar-EG", "HE", "de-AT")] == ["ltr", "rtl", "rtl", "ltr"]
