from __future__ import annotations

from datetime import time

from playwright.async_api import expect

from tests.web.browser import browser_page
from tests.web.site import LINKS, Site


async def test_a_reader_leaves_by_the_pages_button_under_our_own_content_policy(site: Site) -> None:
    complaints: list[str] = []
    async with browser_page(str(site.client.base_url)) as page:
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(site.path)
        assert not await site.has_left()
        await page.get_by_role("button", name="Unsubscribe").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
        assert await site.has_left()
    assert not [text for text in complaints if "Content Security Policy" in text]


async def test_a_reader_comes_back_saves_wishes_and_asks_for_another_address_without_scripts(site: Site) -> None:
    complaints: list[str] = []
    preferences = LINKS.preferences(site.reader_key).removeprefix(LINKS.public_url)
    async with browser_page(str(site.client.base_url)) as page:
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(site.path)
        await page.get_by_role("button", name="Unsubscribe").click()
        await page.get_by_role("button", name="Undo, I want to stay").click()
        await expect(page.get_by_role("heading")).to_have_text("You stay on Papers & <More>")
        assert not await site.has_left()
        await page.goto(preferences)
        await page.get_by_label("agents").check()
        await page.get_by_label("Friday").uncheck()
        await page.get_by_label("Time", exact=True).fill("07:30")
        await page.get_by_label("Authors").fill("Ada Lovelace")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("status")).to_have_text("Saved")
        await page.get_by_label("New address").fill("ann@lab.example")
        await page.get_by_role("button", name="Change address").click()
        await expect(page.get_by_role("heading")).to_have_text("Look into the inbox of the new address")
    reader = await site.reader()
    assert (reader.topics, reader.days, reader.hour) == (("agents",), (0, 1, 2, 3), time(7, 30))
    assert [str(one) for one in reader.follows] == ["author: Ada Lovelace"]
    assert site.woken == 1
    assert not [text for text in complaints if "Content Security Policy" in text]
