from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from newsletter.core.listing import Candidate, Listing, Sighting, merged

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)


def sighting(**values: object) -> Sighting:
    return Sighting(**{"source": "huggingface", "listed_on": NOON.date(), "seen_at": NOON, **values})  # type: ignore[arg-type]


def test_a_listing_without_any_letter_still_has_an_id() -> None:
    assert str(Listing(title="???").id) == "title:???"


def test_the_larger_of_named_and_counted_authors_counts() -> None:
    assert Listing(title="t", authors=("A", "B"), author_count=5).n_authors == 5
    assert Listing(title="t", authors=("A", "B")).n_authors == 2


def test_merging_keeps_what_the_newer_record_lacks() -> None:
    old = Listing(title="T", abstract="Long.", author_count=4, code_url="https://e.org/c")
    new = Listing(
        title="T!", abstract="Long.", arxiv_id="2606.13677", authors=("A",), published_on=date(2026, 3, 1)
    )
    both = merged(old, new)
    assert (both.title, both.abstract, both.code_url, both.arxiv_id) == (
        "T!",
        "Long.",
        "https://e.org/c",
        "2606.13677",
    )
    assert both.authors == ("A",)
    assert both.n_authors == 4


def test_a_cut_record_does_not_shorten_a_whole_one() -> None:
    old = Listing(title="T", abstract="All of the abstract, to its end.", authors=("A", "B"))
    new = Listing(title="T", abstract="All of the abstract…", authors=("A",))
    assert merged(old, new).abstract == old.abstract
    assert merged(old, new).authors == ("A", "B")


def test_a_candidate_knows_its_first_day() -> None:
    earlier = NOON.date() - timedelta(days=1)
    candidate = Candidate(key=1, listing=Listing(title="T"), sightings=(sighting(), sighting(listed_on=earlier)))
    assert candidate.first_listed_on == earlier


def test_a_headline_elsewhere_does_not_replace_what_the_paper_calls_itself() -> None:
    paper = Listing(title="Pointer Networks", abstract="We introduce them.", url="https://e.org/paper")
    story = Listing(
        title="Wow, pointers!", url="https://news.example.org/1", discussion_url="https://news.example.org/1"
    )
    both = merged(paper, story)
    assert (both.title, both.url) == ("Pointer Networks", "https://e.org/paper")
    assert both.discussion_url == "https://news.example.org/1"
