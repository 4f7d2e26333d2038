from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.listing import Listing
from newsletter.store import open_store
from tests.store.samples import paper
from tests.web.papers import Pages, pages_of

CATS = Listing(
    title="Schrödinger's Cats",
    arxiv_id="2603.10001",
    abstract=f"{'Much is said before. ' * 20}Then sparse networks purr.{' More follows.' * 40}",
)


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    store = await open_store("sqlite://")
    yield pages_of(store, tmp_path)
    await store.close()


async def search(pages: Pages, **query: str) -> Any:
    return await pages.page("-/search/", query=query)


def titles(page: Any) -> list[str]:
    return [one.text_content() for one in page.cssselect(".hits h2")]


async def test_what_was_found_is_marked_in_the_title_and_in_a_passage(pages: Pages) -> None:
    await pages.listed(CATS, paper(1))
    page = await search(pages, q="schrodinger network")
    assert titles(page) == [CATS.title]
    assert [one.text_content() for one in page.cssselect("mark")] == ["Schrödinger", "networks"]
    [passage] = page.cssselect(".passage")
    assert len(passage.text_content()) < 320
    assert page.cssselect(".hits a")[0].get("href") == "../../p/2603.10001/"
    assert page.cssselect("[role=status]")[0].text_content().strip() == "1 paper"


async def test_results_come_in_pages(pages: Pages) -> None:
    await pages.listed(*(paper(number) for number in range(1, 46)))
    first, last = await search(pages, q="nature"), await search(pages, q="nature", page="3")
    assert (len(titles(first)), len(titles(last))) == (20, 5)
    assert [one.get("href") for one in first.cssselect("[rel=next]")] == ["?q=nature&page=2"]
    assert [one.get("href") for one in last.cssselect("[rel=prev]")] == ["?q=nature&page=2"]
    assert not last.cssselect("[rel=next]")
    assert titles(await search(pages, q="nature", page="no number")) == titles(first)


async def test_a_search_among_the_papers_of_a_list_leads_to_all(pages: Pages) -> None:
    await pages.listed(paper(1))
    await pages.listed(paper(2), source="elsewhere")
    assert titles(await search(pages, q="nature", list="daily")) == [paper(1).title]
    page = await search(pages, q="nature")
    assert len(titles(page)) == 2
    assert len(titles(await search(pages, q="nature", list="no-list"))) == 2


@pytest.mark.parametrize(
    "query", ["<script>alert(1)</script>", '"><img src=x>', "\u202e\x00", "' OR 1=1 --", "%s{{7*7}}"]
)
async def test_no_query_becomes_markup(pages: Pages, query: str) -> None:
    await pages.listed(Listing(title=f"On {query or 'x'} script alert img", arxiv_id="2603.10002"))
    page = await search(pages, q=query, list=query, page=query)
    assert not page.cssselect("script, img")
    assert "49" not in page.text_content()


async def test_long_queries_and_empty_ones_are_answered_in_words(pages: Pages) -> None:
    assert "its first words were looked for" in (await search(pages, q="word " * 100)).text_content()
    assert "Nothing was found." in (await search(pages, q="zzz")).text_content()
    empty = await search(pages)
    assert not empty.cssselect("[role=status]")


async def test_without_an_index_the_page_says_that_search_is_off(pages: Pages) -> None:
    async with pages.store._database.write() as connection:  # type: ignore[attr-defined]
        await connection.exec_driver_sql("DROP TABLE listing_search")
    page = await search(pages, q="cat")
    assert page.cssselect("[role=status]")[0].text_content() == (
        "Search is off: this server's SQLite was built without FTS5."
    )


async def test_answers_to_queries_take_no_room_from_other_pages(pages: Pages) -> None:
    assert not (await pages.get("-/search/", query={"q": "cat"})).is_kept


async def test_a_site_of_files_has_no_search(pages: Pages) -> None:
    assert await pages.answer("-/search/", is_static=True) is None
