from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from newsletter.core.errors import SourceError
from newsletter.core.listing import Listing
from newsletter.sources.arxiv import author_names
from tests.sources.conftest import DAY, NOW, Build
from tests.sources.feeds import announced, rss
from tests.timing import takes_time_in_proportion


async def test_what_was_announced_is_read_whole(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/rss/cs.CL+cs.LG").respond_with_data(rss(announced()))
    (entry,) = (await source("arxiv:cs.CL+cs.LG").read(DAY, now=NOW)).entries
    assert entry.listing == Listing(
        title="Announced Paper 1 with $x^2$",
        abstract="We announce.",
        authors=("Ada Example", "Bo Beispiel"),
        published_on=date(2026, 3, 12),
        categories=("cs.CL", "cs.LG"),
        arxiv_id="2603.00001",
        url="https://arxiv.org/abs/2603.00001",
        pdf_url="https://arxiv.org/pdf/2603.00001",
    )
    assert (entry.sighting.source, entry.sighting.listed_on) == ("arxiv:cs.CL+cs.LG", DAY)


KINDS = ("new", "cross", "replace", "replace-cross")


@pytest.mark.parametrize(
    ("choice", "kept"), [("", KINDS[:2]), ("?new", KINDS[:1]), ("?replacements", KINDS)], ids=["", "new", "all"]
)
async def test_new_papers_and_cross_lists_are_read_others_by_choice(
    choice: str, kept: tuple[str, ...], source: Build, httpserver: HTTPServer
) -> None:
    items = [announced(number, kind=kind) for number, kind in enumerate(KINDS)]
    httpserver.expect_request("/rss/cs.CL").respond_with_data(rss(*items))
    page = await source(f"arxiv:cs.CL{choice}").read(DAY, now=NOW)
    assert [KINDS[int(entry.listing.arxiv_id[-1])] for entry in page.entries] == list(kept)
    assert not page.skipped
    # The date of a cross-list or version is not the paper's.
    assert [entry.listing.published_on is None for entry in page.entries] == [kind != "new" for kind in kept]


async def test_a_weekend_is_an_empty_page(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/rss/cs.CL").respond_with_data(rss())
    assert (await source("arxiv:cs.CL").read(DAY, now=NOW)).entries == ()


async def test_a_category_that_arxiv_does_not_know_is_told(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/rss/cs.XX").respond_with_data(rss(title="Feed error for query: cs.XX"))
    with pytest.raises(
        SourceError, match=r"\Aarxiv:cs\.XX: arXiv has no such feed: Feed error for query: cs\.XX\Z"
    ):
        await source("arxiv:cs.XX").read(DAY, now=NOW)
    assert len(httpserver.log) == 1


async def test_an_entry_without_an_id_costs_itself(source: Build, httpserver: HTTPServer) -> None:
    odd = "<item><title>A Notice</title><link>https://arxiv.org/help</link></item>"
    httpserver.expect_request("/rss/cs.CL").respond_with_data(rss(announced(1), odd, "<item/>", announced(2)))
    page = await source("arxiv:cs.CL").read(DAY, now=NOW)
    assert [entry.listing.arxiv_id for entry in page.entries] == ["2603.00001", "2603.00002"]
    assert [entry.reason for entry in page.skipped] == ["no arXiv id: 'A Notice'", "no title"]


async def test_code_that_the_abstract_names_is_linked(source: Build, httpserver: HTTPServer) -> None:
    item = announced(abstract="Small < large. Code at https://github.com/example/small-2.0.")
    httpserver.expect_request("/rss/cs.CL").respond_with_data(rss(item))
    (entry,) = (await source("arxiv:cs.CL").read(DAY, now=NOW)).entries
    assert entry.listing.code_url == "https://github.com/example/small-2.0"
    assert entry.listing.abstract.startswith("Small < large.")


async def test_requests_stand_three_seconds_apart(
    source: Build, httpserver: HTTPServer, waits: list[float]
) -> None:
    httpserver.expect_request("/rss/cs.CL").respond_with_data(rss())
    for _ in range(2):
        await source("arxiv:cs.CL").read(DAY, now=NOW)
    (wait,) = waits
    assert 2.0 < wait <= 3.0


@pytest.mark.parametrize(
    ("creators", "names"),
    [
        ("Ada Example, Bo Beispiel", ("Ada Example", "Bo Beispiel")),
        ("Ada Example (Inst, City), Bo Beispiel (Elsewhere)", ("Ada Example", "Bo Beispiel")),
        ("A. One (1), B. Two (1 and 2) ((1) Inst, Town, (2) Lab)", ("A. One", "B. Two")),
        ("Ada Example (Inst, Bo Beispiel", ("Ada Example Inst", "Bo Beispiel")),
        ("Paulo Andr\\'e (X)", ("Paulo Andr\\'e",)),
        (" , ", ()),
        ("", ()),
    ],
)
def test_affiliations_are_no_authors(creators: str, names: tuple[str, ...]) -> None:
    assert author_names(creators) == names


@pytest.mark.parametrize("unit", ["$x", "$x, ", "(", ")", "(,", "a(b), ", "(a)(", " ", ",", "\u0301"])
def test_a_line_of_authors_takes_time_in_proportion_to_its_length(unit: str) -> None:
    assert takes_time_in_proportion(author_names, unit * (600_000 // len(unit)), seconds=3)


@given(st.text(alphabet="ab,() "))
def test_any_text_gives_some_names(creators: str) -> None:
    assert all(name.strip() for name in author_names(creators))
