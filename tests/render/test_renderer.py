from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.issue import Issue
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence
from newsletter.core.text import one_line
from newsletter.render.issue.renderer import TemplateRenderer
from tests import factories
from tests.render import mails as make
from tests.render.outline import outline
from tests.render.reader import reader_page


def html_of(renderer: TemplateRenderer, issue: Issue, **values: str) -> str:
    return reader_page(renderer.issue(issue, web_url=make.WEB_URL), issue, values=values)


def text_of(renderer: TemplateRenderer, issue: Issue, **values: str) -> str:
    return reader_page(renderer.issue(issue, web_url=make.WEB_URL), issue, "text", values=values)


def test_the_subject_names_the_list_the_day_the_lead_paper_and_how_many_follow(renderer: TemplateRenderer) -> None:
    lead = replace(factories.PAPERS[0], title="EDTalk: Efficient Disentanglement for Emotional Talking Head " * 3)
    subject = renderer.subject(factories.draft([lead, *factories.papers(45)]))
    assert subject.startswith("Daily Papers · 12 Mar: EDTalk: Efficient Disentanglement for Emotional")
    assert subject.endswith(" … and 45 more")
    assert len(subject) <= 120


def test_the_subject_of_a_single_paper_counts_no_others(renderer: TemplateRenderer) -> None:
    assert (
        renderer.subject(factories.draft(factories.papers(1)))
        == "Daily Papers · 12 Mar: Attention Is All You Need"
    )


def test_a_weekly_subject_names_the_week(renderer: TemplateRenderer) -> None:
    draft = factories.draft(masthead=factories.masthead(cadence=Cadence.WEEKLY))
    assert "Week to 12 Mar" in renderer.subject(draft)


@given(title=st.text(min_size=1), name=st.text(max_size=80))
def test_a_subject_is_one_short_clean_line_whatever_a_title_holds(
    title: str, name: str, renderer: TemplateRenderer
) -> None:
    draft = factories.draft([Listing(title=title)], masthead=factories.masthead(title=name))
    subject = renderer.subject(draft)
    assert subject == one_line(subject)
    assert len(subject) <= 125
    subject.encode()


def test_the_title_of_the_page_is_the_subject(renderer: TemplateRenderer) -> None:
    issue = make.issues()["hostile"]
    assert outline(html_of(renderer, issue)).title == issue.subject


def test_an_issue_renders_to_the_same_bytes_each_time_but_for_the_nonces(renderer: TemplateRenderer) -> None:
    issue = make.issues()["twenty"]
    assert html_of(renderer, issue) == html_of(renderer, issue)
    assert text_of(renderer, issue) == text_of(renderer, issue)
    first, second = (renderer.issue(issue, web_url="") for _ in range(2))
    assert first.html_markers.nonce != second.html_markers.nonce != first.text_markers.nonce


def test_no_mark_of_the_fitting_is_left_for_the_reader(renderer: TemplateRenderer) -> None:
    rendered = renderer.issue(make.issues()["sixty"], web_url=make.WEB_URL)
    names = {match[1].rstrip("0123456789") for match in rendered.html_markers.pattern.finditer(rendered.html)}
    slots = ("name", "email", "number", "matched", "unsubscribe_url", "preferences_url", "subject", "preheader")
    blocks = ("name", "matched", "preferences_url", "left_out", "long")
    assert names == {
        *("begin.toc.", "begin.listing.", "end", "slot.shown", "slot.left_out"),
        *(f"slot.{name}" for name in slots),
        *(f"when.{name}" for name in blocks),
    }


def test_hostile_text_arrives_as_text_in_both_parts(renderer: TemplateRenderer) -> None:
    issue = make.issues()["hostile"]
    title = issue.listings[0].listing.title
    page = outline(html_of(renderer, issue))
    assert page.headings[1] == f"1. {title}"
    assert page.tags.isdisjoint({"script", "i", "b"})
    assert not page.images
    assert title in re.sub(r"\s+", " ", text_of(renderer, issue))


def test_only_web_links_become_links(renderer: TemplateRenderer) -> None:
    links = outline(html_of(renderer, make.issues()["hostile"], preferences_url="")).links
    assert all(link.lower().startswith(("https://", "http://")) for link in links)
    assert "https://example.org/a%22onclick=%22alert(1)?x=%3Cb%3E&y=%C3%BC" in links


def test_both_parts_hold_the_same_links(renderer: TemplateRenderer) -> None:
    for name in ("twenty", "hostile", "right_to_left"):
        issue = make.issues()[name]
        links = re.findall(
            r"^ *((?:https?://|mailto:)\S+)$", text_of(renderer, issue), re.MULTILINE | re.IGNORECASE
        )
        in_text = set(links)
        assert set(outline(html_of(renderer, issue)).links) == in_text


@given(
    title=st.text(st.characters(exclude_categories=())).filter(lambda text: "\\" not in text),
    summary=st.text(st.characters(exclude_categories=())),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_any_title_is_read_back_from_the_page_as_it_was(
    title: str, summary: str, renderer: TemplateRenderer
) -> None:
    words = one_line(re.sub(r"[^\w\s<>&\"']|_", "", title.encode("utf-8", "replace").decode()))
    issue = factories.issue([Listing(title=words, summary=summary)])
    assert outline(html_of(renderer, issue)).headings[1] == f"1. {words or 'Untitled'}"


def test_text_lines_have_at_most_72_columns_and_links_stand_alone(renderer: TemplateRenderer) -> None:
    for name in ("twenty", "six_hundred_authors", "bare_titles"):
        for line in text_of(renderer, make.issues()[name]).splitlines():
            assert line == line.rstrip()
            assert len(line) <= 72 or re.fullmatch(r" *https?://\S+", line)


def test_the_text_part_has_every_abstract_whole(renderer: TemplateRenderer) -> None:
    issue = make.issues()["sixty"]
    text = re.sub(r"\s+", " ", text_of(renderer, issue))
    for item in issue.listings:
        assert item.listing.abstract in text


def test_a_greeting_is_there_only_for_readers_with_a_name(renderer: TemplateRenderer) -> None:
    issue = factories.issue()
    assert "Hello Ada. Here are 3 new papers." in outline(html_of(renderer, issue, name="Ada")).text
    assert "Hello" not in html_of(renderer, issue, name="")
    assert "Hello Ada,\n" in text_of(renderer, issue, name="Ada")
    assert "Hello" not in text_of(renderer, issue, name="")


def test_preferences_are_linked_where_there_are_any(renderer: TemplateRenderer) -> None:
    link = "https://papers.example.org/preferences/1"
    for part in (html_of, text_of):
        assert link in part(renderer, factories.issue(), preferences_url=link)
        assert "Preferences" not in part(renderer, factories.issue(), preferences_url="")


def test_without_web_pages_no_web_version_is_named(renderer: TemplateRenderer) -> None:
    rendered = renderer.issue(factories.issue(), web_url="")
    assert "on the web" not in rendered.html + rendered.text
    assert "Web version" not in rendered.html


def test_an_issue_of_119_long_listings_names_them_all(renderer: TemplateRenderer) -> None:
    abstract = factories.text("A long abstract.", 1300)
    issue = factories.issue(replace(paper, abstract=abstract, summary="") for paper in factories.papers(119))
    rendered = renderer.issue(issue, web_url=make.WEB_URL)
    html = reader_page(rendered, issue)
    page = outline(html)
    assert not rendered.left_out
    assert len(html.encode()) < 95_000
    assert {f"{item.rank}. {item.listing.title}" for item in issue.listings} <= set(page.headings)
    assert {item.listing.url for item in issue.listings} <= set(page.links)
    assert page.text.count("upvote") >= 119


def test_what_finds_no_room_is_counted_and_linked(renderer: TemplateRenderer) -> None:
    issue = factories.issue(factories.papers(400))
    rendered = renderer.issue(issue, web_url=make.WEB_URL)
    html = reader_page(rendered, issue)
    left_out = len(rendered.left_out)
    assert rendered.left_out == frozenset(range(400 - left_out, 400))
    assert len(html.encode()) < 95_000
    assert f'href="{make.WEB_URL}"' in html
    said = f"Here are {400 - left_out} of 400 new papers; {left_out} more on the web."
    assert said in outline(html).text.replace("\xa0", " ")
    assert f"On the web: {left_out} more papers and all abstracts." in outline(html).text
    assert "Here are 400 new papers." in reader_page(rendered, issue, "text")
    assert rendered.text.count(factories.papers(400)[399].url) == 1


def test_crowds_of_authors_and_endless_abstracts_keep_within_the_budget(renderer: TemplateRenderer) -> None:
    crowd = tuple(f"Author Number{number}" for number in range(600))
    abstract = factories.text("Endless.", 5000).replace(". ", ", ")
    issue = factories.issue(
        replace(paper, authors=crowd, abstract=abstract, summary="") for paper in factories.papers(60)
    )
    rendered = renderer.issue(issue, web_url=make.WEB_URL)
    html = reader_page(rendered, issue)
    assert len(html.encode()) < 95_000
    assert not rendered.left_out
    assert "and 597\xa0more" in html
    assert "On the web: all abstracts." in outline(html).text


def test_a_thumbnail_is_a_still_picture_with_its_size_and_an_empty_alt(renderer: TemplateRenderer) -> None:
    paper = replace(factories.PAPERS[0], thumbnail_url="https://example.org/a.PNG?x=1")
    (image,) = outline(html_of(renderer, factories.issue([paper]))).images
    assert {name: image[name] for name in ("src", "width", "height", "alt")} == {
        "src": "https://example.org/a.PNG?x=1",
        "width": "160",
        "height": "84",
        "alt": "",
    }


@pytest.mark.parametrize(
    "url", ["https://example.org/a.mp4", "http://example.org/a.png", "https://example.org/a.svg"]
)
def test_videos_and_insecure_or_vector_pictures_are_no_thumbnails(url: str, renderer: TemplateRenderer) -> None:
    paper = replace(factories.PAPERS[0], thumbnail_url=url)
    assert not outline(html_of(renderer, factories.issue([paper]))).images


def test_a_list_can_go_without_thumbnails(renderer: TemplateRenderer) -> None:
    masthead = factories.masthead(theme={"thumbnails": "no"})
    assert "<img" not in html_of(renderer, factories.issue(masthead=masthead))


def test_a_list_in_a_language_written_from_right_to_left_says_so(renderer: TemplateRenderer) -> None:
    issue = factories.issue(masthead=factories.masthead(language="he"))
    assert '<html lang="he" dir="rtl"' in html_of(renderer, issue)


@pytest.mark.parametrize("name", sorted(make.pages()))
def test_a_web_page_is_whole(name: str, renderer: TemplateRenderer) -> None:
    page = renderer.page(name, make.pages()[name])
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
    assert outline(page).title


def test_leaving_a_list_takes_a_post_to_the_page_itself(renderer: TemplateRenderer) -> None:
    page = renderer.page("unsubscribe", make.pages()["unsubscribe"])
    assert '<form method="post">' in page
    assert "<script" not in page


def test_the_web_version_has_every_abstract_whole_and_nothing_of_a_reader(renderer: TemplateRenderer) -> None:
    issue = make.issues()["sixty"]
    page = outline(renderer.issue_page(issue, web_url=make.WEB_URL))
    for item in issue.listings:
        assert item.listing.abstract in page.text
    assert "nsubscribe" not in page.text
    assert "%%" not in page.text


@pytest.mark.parametrize("language", ["en", "he"])
@pytest.mark.parametrize("abstract", ["By the authors.", ""])
def test_a_summary_by_a_model_is_labelled_in_both_parts_and_on_the_web(
    language: str, abstract: str, renderer: TemplateRenderer
) -> None:
    listing = Listing(title="A", abstract=abstract, ai_summary="A model wrote this. " * 40)
    issue = factories.issue([listing], masthead=factories.masthead(language=language))
    rendered = renderer.issue(issue, web_url="")
    label = '<span class="quiet" dir="ltr">AI summary:</span> A model wrote this.'
    assert label in renderer.issue_page(issue, web_url="")
    text = " ".join(reader_page(rendered, issue, "text").split())
    assert text.count("A model wrote this.") == 40
    assert "AI summary: A model wrote this." in text
    html = reader_page(rendered, issue)
    labelled = re.search(r'<span class="quiet" dir="ltr"[^>]*>AI summary:</span> A model wrote this\.', html)
    assert bool(labelled) == (not abstract)  # the whole abstract fits, and needs no summary
    assert html.count("AI summary: A model wrote this.") == 1  # what an inbox shows behind the subject


def test_a_short_paragraph_by_a_model_is_labelled(renderer: TemplateRenderer) -> None:
    papers = [replace(paper, summary="", ai_summary="A model wrote this.") for paper in factories.papers(12)]
    issue = factories.issue(papers)
    html = reader_page(renderer.issue(issue, web_url=""), issue)
    assert html.count("A model wrote this.") == html.count("AI summary:</span> A model wrote this.") > 0
