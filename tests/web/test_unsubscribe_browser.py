from __future__ import annotations

from playwright.async_api import expect

from tests.web.browser import browser_page
from tests.web.site import Site


async def test_a_reader_leaves_by_the_pages_button_under_our_own_content_policy(site: Site) -> None:
    complaints: list[str] = []
    async with browser_page(str(site.client.base_url)) as page:
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(site.path)
        assert not await site.has_left()
        await page.get_by_role("button", name="Unsubscribe").click()
        await expect(page.get_by_role("heading")).to_have_text("You are unsubscribed")
        assert await site.has_left()
    assert not [text for text in complaints if "Content Security Policy" in text]
