"""The pages of papers, and their files for programs for references."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pybtex.database import parse_string

from newsletter.core.listing import Listing
from newsletter.core.page_names import identity_path, paper_path
from newsletter.store import open_store
from newsletter.web.pages.site_pages import MovedPage
from tests.store.samples import entry
from tests.web.papers import DAY, NOW, Pages, pages_of

FULL = Listing(
    title="Größe and $O(n^2)$: A Study of {GPT}s",
    arxiv_id="2603.00001",
    doi="10.1000/size",
    authors=("Zoë Ångström", "Jürgen von der Müller", "Łukasz Ø. Kaiser"),
    abstract="We study sparse agents that measure the size of things.",
    ai_summary="Sparse agents measure things.",
    keywords=("sparse agents", "size"),
    categories=("cs.CL",),
    published_on=date(2026, 3, 10),
    organization="Example Lab",
    url="https://huggingface.co/papers/2603.00001",
    code_url="https://github.com/example/size",
    discussion_url="https://huggingface.co/papers/2603.00001#community",
)


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    store = await open_store("sqlite://")
    yield pages_of(store, tmp_path)
    await store.close()


def texts(page: Any, selector: str) -> list[str]:
    return [" ".join(one.text_content().split()) for one in page.cssselect(selector)]


def links(page: Any) -> dict[str, str]:
    return {" ".join(one.text_content().split()): one.get("href") for one in page.cssselect("a")}


async def test_a_page_says_what_is_known_of_a_paper_and_where_it_stands(pages: Pages) -> None:
    await pages.listed(FULL, upvotes=12, comments=5, stars=80)
    await pages.issue()

    page = await pages.page("p/2603.00001/")

    assert texts(page, "h1") == ["Größe and O(n²): A Study of GPTs"]
    shared = page.cssselect("meta[property='og:description']")
    assert [one.get("content") for one in shared] == ["AI summary: Sparse agents measure things."]
    assert texts(page, ".authors") == ["Zoë Ångström, Jürgen von der Müller, Łukasz Ø. Kaiser"]
    assert texts(page, ".standfirst + p") == ["AI summary, written by a machine; it may be wrong."]
    assert texts(page, ".abstract") == [FULL.abstract]
    shown = links(page)
    assert shown["Thursday, 12 March 2026"] == "../../daily/2026-03-12/"
    assert shown["Daily Papers, 12 Mar 2026"] == "../../daily/2026-03-12/"
    assert "1 of 1" in texts(page, ".aside li")[0]
    assert shown["Discuss, 5 comments"] == FULL.discussion_url
    assert shown["Read the PDF"] == "https://arxiv.org/pdf/2603.00001"
    assert shown["arXiv, as a web page"] == "https://arxiv.org/html/2603.00001"
    assert shown["alphaXiv"] == "https://www.alphaxiv.org/abs/2603.00001"
    assert shown["Hugging Face paper page"] == FULL.url
    assert shown["Code"] == FULL.code_url
    assert shown["size"] == "../../-/search/?q=size"
    [canonical] = page.cssselect("link[rel=canonical]")
    assert canonical.get("href") == "https://papers.example.org/p/2603.00001/"


async def test_votes_over_time_are_a_picture_with_words_and_a_table(pages: Pages) -> None:
    for hours, votes in ((0, 12), (5, 97), (14, 147)):
        seen = entry(FULL, day=DAY, at=NOW + timedelta(hours=hours), upvotes=votes)
        await pages.store.library.record("huggingface", DAY, [seen], now=NOW + timedelta(hours=hours))

    page = await pages.page("p/2603.00001/")

    [picture] = page.cssselect("svg[role=img]")
    said = {one.get("id"): one.text_content() for one in picture.cssselect("title, desc")}
    assert list(said) == picture.get("aria-labelledby").split()
    assert said["votes-said"] == "From 12 (12 Mar 2026, 08:00) to 147 (12 Mar 2026, 22:00)."
    assert texts(page, ".aside td") == [
        *("12 Mar 2026, 08:00", "12"),
        *("12 Mar 2026, 13:00", "97"),
        *("12 Mar 2026, 22:00", "147"),
    ]
    heights = [float(one.get("cy")) for one in picture.cssselect("circle")]
    assert heights == sorted(heights, reverse=True)


async def test_the_picture_says_how_many_upvotes_the_mail_knew_of(pages: Pages) -> None:
    await pages.listed(FULL, upvotes=12)
    await pages.issue()
    await pages.listed(FULL, upvotes=147, at=NOW + timedelta(hours=9))
    said = texts(await pages.page("p/2603.00001/"), ".chart + p")
    assert said[0].endswith("12 when the issue of 12 Mar 2026 was closed.")


async def test_programs_for_references_find_the_paper_in_the_head(pages: Pages) -> None:
    await pages.listed(FULL)

    page = await pages.page("p/2603.00001/")

    found = [(one.get("name"), one.get("content")) for one in page.cssselect("meta[name^=citation_]")]
    assert [value for name, value in found if name == "citation_author"] == list(FULL.authors)
    assert {name: value for name, value in found if name not in {"citation_author", "citation_keywords"}} == {
        "citation_title": "Größe and O(n²): A Study of GPTs",
        "citation_date": "2026/03/10",
        "citation_publication_date": "2026/03/10",
        "citation_arxiv_id": "2603.00001",
        "citation_doi": "10.1000/size",
        "citation_pdf_url": "https://arxiv.org/pdf/2603.00001",
        "citation_abstract": FULL.abstract,
    }
    card = {one.get("property"): one.get("content") for one in page.cssselect("meta[property^='og:']")}
    assert card["og:url"] == "https://papers.example.org/p/2603.00001/"
    assert card["og:image"].startswith("https://papers.example.org/-/static/card-")


async def test_bibtex_is_read_by_other_programs_with_its_accents(pages: Pages) -> None:
    await pages.listed(FULL)

    file = await pages.get("p/2603.00001/cite.bib")

    assert file.media_type == "application/x-bibtex; charset=utf-8"
    [key] = (known := parse_string(file.content.decode(), "bibtex")).entries
    entry_ = known.entries[key]
    assert key == "angstrom2026grosse"
    assert [str(one) for one in entry_.persons["author"]] == [
        *("Ångström, Zoë", "von der Müller, Jürgen", "Kaiser, Łukasz Ø."),
    ]
    assert entry_.fields["eprint"] == "2603.00001"
    assert entry_.fields["title"].startswith("Größe and ")
    page = await pages.page("p/2603.00001/")
    assert texts(page, "pre")[0] == " ".join(file.content.decode().split())


async def test_ris_has_a_tag_a_line(pages: Pages) -> None:
    await pages.listed(FULL)
    file = await pages.get("p/2603.00001/cite.ris")
    assert file.content.startswith(b"TY  - GEN\r\n")
    assert b"AN  - arXiv:2603.00001\r\n" in file.content


async def test_a_former_identity_leads_to_the_page_of_the_paper(pages: Pages) -> None:
    before = Listing(title="On Size", url="https://example.org/size?a=1")
    await pages.listed(before)
    assert (await pages.get(paper_path(before))).content
    await pages.listed(replace(before, arxiv_id="2603.00009"), at=NOW + timedelta(hours=1))

    for address in (paper_path(before), "p/arxiv:2603.00009/", "p/title/on+size/"):
        assert await pages.answer(address) == MovedPage(address="p/2603.00009/"), address
    assert await pages.answer(f"{paper_path(before)}cite.bib") == MovedPage(address="p/2603.00009/cite.bib")


@pytest.mark.parametrize(
    "said",
    [
        "2603.00001v2",
        "arXiv:2603.00001v12",
        "doi:10.48550/arXiv.2603.00001",
        "DOI:10.48550/arxiv.2603.00001v3",
        "doi/10.48550/arXiv.2603.00001",
        "doi/10.48550_arXiv.2603.00001",
    ],
)
async def test_a_version_and_an_arxiv_doi_lead_to_the_page_of_the_paper(pages: Pages, said: str) -> None:
    await pages.listed(FULL)
    assert await pages.answer(f"p/{said}/") == MovedPage(address="p/2603.00001/")
    assert await pages.answer(f"p/{said}/cite.ris") == MovedPage(address="p/2603.00001/cite.ris")


async def test_a_version_of_a_preprint_leads_to_the_page_of_the_paper(pages: Pages) -> None:
    await pages.listed(Listing(title="On Cells", doi="10.1101/2026.01.02.123456"))
    for said in (
        "doi:10.1101/2026.01.02.123456v3",
        "doi/10.1101/2026.01.02.123456",
        "DOI:10.1101/2026.01.02.123456",
    ):
        assert await pages.answer(f"p/{said}/") == MovedPage(address="p/doi/10.1101_2026.01.02.123456/"), said


@pytest.mark.parametrize(
    "address",
    [
        "p/2603.99999/",
        "p/2603.99999v2/",
        "p/doi:10.48550/arXiv.2603.99999/",
        "p/",
        "p/2603.00001",
        "p/2603.00001/cite.pdf",
        "p/2603.00001/x/cite.bib",
        "p/%00/",
        "p/../p/",
    ],
)
async def test_there_is_no_page_for_what_is_no_paper(pages: Pages, address: str) -> None:
    await pages.listed(FULL)
    assert await pages.answer(address) is None


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\r\n"


@pytest.mark.parametrize(
    "name", [field.name for field in fields(Listing) if field.name not in {"author_count", "published_on"}]
)
async def test_no_field_of_a_source_becomes_markup_or_a_script(pages: Pages, name: str) -> None:
    value: Any = (HOSTILE,) if isinstance(getattr(FULL, name), tuple) else f"javascript:{HOSTILE}"
    listing = replace(FULL, **{"arxiv_id": "", name: value})
    await pages.listed(listing)
    [one] = [one async for one in pages.store.papers.addresses()]

    for static in (False, True):
        page = await pages.page(identity_path(one.identity), is_static=static)
        assert not page.cssselect("script, img, [onerror], [style]")
        for link in page.cssselect("a"):
            assert not link.get("href").startswith("javascript:")
    assert "\u202e" not in (await pages.get(identity_path(one.identity))).content.decode()


async def test_papers_like_it_stand_beside_a_paper(pages: Pages) -> None:
    others = [
        Listing(title=f"A study of number {number}", arxiv_id=f"2603.1{number:04}", abstract="Of something else.")
        for number in range(20)
    ]
    near = Listing(
        title="Sparse agents, again", arxiv_id="2603.00002", abstract="Sparse agents that measure the size of it."
    )
    await pages.listed(FULL, near, *others)
    page = await pages.page("p/2603.00001/")
    assert texts(page, ".near a") == ["Sparse agents, again"]


async def test_a_page_as_a_file_leads_to_no_search(pages: Pages) -> None:
    await pages.listed(FULL)
    page = await pages.page("p/2603.00001/", is_static=True)
    assert not [link for link in page.cssselect("a") if "search" in link.get("href")]
    assert not page.cssselect("form")
