"""What makes two records one paper, and what makes them two."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.evidence import Evidence, proof
from newsletter.core.identity import IdKind, ListingId
from newsletter.core.listing import Entry, Listing, Sighting

DAY = date(2026, 3, 12)
LONG = "Learning sparse codes with a very small teacher network"
WORDS = "We study how sparse codes are learnt by a small network, and find that its teacher may be smaller still."
FEED, OTHER = "feed:https://one.example/rss", "feed:https://two.example/rss"
numbers = st.integers(1, 99_999).map(lambda number: f"2603.{number:05}")


def seen(title: str = LONG, *, source: str = FEED, guid: str = "", **values: Any) -> Evidence:
    listing = Listing(title=title, **values)
    sighting = Sighting(source=source, listed_on=DAY, seen_at=datetime(2026, 3, 12, tzinfo=UTC))
    return Evidence.of(listing, Entry(listing=listing, sighting=sighting, guid=guid).identities)


def weighed(one: Evidence, other: Evidence, crowded: frozenset[ListingId] = frozenset()) -> IdKind | None:
    there, back = proof(one, other, crowded=crowded), proof(other, one, crowded=crowded)
    assert there is back
    return there


@given(numbers, numbers, st.text(min_size=1))
def test_one_title_with_two_arxiv_ids_is_two_papers(one: str, other: str, title: str) -> None:
    records = [seen(title, arxiv_id=number) for number in (one, other)]
    assert (proof(*records) is not None) == (one == other)


def test_two_dois_are_two_papers_and_one_in_two_cases_is_one() -> None:
    assert weighed(seen(doi="10.1000/abcde"), seen(doi="10.1000/abcdf")) is None
    assert weighed(seen(doi="10.1000/ABCDE"), seen("Another Title", doi="10.1000/abcde")) is IdKind.DOI


def test_a_title_alone_is_the_paper_that_has_this_title() -> None:
    for title in ("Pointer Networks", "Editorial", LONG):
        assert weighed(seen(title), seen(title, arxiv_id="1506.03134")) is IdKind.TITLE
        assert weighed(seen(title), seen(f"{title} Revisited", arxiv_id="1506.03134")) is None


def test_a_preprint_and_the_journal_have_a_long_title_or_the_authors_in_common() -> None:
    preprint, journal = {"arxiv_id": "1506.03134"}, {"doi": "10.1000/12345", "source": OTHER}
    assert weighed(seen(**preprint), seen(**journal)) is IdKind.TITLE
    assert weighed(seen("Editorial", **preprint), seen("Editorial", **journal)) is None
    names = ("Ann Author", "Bob Byline")
    one, other = (seen("Pointer Networks", authors=names, **values) for values in (preprint, journal))
    assert weighed(one, other) is IdKind.TITLE


@pytest.mark.parametrize("title", ["Editorial", "Book Review", "Erratum", "Introduction"])
def test_a_title_that_says_little_is_another_paper_at_another_link(title: str) -> None:
    one, other = (seen(title, url=f"https://lab.example/{n}", authors=("Ann Author",)) for n in (1, 2))
    assert weighed(one, other) is None
    assert weighed(one, seen(title, source=OTHER, url="https://else.example/", authors=("Eve Editor",))) is None


def test_a_long_title_by_the_same_authors_is_one_paper_in_two_feeds() -> None:
    one = seen(url="https://arxiv.org/abs/2603.04567", authors=("Ann Author, Bob Byline",))
    other = seen(source=OTHER, url="https://lab.example/sparse", authors=("B. Byline", "A. Author"))
    assert weighed(one, other) is IdKind.TITLE


def test_a_long_title_by_others_is_another_paper() -> None:
    one = seen(url="https://one.example/1", authors=("Ann Author",))
    assert weighed(one, seen(source=OTHER, url="https://two.example/1", authors=("Carl Copier",))) is None


def test_a_long_title_without_authors_is_one_paper_unless_the_dates_are_far_apart() -> None:
    one = seen(url="https://one.example/1", published_on=DAY)
    near, far = DAY + timedelta(days=90), DAY + timedelta(days=900)
    assert weighed(one, seen(source=OTHER, url="https://two.example/1", published_on=near)) is IdKind.TITLE
    assert weighed(one, seen(source=OTHER, url="https://two.example/1", published_on=far)) is None


def test_an_address_is_no_authors_name() -> None:
    one = seen(url="https://one.example/1", authors=("Ann Author",))
    other = seen(source=OTHER, url="https://two.example/1", authors=("noreply@two.example (Web)",))
    assert weighed(one, other) is IdKind.TITLE


def test_what_a_feed_calls_by_two_ids_are_two_papers_at_one_link() -> None:
    link = "https://lab.example/upcoming"
    assert weighed(seen("One", guid="1", url=link), seen("Two", guid="2", url=link)) is None
    first, second = (seen("Editorial", guid=n, url=link, abstract=f"Of issue {n}.") for n in "12")
    assert weighed(first, second) is None


def test_a_guid_that_changes_at_each_fetch_makes_no_new_paper() -> None:
    link = "https://lab.example/1"
    for title in ("Editorial", LONG):
        for abstract in ("", WORDS):
            one, other = (seen(title, guid=n, url=link, abstract=abstract) for n in "12")
            assert weighed(one, other) is IdKind.URL


def test_a_guid_and_a_link_that_change_at_each_fetch_leave_the_text() -> None:
    one, other = (seen(guid=n, url=f"https://lab.example/{n}", abstract=WORDS, published_on=DAY) for n in "12")
    assert weighed(one, other) is IdKind.TITLE


def test_a_column_with_one_title_is_another_paper_every_week() -> None:
    title = "What we read in machine learning this week"
    one, other = (
        seen(title, guid=n, url=f"https://lab.example/{n}", authors=("Ann Author",), abstract=f"In week {n} …")
        for n in "12"
    )
    assert weighed(one, other) is None


def test_an_entry_under_a_new_title_or_link_is_still_that_entry() -> None:
    old = seen("A First Title", guid="1", url="https://lab.example/1", abstract=WORDS)
    assert weighed(old, seen("A Better Title", guid="1", url="https://lab.example/1")) is IdKind.GUID
    assert weighed(old, seen("A First Title", guid="1", url="https://new.example/1")) is IdKind.GUID
    retitled = seen("A Better Title", guid="1", url="https://new.example/1", abstract=WORDS)
    assert weighed(old, retitled) is IdKind.GUID


def test_one_guid_for_all_that_a_feed_ever_shows_proves_nothing() -> None:
    one = seen("One", guid="feed", url="https://lab.example/1", abstract="Of one.")
    assert weighed(one, seen("Two", guid="feed", url="https://lab.example/2", abstract="Of two.")) is None


def test_one_guid_in_two_feeds_proves_nothing() -> None:
    one, other = seen("One", guid="1"), seen("Two", guid="1", source=OTHER)
    assert weighed(one, other) is None


def test_a_link_is_one_paper_under_two_titles_unless_several_papers_have_it() -> None:
    link = "https://lab.example/1"
    one, other = seen("A Title", url=link), seen("A Better Title", source=OTHER, url=link)
    assert weighed(one, other) is IdKind.URL
    assert weighed(one, other, frozenset({ListingId(IdKind.URL, "lab.example/1")})) is None


def test_links_that_differ_in_a_fragment_are_two_papers() -> None:
    one, other = (seen(f"Paper number {n}", url=f"https://lab.example/all#p{n}") for n in (1, 2))
    assert weighed(one, other) is None


names = st.sampled_from(["", "Ann Author", "Bob Byline"])
records = st.builds(
    lambda title, number, doi, link, guid, name, source: seen(
        title, source=source, guid=guid, arxiv_id=number, doi=doi, url=link, authors=(name,) if name else ()
    ),
    st.sampled_from(["Editorial", LONG, "Má", "Mã", "???"]),
    st.sampled_from(["", "2603.00001", "2603.00002"]),
    st.sampled_from(["", "10.1000/aaaaa", "10.1000/bbbbb"]),
    st.sampled_from(["", "https://lab.example/1", "https://lab.example/1#2"]),
    st.sampled_from(["", "1", "2"]),
    names,
    st.sampled_from([FEED, OTHER]),
)


@given(records, records)
def test_a_proof_is_the_same_in_both_directions(first: Evidence, second: Evidence) -> None:
    assert proof(first, second) is proof(second, first)


@given(records)
def test_a_record_is_the_paper_that_it_is(record: Evidence) -> None:
    assert proof(record, record) is not None
