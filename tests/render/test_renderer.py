from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.choice import TextKind
from newsletter.core.issue import Issue
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence
from newsletter.core.text import one_line
from newsletter.core.tokens import Links
from newsletter.render.issue.clauses import columns
from newsletter.render.issue.renderer import TemplateRenderer
from tests import examples, factories
from tests.render import mails as make
from tests.render.outline import outline
from tests.render.reader import reader_mail


def html_of(renderer: TemplateRenderer, issue: Issue, name: str = "Ada Lovelace") -> str:
    return reader_mail(renderer, issue, name=name).html.replace("\r\n", "\n")


def text_of(renderer: TemplateRenderer, issue: Issue, name: str = "Ada Lovelace") -> str:
    return reader_mail(renderer, issue, name=name).text.replace("\r\n", "\n")


def words_of(html: str) -> str:
    """Return what a page says, with plain spaces."""
    return " ".join(outline(html).text.split())


def test_the_subject_is_the_title_of_the_lead_and_nothing_that_the_sender_says(renderer: TemplateRenderer) -> None:
    lead = replace(factories.PAPERS[0], title="EDTalk: Efficient Disentanglement for Emotional Talking Head " * 3)
    subject = renderer.subject(factories.draft([lead, *factories.papers(45)]))
    assert subject.startswith("EDTalk: Efficient Disentanglement for Emotional")
    assert subject.endswith(" …")
    assert len(subject) <= 100


def test_a_weekly_subject_says_that_it_is_the_week_s(renderer: TemplateRenderer) -> None:
    draft = factories.draft(masthead=factories.masthead(cadence=Cadence.WEEKLY))
    assert renderer.subject(draft).startswith("The week")
    assert draft.listings[0].listing.title in renderer.subject(draft)


@given(title=st.text(min_size=1), name=st.text(max_size=80))
def test_a_subject_is_one_short_clean_line_whatever_a_title_holds(
    title: str, name: str, renderer: TemplateRenderer
) -> None:
    draft = factories.draft([Listing(title=title)], masthead=factories.masthead(title=name))
    subject = renderer.subject(draft)
    assert subject == one_line(subject)
    assert columns(subject) <= 125  # combining marks take none
    subject.encode()


@pytest.mark.parametrize("title", [r"$\,$", r"\color{red}", r"$\phantom{x}$"])
def test_a_lead_whose_title_shows_nothing_has_a_subject_all_the_same(
    title: str, renderer: TemplateRenderer
) -> None:
    assert renderer.subject(factories.draft([Listing(title=title)])) == "Untitled"


def test_the_title_of_the_page_is_the_subject(renderer: TemplateRenderer) -> None:
    issue = make.issues()["hostile"]
    assert outline(html_of(renderer, issue)).title == issue.subject


def test_an_issue_renders_to_the_same_bytes_each_time_but_for_the_nonces(renderer: TemplateRenderer) -> None:
    issue = make.issues()["twenty"]
    assert make.issue_mail(renderer, issue) == make.issue_mail(renderer, issue)
    first, second = (renderer.issue(issue, web_url="") for _ in range(2))
    assert first.html_markers.nonce != second.html_markers.nonce != first.text_markers.nonce


def test_each_listing_is_rendered_once_in_each_form(renderer: TemplateRenderer) -> None:
    rendered = renderer.issue(make.issues()["twenty"], web_url=make.WEB_URL)
    for page, markers in ((rendered.html, rendered.html_markers), (rendered.text, rendered.text_markers)):
        forms = [match[1] for match in markers.pattern.finditer(page) if match[1].startswith("form.")]
        assert len(forms) == len(set(forms)) == 3 * 46


def test_hostile_text_arrives_as_text_in_both_parts(renderer: TemplateRenderer) -> None:
    issue = make.issues()["hostile"]
    title = issue.listings[0].listing.title
    page = outline(html_of(renderer, issue))
    assert page.headings[1] == title
    assert page.tags.isdisjoint({"script", "i"})
    assert not page.images
    assert title in re.sub(r"\s+", " ", text_of(renderer, issue))


def test_only_web_links_become_links(renderer: TemplateRenderer) -> None:
    links = outline(html_of(renderer, make.issues()["hostile"])).links
    assert all(link.lower().startswith(("https://", "http://")) for link in links)
    assert "https://example.org/a%22onclick=%22alert(1)?x=%3Cb%3E&y=%C3%BC" in links


@pytest.mark.parametrize("name", sorted(make.issues()))
def test_each_paper_is_linked_from_both_parts(name: str, renderer: TemplateRenderer) -> None:
    issue = make.issues()[name]
    mail = reader_mail(renderer, issue)
    lines = [line.strip() for line in mail.text.splitlines()]
    in_text = {line for line in lines if re.fullmatch(r"(?:https?://|mailto:)\S+", line, re.IGNORECASE)}
    assert set(mail.links_of_titles) <= in_text <= set(mail.links)
    assert len(mail.links_of_titles) >= len({item.listing.title for item in issue.listings[:20]}) - 1


def test_the_actions_lead_to_citing_and_to_more_and_less_like_a_paper(renderer: TemplateRenderer) -> None:
    issue = factories.issue(factories.papers(3))
    links = outline(html_of(renderer, issue)).links
    for item in issue.listings:
        assert make.LINKS.cite("daily", issue.day, item.key) in links
        for like in (True, False):
            assert make.LINKS.feedback(42, item.key, like=like) in links


def test_without_public_pages_nothing_leads_to_them(renderer: TemplateRenderer) -> None:
    mail = reader_mail(renderer, factories.issue(factories.papers(30)), links=Links("", make.LINKS.secret_key))
    assert not [link for link in mail.links if "/-/" in link]
    assert "Cite" not in mail.html
    assert "More like" not in mail.html
    assert "on the web" not in mail.html + mail.text


@given(
    title=st.text(st.characters(exclude_categories=())).filter(lambda text: "\\" not in text),
    summary=st.text(st.characters(exclude_categories=())),
)
@settings(max_examples=examples.slow(25), suppress_health_check=[HealthCheck.too_slow])
def test_any_title_is_read_back_from_the_page_as_it_was(
    title: str, summary: str, renderer: TemplateRenderer
) -> None:
    words = one_line(re.sub(r"[^\w\s<>&\"']|_", "", title.encode("utf-8", "replace").decode()))
    issue = factories.issue([Listing(title=words, summary=summary)])
    assert outline(html_of(renderer, issue)).headings[1] == (words or "Untitled")


def test_text_lines_have_at_most_72_columns_and_links_stand_alone(renderer: TemplateRenderer) -> None:
    for name in ("twenty", "six_hundred_authors", "bare_titles"):
        for line in text_of(renderer, make.issues()[name]).splitlines():
            assert line == line.rstrip()
            assert len(line) <= 72 or re.fullmatch(r" *https?://\S+", line)


@pytest.mark.parametrize("name", ["twenty", "weekly"])
def test_the_text_part_of_twenty_papers_is_no_longer_than_200_lines(name: str, renderer: TemplateRenderer) -> None:
    assert len(text_of(renderer, make.issues()[name]).splitlines()) <= 200


def test_votes_hang_in_the_margin_of_the_text_part(renderer: TemplateRenderer) -> None:
    text = text_of(renderer, factories.issue(factories.papers(20)))
    assert re.search(r"^  312  Attention Is All You Need$", text, re.MULTILINE)
    assert re.search(r"^    1  Denoising Diffusion", text, re.MULTILINE)
    inside = text[text.index("-- Top paper") : text.index("-" * 72)]
    for line in filter(None, inside.splitlines()):
        assert re.match(r"-- | {7}\S|[ \d,]{5}  \S", line)


def test_the_text_part_explains_votes_only_where_there_are_any(renderer: TemplateRenderer) -> None:
    issue = factories.issue()
    for votes in (3, 0, None):
        listings = tuple(replace(listing, upvotes=votes) for listing in issue.listings)
        text = text_of(renderer, replace(issue, listings=listings))
        assert re.search(r"^(Numbers in the margin are upvotes\. )?In the browser:\nhttps://", text, re.MULTILINE)
        assert ("Numbers in the margin" in text) == bool(votes)


def test_a_greeting_is_there_only_for_readers_with_a_name(renderer: TemplateRenderer) -> None:
    issue = factories.issue()
    assert "Hello Ada. 3 new papers. About 2 minutes." in words_of(html_of(renderer, issue, name="Ada"))
    assert "Hello" not in html_of(renderer, issue, name="")
    assert "Hello Ada.\n3 new papers." in text_of(renderer, issue, name="Ada")
    assert "Hello" not in text_of(renderer, issue, name="")


def test_sections_without_papers_are_not_there(renderer: TemplateRenderer) -> None:
    issue = factories.issue(factories.papers(20))
    for_nobody, for_fan = (
        reader_mail(renderer, issue),
        reader_mail(renderer, issue, matched={3: "agents", 4: "agents"}),
    )
    for mail in (for_nobody, for_fan):
        assert all("In brief" in part and "Also today" in part for part in (mail.html, mail.text))
    assert all("For you" not in part for part in (for_nobody.html, for_nobody.text))
    assert all("For you" in part for part in (for_fan.html, for_fan.text))
    only = reader_mail(renderer, issue, matched={3: "agents", 4: "agents"}, positions=(3, 4))
    assert all("In brief" not in part and "Also today" not in part for part in (only.html, only.text))


def test_the_lead_is_called_the_reader_s_own_only_if_it_fits_the_wishes(renderer: TemplateRenderer) -> None:
    issue = factories.issue(factories.papers(20))
    assert "Top paper of the day" in html_of(renderer, issue)
    mail = reader_mail(renderer, issue, matched={3: "agents"})
    assert "Your top paper" in mail.html
    assert "Your top paper" in mail.text
    assert mail.page.findall(".//h2")[0].text_content() == issue.listings[3].listing.title


def test_few_papers_are_shown_in_full(renderer: TemplateRenderer) -> None:
    summary = f"A model wrote this {'and this ' * 30}long summary."
    papers = [replace(paper, summary="", ai_summary=summary) for paper in factories.papers(7)]
    roomy, tight = (html_of(renderer, factories.issue(papers[:count])) for count in (6, 7))
    assert (roomy.count(summary), tight.count(summary)) == (6, 1)
    assert (roomy.count("From the abstract:"), tight.count("From the abstract:")) == (6, 1)


def test_what_is_cited_at_a_paper_is_left_out_with_its_dot_where_it_is_not_known(
    renderer: TemplateRenderer,
) -> None:
    issue = factories.issue([Listing(title="Bare stars")])
    bare = replace(issue, listings=(replace(issue.listings[0], upvotes=None, comments=None, reasons=()),))
    words = words_of(html_of(renderer, bare))
    assert "Bare stars Cite · More like this · Less" in words
    assert "▲" not in words
    assert " ·  ·" not in words


def test_where_a_title_leads_to_a_search_the_head_says_so(renderer: TemplateRenderer) -> None:
    for name, says in (("bare_titles", True), ("twenty", False)):
        mail = reader_mail(renderer, make.issues()[name])
        assert ("leads to a search" in mail.html) == ("a search for the title" in mail.text) == says


def test_four_hundred_candidates_come_to_each_reader_as_that_reader_s_own_best(renderer: TemplateRenderer) -> None:
    issue = factories.issue(factories.papers(400), terms=factories.terms(max_listings=20))
    mail = reader_mail(renderer, issue, matched={390: "agents"}, positions=(390, *range(19)))
    assert len(mail.html.encode()) < 60_000
    assert len(mail.links_of_titles) == 20
    assert "380 more papers on the web" in mail.html
    assert "380 more papers on the web" in mail.text


def test_what_finds_no_room_is_counted_and_linked(renderer: TemplateRenderer) -> None:
    issue = factories.issue(factories.papers(400))
    mail = reader_mail(renderer, issue)
    shown = len(mail.links_of_titles)
    assert 60 < shown < 400
    assert 90_000 < len(mail.html.encode()) < 95_000
    assert f"{400 - shown} more papers on the web" in mail.html
    assert mail.links_of_titles == tuple(item.listing.url for item in issue.listings[:shown])
    assert mail.text.count("\n       https://huggingface.co/papers/") == 400
    offline = reader_mail(renderer, issue, links=Links("", make.LINKS.secret_key))
    assert " more papers in the text part of this mail" in offline.html


def test_no_mail_is_larger_than_its_budget_with_the_longest_values_of_readers(renderer: TemplateRenderer) -> None:
    issue = factories.issue(factories.papers(400))
    mail = reader_mail(renderer, issue, name="&" * 200)
    assert len(mail.html.encode()) < 95_000


def test_crowds_of_authors_and_endless_texts_keep_a_mail_short(renderer: TemplateRenderer) -> None:
    crowd = tuple(f"Author Number{number}" for number in range(600))
    endless = factories.text("Endless.", 5000).replace(". ", ", ")
    issue = factories.issue(
        replace(paper, authors=crowd, abstract=endless, ai_summary=endless, summary="")
        for paper in factories.papers(20)
    )
    html = html_of(renderer, issue)
    assert len(html.encode()) < 60_000
    assert "+597" in html


def test_the_lead_alone_has_a_picture_and_no_other_picture_is_shown(renderer: TemplateRenderer) -> None:
    issue = make.issues()["twenty"]
    of_figure = next(item.rank - 1 for item in issue.listings if item.figure)
    (image,) = outline(reader_mail(renderer, issue, matched={of_figure: "agents"}).html).images
    assert {name: image[name] for name in ("src", "width", "alt")} == {
        "src": "https://cdn.example.org/figures/2305.18290.png",
        "width": "536",
        "alt": "Figure shown with the paper",
    }
    assert not outline(html_of(renderer, issue)).images
    thumbnail = replace(factories.PAPERS[0], thumbnail_url="https://example.org/a.png")
    assert not outline(html_of(renderer, factories.issue([thumbnail]))).images


@pytest.mark.parametrize("key", ["pictures", "thumbnails"])
def test_a_list_can_go_without_pictures(key: str, renderer: TemplateRenderer) -> None:
    issue = make.issues()["twenty"]
    of_figure = next(item.rank - 1 for item in issue.listings if item.figure)
    head = factories.masthead(theme={key: "no"})
    plain = replace(issue, terms=replace(issue.terms, masthead=head))
    assert "<img" not in reader_mail(renderer, plain, matched={of_figure: "agents"}).html


def test_a_week_is_laid_out_by_day_with_what_rose_and_what_is_discussed(renderer: TemplateRenderer) -> None:
    mail = reader_mail(renderer, make.issues()["weekly"], matched={5: "agents", 6: "agents"})
    headings = [heading.text_content() for heading in mail.page.iter("h2")]
    assert headings[1:] == [
        "For you agents · change",
        "Day by day",
        "Still rising upvotes since a paper was first seen",
        "Most discussed",
    ]
    days = [day.text for day in mail.page.iter("p") if (day.text or "").endswith("day")]
    assert days == ["Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday"]
    assert "156 → 312" in " ".join(mail.shown_text.split())
    assert "       156 → 312, +156" in mail.text
    assert "-- Thursday, 12 Mar " in mail.text
    assert "Paper of the week" not in mail.html
    assert "Your paper of the week" in mail.html


def test_a_list_in_a_language_written_from_right_to_left_says_so(renderer: TemplateRenderer) -> None:
    issue = factories.issue(masthead=factories.masthead(language="he"))
    html = html_of(renderer, issue)
    assert '<html lang="he" dir="rtl"' in html
    (article,) = re.findall(r'<div [^>]*role="article"[^>]*>', html)
    assert 'lang="en" dir="ltr"' in article  # as its words, which are English


def test_what_is_in_another_language_than_the_words_around_it_says_so(renderer: TemplateRenderer) -> None:
    hebrew = Listing(title="למידה עמוקה לזיהוי כתב יד")
    papers = [*factories.papers(2), hebrew]
    masthead = factories.masthead(language="he", intro="בוקר טוב", outro="להתראות")
    mail = reader_mail(renderer, factories.issue(papers, masthead=masthead))

    def tags_around(text: str) -> list[str | None]:
        [article] = mail.page.cssselect("[role=article]")
        found = [one for one in article.iter() if isinstance(one.tag, str) and text in (one.text or "")]
        assert found
        return [next(up.get("lang") for up in (one, *one.iterancestors()) if up.get("lang")) for one in found]

    for text in ("בוקר טוב", "להתראות", hebrew.title):
        assert set(tags_around(text)) == {"he"}
    assert set(tags_around(papers[0].title[:20])) == {"en"}


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


@pytest.mark.parametrize("language", ["en", "he"])
def test_a_summary_by_a_model_is_labelled_in_both_parts(language: str, renderer: TemplateRenderer) -> None:
    listing = Listing(title="A", abstract="By the authors.", ai_summary="A model wrote this.")
    issue = factories.issue([listing], masthead=factories.masthead(language=language))
    mail = reader_mail(renderer, issue)
    for words in (mail.shown_text, mail.text):
        before, _, after = words.rpartition("A model wrote this.")
        assert "AI summary" in before
        assert "From the abstract: By the authors." in after
        assert "AI summaries are written by a machine; they may be wrong." in after
    assert mail.html.count("AI summary: A model wrote this.") == 1  # what an inbox shows behind the subject


def test_a_section_says_that_models_wrote_its_texts_and_a_paper_whose_text_they_did_not(
    renderer: TemplateRenderer,
) -> None:
    written = [replace(paper, summary="", ai_summary="A model wrote this.") for paper in factories.papers(20)]
    by_authors = replace(written[4], ai_summary="", abstract="By the authors.")
    by_source = replace(written[5], summary="By the source.")
    mail = reader_mail(renderer, factories.issue([*written[:4], by_authors, by_source, *written[6:]]))
    for words in (mail.shown_text, " ".join(mail.text.split())):
        assert words.count("AI summaries") == 3  # two sections and the foot
        assert "From the abstract: By the authors." in words
        assert "Summary: By the source." in words


def test_where_no_model_wrote_anything_nothing_says_so(renderer: TemplateRenderer) -> None:
    papers = [replace(paper, summary="", ai_summary="") for paper in factories.papers(20)]
    mail = reader_mail(renderer, factories.issue(papers))
    assert "AI summar" not in mail.html + mail.text
    assert mail.html.count("From the abstracts") == mail.text.count("From the abstracts") == 2
    assert "From the abstract:" not in mail.html


@pytest.mark.parametrize("count", [3, 9])
def test_who_wants_abstracts_reads_no_summary_in_either_part(count: int, renderer: TemplateRenderer) -> None:
    papers = [
        replace(
            paper,
            abstract=f"We show how abstract {number} reads. It has a second sentence.",
            ai_summary=f"A model summed up {number}." if number % 2 else "",
            summary="" if number % 2 else f"The source summed up {number}.",
        )
        for number, paper in enumerate(factories.papers(count))
    ]
    issue = factories.issue([*papers, Listing(title="Only summed up", ai_summary="A model alone spoke.")])
    summaries, abstracts = (reader_mail(renderer, issue, text=text) for text in TextKind)
    for part in (summaries.html, summaries.text):
        assert len(re.findall(r"summed up \d", part)) >= count
    for part in (abstracts.html, abstracts.text):
        assert not re.findall(r"summed up \d", part)
        assert len(re.findall(r"abstract\s+\d+\s+reads", part)) >= count
        assert "A model alone spoke." in part  # it is all that is known of that paper, and labelled
        assert part.count("AI summar") == 2  # at the head of its section, and at the end
    alone = reader_mail(renderer, issue, positions=(0,), text=TextKind.ABSTRACT)
    assert "summed up" not in alone.html + alone.text  # nor in the line that an inbox shows after the subject


def test_where_models_wrote_nothing_that_is_shown_nothing_says_so(renderer: TemplateRenderer) -> None:
    issue = factories.issue([replace(paper, ai_summary="A model spoke.") for paper in factories.papers(9)])
    mail = reader_mail(renderer, issue, text=TextKind.ABSTRACT)
    assert "AI summar" not in mail.html + mail.text
    assert mail.html.count("From the abstracts") == mail.text.count("From the abstracts") == 1
