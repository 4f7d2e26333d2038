"""Where titles lead: the page that a list chooses, the paper's own link, or a search by title."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from newsletter.core.landing import Landing, search_links, title_links
from newsletter.core.listing import Listing
from newsletter.core.terms import Terms
from tests.core.candidates import papers

PAPER = Listing(title="A Paper", arxiv_id="2603.00001", url="https://lab.example/paper", doi="10.5555/12345678")
BARE = Listing(title="What can a Single Attention Layer Learn? A Study")


@pytest.mark.parametrize(
    ("landing", "expected"),
    [
        (Landing.SOURCE, "https://lab.example/paper"),
        (Landing.HUGGINGFACE, "https://huggingface.co/papers/2603.00001"),
        (Landing.ARXIV, "https://arxiv.org/abs/2603.00001"),
        (Landing.ARXIV_HTML, "https://arxiv.org/html/2603.00001"),
        (Landing.ALPHAXIV, "https://www.alphaxiv.org/abs/2603.00001"),
    ],
)
def test_a_paper_with_an_arxiv_id_leads_to_the_page_that_the_list_chooses(landing: Landing, expected: str) -> None:
    assert title_links(PAPER, landing)[0] == expected


@pytest.mark.parametrize("landing", Landing)
def test_a_paper_without_an_arxiv_id_keeps_its_own_link(landing: Landing) -> None:
    assert title_links(Listing(title="A Paper", url="https://lab.example/paper"), landing)[0] == PAPER.url
    assert title_links(Listing(title="A Paper", doi="10.5555/1"), landing)[0] == "https://doi.org/10.5555/1"


def test_the_source_gives_no_link_then_the_abstract_on_arxiv_is_the_page() -> None:
    assert title_links(Listing(title="A", arxiv_id="2603.00001"), Landing.SOURCE)[0].endswith("/abs/2603.00001")


@pytest.mark.parametrize("arxiv_id", ["2311.18000", "math/0309136", "0704.0001"])
def test_papers_from_before_arxiv_made_web_pages_lead_to_their_abstract(arxiv_id: str) -> None:
    first = title_links(Listing(title="A", arxiv_id=arxiv_id), Landing.ARXIV_HTML)[0]
    assert first == f"https://arxiv.org/abs/{arxiv_id}"


@pytest.mark.parametrize(
    ("landing", "host", "field"),
    [
        (Landing.SOURCE, "arxiv.org", "query"),
        (Landing.ARXIV_HTML, "arxiv.org", "query"),
        (Landing.HUGGINGFACE, "huggingface.co", "q"),
    ],
)
def test_a_paper_known_by_its_title_alone_leads_to_a_search(landing: Landing, host: str, field: str) -> None:
    assert title_links(BARE, landing) == search_links(BARE, landing)
    [link] = search_links(BARE, landing)
    assert urlsplit(link).hostname == host
    assert parse_qs(urlsplit(link).query)[field] == ["What can a Single Attention Layer Learn A Study"]


@pytest.mark.parametrize("title", ["", "?", "…", "$$"])
def test_a_title_without_words_is_not_searched_for(title: str) -> None:
    assert title_links(Listing(title=title), Landing.SOURCE) == ()


@given(st.text(max_size=400), st.sampled_from(Landing))
def test_any_title_makes_a_link_of_ascii_that_the_words_come_back_from(title: str, landing: Landing) -> None:
    for link in search_links(Listing(title=title), landing):
        assert link.isascii()
        assert not set(' <>"\\') & set(link)
        [words] = next(iter(parse_qs(urlsplit(link).query).values()))
        assert 0 < len(words) <= 200
        assert "\n" not in words


def test_an_issue_keeps_the_landing_page_of_its_list_and_older_ones_have_none() -> None:
    assert Terms.of(papers(landing=Landing.ALPHAXIV)).landing is Landing.ALPHAXIV
    known = TypeAdapter(Terms)
    terms = Terms.of(papers(landing=Landing.ARXIV))
    assert known.validate_json(known.dump_json(terms)) == terms
    older = known.dump_python(terms, mode="json")
    del older["landing"]
    assert known.validate_python(older).landing is Landing.SOURCE
