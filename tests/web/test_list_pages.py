from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.listing import Listing
from newsletter.core.pictures import Figure
from newsletter.store import open_store
from newsletter.web.pages.site_pages import MovedPage, Wanted
from tests.factories import papers as real_papers
from tests.store.samples import paper
from tests.web.lists import DAY, LIST_FILE, NOW, Lists, links, lists_in, titles, words

HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)


@pytest.fixture
async def lists(tmp_path: Path) -> AsyncIterator[Lists]:
    store = await open_store("sqlite://")
    yield lists_in(tmp_path, store)
    await store.close()


async def test_a_day_says_what_rose_late_as_its_mail_does(lists: Lists) -> None:
    await lists.listed(paper(1), day=DAY - A_DAY, at=NOW - A_DAY, upvotes=140)
    await lists.listed(paper(2), upvotes=97)
    await lists.issue(late=paper(1))

    page = await lists.page("daily/2026-03-12/")
    before = await lists.page("daily/2026-03-11/")

    said = {titles(one)[0]: "rose late" in words(one) for one in page.cssselect("article.paper, .paper-row")}
    assert said == {title_of(1): True, title_of(2): False}
    assert "rose late" not in words(before)


def title_of(number: int) -> str:
    return paper(number).title


async def test_a_day_shows_its_issue_and_whatever_was_listed_since_with_the_newest_votes(lists: Lists) -> None:
    await lists.listed(paper(1), day=DAY - A_DAY, at=NOW - A_DAY, upvotes=40)
    await lists.listed(paper(2), upvotes=97)
    await lists.issue()
    await lists.listed(paper(2), upvotes=147, at=NOW + 3 * HOUR)
    await lists.listed(paper(3), upvotes=3, at=NOW + 3 * HOUR)

    page = await lists.page("daily/2026-03-12/")

    assert titles(page) == [title_of(2), title_of(1), title_of(3)]
    assert [badge.text_content() for badge in page.cssselect(".paper .votes")] == ["▲ 147", "▲ 40", "▲ 3"]
    assert [new.getparent().text_content().split(" new")[0] for new in page.cssselect(".paper .new")] == [
        title_of(3)
    ]
    [head] = page.cssselect(".head > p")
    assert words(head) == "3 papers · 1 of an earlier day · 1 new since the issue · updated 11:00 · Issue 1"
    assert page.cssselect("h1")[0].text_content() == "Thursday, 12 March 2026"


async def test_the_first_papers_show_their_texts_and_the_others_open(lists: Lists) -> None:
    await lists.listed(*real_papers(20), upvotes=5)

    page = await lists.page("daily/2026-03-12/")

    assert len(page.cssselect(".paper")) == 12
    assert len(page.cssselect(".paper-row details")) == 8
    first = page.cssselect(".paper")[0]
    assert "Ashish Vaswani, Noam Shazeer, Niki Parmar +5" in words(first)
    assert first.cssselect(".title a")[0].get("href") == "../../p/1706.03762/"
    assert first.cssselect("details .abstract")


async def test_a_day_leads_to_the_days_around_it(lists: Lists) -> None:
    for back in (30, 3, 2, 0):
        await lists.listed(paper(back), day=DAY - back * A_DAY, at=NOW - back * A_DAY)

    page = await lists.page("daily/2026-03-09/")

    tabs = [words(tab) for tab in page.cssselect(".tabs a:not(.step)")]
    assert tabs == ["Mon 91 paper", "Tue 101 paper", "Thu 121 paper"]
    assert [one.get("href") for one in page.cssselect(".tabs .step")] == [
        "../../daily/2026-02-10/",
        "../../daily/2026-03-10/",
    ]


async def test_the_front_page_is_the_newest_day_with_a_box_to_sign_up_that_needs_no_script(lists: Lists) -> None:
    await lists.listed(paper(1), upvotes=3)

    page = await lists.page("daily/")

    assert titles(page) == [title_of(1)]
    [form] = page.cssselect("form.signup")
    assert (form.get("action"), form.get("method")) == ("../-/signup/daily", "post")
    assert "new Get trending papers in your email inbox once a day!" in words(form)
    assert {one.get("name") for one in form.cssselect("input")} == {"email", "cadence", "website"}
    assert not page.cssselect("script, style, [style], img")
    assert page.cssselect('link[rel="canonical"]')[0].get("href") == "https://papers.example.org/daily/"


async def test_a_list_of_which_nothing_is_known_says_so_and_takes_readers(lists: Lists) -> None:
    addresses = [address async for address in lists.pages.addresses()]

    assert addresses == [
        "", "daily/", "daily/archive/", "daily/week/", "daily/topics/", "daily/topics/agents/",
    ]  # fmt: skip
    for address in addresses:
        page = await lists.page(address)
        assert page.cssselect("h1")
    assert "There are no papers here yet." in words(await lists.page("daily/"))
    assert (await lists.page("daily/")).cssselect("form.signup")


async def test_a_closed_list_has_no_box_to_sign_up(lists: Lists) -> None:
    lists.write(LIST_FILE.replace('signup = "open"', 'signup = "closed"'))
    await lists.listed(paper(1))

    for address in ("", "daily/", "daily/2026-03-12/"):
        page = await lists.page(address)
        assert not page.cssselect("form.signup")
        assert not any("signup" in link for link in links(page))


async def test_a_list_whose_file_is_wrong_or_gone_still_shows_its_issues(lists: Lists) -> None:
    await lists.listed(paper(1), upvotes=9)
    await lists.issue()
    lists.write("title = ")

    assert "Daily Papers" in words(await lists.page(""))
    (lists.folder / "daily.toml").unlink()
    for address in ("daily/", "daily/2026-03-12/"):
        page = await lists.page(address)
        assert titles(page) == [title_of(1)]
        assert not page.cssselect("form.signup")
    assert title_of(1) in words(await lists.page("daily/archive/"))


@pytest.mark.parametrize(
    "address",
    [
        "other/", "daily/2026-03-13/", "daily/2026-03-12/2/", "daily/2026-03-12/1/", "daily/2026-03-11/",
        "daily/20260312/", "daily/2026-02-30/", "daily/week/2026-W54/", "daily/week/2026-W10/",
        "daily/topics/none/", "daily/topics/agents/2026-02/", "daily/topics/agents/2026-13/", "daily/nothing/",
        "daily.weekly/2026-03-12/", "daily.weekly/archive/", "daily/9999-12-31/", "daily/../", "daily//", "-/",
        "daily/archive/2025/", "p/",
    ],
)  # fmt: skip
async def test_what_a_list_does_not_have_is_no_page(lists: Lists, address: str) -> None:
    await lists.listed(paper(1))
    await lists.listed(paper(2), day=DAY + 2 * A_DAY)  # a feed may be ahead of its time

    assert await lists.content(address) is None


async def test_other_orders_are_links_and_leave_out_nothing_but_what_is_asked(lists: Lists) -> None:
    code = "https://github.com/example/two"
    await lists.listed(paper(1), upvotes=9, comments=1)
    await lists.listed(paper(2, code_url=code), upvotes=5, comments=8, at=NOW + HOUR)
    await lists.listed(paper(3), upvotes=7, comments=0, at=NOW + 2 * HOUR)

    async def shown(**query: str) -> list[int]:
        page = await lists.page("daily/2026-03-12/", query=query)
        return [int(title.rpartition(" ")[2]) for title in titles(page)]

    assert await shown() == [1, 3, 2]
    assert await shown(sort="new") == [3, 2, 1]
    assert await shown(sort="comments") == [2, 1, 3]
    assert await shown(code="1") == [2]
    assert await shown(sort="<script>", code="2") == [1, 3, 2]
    page = await lists.page("daily/2026-03-12/")
    assert {"../../daily/2026-03-12/?sort=new", "../../daily/2026-03-12/?code=1"} <= links(page)


async def test_a_page_that_is_a_file_has_no_form_and_no_other_order(lists: Lists) -> None:
    await lists.listed(paper(1), paper(2), upvotes=9, comments=3)
    async for address in lists.pages.addresses():
        page = await lists.page(address, is_static=True)
        assert not page.cssselect("form")
        assert not [link for link in links(page) if "?" in link and link.startswith(".")]
    assert "https://papers.example.org/-/signup/daily" in links(await lists.page("daily/", is_static=True))


async def test_every_link_of_a_list_to_its_own_pages_leads_somewhere(lists: Lists) -> None:
    for back in range(0, 12, 2):
        fitting = paper(back + 50, abstract="An agent that reads.")
        await lists.listed(paper(back), fitting, day=DAY - back * A_DAY, at=NOW - back * A_DAY, upvotes=back)
    await lists.issue()
    await lists.issue(weekly=True)
    addresses = [address async for address in lists.pages.addresses()]
    assert len(addresses) == len(set(addresses))
    known = set(addresses)
    for address in addresses:
        up = "../" * address.count("/") or "./"
        for link in links(await lists.page(address, is_static=True)):
            if link.startswith(up) and not link.startswith((f"{up}p/", f"{up}-/")) and link.endswith("/"):
                assert link.removeprefix(up) in known, (address, link)


async def test_a_long_day_goes_on_on_other_pages(lists: Lists) -> None:
    await lists.listed(*(paper(number) for number in range(1000)), upvotes=1)

    addresses = [one async for one in lists.pages.addresses() if one.startswith("daily/2026-03-12/")]
    contents = [await lists.content(address) or b"" for address in addresses]

    assert addresses == ["daily/2026-03-12/", *(f"daily/2026-03-12/{number}/" for number in range(2, 11))]
    assert all(0 < len(content) < 200_000 for content in contents)
    assert len({title for address in addresses for title in titles(await lists.page(address))}) == 1000
    assert await lists.content("daily/2026-03-12/11/") is None


async def test_a_front_page_of_fifty_papers_is_small(lists: Lists) -> None:
    await lists.listed(*real_papers(50), upvotes=12, comments=3, stars=400)

    content = await lists.content("daily/")

    assert content is not None
    assert len(titles(await lists.page("daily/"))) == 50
    assert len(content) < 100_000


async def test_the_issue_of_a_week_is_shown_by_its_days(lists: Lists) -> None:
    await lists.listed(paper(1), day=DAY - 2 * A_DAY, at=NOW - 2 * A_DAY, upvotes=3)
    await lists.listed(paper(2), paper(3), upvotes=9)
    await lists.issue(weekly=True)

    page = await lists.page("daily.weekly/2026-03-12/")

    assert [words(one) for one in page.cssselect(".of-day > h2")] == ["Tuesday, 10 Mar", "Thursday, 12 Mar"]
    assert [one.get("id") for one in page.cssselect(".of-day")] == ["day_20260310", "day_20260312"]
    assert titles(page) == [title_of(1), title_of(2), title_of(3)]
    moved = await lists.pages.page("daily.weekly/", Wanted())
    assert moved == MovedPage(address="daily/")


async def test_the_front_page_of_a_weekly_list_is_its_newest_issue(lists: Lists) -> None:
    lists.write(LIST_FILE.replace("signup =", 'cadence = "weekly"\nsignup ='))
    await lists.listed(paper(1), upvotes=3)
    await lists.issue()
    lists.now += A_DAY
    await lists.listed(paper(2), day=DAY + A_DAY, at=NOW + A_DAY)

    page = await lists.page("daily/")

    assert titles(page) == [title_of(1)]
    assert "once a week!" in words(page.cssselect("form.signup")[0])
    assert not page.cssselect("input[type=radio]")


async def test_a_figure_that_was_checked_is_a_link_and_loaded_from_nowhere(lists: Lists) -> None:
    figure = Figure(url="https://example.org/figure.png", width=900, height=400)
    await lists.listed(paper(1), upvotes=3)
    await lists.issue(figure=figure)

    page = await lists.page("daily/")

    [link] = [one for one in page.cssselect(".actions a") if one.text == "Figure"]
    assert (link.get("href"), link.get("rel")) == (figure.url, "noopener nofollow")
    assert not page.cssselect("img")


async def test_a_week_holds_what_its_days_brought(lists: Lists) -> None:
    await lists.listed(paper(1), day=DAY - 7 * A_DAY, at=NOW - 7 * A_DAY, upvotes=3)
    await lists.listed(paper(2), day=DAY - A_DAY, at=NOW - A_DAY, upvotes=5)
    await lists.listed(paper(3), upvotes=9)
    await lists.issue()

    page, before = await lists.page("daily/week/"), await lists.page("daily/week/2026-W10/")

    assert (titles(page), titles(before)) == ([title_of(3), title_of(2)], [title_of(1)])
    assert {"../../daily/week/2026-W10/", "../../daily/2026-03-11/"} <= links(page)
    assert "../../../daily/week/2026-W11/" in links(before)


async def test_the_archive_has_all_days_and_issues_of_a_year_by_month(lists: Lists) -> None:
    await lists.listed(paper(1), day=DAY - 300 * A_DAY, at=NOW - 300 * A_DAY)
    await lists.listed(paper(2), day=DAY - 20 * A_DAY, at=NOW - 20 * A_DAY)
    await lists.listed(paper(3), paper(4), upvotes=9)
    await lists.issue()

    page = await lists.page("daily/archive/")

    assert [words(one) for one in page.cssselect(".list h2")] == ["March 2026", "February 2026"]
    rows = [words(one) for one in page.cssselect(".archive li")]
    assert rows == [f"Thu 12 {title_of(3)} 2 papers", "Fri 20 Friday, 20 Feb 1 paper"]
    assert "../../daily/archive/2025/" in links(page)


async def test_a_topic_has_the_papers_that_fit_it_by_day(lists: Lists) -> None:
    fitting: dict[str, Any] = {"abstract": "We train agents that read."}
    await lists.listed(paper(1, **fitting), day=DAY - 60 * A_DAY, at=NOW - 60 * A_DAY)
    await lists.listed(paper(2, **fitting), paper(9), day=DAY - A_DAY, at=NOW - A_DAY)
    await lists.listed(paper(3, **fitting), paper(2, **fitting), upvotes=9)

    newest, january = await lists.page("daily/topics/agents/"), await lists.page("daily/topics/agents/2026-01/")

    assert (titles(newest), titles(january)) == ([title_of(3), title_of(2)], [title_of(1)])
    assert titles(await lists.page("daily/topics/agents/2026-02/")) == []
    assert "2 papers in 30 days" in words(await lists.page("daily/topics/"))


async def test_a_page_speaks_the_language_of_its_list(lists: Lists) -> None:
    lists.write(LIST_FILE.replace("[topics", 'language = "he"\n\n[topics', 1))
    await lists.listed(Listing(title="Attention and the rest of the models that we know", arxiv_id="2603.00001"))

    page = await lists.page("daily/")

    assert (page.get("lang"), page.get("dir")) == ("he", "rtl")
    assert page.cssselect("body")[0].get("dir") == "ltr"  # as its words, which are English
    assert page.cssselect(".title")[0].get("lang") == "en"
    german = await lists.page("", language="de")
    assert (german.get("lang"), german.get("dir")) == ("de", "ltr")


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>&amp;\u202e'


async def test_nothing_that_a_source_says_becomes_markup(lists: Lists) -> None:
    hostile = Listing(
        title=f"agent {HOSTILE}",
        abstract=HOSTILE,
        summary=HOSTILE * 2,
        ai_summary=HOSTILE * 3,
        authors=(HOSTILE, "Ann"),
        organization=HOSTILE,
        categories=(HOSTILE,),
        keywords=(HOSTILE,),
        url=f"https://example.org/{HOSTILE}",
        pdf_url="javascript:alert(1)",
        code_url='https://example.org/"onclick="alert(1)',
        project_url="data:text/html,<script>alert(1)</script>",
        discussion_url="https://example.org/\r\nX: y",
        thumbnail_url=HOSTILE,
        submitted_by=HOSTILE,
    )
    await lists.listed(hostile, Listing(title="../../etc/passwd"), Listing(title="?a=b#c"), comments=3, upvotes=2)
    await lists.issue()
    await lists.issue(weekly=True)
    checked = 0
    async for address in lists.pages.addresses():
        page = await lists.page(address)
        assert not page.cssselect("script, img, [onerror], [onclick], [style]"), address
        assert not [one for one in links(page) if not one.startswith(("./", "../", "https://example.org/", "#"))]
        checked += "alert(1)" in words(page)
    assert checked > 5


async def test_a_page_has_another_version_when_what_it_shows_changes(lists: Lists) -> None:
    async def version(**query: str) -> str | None:
        return await lists.pages.version("daily/2026-03-12/", Wanted(query=query))

    versions = [await version()]
    await lists.listed(paper(1), upvotes=3)
    versions.append(await version())
    await lists.listed(paper(1), upvotes=3, at=NOW + HOUR)  # the page says when its sources were read
    versions.append(await version())
    await lists.issue()
    versions.append(await version())
    lists.write(LIST_FILE.replace("Daily Papers", "Papers of the Day"))
    versions.append(await version())
    versions.append(await version(sort="new"))
    lists.now += A_DAY
    versions.append(await version())

    assert len(set(versions)) == len(versions)
    assert await version() == await version(sort="unknown", other="1")
