from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence
from newsletter.core.pictures import Figure
from newsletter.core.rendering import Writer
from newsletter.render.issue.language import direction
from newsletter.render.issue.view import ListingView, issue_view, web_link
from tests import factories
from tests.factories import DAY


def view_of(listing: Listing, **changes: Any) -> ListingView:
    item = factories.issue_listing(listing, **changes)
    return issue_view(replace(factories.issue(), listings=(item,)), str.strip).listings[0]


def test_the_source_s_summary_is_what_is_shown_first() -> None:
    paper = factories.PAPERS[0]
    view = view_of(paper)
    assert view.wording.standfirst == view.summary == paper.summary
    assert view.abstract == paper.abstract
    assert view.wording.writer is Writer.SOURCE


def test_without_a_summary_the_abstract_says_what_was_done() -> None:
    abstract = f"Stars matter. We show that they fade. {'And so on and on. ' * 90}"
    wording = view_of(Listing(title="A", abstract=abstract)).wording
    assert (wording.standfirst, wording.writer) == ("", Writer.AUTHORS)
    assert wording.short == wording.line == wording.text_line == "We show that they fade."
    assert wording.passage.startswith("Stars matter. We show that they fade.")


def test_texts_have_the_length_that_a_mail_has_room_for() -> None:
    wording = view_of(
        Listing(title="T" * 80, abstract=factories.text("We show a lot.", 5000), ai_summary="Word " * 400)
    ).wording
    assert len(wording.standfirst) <= 400
    assert len(wording.short) <= 150
    assert len(wording.line) <= 70
    assert len(wording.text_short) <= 190
    assert len(wording.text_line) <= 65
    assert len(wording.passage) <= 420


def test_without_any_text_there_is_none() -> None:
    wording = view_of(Listing(title="A")).wording
    assert {wording.standfirst, wording.passage, wording.roomy, wording.short, wording.line} == {""}
    assert wording.writer is Writer.NOBODY


def test_a_summary_that_repeats_the_abstract_is_said_once() -> None:
    view = view_of(Listing(title="A", abstract="The same.", summary="The same."))
    assert (view.summary, view.abstract, view.wording.short) == ("", "The same.", "The same.")


def test_a_summary_by_a_model_comes_with_a_label() -> None:
    view = view_of(Listing(title="A", abstract="By the authors.", ai_summary="By a model."))
    assert (view.ai_label, view.ai_summary, view.summary) == ("AI summary:", "By a model.", "")
    assert (view.wording.writer, view.wording.short) == (Writer.MODEL, "By a model.")
    assert view.abstract == view.wording.passage == "By the authors."


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
    assert view.wording.short == "Theirs."
    assert view.wording.writer in {Writer.SOURCE, Writer.AUTHORS}


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
    assert (view.summary, view.ai_summary, view.wording.writer) == ("", "The same.", Writer.MODEL)


def test_votes_are_a_number_and_none_where_there_are_none() -> None:
    paper = factories.PAPERS[0]
    assert (view_of(paper, upvotes=1280).votes, view_of(paper, upvotes=1).upvotes) == ("1,280", "1 upvote")
    assert view_of(paper, upvotes=0).votes == view_of(paper, upvotes=None).votes == ""


def test_other_facts_than_votes_are_told() -> None:
    paper = factories.PAPERS[0]
    reasons = ("128 upvotes", "+12 since yesterday", "rose late")
    assert view_of(paper, reasons=reasons).facts == ("+12 since yesterday", "rose late")
    assert view_of(paper, reasons=reasons).late == "rose late"
    assert view_of(paper, reasons=("new",)).facts == ()
    assert not view_of(paper, reasons=("128 upvotes", "new")).late


def test_how_votes_rose_is_told_where_they_did() -> None:
    paper = factories.PAPERS[0]
    rose = view_of(paper, upvotes=147, first_upvotes=97)
    assert (rose.rose_from, rose.votes, rose.rose_by) == ("97", "147", "50")
    for first in (147, 150, None):
        assert view_of(paper, upvotes=147, first_upvotes=first).rose_by == ""


def test_a_byline_is_the_organization_or_the_first_author_or_how_many_there_are() -> None:
    assert view_of(Listing(title="A", authors=("Ada", "Bob"), organization="Lab")).byline == "Lab"
    assert view_of(Listing(title="A", authors=("Ada", "Bob"))).byline == "Ada et al."
    assert view_of(Listing(title="A", authors=("Ada",))).byline == "Ada"
    assert view_of(Listing(title="A", author_count=7)).byline == "7 authors"
    assert view_of(Listing(title="A")).byline == ""


def test_counts_are_words() -> None:
    view = view_of(factories.PAPERS[0], comments=1, stars=16_400)
    assert (view.comments, view.stars) == ("1 comment", "16.4K stars")
    assert view_of(factories.PAPERS[0], comments=0).comments == ""


def test_a_discussion_without_comments_is_not_linked() -> None:
    assert view_of(factories.PAPERS[0], comments=3).discussion_url
    assert not view_of(factories.PAPERS[0], comments=None).discussion_url


def test_a_paper_without_a_link_of_its_own_leads_to_arxiv_or_the_doi() -> None:
    assert view_of(Listing(title="A", arxiv_id="2606.13677")).url == "https://arxiv.org/abs/2606.13677"
    assert view_of(Listing(title="A", arxiv_id="2606.13677")).pdf_url == "https://arxiv.org/pdf/2606.13677"
    assert view_of(Listing(title="A", doi="10.1101/2020.1")).url == "https://doi.org/10.1101/2020.1"
    assert not view_of(Listing(title="A", doi="10.1101/2020.1")).is_search


def test_a_paper_without_any_link_leads_to_a_search_by_its_title() -> None:
    for url in ("", "ftp://example.org/a", "javascript:alert(1)"):
        view = view_of(Listing(title="Fish & <chips>", url=url))
        assert view.url == "https://arxiv.org/search/?query=Fish+%26+%3Cchips%3E&searchtype=title"
        assert view.is_search
    assert view_of(Listing(title="…")).url == ""


def test_a_link_that_no_program_follows_is_none() -> None:
    assert web_link("https://example.org/" + "a" * 1900)
    assert web_link("https://example.org/" + "a" * 3000) == ""


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


def test_the_preheader_adds_to_the_subject() -> None:
    assert issue_view(factories.issue(factories.papers(3)), str).preheader.startswith("Segment Anything · Direct")
    only = issue_view(factories.issue(factories.papers(1)), str).preheader
    assert only.startswith(factories.PAPERS[0].summary[:50])
    written = issue_view(factories.issue([Listing(title="A", ai_summary="By a model.")]), str).preheader
    assert written == "AI summary: By a model."
    assert issue_view(factories.issue([]), str).preheader == ""


def test_a_weekly_issue_names_its_days_with_their_sections() -> None:
    head = factories.masthead(cadence=Cadence.WEEKLY)
    issue = factories.issue(factories.papers(4), masthead=head)
    days = (DAY, DAY - timedelta(days=6), DAY - timedelta(days=7), DAY)
    listings = (replace(item, listed_on=day) for item, day in zip(issue.listings, days, strict=True))
    view = issue_view(replace(issue, listings=tuple(listings)), str)
    assert [(day.section, day.day, day.listings) for day in view.days] == [
        ("day_before", None, 1),
        ("day_20260306", DAY - timedelta(days=6), 1),
        ("day_20260312", DAY, 2),
    ]
    assert [item.day_section for item in view.listings] == [
        "day_20260312",
        "day_20260306",
        "day_before",
        "day_20260312",
    ]
    assert issue_view(factories.issue(), str).days == ()


def test_markup_is_made_readable_in_every_text() -> None:
    paper = replace(
        factories.PAPERS[0], title="a", abstract="b", summary="c", authors=("d",), organization="e", ai_summary="f"
    )
    view = issue_view(factories.issue([paper]), str.upper).listings[0]
    assert (view.title, view.abstract, view.summary, view.ai_summary) == ("A", "B", "C", "F")
    assert (view.authors, view.organization) == (("D",), "E")


def test_directions_follow_the_language() -> None:
    assert [direction(language) for language in ("en", "ar-EG", "HE", "de-AT")] == ["ltr", "rtl", "rtl", "ltr"]
