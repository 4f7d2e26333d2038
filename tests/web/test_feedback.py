"""More like this, less like this: GET asks, POST notes it, for the reader of the link and for nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.async_api import expect
from structlog.testing import capture_logs

from newsletter.core.likeness import Opinion
from newsletter.core.tokens import TEST_COPY, Links
from tests.store.samples import join, key_of
from tests.web.browser import browser_page
from tests.web.site import DAY, LINKS, READER, Site

OTHER = Links(LINKS.public_url, "another secret")


async def paper(site: Site) -> int:
    """Return the key of the one paper."""
    issue = await site.store.issues.find("daily", DAY)
    assert issue is not None
    return issue.listings[0].key


async def path(site: Site, *, like: bool = True, listing: int | None = None) -> str:
    of = await paper(site) if listing is None else listing
    return LINKS.feedback(site.reader_key, of, like=like).removeprefix(LINKS.public_url)


async def said(site: Site) -> tuple[Opinion, ...]:
    return await site.store.feedback.of_address("daily", READER.address_key)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("like", "words"), [(True, "More like this?"), (False, "Less like this?")])
async def test_a_link_asks_and_changes_nothing(site: Site, method: str, words: str, *, like: bool) -> None:
    answer = await site.client.request(method, await path(site, like=like))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in answer.headers
    assert await said(site) == ()
    if method == "GET":
        assert f"<h1>{words}</h1>" in answer.text
        assert "Sparse teachers" in answer.text
        assert "https://arxiv.org/abs/2603.00001" in answer.text


@pytest.mark.parametrize(("like", "words"), [(True, "You will get more"), (False, "You will get less")])
async def test_the_button_notes_it_and_again_is_fine(site: Site, words: str, *, like: bool) -> None:
    for _ in range(2):
        answer = await site.client.post(await path(site, like=like))
        assert answer.status_code == 200
        assert words in answer.text
        assert "set-cookie" not in answer.headers
        assert [one.liked for one in await said(site)] == [like]


async def test_the_last_word_counts_and_the_page_says_what_was_said(site: Site) -> None:
    more, less = await path(site), await path(site, like=False)
    await site.client.post(more)
    assert "You will get more like this" in (await site.client.get(more)).text
    assert "Less like this?" in (await site.client.get(less)).text
    await site.client.post(less)
    assert [one.liked for one in await said(site)] == [False]
    assert "More like this?" in (await site.client.get(more)).text


async def test_it_can_be_undone_as_often_as_one_likes(site: Site) -> None:
    more = await path(site)
    await site.client.post(more)
    undo = more.replace("/more", "/undo")
    assert "Take it back?" in (await site.client.get(undo)).text
    assert len(await said(site)) == 1
    for _ in range(2):
        assert "It is forgotten" in (await site.client.post(undo)).text
        assert await said(site) == ()


async def test_links_of_test_copies_say_so_and_change_nothing(site: Site) -> None:
    link = LINKS.feedback(TEST_COPY, await paper(site), like=True).removeprefix(LINKS.public_url)
    for answer in (await site.client.get(link), await site.client.post(link)):
        assert answer.status_code == 200
        assert "<h1>This is a test copy</h1>" in answer.text
    assert await said(site) == ()


async def test_a_forged_token_is_not_found_and_notes_nothing(site: Site) -> None:
    own = await path(site)
    forged = OTHER.feedback(site.reader_key, await paper(site), like=True).removeprefix(OTHER.public_url)
    leaving = own.replace(own.split("/")[3], site.path.rpartition("/")[2])
    for link in (forged, leaving, f"{own}/", own.replace("more", "most"), own.replace("/more", "")):
        assert (await site.client.get(link)).status_code == 404
        assert (await site.client.post(link)).status_code == 404
    assert "This link does not work" in (await site.client.get(forged)).text
    assert await said(site) == ()


async def test_readers_speak_of_papers_in_issues_of_their_own_list_alone(site: Site) -> None:
    for listing in (4711, 0):
        assert (await site.client.post(await path(site, listing=listing))).status_code == 404
    unreadable = (await path(site)).rsplit("/", 2)[0]
    for text in ("x", "1.5", "-1", "9" * 40, "١"):
        assert (await site.client.post(f"{unreadable}/{text}/more")).status_code == 404
    await join(site.store, replace(READER, list="weekly"))
    stranger = await key_of(site.store, "weekly", READER.email)
    link = LINKS.feedback(stranger, await paper(site), like=True).removeprefix(LINKS.public_url)
    assert (await site.client.post(link)).status_code == 404
    assert await site.store.feedback.of_address("weekly", READER.address_key) == ()


async def test_a_token_of_somebody_who_is_erased_says_gone(site: Site) -> None:
    link = LINKS.feedback(4711, await paper(site), like=True).removeprefix(LINKS.public_url)
    assert [(await site.client.get(link)).status_code, (await site.client.post(link)).status_code] == [410, 410]


async def test_tokens_never_reach_the_log_nor_other_sites(site: Site) -> None:
    link = await path(site)
    token = link.split("/")[3]
    with capture_logs() as logs:
        answers = [await site.client.get(link), await site.client.post(link), await site.client.put(link)]
    assert token not in repr(logs)
    assert READER.email not in repr(logs)
    for answer in answers[:2]:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-robots-tag"] == "noindex"
    assert answers[2].status_code == 405


async def test_a_reader_says_it_changes_their_mind_and_takes_it_back_by_the_pages_buttons(site: Site) -> None:
    complaints: list[str] = []
    async with browser_page(str(site.client.base_url)) as page:
        page.on("console", lambda message: complaints.append(message.text))
        heading = page.get_by_role("heading", level=1)
        await page.goto(await path(site))
        await page.get_by_role("button", name="More like this").click()
        await expect(heading).to_have_text("You will get more like this")
        assert [one.liked for one in await said(site)] == [True]
        await page.get_by_role("button", name="Less like this instead").click()
        await expect(heading).to_have_text("You will get less like this")
        assert [one.liked for one in await said(site)] == [False]
        await page.get_by_role("button", name="Undo").click()
        await expect(heading).to_have_text("It is forgotten")
        assert await said(site) == ()
        await page.get_by_role("button", name="Less like this").click()
        assert [one.liked for one in await said(site)] == [False]
    assert not [text for text in complaints if "Content Security Policy" in text]
