"""Pages, feeds and the API show what a model wrote of a paper with the model's name, as it stands in an issue."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineSummary, SummaryShow
from newsletter.store import open_store
from newsletter.web.api.answers import Answers
from tests.web.papers import DAY, NOW, Pages, pages_of

PAPER = Listing(
    title="Agents that act",
    arxiv_id="2603.00001",
    authors=("Zoë Å",),
    abstract="We show that an agent acts upon the world and is not acted upon.",
    ai_summary="By the model of the source.",
)
LATER = Listing(title="An agent that came later", arxiv_id="2603.00002", abstract="We show more of an agent.")
GERMAN = MachineSummary(
    text="Ein Agent handelt <b>selbst</b>.", language="de", model="qwen3:8b", title="Agenten, die handeln"
)
CREDIT = "AI title and summary by qwen3:8b, not reviewed"


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    store = await open_store("sqlite://")
    yield pages_of(store, tmp_path)
    await store.close()


def words(page: Any) -> str:
    return " ".join(page.text_content().split())


@pytest.mark.parametrize("address", ["daily/", f"daily/{DAY}/", "daily/week/", "daily/topics/agents/"])
async def test_lists_of_papers_show_it_with_its_label(pages: Pages, address: str) -> None:
    await pages.listed(PAPER)
    await pages.issue(machine=GERMAN)
    await pages.listed(PAPER, LATER, at=NOW + timedelta(hours=3))
    page = await pages.page(address)

    [title] = [one for one in page.iter() if (one.text or "") == "Agenten, die handeln"]
    assert (title.get("lang") or title.getparent().get("lang"), title.get("dir")) == ("de", "ltr")
    [own] = [one for one in page.cssselect("p.small") if one.text == "Agents that act"]
    assert own.get("dir") == "auto"
    [text] = [one for one in page.iter() if (one.text or "").startswith("Ein Agent handelt <b>selbst</b>.")]
    assert (text.get("lang"), text.get("dir")) == ("de", "ltr")
    assert text.getnext().text == CREDIT
    assert "By the model of the source" not in words(page)
    assert words(page).count(CREDIT) == 1


async def test_both_are_shown_where_the_list_wants_both(pages: Pages) -> None:
    await pages.listed(PAPER, LATER)
    await pages.issue(machine=replace(GERMAN, show=SummaryShow.BOTH))
    shown = words(await pages.page(f"daily/{DAY}/"))

    assert f"{CREDIT} AI summary: By the model of the source." in shown
    assert f"{CREDIT} From the abstract: We show more of an agent." in shown


async def test_the_page_of_a_paper_keeps_its_own_title_first(pages: Pages) -> None:
    await pages.listed(PAPER)
    await pages.issue(machine=GERMAN)
    page = await pages.page("p/2603.00001/")

    assert page.cssselect("h1")[0].text == "Agents that act"
    assert page.xpath("//meta[@name='citation_title']/@content") == ["Agents that act"]
    assert [one.get("lang") for one in page.cssselect(".standfirst")] == ["de", "de", None]
    assert f"Agenten, die handeln Ein Agent handelt <b>selbst</b>. {CREDIT}" in words(page)
    assert "By the model of the source. AI summary, written by a machine" in words(page)


@pytest.mark.parametrize("feed", ["feed", "issues"])
@pytest.mark.parametrize("ending", ["atom", "rss", "json"])
async def test_feeds_say_who_wrote_it(pages: Pages, feed: str, ending: str) -> None:
    await pages.listed(PAPER)
    await pages.issue(machine=GERMAN)
    content = (await pages.get(f"daily/{feed}.{ending}")).content.decode()

    assert "AI summary by qwen3:8b, not reviewed:" in content
    assert "Ein Agent handelt" in content
    assert ending == "json" or "<b>selbst" not in content
    assert "Agenten, die handeln" in content
    assert "Agents that act" in content
    if (feed, ending) == ("feed", "json"):
        [item] = json.loads(content)["items"]
        assert item["summary"].startswith("AI summary by qwen3:8b, not reviewed: Ein Agent")
        assert "<b>selbst" not in item["content_html"]


async def test_the_api_has_it_in_a_field_of_its_own(pages: Pages) -> None:
    await pages.listed(PAPER)
    await pages.issue(machine=GERMAN)
    issue = await pages.store.issues.find("daily", DAY)
    paper = await pages.store.papers.find(PAPER.id)
    assert issue is not None
    assert paper is not None
    answers = Answers("https://papers.example.org")

    [in_issue] = answers.issue(issue).model_dump(mode="json")["papers"]
    [stands_in] = answers.paper(paper).model_dump(mode="json")["issues"]

    told = {
        "text": GERMAN.text,
        "title": GERMAN.title,
        "language": "de",
        "model": "qwen3:8b",
        "reviewed": False,
    }
    assert in_issue["machine_summary"] == stands_in["machine_summary"] == told
    assert (in_issue["summary"], in_issue["ai_summary"]) == ("", "By the model of the source.")
